"""Commands of the Azure CLI for the first hour and the last.

What Terraform calls a bucket is a storage account here, with a container for the state. The account is
asked with who one is, not with its key, so those who run Terraform need a right on its contents
beside the right to own it.

Source: `az --help` of the Azure CLI 2.91; kubelogin, "convert-kubeconfig".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from plinth.ir.commands import Check, CloudCommands, Command, Making

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plinth.ir.commands import WantedSecret

PROGRAMS: Final = {
    "az": "https://learn.microsoft.com/cli/azure/install-azure-cli, then `az login`",
    "kubelogin": "`az aks install-cli`",
}
PROTECTIONS: Final = {
    "deletion_protection": False,
    "deletion_protection_enabled": False,
}
WRITER: Final = "Storage Blob Data Contributor"
"""The right to read and write what is in a storage account; owning the account is not enough."""


def commands(
    *,
    subscription: str,
    region: str,
    resource_group: str,
    cluster: str,
    state_account: str | None,
    state_container: str,
    admin_groups: Sequence[str],
    vault: str,
    node_resource_group: str,
    is_private: bool,
    secrets: Sequence[WantedSecret],
) -> CloudCommands:
    """Everything that one environment's first hour asks of the Azure CLI.

    The state has a resource group of its own, called as its account: whatever happens to the platform's does
    not reach it, and environments that share the state share the group.

    Args:
        subscription: Its id.
        region: `eastus`.
        resource_group: Of the platform.
        cluster: Its name.
        state_account: The storage account of the state; None where the state is kept in files.
        state_container: The container of the state in that account.
        admin_groups: Object ids of the Entra groups that run Terraform.
        vault: The key vault of the platform's secrets.
        node_resource_group: Where AKS puts nodes, disks and load balancers.
        is_private: The control plane has an address in its network only.
        secrets: What the platform reads.
    """
    of = f"--subscription={subscription}"
    return CloudCommands(
        programs=PROGRAMS,
        context=cluster,
        state=()
        if state_account is None
        else (
            *_account(of, region, state_account, state_account),
            *_inside(of, state_account, state_account, state_container),
            *(_writer(subscription, state_account, state_account, group) for group in admin_groups),
        ),
        credentials=(
            Command(
                argv=(
                    "az",
                    "aks",
                    "get-credentials",
                    f"--resource-group={resource_group}",
                    f"--name={cluster}",
                    f"--context={cluster}",
                    of,
                    "--overwrite-existing",
                ),
                purpose="adds the cluster to the kubeconfig",
            ),
            Command(
                argv=("kubelogin", "convert-kubeconfig", f"--context={cluster}", "--login=azurecli"),
                purpose="kubectl signs in as the Azure CLI does",
            ),
        ),
        secrets=tuple(_secret(of, vault, each) for each in secrets if not each.is_generated),
        leftovers=(
            Command(
                argv=(
                    "az",
                    "resource",
                    "list",
                    f"--resource-group={node_resource_group}",
                    of,
                    "--query=[].{type:type, name:name}",
                    "--output=table",
                ),
                purpose="nodes, disks and load balancers: all this goes with the cluster",
            ),
        ),
        # They are in a resource group that AKS removes with the cluster.
        disks_outlive_cluster=False,
        protections=PROTECTIONS,
        control_plane="azurerm_kubernetes_cluster",
        way_in="it answers inside its network only: run this from a machine there, or through a tunnel"
        if is_private
        else "it answers to the ranges in `network.allow`, and to those in `cloud.adminGroups`",
    )


def _account(of: str, region: str, group: str, account: str) -> tuple[Making, ...]:
    named = (f"--name={account}", f"--resource-group={group}", of)
    return (
        Making(
            what=f"resource group `{group}`",
            check=Check(argv=("az", "group", "exists", f"--name={group}", of), prints="true"),
            commands=(
                Command(
                    argv=(
                        "az",
                        "group",
                        "create",
                        f"--name={group}",
                        f"--location={region}",
                        of,
                        "--output=none",
                    ),
                    purpose="apart from the platform's own, which can be torn down",
                ),
            ),
        ),
        Making(
            what=f"storage account `{account}`",
            check=Check(
                argv=("az", "storage", "account", "show", *named, "--query=name", "--output=tsv"),
            ),
            commands=(
                Command(
                    argv=(
                        "az",
                        "storage",
                        "account",
                        "create",
                        *named,
                        f"--location={region}",
                        "--sku=Standard_ZRS",
                        "--kind=StorageV2",
                        "--min-tls-version=TLS1_2",
                        "--allow-blob-public-access=false",
                        "--allow-shared-key-access=false",
                        "--output=none",
                    ),
                    purpose="an account that nobody can make public, and that has no keys",
                ),
            ),
        ),
    )


def _inside(of: str, group: str, account: str, container: str) -> tuple[Making, ...]:
    properties = ("az", "storage", "account", "blob-service-properties")
    kept = (f"--account-name={account}", f"--resource-group={group}", of)
    # `container-rm` asks the management API: the right to own the account is enough for it.
    containers = ("az", "storage", "container-rm")
    held = (f"--storage-account={account}", f"--resource-group={group}", f"--name={container}", of)
    return (
        Making(
            what=f"versions in storage account `{account}`",
            check=Check(
                argv=(*properties, "show", *kept, "--query=isVersioningEnabled", "--output=tsv"),
                prints="true",
            ),
            commands=(
                Command(
                    argv=(*properties, "update", *kept, "--enable-versioning=true", "--output=none"),
                    purpose="an overwritten state can be brought back",
                ),
            ),
        ),
        Making(
            what=f"container `{container}`",
            check=Check(argv=(*containers, "exists", *held, "--query=exists", "--output=tsv"), prints="true"),
            commands=(
                Command(argv=(*containers, "create", *held, "--output=none"), purpose="for the state"),
            ),
        ),
    )


def _writer(subscription: str, group: str, account: str, admins: str) -> Making:
    scope = (
        f"--scope=/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.Storage/storageAccounts/{account}"
    )
    assignment = ("az", "role", "assignment")
    return Making(
        what=f"right of group `{admins}` on the state",
        check=Check(
            argv=(
                *assignment,
                "list",
                f"--assignee={admins}",
                f"--role={WRITER}",
                scope,
                "--query=length(@)",
                "--output=tsv",
            ),
            prints="1",
        ),
        commands=(
            Command(
                argv=(
                    *assignment,
                    "create",
                    f"--assignee-object-id={admins}",
                    "--assignee-principal-type=Group",
                    f"--role={WRITER}",
                    scope,
                    "--output=none",
                ),
                purpose="Terraform reads and writes the state as who runs it; it takes minutes to hold",
            ),
        ),
    )


def _secret(of: str, vault: str, wanted: WantedSecret) -> Making:
    shape = json.dumps(dict.fromkeys(wanted.keys, "..."))
    secret = ("az", "keyvault", "secret")
    named = (f"--vault-name={vault}", f"--name={wanted.name}", of)
    return Making(
        what=f"value of `{wanted.name}` in key vault `{vault}`",
        # The id alone: what the entry holds is not printed.
        check=Check(argv=(*secret, "show", *named, "--query=id", "--output=tsv")),
        commands=(
            Command(
                argv=(*secret, "set", *named, f"--file={wanted.name}.json", "--output=none"),
                purpose=f"{wanted.name}.json holds {shape}",
            ),
        ),
    )
