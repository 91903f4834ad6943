"""Where the platform's objects live: one storage account, a container in it for each bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds.azure.keys import storage_encryption
from plinth.clouds.azure.names import BLOB_ZONE, Names
from plinth.clouds.azure.vault import private_endpoint
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.answers import Answer, BucketFacts
from plinth.ir.said import Expression, Said, said, text
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.ir.needs import Bucket
    from plinth.ir.said import Origin
    from plinth.spec import platform as spec

KEPT_DAYS: Final = 30
"""For how long an overwritten or deleted object can be brought back."""

SHORTEST_CONTAINER: Final = 3


def bucket(need: Bucket, names: Names, platform: spec.Platform) -> Answer[BucketFacts]:
    """A container of ours, or one that is there already."""
    wanted = need.bucket
    if wanted.url:
        return Answer(facts=BucketFacts(url=said(wanted, "url")))
    name = said(wanted, "name")
    faults: tuple[Diagnostic, ...] = ()
    if len(wanted.name) < SHORTEST_CONTAINER or "--" in wanted.name:
        faults = (
            Diagnostic(
                code="PLN313",
                message=f"`{wanted.name}` is no name for a container on Azure",
                help="use three characters or more, and no two `-` in a row",
                path=wanted.said_path("name"),
            ),
        )
    container = TerraformResource(
        layer="platform",
        type="azurerm_storage_container",
        name=wanted.name,
        arguments={
            "name": name,
            "storage_account_id": Expression("azurerm_storage_account.platform.id"),
            "container_access_type": "private",
            "lifecycle": {"prevent_destroy": True},
        },
        origins=(wanted.spec_path,),
    )
    url = text("wasbs://", name, "@", names.storage_account, ".blob.core.windows.net")
    first = next(each for each in platform.storage.buckets if each.url is None)
    account = _account(names, (platform.storage.said_path("buckets"),)) if first.name == wanted.name else ()
    return Answer(targets=(*account, container), facts=BucketFacts(url=url), diagnostics=faults)


def _account(names: Names, origins: tuple[Origin, ...]) -> tuple[Target, ...]:
    """The account of all containers. It has no keys: who reads is known to Entra."""
    account = TerraformResource(
        layer="platform",
        type="azurerm_storage_account",
        name="platform",
        arguments={
            **names.place,
            "name": names.storage_account,
            "account_kind": "StorageV2",
            "account_tier": "Standard",
            "account_replication_type": _replication(names),
            "min_tls_version": "TLS1_2",
            "https_traffic_only_enabled": True,
            "shared_access_key_enabled": False,
            "default_to_oauth_authentication": True,
            "allow_nested_items_to_be_public": False,
            "cross_tenant_replication_enabled": False,
            "public_network_access_enabled": False,
            "local_user_enabled": False,
            "infrastructure_encryption_enabled": True,
            # With a hierarchy of folders there are no versions: what was overwritten would be lost.
            "is_hns_enabled": False,
            **storage_encryption(names),
            "blob_properties": [
                {
                    "versioning_enabled": True,
                    "delete_retention_policy": [{"days": KEPT_DAYS}],
                    "container_delete_retention_policy": [{"days": KEPT_DAYS}],
                }
            ],
            "network_rules": [{"default_action": "Deny", "bypass": ["AzureServices"]}],
            "lifecycle": {"prevent_destroy": True},
        },
        origins=origins,
    )
    old_versions = TerraformResource(
        layer="platform",
        type="azurerm_storage_management_policy",
        name="platform",
        arguments={
            "storage_account_id": Expression("azurerm_storage_account.platform.id"),
            "rule": [
                {
                    "name": "old-versions",
                    "enabled": True,
                    "filters": [{"blob_types": ["blockBlob"]}],
                    "actions": [{"version": [{"delete_after_days_since_creation": KEPT_DAYS}]}],
                }
            ],
        },
        origins=origins,
    )
    endpoint = private_endpoint(
        "azurerm_storage_account.platform", "blob", BLOB_ZONE, names, layer="platform", origins=origins
    )
    return account, old_versions, endpoint


def _replication(names: Names) -> Said:
    """Copies in three zones where there are some, and in the region that Azure pairs with this one."""
    zones, elsewhere = names.zones, names.copied_elsewhere()
    kind = {(True, True): "GZRS", (True, False): "ZRS", (False, True): "GRS", (False, False): "LRS"}
    return Said(kind[len(zones.value) > 1, elsewhere.value], (*zones.origins, *elsewhere.origins))
