"""Commands of gcloud for the first hour and the last.

Source: `gcloud --help` of the Google Cloud SDK 528.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from plinth.ir.commands import Check, CloudCommands, Command, Making

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plinth.ir.commands import WantedSecret

PROGRAMS: Final = {
    "gcloud": "https://cloud.google.com/sdk/docs/install, then `gcloud auth login` "
    "and `gcloud auth application-default login`",
    "gke-gcloud-auth-plugin": "`gcloud components install gke-gcloud-auth-plugin`",
}
PROTECTIONS: Final = {
    "deletion_protection": False,
    "deletion_protection_enabled": False,
    "force_destroy": True,
}


def commands(
    *,
    project: str,
    region: str,
    cluster: str,
    state_bucket: str | None,
    has_dns_endpoint: bool,
    secrets: Sequence[WantedSecret],
) -> CloudCommands:
    """Everything that one project's first hour asks of gcloud.

    `has_dns_endpoint`: the control plane is reached by its DNS name, not by an address.
    """
    return CloudCommands(
        programs=PROGRAMS,
        context=f"gke_{project}_{region}_{cluster}",
        state=() if state_bucket is None else _state(project, region, state_bucket),
        credentials=(
            Command(
                argv=(
                    "gcloud",
                    "container",
                    "clusters",
                    "get-credentials",
                    cluster,
                    f"--location={region}",
                    f"--project={project}",
                    *(("--dns-endpoint",) if has_dns_endpoint else ()),
                    "--quiet",
                ),
                purpose="adds the cluster to the kubeconfig",
            ),
        ),
        secrets=tuple(_secret(project, each) for each in secrets if not each.is_generated),
        leftovers=(
            Command(
                argv=("gcloud", "compute", "forwarding-rules", "list", f"--project={project}"),
                purpose="load balancers that are left",
            ),
            Command(
                argv=("gcloud", "compute", "disks", "list", f"--project={project}"),
                purpose="disks that are left",
            ),
        ),
        protections=PROTECTIONS,
        control_plane="google_container_cluster",
        way_in="it is reached from anywhere, by who has `container.clusters.connect` in the project"
        if has_dns_endpoint
        else "it answers to the ranges in `network.allow` only: run this from one of them",
    )


def _state(project: str, region: str, bucket: str) -> tuple[Making, ...]:
    url, of = f"gs://{bucket}", f"--project={project}"
    buckets = ("gcloud", "storage", "buckets")
    return (
        Making(
            what=f"bucket `{bucket}`",
            check=Check(argv=(*buckets, "describe", url, of, "--format=value(name)", "--quiet")),
            commands=(
                Command(
                    argv=(
                        *buckets,
                        "create",
                        url,
                        of,
                        f"--location={region}",
                        "--uniform-bucket-level-access",
                        "--public-access-prevention",
                        "--quiet",
                    ),
                    purpose="a bucket that nobody can make public",
                ),
            ),
        ),
        Making(
            what=f"versions in bucket `{bucket}`",
            check=Check(
                argv=(*buckets, "describe", url, of, "--format=value(versioning_enabled)", "--quiet"),
                prints="True",
            ),
            commands=(
                Command(
                    argv=(*buckets, "update", url, of, "--versioning", "--quiet"),
                    purpose="an overwritten state can be brought back",
                ),
            ),
        ),
    )


def _secret(project: str, wanted: WantedSecret) -> Making:
    shape = json.dumps(dict.fromkeys(wanted.keys, "..."))
    versions = ("gcloud", "secrets", "versions")
    return Making(
        what=f"value of `{wanted.name}` in Secret Manager",
        check=Check(
            argv=(
                *versions,
                "describe",
                "latest",
                f"--secret={wanted.name}",
                f"--project={project}",
                "--format=value(state)",
                "--quiet",
            )
        ),
        commands=(
            Command(
                argv=(
                    *versions,
                    "add",
                    wanted.name,
                    f"--project={project}",
                    f"--data-file={wanted.name}.json",
                ),
                purpose=f"{wanted.name}.json holds {shape}",
            ),
        ),
    )
