"""The recorded schemas are those of the provider, or each difference has its reason.

All that Plinth reads of Terraform's types (`tests/data/tfschema`) was recorded at google 7.45; the rig has 8.0.0. What
`providers schema` does not tell, such as `force_new`, is held against plans in `test_rig_terraform_changes.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support import google_provider, terraform
from support.roots import roots, whole

pytestmark = [
    pytest.mark.xdist_group("google-provider"),
    pytest.mark.skipif(bool(google_provider.missing()), reason=str(google_provider.missing())),
]

RECORDED = Path(__file__).parents[1] / "data" / "tfschema" / "google.json"

MAJOR_8 = "changed in google 8"
NEWER = "came after google 7.45"
SIX = "data sources were recorded at google 6.50"
DIFFERENCES = {
    "google_bigquery_dataset.default_collation": MAJOR_8,
    "google_compute_reservation.reservation_block_count": MAJOR_8,
    "google_container_cluster.logging_config.enable_components": MAJOR_8,
    "google_container_cluster.monitoring_config.enable_components": MAJOR_8,
    "google_secret_manager_secret_version.secret_data_wo_version": MAJOR_8,
    "google_sql_database_instance.settings.replication_lag_max_seconds": NEWER,
    "google_storage_bucket_iam_member.timeouts": NEWER,
    "google_storage_bucket_iam_member.timeouts.create": NEWER,
    "data.google_monitoring_notification_channel.deletion_policy": SIX,
    "data.google_monitoring_notification_channel.sensitive_labels": SIX,
}

SECTIONS = {
    "resources": ("", "resource_schemas"),
    "data_sources": ("data.", "data_source_schemas"),
    "ephemeral_resources": ("ephemeral.", "ephemeral_resource_schemas"),
}


def recorded(block, path):
    """Path to what is said of it, for every attribute and block of a recorded type."""
    for name, flags in block.get("attributes", {}).items():
        marks = [mark for mark in ("sensitive", "write_only") if flags.get(mark)]
        yield f"{path}.{name}", (flags["mode"], flags["type"], marks)
    for name, nested in block.get("blocks", {}).items():
        yield f"{path}.{name}", (nested["nesting"], nested["min"], nested["max"])
        yield from recorded(nested, f"{path}.{name}")


def told(block, path):
    """The same of a type as the provider tells it."""
    for name, flags in block.get("attributes", {}).items():
        mode = [mark for mark in ("required", "optional", "computed") if flags.get(mark)]
        marks = [mark for mark in ("sensitive", "write_only") if flags.get(mark)]
        yield f"{path}.{name}", ("_".join(mode), flags["type"], marks)
    for name, nested in block.get("block_types", {}).items():
        count = (nested.get("min_items", 0), nested.get("max_items", 0))
        yield f"{path}.{name}", (nested["nesting_mode"], *count)
        yield from told(nested["block"], f"{path}.{name}")


def test_what_is_recorded_of_a_type_is_what_the_provider_tells(stub_providers, tmp_path):
    tool = terraform.find("terraform") or pytest.skip(terraform.missing("terraform"))
    name, files = next(iter(roots("google").items()))
    some = google_provider.Roots(tool, {name: whole(files)}, work=tmp_path, reattach=stub_providers)
    provider = some.schemas()
    ours = json.loads(RECORDED.read_text(encoding="utf-8"))
    different, compared = set(), 0
    for section, (prefix, key) in SECTIONS.items():
        for kind, block in ours[section].items():
            address = prefix + kind
            here, there = dict(recorded(block, address)), dict(told(provider[key][kind]["block"], address))
            compared += len(here)
            different |= {path for path in {*here, *there} if here.get(path) != there.get(path)}
    assert different == set(DIFFERENCES)
    assert compared > 3000
