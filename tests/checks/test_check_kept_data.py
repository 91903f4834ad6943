from __future__ import annotations

import pytest

from plinth.checks.kept_data import CHECK
from plinth.ir.targets import ObjectKey, Patch
from support.compiled import only, remote, said, vendored, with_object, with_targets
from support.platforms import needs_mirror

OPTIONS = "argocd.argoproj.io/sync-options"
CLAIM = ObjectKey("", "PersistentVolumeClaim", "jupyterhub", "hub-db-dir")
PATH = ("spec", "components", "jupyterhub")


def claim(**annotations):
    metadata = {"name": "runs", "namespace": "mlflow", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": {}}


def without_ours(*more):
    """The claim of JupyterHub's database without our patch of it, and with others."""
    is_ours = lambda each: isinstance(each, Patch) and each.target == CLAIM  # noqa: E731 - said where it is used
    return with_targets(remote()[0], lambda each: None if is_ours(each) else each, *more)


def patch(**fields):
    return Patch(
        application="jupyterhub",
        target=CLAIM,
        origins=(PATH,),
        file="patches/x.yaml",
        **{"operations": (), **fields},
    )


@pytest.mark.parametrize(
    "options",
    ["", "Prune=false", "Delete=false", "Prune=true,Delete=false", "Prune=false,Delete=true", "Prune,Delete"],
)
def test_a_claim_of_ours_that_may_go(options):
    found = only(CHECK, with_object(remote()[0], claim(**{OPTIONS: options})))

    assert (found.severity, found.path) == ("warning", ("spec", "components", "mlflow"))
    assert "`PersistentVolumeClaim mlflow/runs`" in found.message


@pytest.mark.parametrize(
    "options",
    [
        "Prune=false,Delete=false",
        "Delete=false, Prune=false",
        "ServerSideApply=true,Prune=confirm,Delete=confirm",
    ],
)
def test_a_claim_of_ours_that_stays(options):
    assert said(CHECK, with_object(remote()[0], claim(**{OPTIONS: options}))) == ()


def test_a_claim_without_annotations():
    body = claim()
    del body["metadata"]["annotations"]

    assert only(CHECK, with_object(remote()[0], body))


def test_upstreams_claim_is_known_by_the_catalogue():
    found = only(CHECK, without_ours())

    assert found.path == PATH
    assert "`PersistentVolumeClaim jupyterhub/hub-db-dir`" in found.message


@pytest.mark.parametrize(
    "fields",
    [
        {"merge": {"metadata": {"annotations": {OPTIONS: "Prune=false,Delete=false"}}}},
        {
            "operations": (
                {"op": "replace", "path": "/spec/storageClassName", "value": "fast"},
                {
                    "op": "add",
                    "path": "/metadata/annotations",
                    "value": {OPTIONS: "Prune=false,Delete=false"},
                },
            )
        },
    ],
)
def test_a_patch_keeps_upstreams_claim(fields):
    assert said(CHECK, without_ours(patch(**fields))) == ()


@needs_mirror
def test_upstreams_claim_at_hand_is_kept_by_our_patch():
    kept = [each for each in vendored()[0].known if each.key == CLAIM]

    assert [each.is_whole for each in kept] == [True]
    assert said(CHECK, vendored()[0]) == ()
