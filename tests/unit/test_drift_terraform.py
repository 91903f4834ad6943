"""What a Terraform plan says of drift: small plans, each with what is to be made of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.cli import main
from plinth.drift.plan_file import NotAPlan, addresses, read_plan
from plinth.drift.plan_values import MASKED, changed
from plinth.drift.terraform import Root, classify
from plinth.ir.said import pointer
from support.platforms import example

ROOT = Root("prod", "generated/prod/terraform/network")
ADDRESS = "google_compute_network.vpc"


def change(actions, before, after, address=ADDRESS, **more):
    entry = {
        "address": address,
        "mode": "managed",
        "change": {"actions": actions, "before": before, "after": after},
    }
    for name in ("deposed", "previous_address", "mode"):
        if name in more:
            entry[name] = more.pop(name)
    entry["change"] |= more
    return entry


def a_plan(changes=(), drift=(), said=("name", "mtu", "labels"), address=ADDRESS, **more):
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "complete": True,
        "errored": False,
        "resource_changes": list(changes),
        "resource_drift": list(drift),
        "configuration": {
            "root_module": {
                "resources": [
                    {"address": address, "mode": "managed", "expressions": {name: {} for name in said}}
                ]
            }
        },
    } | more
    return read_plan(json.dumps(plan).encode())


def read(plan, origins=lambda _address, _pointer: ("spec.network",)):
    return classify(plan, ROOT, origins)


def told(reading):
    return [
        (each.class_, [(one.path, one.desired, one.live) for one in each.fields]) for each in reading.findings
    ]


OLD, NEW = {"name": "vpc", "mtu": 1460}, {"name": "vpc", "mtu": 8896}


def test_what_somebody_changed_and_terraform_would_put_back_is_drift():
    reading = read(a_plan([change(["update"], NEW, OLD)], [change(["update"], OLD, NEW)]))
    (finding,) = reading.findings
    assert told(reading) == [("drift", [("/mtu", 1460, 8896)])]
    assert (finding.layer, finding.env, dict(finding.resource)) == ("terraform", "prod", {"address": ADDRESS})
    assert finding.origins == ("spec.network",)
    assert "generated/prod/terraform/network" in finding.remedy


def test_what_was_deleted_outside_is_missing():
    reading = read(a_plan([change(["create"], None, OLD)], [change(["delete"], OLD, None)]))
    assert told(reading) == [("missing", [])]
    assert reading.findings[0].severity == "high"


@pytest.mark.parametrize(
    ("actions", "before", "after", "fields"),
    [
        (["create"], None, OLD, []),
        (["delete"], OLD, None, []),
        (["forget"], OLD, None, []),
        (["update"], OLD, NEW, [("/mtu", 8896, 1460)]),
        (["delete", "create"], OLD, NEW, [("/mtu", 8896, 1460)]),
        (["create", "delete"], OLD, NEW, [("/mtu", 8896, 1460)]),
    ],
    ids=lambda value: (
        "-".join(value) if isinstance(value, list) and value and isinstance(value[0], str) else ""
    ),
)
def test_what_nobody_changed_and_terraform_would_do_is_pending(actions, before, after, fields):
    reading = read(a_plan([change(actions, before, after)]))
    assert told(reading) == [("pending", fields)]
    assert reading.findings[0].remedy == "apply the root generated/prod/terraform/network"


def test_drift_and_a_pending_change_of_one_resource_are_two_findings():
    live = {"name": "vpc", "mtu": 1, "labels": {"a": "b"}}
    reading = read(
        a_plan(
            [change(["update"], live, {**live, "mtu": 1460, "labels": {"a": "c"}})],
            [change(["update"], {**live, "mtu": 1460}, live)],
        )
    )
    assert told(reading) == [("drift", [("/mtu", 1460, 1)]), ("pending", [("/labels/a", "c", "b")])]


def test_drift_that_only_a_replacement_can_undo():
    reading = read(
        a_plan(
            [change(["delete", "create"], NEW, OLD, replace_paths=[["mtu"]])], [change(["update"], OLD, NEW)]
        )
    )
    assert told(reading) == [("drift-immutable", [("/mtu", 1460, 8896)])]
    assert "look at what it holds first" in reading.findings[0].remedy


def test_what_no_plan_would_undo_is_explained_and_fails_nothing():
    reading = read(a_plan([change(["no-op"], NEW, NEW)], [change(["update"], OLD, NEW)]))
    assert (reading.findings, len(reading.explained), reading.checked, reading.clean) == ((), 1, 1, 0)


def test_what_no_plan_would_undo_and_others_are_made_from_is_small_drift():
    plan = a_plan(
        [change(["no-op"], NEW, NEW)],
        [change(["update"], OLD, NEW)],
        relevant_attributes=[{"resource": ADDRESS, "attribute": ["mtu"]}],
    )
    assert told(read(plan)) == [("drift", [("/mtu", 1460, 8896)])]
    assert read(plan).findings[0].severity == "low"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"labels": None}, {"labels": {}}),
        ({"labels": []}, {"labels": None}),
        ({"description": ""}, {"description": None}),
        ({"ranges": ["b", "a"]}, {"ranges": ["a", "b"]}),
        ({"policy": '{"a": 1, "b": [2]}'}, {"policy": '{"b":[2],"a":1}'}),
        ({"etag": "1"}, {"etag": "2"}),
        ({"self_link": "1", "generation": 1}, {"self_link": "2", "generation": 2}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_noise_is_no_difference(before, after):
    reading = read(a_plan([change(["update"], after, before)], [change(["update"], before, after)]))
    assert (reading.findings, reading.explained, reading.clean) == ((), (), 1)


def test_what_is_computed_counts_where_it_is_configured():
    plan = a_plan(
        [change(["update"], {"etag": "2"}, {"etag": "1"})],
        [change(["update"], {"etag": "1"}, {"etag": "2"})],
        said=("etag",),
    )
    assert told(read(plan)) == [("drift", [("/etag", "1", "2")])]


@pytest.mark.parametrize(
    ("mirror", "of"), [("effective_labels", "labels"), ("terraform_labels", "labels"), ("tags_all", "tags")]
)
def test_a_mirror_is_told_once(mirror, of):
    one, other = {of: {"a": "1"}, mirror: {"a": "1"}}, {of: {"a": "2"}, mirror: {"a": "2"}}
    plan = a_plan([change(["update"], other, one)], [change(["update"], one, other)])
    assert told(read(plan)) == [("drift", [(f"/{of}/a", "1", "2")])]
    assert read(plan).findings[0].severity == "low"


def test_what_only_an_apply_tells_is_not_compared():
    plan = a_plan([change(["update"], {"mtu": 1, "id": "x"}, {"mtu": 2}, after_unknown={"id": True})])
    assert told(read(plan)) == [("pending", [("/mtu", 2, 1)])]


def test_an_update_of_nothing_but_marks_is_clean():
    reading = read(
        a_plan([change(["update"], OLD, OLD, before_sensitive={}, after_sensitive={"name": True})])
    )
    assert (reading.findings, reading.clean) == ((), 1)


def test_reads_data_and_moves_are_nothing():
    plan = a_plan(
        [
            change(["read"], None, OLD, mode="data"),
            change(["no-op"], OLD, OLD, previous_address="google_compute_network.old"),
        ]
    )
    assert (read(plan).findings, read(plan).checked, read(plan).clean) == ((), 1, 1)


def test_a_deposed_object_waits_to_be_destroyed():
    assert told(read(a_plan([change(["delete"], OLD, None, deposed="1a2b")]))) == [("pending", [])]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"errored": True}, "ended with an error"),
        ({"complete": False}, "not complete"),
        ({"deferred_changes": [{"resource_change": {"address": "a.b"}}]}, "puts its plan off"),
        (
            {"checks": [{"address": {"kind": "check", "to_display": "check.up"}, "status": "fail"}]},
            "does not hold",
        ),
        (
            {"checks": [{"address": {"kind": "check", "to_display": "check.up"}, "status": "unknown"}]},
            "could not be judged",
        ),
    ],
)
def test_what_is_not_whole_is_unknown(more, reason):
    (found,) = read(a_plan([change(["no-op"], OLD, OLD)], **more)).unknown
    assert reason in found.reason


def test_checks_that_hold_and_those_of_resources_are_not_named():
    checks = [
        {"address": {"kind": "check"}, "status": "pass"},
        {"address": {"kind": "resource"}, "status": "unknown"},
    ]
    assert read(a_plan([change(["no-op"], OLD, OLD)], checks=checks)).unknown == ()


@pytest.mark.parametrize(
    ("address", "field", "severity"),
    [
        ("google_project_iam_member.x", "role", "critical"),
        ("google_compute_firewall.x", "source_ranges", "critical"),
        ("google_container_cluster.x", "deletion_protection", "critical"),
        ("google_container_cluster.x", "master_authorized_networks_config", "critical"),
        ("google_container_cluster.x", "release_channel", "medium"),
        ("google_container_cluster.x", "description", "low"),
    ],
)
def test_who_may_do_what_is_never_small(address, field, severity):
    one, other = {field: "1"}, {field: "2"}
    plan = a_plan(
        [change(["update"], other, one, address)], [change(["update"], one, other, address)], address=address
    )
    assert read(plan).findings[0].severity == severity


def test_a_resource_of_a_for_each_is_judged_by_its_configuration():
    address = 'google_project_service.needed["container"]'
    plan = a_plan(
        [change(["update"], {"etag": "2"}, {"etag": "1"}, address)],
        [change(["update"], {"etag": "1"}, {"etag": "2"}, address)],
        said=("etag",),
        address="google_project_service.needed",
    )
    assert read(plan).findings[0].resource == {"address": address}


SECRET = "correct horse battery staple"  # noqa: S105 - planted, to be looked for


@pytest.mark.parametrize(
    ("value", "marks"),
    [
        ({"x": SECRET}, {"x": True}),
        ({"x": {"y": [{"z": SECRET}]}}, {"x": {"y": [{"z": True}]}}),
        ({"x": {"y": [{"z": SECRET}]}}, {"x": {"y": True}}),
        ({"x": SECRET}, True),
        ({"root_password": SECRET}, {}),
        ({"x": {"secret_data": SECRET}}, {}),
    ],
)
@pytest.mark.parametrize("side", ["before_sensitive", "after_sensitive"])
def test_what_is_sensitive_is_not_in_the_reading(value, marks, side):
    other = json.loads(json.dumps(value).replace(SECRET, "another"))
    for one, two in ((value, other), (other, value)):
        plan = a_plan([change(["update"], two, one, **{side: marks})], [change(["update"], one, two)])
        reading = read(plan)
        assert reading.findings, "that it differs is told"
        assert SECRET not in repr(reading)
        assert "another" not in repr(reading)
        assert MASKED in repr(reading)


_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", SECRET]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["p", "q", "r"]), inner, max_size=3)
    ),
    max_leaves=8,
)


def _marks_of(value):
    """A tree that marks every leaf which holds the secret."""
    if isinstance(value, dict):
        return {key: _marks_of(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_marks_of(part) for part in value]
    return value == SECRET


@given(_values, _values)
def test_no_marked_value_is_ever_in_a_reading(one, other):
    before, after = {"x": one}, {"x": other}
    marks = {"before_sensitive": _marks_of(before), "after_sensitive": _marks_of(after)}
    plan = a_plan(
        [change(["update"], before, after, **marks)], [change(["update"], after, before)], said=("x",)
    )
    assert SECRET not in repr(read(plan))


@given(_values)
def test_a_value_does_not_differ_from_itself(value):
    assert changed(value, value) == ()


@given(_values, _values)
def test_a_difference_is_the_same_from_both_sides(one, other):
    assert changed(one, other) == changed(other, one)


def test_pointers_are_escaped():
    assert pointer(*("a/b", "c~d", 0)) == "/a~1b/c~0d/0"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"PK\x03\x04rest", "not its JSON form"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "no plan"),
        (b'{"@level":"info"}\n{"@level":"info"}\n', "says while it works"),
        (b"[" * 100_000, "no JSON"),
        (b'{"format_version": "1.0", "terraform_version": "1.11.4", "values": {}}', "a state"),
        (b'{"version": 4, "serial": 1, "lineage": "x", "resources": []}', "a state"),
        (b'{"format_version": "2.0", "resource_changes": []}', "`2.0`"),
        (b'{"resource_changes": []}', "1.x is understood"),
        (b'{"format_version": "1.2", "resource_changes": [{}]}', "no address"),
        (b'{"format_version": "1.2", "resource_changes": [7]}', "no address"),
    ],
)
def test_what_is_no_plan_is_told(data, says):
    with pytest.raises(NotAPlan, match=says):
        read_plan(data)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("terraform")
    (folder / "platform.yaml").write_bytes(example())
    assert main(["compile", "-C", str(folder)]) == 0
    return folder


def plan_of(folder, environment, layer, *, project):
    """A plan of a compiled root in which nothing is to be done."""
    resources = {
        f"{kind}.{name}": body
        for path in sorted((folder / f"generated/{environment}/terraform/{layer}").glob("*.tf.json"))
        for kind, named in json.loads(path.read_text()).get("resource", {}).items()
        for name, body in named.items()
    }
    return {
        "format_version": "1.2",
        "complete": True,
        "resource_changes": [change(["no-op"], {}, {}, address) for address in resources],
        "configuration": {
            "provider_config": {
                "google": {"name": "google", "expressions": {"project": {"constant_value": project}}}
            },
            "root_module": {
                "resources": [{"address": each, "mode": "managed", "expressions": {}} for each in resources]
            },
        },
    }


@pytest.fixture
def drift(compiled, tmp_path, capsys):
    def run(*plans, words=()):
        names = []
        for number, plan in enumerate(plans):
            path = tmp_path / f"plan-{number}.json"
            path.write_bytes(plan if isinstance(plan, bytes) else json.dumps(plan).encode())
            names += ["--terraform", str(path)]
        code = main(["drift", "-C", str(compiled), "--no-cluster", "--format", "json", *names, *words])
        out, err = capsys.readouterr()
        return code, json.loads(out), out + err

    return run


def test_plans_find_the_roots_that_they_are_of(compiled, drift):
    plans = [plan_of(compiled, "prod", layer, project="acme-ml-prod") for layer in ("network", "cluster")]
    code, report, _ = drift(*plans)
    assert (code, report["findings"], report["unknown"]) == (0, [], [])
    assert report["summary"]["checked"] == sum(len(each["resource_changes"]) for each in plans)


def test_a_drifted_pool_comes_back_to_its_line(compiled, drift):
    plan = plan_of(compiled, "dev", "cluster", project="acme-ml-dev")
    address = "google_container_node_pool.t4"
    live, wanted = (
        {"autoscaling": [{"total_max_node_count": 9}]},
        {"autoscaling": [{"total_max_node_count": 3}]},
    )
    plan["resource_changes"] = [each for each in plan["resource_changes"] if each["address"] != address]
    plan["resource_changes"].append(change(["update"], live, wanted, address))
    plan["resource_drift"] = [change(["update"], wanted, live, address)]
    code, report, _ = drift(plan)
    (finding,) = report["findings"]
    assert (code, finding["env"], finding["resource"]) == (2, "dev", {"address": address})
    assert finding["fields"][0]["path"] == "/autoscaling/0/total_max_node_count"
    lines = example().decode().splitlines()
    (origin,) = (each for each in finding["origins"] if "max" in each["path"])
    assert origin["path"] == "spec.nodePools.t4.nodes.max"
    assert "t4" in lines[origin["line"] - 1]


def test_a_plan_that_two_environments_could_have_made_wants_a_choice(compiled, drift):
    plan = plan_of(compiled, "prod", "network", project="somebody-elses")
    code, report, _ = drift(plan)
    assert (code, report["diagnostics"][0]["code"]) == (1, "PLN918")
    assert "generated/dev/terraform/network" in report["diagnostics"][0]["message"]
    assert "--env" in report["diagnostics"][0]["help"]
    assert drift(plan, words=("--env", "prod"))[0] == 0


def test_a_plan_of_something_else_is_refused(drift):
    plan = a_plan([change(["no-op"], {}, {}, "aws_vpc.other")], address="aws_vpc.other")
    code, report, _ = drift(plan)
    assert (code, report["diagnostics"][0]["code"]) == (1, "PLN918")


def test_a_plan_of_an_older_tree_is_not_whole(compiled, drift):
    plan = plan_of(compiled, "prod", "network", project="acme-ml-prod")
    plan["configuration"]["root_module"]["resources"].pop(0)
    code, report, _ = drift(plan)
    assert code == 3
    assert "was made of another tree" in report["unknown"][0]["reason"]


def test_a_file_that_is_no_plan_is_a_tool_error(drift, compiled, capsys):
    code, report, _ = drift(b"PK\x03\x04")
    assert (code, report["diagnostics"][0]["code"]) == (1, "PLN917")
    assert "terraform show -json" in report["diagnostics"][0]["help"]
    assert main(["drift", "-C", str(compiled), "--no-cluster", "--terraform", str(compiled / "nowhere")]) == 1
    assert "PLN905" in capsys.readouterr().err


def test_a_file_of_a_hundred_megabytes_is_refused_without_being_read(compiled, tmp_path, capsys):
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)
    assert main(["drift", "-C", str(compiled), "--no-cluster", "--terraform", str(path)]) == 1
    assert "larger than 64 MiB" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_sensitive_value_of_a_plan_is_ever_printed(compiled, tmp_path, capsys, form):
    plan = plan_of(compiled, "prod", "network", project="acme-ml-prod")
    address = plan["resource_changes"][0]["address"]
    one, two = {"a": {"b": [SECRET]}, "password": SECRET}, {"a": {"b": ["x"]}, "password": "y"}
    marks = {"before_sensitive": {"a": {"b": True}}, "after_sensitive": {"a": {"b": [True]}}}
    plan["resource_changes"][0] = change(["update"], one, two, address, **marks)
    plan["resource_drift"] = [change(["update"], two, one, address, **marks)]
    plan["output_changes"] = {
        "x": {"actions": ["update"], "before": SECRET, "after": SECRET, "before_sensitive": True}
    }
    plan["prior_state"] = {"values": {"root_module": {"resources": [{"values": one}]}}}
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan))
    words = ["drift", "-C", str(compiled), "--no-cluster", "--terraform", str(path), "--format", form]
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert address in out
    assert SECRET not in out + err


def test_addresses_are_those_of_the_configuration():
    assert addresses(a_plan([change(["no-op"], OLD, OLD, f"{ADDRESS}[0]")])) == {ADDRESS}
    bare = a_plan([change(["no-op"], OLD, OLD, f'{ADDRESS}["x"]')], configuration={})
    assert addresses(bare) == {ADDRESS}
