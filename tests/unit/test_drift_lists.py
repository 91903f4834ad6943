"""Which lists are what, which spellings mean the same, and how two objects are compared."""

import pytest

from plinth.drift.comparison import differences
from plinth.drift.lists import ListTypes
from plinth.drift.paths import ABSENT, matches, pattern, pointer
from plinth.drift.spellings import mean_the_same
from support.drifted import deployment, judged, paths, thing

SPEC = {
    "type": "object",
    "properties": {
        "keyed": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["port", "proto"],
            "items": {"properties": {"port": {}, "proto": {"default": "tcp"}, "note": {}}},
        },
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "plain": {"type": "array", "items": {"type": "string"}},
        "cpu": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True},
        "memory": {"pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|m)?$"},
        "every": {"type": "string"},
        "mode": {"type": "string", "enum": ["60s", "1m"]},
        "range": {"type": "string", "format": "cidr"},
        "blob": {"type": "string", "format": "byte"},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "limits": {"type": "object", "additionalProperties": {"x-kubernetes-int-or-string": True}},
    },
}
CRD = {
    "spec": {
        "group": "lab.example.com",
        "names": {"kind": "Gadget"},
        "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"properties": {"spec": SPEC}}}}],
    }
}


def gadget(**spec):
    return thing("lab.example.com/v1", "Gadget", spec=spec)


def named(desired, live):
    return judged(desired, live, apply=desired, crds=(CRD,)).name


@pytest.mark.parametrize(
    ("desired", "live", "name"),
    [
        ({"keyed": [{"port": 1}, {"port": 2}]}, {"keyed": [{"port": 2}, {"port": 1}]}, "explained"),
        ({"keyed": [{"port": 1}]}, {"keyed": [{"port": 1, "proto": "tcp"}]}, "drift"),
        ({"keyed": [{"port": 1, "note": "a"}]}, {"keyed": [{"port": 1, "note": "b"}]}, "drift"),
        ({"tags": ["a", "b"]}, {"tags": ["b", "a"]}, "explained"),
        ({"tags": ["a", "b"]}, {"tags": ["a"]}, "drift"),
        ({"plain": ["a", "b"]}, {"plain": ["b", "a"]}, "explained"),
        ({"plain": ["a", "b"]}, {"plain": ["b", "a", "a"]}, "drift"),
        ({"args": ["a", "b"]}, {"args": ["b", "a"]}, "drift"),
        ({"cpu": "1000m"}, {"cpu": "1"}, "explained"),
        ({"cpu": "1000m"}, {"cpu": 1}, "explained"),
        ({"cpu": 80}, {"cpu": "80"}, "drift"),
        ({"cpu": "http"}, {"cpu": "https"}, "drift"),
        ({"memory": "1Gi"}, {"memory": "1024Mi"}, "explained"),
        ({"memory": "1Gi"}, {"memory": "1G"}, "drift"),
        ({"limits": {"x": "0.1"}}, {"limits": {"x": "100m"}}, "explained"),
        ({"every": "60s"}, {"every": "1m0s"}, "explained"),
        ({"every": "60s"}, {"every": "61s"}, "drift"),
        ({"mode": "60s"}, {"mode": "1m"}, "drift"),
        ({"range": "10.0.0.1/8"}, {"range": "10.0.0.0/8"}, "explained"),
        ({"blob": "YQ=="}, {"blob": "Y Q==\\n"}, "drift"),
        ({"blob": "YQ=="}, {"blob": "YQ=="}, "clean"),
        ({"free": {"a": "60s"}}, {"free": {"a": "1m"}}, "drift"),
        ({"plain": 1.0}, {"plain": 1}, "clean"),
        ({"plain": True}, {"plain": 1}, "drift"),
        ({"plain": None}, {"plain": 0}, "drift"),
        ({"plain": []}, {"plain": {}}, "drift"),
    ],
)
def test_a_definition_says_what_is_the_same(desired, live, name):
    assert named(gadget(**desired), gadget(**live)) == name


def test_a_kind_that_nobody_defines_has_plain_lists():
    desired, live = (thing("other.example.com/v1", "Gadget", spec={"keyed": [{"port": n}]}) for n in (1, 2))
    assert paths(judged(desired, live, apply=desired)) == ["/spec/keyed"]


@pytest.mark.parametrize(
    "crd",
    [
        {},
        {"spec": None},
        {"spec": {"group": "g", "names": [], "versions": {}}},
        {
            "spec": {
                "group": "g",
                "names": {"kind": "K"},
                "versions": [
                    None,
                    {
                        "name": "v1",
                        "schema": {
                            "openAPIV3Schema": {
                                "properties": [],
                                "items": 3,
                                "x-kubernetes-list-map-keys": "x",
                            }
                        },
                    },
                ],
            }
        },
    ],
)
def test_a_definition_that_cannot_be_read_defines_nothing(crd):
    assert ListTypes.of_crds([crd]).shape(thing("g/v1", "K")).list_type == "atomic"


def test_a_schema_that_is_nested_beyond_measure_defines_nothing():
    schema = {}
    for _ in range(3000):
        schema = {"properties": {"a": schema}, "x-kubernetes-list-type": "set"}
    spec = {
        "group": "g",
        "names": {"kind": "K"},
        "versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}],
    }
    assert ListTypes.of_crds([{"spec": spec}]).shape(thing("g/v1", "K")).list_type == "atomic"


def container(**fields):
    return deployment(pod={"containers": [{"name": "c", "image": "app:1", **fields}]})


@pytest.mark.parametrize(
    ("field", "items", "key"),
    [
        ("env", [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "[name=A]"),
        (
            "ports",
            [{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "b"}],
            "[containerPort=1,protocol=TCP]",
        ),
        (
            "volumeMounts",
            [{"mountPath": "/a", "name": "v"}, {"mountPath": "/b", "name": "v"}],
            "[mountPath=~1a]",
        ),
    ],
)
def test_the_lists_of_a_container_are_by_key(field, items, key):
    desired = container(**{field: items})
    assert judged(desired, container(**{field: items[::-1]}), apply=desired).name == "explained"
    verdict = judged(desired, container(**{field: items[1:]}), apply=desired)
    assert paths(verdict) == [f"/spec/template/spec/containers/[name=c]/{field}/{key}"]


def test_the_order_of_env_matters_where_a_value_uses_another():
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2"}]
    desired = container(env=env)
    assert judged(desired, container(env=env[::-1]), apply=desired).name == "drift"


@pytest.mark.parametrize(("field", "name"), [("containers", "explained"), ("initContainers", "drift")])
def test_init_containers_run_in_their_order(field, name):
    items = [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]
    desired = deployment(pod={field: items})
    assert judged(desired, deployment(pod={field: items[::-1]}), apply=desired).name == name


def test_names_that_stand_twice_make_a_list_one_value():
    desired, live = container(env=[{"name": "A"}]), container(env=[{"name": "A"}, {"name": "A"}])
    assert paths(judged(desired, live, apply=desired)) == ["/spec/template/spec/containers/[name=c]/env"]


@pytest.mark.parametrize(
    ("one", "other", "meaning", "same"),
    [
        ("1", "1000m", "quantity", True),
        (1, "1", "quantity", True),
        ("1e3", "1k", "quantity", True),
        ("1.5Gi", "1536Mi", "quantity", True),
        ("1E", "1000P", "quantity", True),
        ("1x", "1x ", "quantity", False),
        ("1" * 99, "2" * 99, "quantity", False),
        ("1e99", "1e98", "quantity", False),
        (True, 1, "quantity", False),
        ([], [], "quantity", False),
        ("1h", "60m", "duration", True),
        ("-1h", "1h", "duration", False),
        ("1", "1", "duration", False),
        ("YQ==", "Y\nQ==", "base64", True),
        ("é", "é ", "base64", False),
        ("::/0", "0::/0", "network", True),
        ("a", "b", None, False),
    ],
)
def test_values_that_mean_the_same(one, other, meaning, same):
    assert mean_the_same(one, other, meaning) is same


def test_a_pattern_takes_any_part_for_a_star():
    assert matches(("spec", "ports", "x", "nodePort"), pattern("/spec/ports/*/nodePort"))
    assert matches(("rules",), pattern("/rules/**"))
    assert matches(("rules", "a", "b"), pattern("/rules/**"))
    assert not matches(("spec", "rules"), pattern("/rules/**"))
    assert not matches(("spec", "ports"), pattern("/spec/ports/*"))
    assert matches(("a/b",), pattern("/a~1b"))


def test_nothing_differs_from_itself_and_all_of_it_from_nothing():
    body = deployment(replicas=1)
    shape = ListTypes().shape(body)
    assert not list(differences(body, body, shape))
    found = [pointer(difference.path) for difference in differences(body, ABSENT, shape)]
    assert "/spec/template/spec/containers/[name=c]/image" in found
