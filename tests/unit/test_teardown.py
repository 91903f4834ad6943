"""What a teardown deletes and keeps, and in which order."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil

import pytest
from msgspec.structs import replace

from plinth.bootstrap.last_hour import last_hour, namable
from plinth.bootstrap.plan_files import planned, unwanted
from plinth.bootstrap.protected import fate, without_protection
from plinth.bootstrap.roots import Root
from plinth.cli import main
from plinth.ir.commands import CloudCommands, OwnNodes
from plinth.ir.said import Because
from plinth.ir.targets import Application
from support.programs import Programs

PROTECTIONS = {"deletion_protection": False, "force_destroy": True}
LAB = CloudCommands(context="lab", protections=PROTECTIONS, control_plane="cluster")


def root(name="platform", **resources):
    body = {"resource": {}}
    for address, arguments in resources.items():
        kind, _, own = address.partition("__")
        body["resource"].setdefault(kind, {})[own] = arguments
    return Root(name=name, folder=f"generated/dev/terraform/{name}", bodies=(body,))


PREVENTED = {"prevent_destroy": True}
PLATFORM = root(
    bucket__data={
        "name": "acme-data",
        "force_destroy": False,
        "lifecycle": PREVENTED,
        "key": "${key.all.id}",
    },
    bucket_rights__data={"bucket": "${bucket.data.name}", "member": "x"},
    key__all={"ring": "${ring.all.id}"},
    ring__all={"name": "all"},
    server__db={"deletion_protection": True, "lifecycle": PREVENTED},
    database__mlflow={"instance": "${server.db.name}"},
    entry__other={"name": "other", "depends_on": ["ring.all"]},
)
ORIGINS = {
    "bucket.data": (("spec", "storage", "buckets", "data"),),
    "server.db": (("spec", "storage", "database"),),
    "cluster.main": (("spec", "cluster"),),
}


def test_what_is_protected_stays_with_its_parts_and_with_what_it_stands_on():
    found = fate(PLATFORM, ORIGINS, LAB, ())
    assert found.names == {"bucket.data": "bucket:data", "server.db": "database"}
    assert found.kept == {
        "bucket.data",
        "bucket_rights.data",
        "key.all",
        "ring.all",
        "server.db",
        "database.mlflow",
    }
    assert found.destroyed == {"entry.other"}
    assert found.let_go == ()


def test_only_what_is_named_is_let_go_of():
    found = fate(PLATFORM, ORIGINS, LAB, ("database",))
    assert found.let_go == ("server.db",)
    assert found.destroyed == {"entry.other", "server.db", "database.mlflow"}
    assert "bucket.data" in found.kept


def test_a_cluster_is_let_go_of_by_the_name_of_its_environment():
    cluster = root("cluster", cluster__main={"deletion_protection": True, "lifecycle": PREVENTED})
    assert fate(cluster, ORIGINS, LAB, ()).let_go == ("cluster.main",)


def test_a_protected_thing_that_no_data_of_the_spec_asked_for_is_named_by_its_address():
    keys = root("cluster", key__state={"lifecycle": [PREVENTED]})
    origins = {"key.state": (("spec", "cluster"), Because("nodes are encrypted"))}
    found = fate(keys, origins, LAB, ())
    assert found.names == {"key.state": "key.state"}
    assert found.kept == {"key.state"}


def test_a_key_stays_when_the_cluster_that_it_encrypts_goes():
    both = root(
        "cluster",
        key__state={"lifecycle": PREVENTED},
        cluster__main={"key": "${key.state.id}", "deletion_protection": True, "lifecycle": PREVENTED},
    )
    found = fate(both, ORIGINS, LAB, ())
    assert (found.kept, found.destroyed) == ({"key.state"}, {"cluster.main"})


def test_a_protected_database_inside_a_server_goes_by_the_name_of_the_server():
    server = root(
        server__db={"lifecycle": PREVENTED},
        database__mlflow={"server": "${server.db.id}", "lifecycle": PREVENTED},
    )
    assert set(fate(server, ORIGINS, LAB, ()).names.values()) == {"database"}
    assert fate(server, ORIGINS, LAB, ("database",)).kept == set()


def test_an_override_turns_protections_alone_and_has_nested_blocks_whole():
    arguments = {
        "name": "db",
        "deletion_protection": True,
        "settings": [{"tier": "small", "deletion_protection": True}],
        "backup": [{"enabled": True}],
        "lifecycle": {"prevent_destroy": True, "ignore_changes": ["name"]},
    }
    assert without_protection(arguments, PROTECTIONS) == (
        {
            "deletion_protection": False,
            "settings": [{"tier": "small", "deletion_protection": False}],
            "lifecycle": {"prevent_destroy": False},
        },
        True,
    )
    assert without_protection({"name": "key", "lifecycle": PREVENTED}, PROTECTIONS) == (
        {"lifecycle": {"prevent_destroy": False}},
        False,
    )


NETWORK = root("network", network__main={"name": "n"})
CLUSTER = root("cluster", cluster__main={"deletion_protection": True})


def steps(roots, named=(), **commands):
    said = replace(LAB, **commands)
    return last_hour(roots, said, (), origins=ORIGINS, terraform="terraform", named=named)


def test_machines_that_the_cluster_made_are_waited_for_before_anything_is_destroyed():
    made = OwnNodes(application="maker", label="karpenter.sh/nodepool")
    found = steps((NETWORK, CLUSTER), own_nodes=made)
    names = [each.name for each in found]
    assert names.index("root") < names.index("machines") < names.index("let go: cluster.main")
    (machines,) = (each for each in found if each.name == "machines")
    only = ("nodes", "--selector=karpenter.sh/nodepool")
    assert (machines.check.argv[-3:], machines.check.prints) == ((*only, "--output=name"), "")
    assert [each.argv[-5:-1] for each in machines.commands] == [("wait", "--for=delete", *only)]
    assert "machines" not in [each.name for each in steps((NETWORK, CLUSTER))]


@pytest.mark.parametrize(
    ("makes_nodes", "order"),
    [("maker", ["wave 2", "wave 0", "maker"]), (None, ["wave 2", "wave 1", "wave 0"])],
)
def test_what_makes_nodes_goes_when_nobody_elses_pods_are_left(makes_nodes, order):
    applications = [
        Application(name=name, component=name, version="1", namespace=name, wave=wave)
        for name, wave in (("early", 0), ("maker", 1), ("late", 2))
    ]
    made = OwnNodes(application=makes_nodes, label="x") if makes_nodes else None
    found = last_hour((), replace(LAB, own_nodes=made), applications, origins=ORIGINS, terraform="terraform")
    names = [each.name for each in found if each.name.startswith("applications: ")]
    assert names == [f"applications: {each}" for each in order]


def test_roots_go_in_reverse_and_the_network_of_what_is_kept_stays():
    found = [(each.name, bool(each.kept_because)) for each in steps((NETWORK, CLUSTER, PLATFORM))]
    assert found[-6:] == [
        ("terraform: platform", False),
        ("terraform: bucket:data", True),
        ("terraform: database", True),
        ("let go: cluster.main", False),
        ("terraform: cluster", False),
        ("terraform: network", True),
    ]


def test_where_everything_is_named_everything_goes():
    found = [each.name for each in steps((NETWORK, CLUSTER, PLATFORM), ("bucket:data", "database"))]
    assert found[-6:] == [
        "let go: bucket.data",
        "let go: server.db",
        "terraform: platform",
        "let go: cluster.main",
        "terraform: cluster",
        "terraform: network",
    ]


def test_a_root_is_initialised_once_before_all_that_is_done_in_it():
    found = steps((NETWORK, CLUSTER, PLATFORM), ("bucket:data", "database"))
    begun = [(each.name, command.argv[1:3]) for each in found for command in each.prepare]
    folder = "-chdir=generated/dev/terraform/"
    assert begun == [
        ("let go: bucket.data", (f"{folder}platform", "init")),
        ("let go: cluster.main", (f"{folder}cluster", "init")),
        ("terraform: network", (f"{folder}network", "init")),
    ]


def test_one_root_with_something_kept_is_not_destroyed():
    *_, last = steps((PLATFORM,))
    assert (
        last.kept_because
        == "`bucket:data`, `database` stand in it, and one root cannot be destroyed around them"
    )
    assert last.commands == ()


def test_disks_that_go_with_their_cluster_stop_a_teardown_that_does_not_name_them():
    (volumes,) = [each for each in steps((CLUSTER,), disks_outlive_cluster=False) if each.name == "volumes"]
    assert (volumes.is_proven, volumes.commands) == (True, ())
    (kept,) = [each for each in steps((CLUSTER,)) if each.name == "volumes"]
    assert kept.kept_because
    assert all("delete" not in command.argv for command in kept.commands)
    (named,) = [each for each in steps((CLUSTER,), ("volumes",)) if each.name == "volumes"]
    assert "delete" in named.commands[0].argv


def test_what_can_be_named_is_what_is_kept():
    assert namable((NETWORK, CLUSTER, PLATFORM), ORIGINS, LAB) == ("bucket:data", "database", "volumes")


def change(address, *actions, mode="managed"):
    return {"address": address, "mode": mode, "change": {"actions": list(actions)}}


def test_a_plan_is_read_for_what_it_deletes():
    text = json.dumps(
        {
            "format_version": "1.2",
            "resource_changes": [
                change("a.gone", "delete"),
                change('a.each["x"]', "delete"),
                change("a.new", "delete", "create"),
                change("a.out", "forget"),
                change("a.same", "no-op"),
                change("a.other", "update"),
                change("data.a.b", "read", mode="data"),
            ],
        }
    )
    plan = planned(text)
    assert plan.deleted == {"a.gone", "a.each", "a.new", "a.out"}
    assert plan.updated == {"a.other"}
    assert unwanted(plan, ("a.gone", "a.each")) == ("a.new", "a.out")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"a": 1}'])
def test_what_is_no_plan_is_no_plan(text):
    with pytest.raises(ValueError, match=r".*"):
        planned(text)


@pytest.fixture
def tree(dev_example, tmp_path):
    return shutil.copytree(dev_example, tmp_path / "platform")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    found = Programs(tmp_path / "programs")
    found.add("gcloud", "gke-gcloud-auth-plugin", "kubectl", "terraform")
    found.answers("terraform", " plan ", code=2)
    found.answers("terraform", "show", output='{"format_version": "1.2", "resource_changes": []}')
    updated = {
        "format_version": "1.2",
        "resource_changes": [change("google_container_cluster.platform", "update")],
    }
    found.answers("terraform", "cluster show", output=json.dumps(updated))
    found.answers("kubectl", "--output=name", output="it/is-there\n")
    monkeypatch.setenv("PATH", f"{found.folder}:{os.defpath}")
    return found


def test_nothing_is_run_unless_the_name_is_typed_again(tree, programs, capsys):
    assert main(["teardown", "dev", "-C", str(tree)]) == 0
    captured = capsys.readouterr()
    (kept,) = (line for line in captured.err.splitlines() if line.startswith("kept: "))
    assert {"bucket:artifacts", "database", "volumes"} <= set(re.findall(r"[a-z][\w.:-]+", kept))
    assert "google_kms_crypto_key.buckets" in kept
    lines = [line for line in captured.out.splitlines() if line and not line.startswith("#")]
    assert shlex.split(lines[0]) == ["cd", str(tree)]
    for words, said in (
        (["--yes"], "`--yes` alone takes nothing down"),
        (["--yes", "--confirm", "prod"], "is not the environment `dev`"),
        (["--yes", "--plan", "--confirm", "dev"], "leave one of them out"),
        (["--also-delete", "bucket:artefacts"], "did you mean `bucket:artifacts`?"),
        (["--also-delete", "state"], "names nothing that is kept"),
    ):
        assert main(["teardown", "dev", "-C", str(tree), *words]) == 1
        assert said in capsys.readouterr().err
    assert programs.calls == []


def test_a_confirmed_teardown_goes_in_order_and_leaves_no_override(
    remote_example, tmp_path, programs, capsys
):
    tree = shutil.copytree(remote_example, tmp_path / "platform")  # another environment beside it
    assert main(["teardown", "dev", "-C", str(tree), "--yes", "--confirm", "dev"]) == 0
    calls = [" ".join(words) for words in programs.calls]
    first = {
        what: next(at for at, text in enumerate(calls) if what in text)
        for what in (
            "delete applications.argoproj.io root",
            "delete applications.argoproj.io jupyterhub",
            "delete applications.argoproj.io cert-manager",
            "delete services",
            "platform plan",
            "cluster plan",
        )
    }
    assert list(first.values()) == sorted(first.values())
    assert not [text for text in calls if "persistentvolumeclaims" in text]
    assert not [text for text in calls if "terraform/network" in text]
    assert not list(tree.rglob("plinth_teardown_override.tf.json"))
    out = capsys.readouterr().out
    assert "terraform: database" in out
    assert "`--also-delete database` deletes it" in out


def test_a_plan_that_would_delete_something_else_is_refused(tree, programs, capsys):
    wrong = {
        "format_version": "1.2",
        "resource_changes": [change("google_storage_bucket.artifacts", "delete")],
    }
    programs.answers("terraform", "platform show", output=json.dumps(wrong))
    assert main(["teardown", "dev", "-C", str(tree), "--yes", "--confirm", "dev"]) == 1
    said = capsys.readouterr().err
    assert "error[PLN944]" in said
    assert "google_storage_bucket.artifacts" in said
    assert not [words for words in programs.calls if words[0] == "terraform" and "apply" in words]
