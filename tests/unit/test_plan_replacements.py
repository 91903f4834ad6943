"""What a diff says of resources that Terraform makes anew."""

from __future__ import annotations

import json

import pytest

from plinth.plan import Tree, diff
from plinth.plan.actions import foreseen, predicted
from plinth.plan.show import Places, as_json, as_text

PLACES = Places(file="platform.yaml", base="HEAD", documents=(None, None))
POOL = "google_container_node_pool"


def tree(**roots):
    files = {
        f"generated/dev/terraform/{root}/all.tf.json": json.dumps(document).encode()
        for root, document in roots.items()
    }
    return Tree(
        marks={path: str(hash(data)) for path, data in files.items()},
        read=files.__getitem__,
        origins=lambda _path: {},
    )


def pool(**config):
    return {"resource": {POOL: {"t4": {"name": "t4", "cluster": "acme", "node_config": [config]}}}}


def told(before, after):
    found = diff(tree(cluster=before), tree(cluster=before), tree(cluster=after), spec=(), due="compiler")
    return {each.identity.address: (each.action, each.reasons) for each in found.changes}


def test_an_argument_that_forces_a_new_resource_is_named():
    assert told(pool(spot=True), pool(spot=False)) == {
        f"{POOL}.t4": ("replace", (f"no `{POOL}` changes `node_config.spot` in place",))
    }


def test_an_argument_that_changes_in_place_is_an_update():
    before, after = pool(machine_type="n2d-standard-4"), pool(machine_type="n2d-standard-8")
    assert told(before, after) == {f"{POOL}.t4": ("update", ())}


def test_a_type_that_no_recording_has_is_an_update():
    before, after = ({"resource": {"acme_thing": {"one": {"size": each}}}} for each in (1, 2))
    assert told(before, after) == {"acme_thing.one": ("update", ())}


def protected(name, *, lifecycle):
    return {
        "resource": {
            "google_storage_bucket": {"data": {"name": name, "location": "US", "lifecycle": lifecycle}},
            "google_storage_bucket_iam_member": {
                "data": {
                    "bucket": "${google_storage_bucket.data.name}",
                    "role": "roles/storage.objectUser",
                    "member": "user:a@acme.com",
                }
            },
        }
    }


def test_what_names_a_resource_that_is_made_anew_is_made_anew_as_well():
    found = told(protected("one", lifecycle={}), protected("two", lifecycle={}))
    assert found == {
        "google_storage_bucket.data": (
            "replace",
            ("no `google_storage_bucket` changes `name` in place",),
        ),
        "google_storage_bucket_iam_member.data": (
            "replace",
            ("it names `google_storage_bucket.data`, which is made anew",),
        ),
    }


def test_data_that_may_not_be_destroyed_is_told_to_stop_terraform():
    lifecycle = {"prevent_destroy": True}
    found = told(protected("one", lifecycle=lifecycle), protected("two", lifecycle=lifecycle))
    assert found == {
        "google_storage_bucket.data": (
            "replace",
            (
                "no `google_storage_bucket` changes `name` in place",
                "`prevent_destroy` refuses it: Terraform stops there",
            ),
        )
    }


def test_what_would_be_made_anew_behind_a_refusal_is_told_to_be_behind_it():
    """Its own argument changes as well: that Terraform never comes to it makes it no change in place."""

    def both(location):
        bucket = {"name": location, "location": location, "lifecycle": {"prevent_destroy": True}}
        thing = {"name": "one", "bucket": "${google_storage_bucket.data.name}", "source": location}
        return {
            "resource": {
                "google_storage_bucket": {"data": bucket},
                "google_storage_bucket_object": {"one": thing},
            }
        }

    def blocks(kind):
        flags = {"mode": "required", "type": "string", "force_new": True}
        names = ("name", "location") if kind == "google_storage_bucket" else ("name", "bucket", "source")
        return {"attributes": dict.fromkeys(names, flags)}

    found = foreseen(blocks, both("EU"), both("US"))
    assert {address: (each.action, each.behind) for address, each in found.items()} == {
        "google_storage_bucket.data": ("refused", None),
        "google_storage_bucket_object.one": ("replace", "google_storage_bucket.data"),
    }
    assert found["google_storage_bucket_object.one"].forced_by == (("source",),)
    assert set(predicted(blocks, both("EU"), both("US"))) == {"google_storage_bucket.data"}


def test_what_one_environment_says_of_an_address_hides_nothing_in_another():
    """In dev the right changes as well as the bucket; in prod it is made anew for the bucket alone."""

    def both(name, role):
        documents = {"dev": protected(name, lifecycle={}), "prod": protected(name, lifecycle={})}
        right = documents["dev"]["resource"]["google_storage_bucket_iam_member"]["data"]
        right["role"] = role
        files = {
            f"generated/{environment}/terraform/platform/all.tf.json": json.dumps(document).encode()
            for environment, document in documents.items()
        }
        marks = {path: str(hash(data)) for path, data in files.items()}
        return Tree(marks=marks, read=files.__getitem__, origins=lambda _path: {})

    before, after = both("one", "roles/storage.objectUser"), both("two", "roles/storage.objectViewer")
    found = diff(before, before, after, spec=(), due="compiler")
    assert {(each.identity.env, each.identity.address, each.action) for each in found.changes} == {
        (environment, address, "replace")
        for environment in ("dev", "prod")
        for address in ("google_storage_bucket.data", "google_storage_bucket_iam_member.data")
    }


def test_who_comes_before_the_old_one_goes_says_so():
    lifecycle = {"create_before_destroy": True}
    (_, reasons) = told(protected("one", lifecycle=lifecycle), protected("two", lifecycle=lifecycle))[
        "google_storage_bucket.data"
    ]
    assert "the new one is made before the old one goes" in reasons


def test_only_the_root_that_changes_is_looked_at():
    before, after = pool(spot=True), pool(spot=False)
    other = protected("one", lifecycle={})
    trees = [tree(cluster=each, platform=other) for each in (before, after)]
    found = diff(trees[0], *trees, spec=(), due="compiler")
    assert [each.identity.home for each in found.changes] == ["cluster"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_replacement_is_shown_with_its_reason_and_its_fields(form):
    trees = [tree(cluster=pool(spot=each)) for each in (True, False)]
    found = diff(trees[0], *trees, spec=(), due="compiler")
    if form == "text":
        shown = as_text(found, PLACES).splitlines()
        assert f"-/+ {POOL}.t4  (dev: cluster)" in shown
        assert f"    no `{POOL}` changes `node_config.spot` in place" in shown
        assert "    /node_config/0/spot: true -> false" in shown
        assert shown[-1] == "1 to replace"
    else:
        (change,) = as_json(found, PLACES)["changes"]
        assert (change["action"], change["reasons"]) == (
            "replace",
            [f"no `{POOL}` changes `node_config.spot` in place"],
        )
        assert as_json(found, PLACES)["summary"]["replace"] == 1


def test_a_change_of_the_provider_s_labels_changes_what_carries_them():
    def root(label):
        return {"provider": {"aws": {"default_tags": [{"tags": {"platform": label}}]}}} | {
            "resource": {"aws_vpc": {"platform": {"cidr_block": "10.0.0.0/16"}}}
        }

    block = {
        "attributes": {
            "cidr_block": {"mode": "optional", "type": "string", "force_new": True},
            "tags_all": {"mode": "optional_computed", "type": ["map", "string"]},
        }
    }
    found = predicted(lambda _kind: block, root("one"), root("two"))
    assert {address: each.action for address, each in found.items()} == {"aws_vpc.platform": "update"}
