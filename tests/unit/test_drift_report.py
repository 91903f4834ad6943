"""A drift report as text and as JSON: every line within the terminal, nothing obeyed, nothing leaked."""

from __future__ import annotations

import json

import pytest

from plinth.drift import Actor, Field, Unknown, Verdict
from plinth.drift.findings import Explained, Reading, Resource, identity, of_object
from plinth.drift.report import as_json, as_text

MLFLOW = Resource(group="apps", kind="Deployment", namespace="mlflow", name="mlflow", application="mlflow")


def place(origin):
    if origin.startswith("because "):
        return {"because": origin.removeprefix("because ")}
    line = {"spec.components.mlflow": 41}.get(origin)
    return {"path": origin, "file": "platform.yaml" if line else None, "line": line}


def finding(
    *fields,
    name="drift",
    severity="high",
    actors=(),
    origins=("spec.components.mlflow",),
    env="prod",
    reason="",
):
    verdict = Verdict(name=name, severity=severity, fields=fields, actors=actors, reason=reason)
    return of_object(verdict, MLFLOW, env=env, layer="manifest", origins=origins)


REPLICAS = Field(path="/spec/replicas", desired=2, live=5)
EDITOR = Actor(manager="kubectl-edit", operation="Update", time="2026-11-23T20:14:00Z")


def test_one_finding():
    reading = Reading(findings=(finding(REPLICAS, actors=(EDITOR,)),), checked=40, clean=39)
    assert as_text(reading, place) == (
        "prod\n"
        "\n"
        "high  drift  Deployment mlflow/mlflow  (prod)\n"
        "  /spec/replicas: 2 declared, 5 live\n"
        "  by kubectl-edit (Update) at 2026-11-23T20:14:00Z\n"
        "  platform.yaml:41 spec.components.mlflow\n"
        "  remedy: Argo CD puts it back at the next sync, or `argocd app sync mlflow`; to keep what is live,\n"
        "    say it in platform.yaml or in a patch under patches/\n"
        "\n"
        "40 checked, 39 clean, 0 explained, 1 found (1 high), 0 unknown\n"
    )


def test_environments_in_order_and_the_worst_first():
    def about(name, severity, env):
        resource = Resource(group="", kind="Service", namespace="lab", name=name, application="lab")
        verdict = Verdict(name="missing", severity=severity)
        return of_object(verdict, resource, env=env, layer="manifest", origins=())

    reading = Reading(
        findings=(
            about("a", "info", "prod"),
            about("b", "low", "prod"),
            about("c", "medium", "prod"),
            about("d", "high", "prod"),
            about("e", "critical", "prod"),
            about("f", "low", "dev"),
        )
    )
    heads = [line.split() for line in as_text(reading, place).splitlines() if "missing  Service" in line]
    assert [(words[0], words[-1]) for words in heads] == [
        ("low", "(dev)"),
        ("critical", "(prod)"),
        ("high", "(prod)"),
        ("medium", "(prod)"),
        ("low", "(prod)"),
        ("info", "(prod)"),
    ]


def test_the_order_of_what_came_in_makes_no_difference():
    findings = [finding(Field(path=f"/spec/{name}", desired=1, live=2)) for name in "abc"]
    explained = [Explained(env="prod", resource={"address": name}, reason="why") for name in "ab"]
    unknown = [Unknown(env="prod", what=name, reason="why") for name in "ab"]
    one = Reading(findings=tuple(findings), explained=tuple(explained), unknown=tuple(unknown))
    other = Reading(
        findings=tuple(findings[::-1]), explained=tuple(explained[::-1]), unknown=tuple(unknown[::-1])
    )
    assert as_text(one, place) == as_text(other, place)
    assert as_json(one, place) == as_json(other, place)


def test_what_is_only_added_or_gone():
    added = Field(path="/metadata/labels/team", desired=None, live="vision", has_desired=False)
    gone = Field(path="/spec/paused", desired=False, live=None, has_live=False)
    text = as_text(Reading(findings=(finding(added, gone),)), place)
    assert '  /metadata/labels/team: nothing declared, "vision" live\n' in text
    assert "  /spec/paused: false declared, nothing live\n" in text
    assert "  by nobody on record\n" in text


def test_unknown_and_explained_are_listed():
    names = [
        {"group": "", "kind": "ConfigMap", "namespace": "lab", "name": f"c{number}"} for number in range(7)
    ]
    reading = Reading(
        unknown=(Unknown(env="prod", what="kind Secret", reason="the right to list `secrets` is missing"),),
        explained=tuple(
            Explained(env="prod", resource=each, reason="filled in by a controller") for each in names
        ),
    )
    assert as_text(reading, place).splitlines() == [
        "unknown  kind Secret  (prod): the right to list `secrets` is missing",
        "",
        "explained  ConfigMap lab/c0, ConfigMap lab/c1, ConfigMap lab/c2, ConfigMap lab/c3, ConfigMap lab/c4",
        "  and 2 more: filled in by a controller",
        "",
        "0 checked, 0 clean, 7 explained, 0 found, 1 unknown",
    ]


@pytest.mark.parametrize("width", [40, 41, 57, 80])
def test_no_line_is_wider_than_the_terminal(width):
    long = Field(path="/spec/" + "very/deep/" * 20, desired="x" * 500, live="漢字" * 200)
    resource = Resource(group="", kind="ConfigMap", namespace="n" * 63, name="m" * 200, application="a" * 53)
    verdict = Verdict(name="drift", severity="low", fields=(long,), actors=(EDITOR,), reason="r" * 300)
    wide = of_object(verdict, resource, env="prod", layer="manifest", origins=("because " + "w" * 300,))
    for line in as_text(Reading(findings=(wide,)), place, width=width).splitlines():
        assert sum(2 if "\u4e00" <= each <= "\u9fff" else 1 for each in line) <= width


def test_a_long_value_is_cut_in_its_middle_and_never_inside_of_an_escape():
    field = Field(path="/data/x", desired="ab" * 60, live="\x1b" * 60 + "end")
    text = as_text(Reading(findings=(finding(field),)), place, width=300)
    assert '"ababababababababababababababababab' in text
    line = next(each for each in text.splitlines() if "/data/x" in each)
    live = line.partition("declared, ")[2]
    assert live.startswith('"\\u001b\\u001b')
    assert live.endswith('end" live')
    pieces = live.removesuffix(" live").strip('"').split("…")
    assert len(pieces) == 2
    assert pieces[0].replace("\\u001b", "") == ""
    assert pieces[1].removesuffix("end").replace("\\u001b", "") == ""


def test_two_long_values_are_shown_from_where_they_differ():
    shared = ["get"] * 40
    field = Field(path="/rules", desired=[*shared, "list"], live=[*shared, "delete", "list"])
    text = as_text(Reading(findings=(finding(field),)), place, width=300)
    line = next(each for each in text.splitlines() if "/rules" in each)
    assert line == '  /rules: …t", "get", "list"] declared, …t", "get", "delete", "list"] live'


@pytest.mark.parametrize("evil", ["\x1b[2J", "\x07", "\r", "\x9b31m", "\u202e", "\n", "\u2028"])
def test_no_text_of_a_cluster_reaches_the_terminal_as_a_command(evil):
    resource = Resource(group="", kind="ConfigMap", namespace="lab", name=f"a{evil}b", application="lab")
    field = Field(path=f"/data/{evil}", desired=evil, live={evil: evil})
    actor = Actor(manager=f"m{evil}", operation="Update", time="")
    verdict = Verdict(name="drift", severity="low", fields=(field,), actors=(actor,), reason=f"r{evil}")
    told = of_object(verdict, resource, env="prod", layer="manifest", origins=())
    reading = Reading(
        findings=(told,),
        unknown=(Unknown(env="prod", what=f"u{evil}", reason=f"r{evil}"),),
        explained=(Explained(env="prod", resource=resource.as_json(), reason=f"e{evil}"),),
    )
    text = as_text(reading, place)
    assert all(each.isprintable() for line in text.split("\n") for each in line)
    assert len(text.split("\n")) == 15


def test_colour_only_where_it_is_asked_for():
    reading = Reading(findings=(finding(REPLICAS),))
    plain, coloured = as_text(reading, place), as_text(reading, place, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[31mhigh\x1b[0m  drift  Deployment" in coloured
    assert coloured.replace("\x1b[31m", "").replace("\x1b[0m", "") == plain


def test_what_looks_like_a_secret_is_hidden_in_both_forms():
    secret = "ghp_" + "a1B2" * 9
    field = Field(path="/data/x", desired={"deep": [secret]}, live=secret)
    reading = Reading(
        findings=(finding(field, reason=secret),), unknown=(Unknown(env="prod", what="x", reason=secret),)
    )
    assert secret not in as_text(reading, place)
    assert secret not in json.dumps(as_json(reading, place))


def test_the_json_is_that_of_the_contract():
    told = finding(
        REPLICAS, actors=(EDITOR,), origins=("spec.components.mlflow", "spec.gone", "because it is so")
    )
    reading = Reading(
        findings=(told,),
        unknown=(Unknown(env="prod", what="kind Secret", reason="no right"),),
        checked=3,
        clean=1,
    )
    assert as_json(reading, place) == {
        "schema": "plinth.dev/drift/v1",
        "findings": [
            {
                "id": told.id,
                "class": "drift",
                "severity": "high",
                "env": "prod",
                "layer": "manifest",
                "resource": {"group": "apps", "kind": "Deployment", "namespace": "mlflow", "name": "mlflow"},
                "fields": [
                    {"path": "/spec/replicas", "desired": 2, "live": 5, "hasDesired": True, "hasLive": True}
                ],
                "actors": [
                    {"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-23T20:14:00Z"}
                ],
                "origins": [
                    {"path": "spec.components.mlflow", "file": "platform.yaml", "line": 41},
                    {"path": "spec.gone", "file": None, "line": None},
                    {"because": "it is so"},
                ],
                "reason": "",
                "remedy": told.remedy,
            }
        ],
        "unknown": [{"env": "prod", "what": "kind Secret", "reason": "no right"}],
        "explained": [],
        "summary": {
            "checked": 3,
            "clean": 1,
            "explained": 0,
            "findings": 1,
            "severities": {"critical": 0, "high": 1, "medium": 0, "low": 0, "info": 0},
            "unknown": 1,
        },
    }


def test_an_id_is_of_where_and_what():
    resource = MLFLOW.as_json()
    base = identity("prod", "manifest", resource, "drift", ["/a", "/b"])
    assert base == identity("prod", "manifest", dict(reversed(resource.items())), "drift", ["/b", "/a"])
    others = {
        identity("dev", "manifest", resource, "drift", ["/a", "/b"]),
        identity("prod", "argocd", resource, "drift", ["/a", "/b"]),
        identity("prod", "manifest", {**resource, "name": "other"}, "drift", ["/a", "/b"]),
        identity("prod", "manifest", resource, "missing", ["/a", "/b"]),
        identity("prod", "manifest", resource, "drift", ["/a"]),
    }
    assert len(others | {base}) == 6


@pytest.mark.parametrize("name", ["clean", "explained"])
def test_what_is_no_finding_is_not_made_one(name):
    with pytest.raises(ValueError, match=name):
        finding(name=name)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("drift", "Argo CD puts it back"),
        (
            "drift-unmanaged",
            "re-applying cannot remove it: take it out with `kubectl edit deployment.apps mlflow -n mlflow`",
        ),
        ("drift-immutable", "cannot be changed in place"),
        ("missing", "`argocd app get mlflow` says why"),
        ("terminating", "finalizers"),
        ("error", "mend it in platform.yaml"),
    ],
)
def test_every_class_has_a_way_out(name, says):
    assert says in finding(name=name).remedy


def test_only_what_is_more_than_a_remark_fails():
    assert not Reading(findings=(finding(severity="info"),)).fails
    assert Reading(findings=(finding(severity="info"), finding(severity="low"))).fails
