"""The targets of an environment: nothing twice, no circle, waves, and the names of their files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.catalog.objects import ObjectKey
from plinth.ir import layout
from plinth.ir.fileset import check_path
from plinth.ir.graph import Cycle, DuplicateTarget, build
from plinth.ir.said import Because
from plinth.ir.targets import Application, Manifest, Patch, TerraformBlock, TerraformResource

HERE, THERE = ("spec", "components", "mlflow"), Because("the network has a way out")
KEY = ObjectKey("apps", "Deployment", "mlflow", "mlflow")


def application(name, *needs, holds_crds=False):
    return Application(
        name=name,
        component=name.removesuffix("-crds"),
        version="1",
        namespace=name,
        needs=needs,
        holds_crds=holds_crds,
    )


def resource(kind, name, *, layer="network", block="resource", origins=(HERE,)):
    return TerraformResource(layer=layer, type=kind, name=name, arguments={}, origins=origins, block=block)


def manifest(key, origins=(HERE,)):
    return Manifest(application="mlflow", key=key, body={}, origins=origins)


def waves(*applications):
    return {each.name: each.wave for each in build(applications).of(Application)}


def test_a_wave_comes_after_all_that_it_needs():
    assert waves(
        application("mlflow", "external-secrets", "external-secrets-crds"),
        application("external-secrets", "external-secrets-crds"),
        application("external-secrets-crds"),
        application("cert-manager", "cert-manager-crds"),
        application("cert-manager-crds"),
        application("alone"),
    ) == {
        "external-secrets-crds": 0,
        "cert-manager-crds": 0,
        "alone": 0,
        "external-secrets": 1,
        "cert-manager": 1,
        "mlflow": 2,
    }


def test_what_is_not_there_is_not_waited_for():
    assert waves(application("mlflow", "cert-manager-crds")) == {"mlflow": 0}


@given(st.lists(st.sets(st.integers(0, 9), max_size=4), min_size=1, max_size=10), st.randoms())
def test_waves_are_the_levels_of_what_is_needed(needed, random):
    # An Application needs those before it alone, so there is no circle.
    parts = [
        application(f"a{at}", *(f"a{one}" for one in sorted(some) if one < at))
        for at, some in enumerate(needed)
    ]
    random.shuffle(parts)
    found = waves(*parts)
    for part in parts:
        before = [found[name] for name in part.needs]
        assert found[part.name] == max(before, default=-1) + 1


def test_a_circle_is_named():
    with pytest.raises(Cycle, match="a needs b needs c needs a"):
        waves(application("a", "b"), application("b", "c"), application("c", "a"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(resource("a", "b"), resource("a", "b", origins=(THERE,)), id="resources"),
        pytest.param(manifest(KEY), manifest(KEY, (THERE,)), id="objects"),
        pytest.param(
            *(
                TerraformBlock(
                    layer="network", kind="provider", name="google", arguments={}, origins=(origin,)
                )
                for origin in (HERE, THERE)
            ),
            id="blocks",
        ),
        pytest.param(
            *(
                Patch(application="mlflow", target=KEY, operations=(), origins=(origin,))
                for origin in (HERE, THERE)
            ),
            id="patches of ours",
        ),
    ],
)
def test_two_of_one_thing_are_refused_with_both_origins(one, other):
    with pytest.raises(DuplicateTarget) as refused:
        build([one, other])
    assert "spec.components.mlflow" in str(refused.value)
    assert "because the network has a way out" in str(refused.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(resource("a", "b"), resource("a", "b", layer="cluster"), id="roots"),
        pytest.param(resource("a", "b"), resource("a", "b", block="data"), id="a resource and a data source"),
        pytest.param(
            manifest(KEY), manifest(ObjectKey("apps", "Deployment", "other", "mlflow")), id="namespaces"
        ),
        pytest.param(
            *(
                Patch(application="m", target=KEY, operations=(), origins=(HERE,), file=file)
                for file in ("a", "b")
            ),
            id="two files of a person",
        ),
    ],
)
def test_things_of_one_name_in_two_places_are_two(one, other):
    assert len(build([one, other]).targets) == 2


@given(
    st.permutations(
        [resource("a", "b"), resource("a", "c"), manifest(KEY), application("x"), application("y", "x")]
    )
)
def test_the_order_of_asking_does_not_matter(targets):
    assert build(targets).targets == build(sorted(targets, key=repr)).targets


@pytest.mark.parametrize(
    ("key", "home", "name"),
    [
        (KEY, "mlflow", "deployment-mlflow.yaml"),
        (KEY, "other", "deployment-mlflow-mlflow.yaml"),
        (ObjectKey("", "Namespace", "", "mlflow"), "mlflow", "namespace-mlflow.yaml"),
        (
            ObjectKey("rbac", "Role", "kube-system", "cert-manager:leader"),
            "x",
            "role-kube-system-cert-manager-leader.yaml",
        ),
        (ObjectKey("", "ConfigMap", "a", "Über_Name"), "a", "configmap--ber-name.yaml"),
        (ObjectKey("", "ConfigMap", "a", "x" * 300), "a", f"configmap-{'x' * 110}.yaml"),
    ],
)
def test_the_file_of_an_object(key, home, name):
    assert layout.object_file(key, home) == name


def test_the_file_of_a_patch_says_so():
    assert layout.object_file(KEY, "mlflow", "patch") == "patch-deployment-mlflow.yaml"


@given(*[st.text(max_size=200)] * 3)
def test_any_object_has_a_file_that_every_system_can_hold(kind, namespace, name):
    check_path(layout.object_file(ObjectKey("", kind or "K", namespace, name or "n"), "home"))


def test_folders():
    crds = application("cert-manager-crds", holds_crds=True)
    assert layout.source_path("dev", application("cert-manager")) == "overlays/dev/cert-manager"
    assert layout.source_path("dev", crds) == "generated/base/cert-manager/1/crds"
    assert (
        layout.relative("overlays/dev/cert-manager", "generated/base/cert-manager/1")
        == "../../../generated/base/cert-manager/1"
    )
