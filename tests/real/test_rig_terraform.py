"""The rig's google provider judges every root that we compile, without an account and without a way out.

What no recorded schema can know is asked here: values that Google knows, arguments that exclude each other, and
whatever else the provider decides in code. Every golden case and the example are validated, planned from nothing,
and, as if that had been applied, planned again.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from functools import cache

import pytest

from support import closed_network, google_provider, terraform
from support.distinct_roots import distinct
from support.module_plans import Planned
from support.roots import addresses, roots, whole

pytestmark = [
    pytest.mark.xdist_group("google-provider"),
    pytest.mark.skipif(bool(google_provider.missing()), reason=str(google_provider.missing())),
]


@cache
def google_roots():
    """The roots that require the provider; what stands in two of them is in one."""
    return distinct(roots("google"))


@pytest.fixture(scope="module", params=terraform.OVERRIDES)
def tool(request):
    return terraform.find(request.param) or pytest.skip(terraform.missing(request.param))


@pytest.fixture(scope="module")
def every_root(tool, stub_providers, tmp_path_factory):
    """All roots in one configuration."""
    documents = {name: whole(files) for name, files in google_roots().items()}
    work = tmp_path_factory.mktemp(tool.name)
    return google_provider.Roots(tool, documents, work=work, reattach=stub_providers)


@pytest.fixture(scope="module")
def faults(every_root):
    """The errors of `validate` by root."""
    return every_root.validate()


@pytest.fixture(scope="module")
def creates(every_root):
    """The plan from nothing."""
    return every_root.plan()


@pytest.fixture(scope="module")
def first(every_root, creates):
    """What the plan from nothing says of each root."""
    return every_root.read(creates)


@pytest.fixture(scope="module")
def second(every_root, creates):
    """What a plan says of each root after that."""
    documents = {name: whole(files) for name, files in google_roots().items()}
    applied = every_root.applied(creates)
    state = every_root.state({name: (applied[name], root) for name, root in documents.items()})
    return every_root.read(every_root.plan(state))


def test_the_provider_finds_every_root_valid(faults):
    assert faults == {}


def test_the_provider_plans_to_create_every_resource_of_every_root(first):
    assert first == {
        name: Planned(actions=dict.fromkeys(addresses(whole(files)), ("create",)))
        for name, files in google_roots().items()
    }


# What the provider answers does not depend on who asks; one program is enough for the long half.
@pytest.mark.parametrize("tool", ["terraform"], indirect=True)
def test_the_provider_leaves_alone_what_was_applied(second):
    assert second == dict.fromkeys(google_roots(), Planned())


def test_a_value_that_google_does_not_know_is_an_error_of_its_root(tool, stub_providers, tmp_path):
    root = whole(roots("google")["cloud-gcp-bucket/default/platform"])
    edited = copy.deepcopy(root)
    edited["resource"]["google_storage_bucket"]["artifacts"]["lifecycle_rule"] = [
        {"action": {"type": "Delete"}, "condition": {"with_state": "GONE"}}
    ]
    both = google_provider.Roots(
        tool, {"as it is": root, "edited": edited}, work=tmp_path, reattach=stub_providers
    )
    error = (
        "google_storage_bucket.artifacts: expected lifecycle_rule.0.condition.0.with_state "
        'to be one of ["LIVE" "ARCHIVED" "ANY" ""], got GONE'
    )
    assert both.validate() == {"edited": (error,)}


def test_there_is_no_way_out_for_the_provider():
    look = "import json, socket; print(json.dumps([name for _, name in socket.if_nameindex()]))"
    done = subprocess.run(
        closed_network.command(sys.executable, "-c", look), check=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout) == ["lo"]
