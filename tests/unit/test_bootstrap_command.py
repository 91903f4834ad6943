"""`plinth bootstrap` with stand-ins for the programs that it starts."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from argparse import Namespace

import pytest
from msgspec.structs import replace

from plinth.bootstrap.first_hour import first_hour
from plinth.bootstrap.roots import Root
from plinth.cli import main
from plinth.cli.carrying_out import carry_out
from plinth.cli.console import Console
from plinth.cli.environment import choose
from support.platforms import ROOT
from support.programs import Programs

CONTEXT = "gke_acme-ml-dev_us-central1_acme-ml"
SECRET = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"  # noqa: S105 - made up
NAME_SERVERS = json.dumps({"domain_name_servers": {"sensitive": False, "value": "ns1.example.com."}})
NOT_ROOTED = f"--context={CONTEXT} -n argocd get applications.argoproj.io root"


@pytest.fixture
def tree(dev_example, tmp_path):
    return shutil.copytree(dev_example, tmp_path / "platform")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """All programs of a first hour, in a project where nothing is there yet."""
    found = Programs(tmp_path / "programs")
    found.add("gcloud", "gke-gcloud-auth-plugin", "kubectl", "terraform")
    found.answers(
        "gcloud", "buckets describe", code=1, complaint="ERROR: gs://acme-ml-terraform not found: 404.\n"
    )
    found.answers("terraform", " plan ", code=2, output="Plan: 3 to add, 0 to change, 0 to destroy.\n")
    for program in ("terraform", "terraform-1.11", "tofu"):
        found.answers(program, " output -json", output=NAME_SERVERS)
    found.answers("kubectl", "/readyz", code=1, once=True)
    found.answers("kubectl", NOT_ROOTED, code=1)
    monkeypatch.setenv("PATH", f"{found.folder}:{os.defpath}")
    monkeypatch.delenv("PLINTH_TERRAFORM", raising=False)
    return found


def everything_is_there(programs):
    programs.answers("gcloud", "buckets describe", output="True\n")
    programs.answers("terraform", " plan ", output="No changes.\n")
    programs.answers("kubectl", "/readyz", output="ok\n")
    programs.answers("kubectl", NOT_ROOTED, output="application.argoproj.io/root\n")


def bootstrap(tree, *words):
    return main(["bootstrap", "dev", "-C", str(tree), *words])


def done(programs):
    """What was called and is no question: the words that tell the calls apart."""
    verbs = ("create", "update", "init", "apply", "get-credentials", "wait")
    return [
        (name, next(word for word in words if word in verbs), words[-1].rpartition("/")[2])
        for name, *words in programs.calls
        if set(verbs) & set(words)
    ]


def test_everything_is_made_in_order(remote_example, tmp_path, programs, capsys):
    tree = shutil.copytree(remote_example, tmp_path / "platform")  # another environment beside it
    assert bootstrap(tree, "--yes") == 0
    assert done(programs) == [
        ("gcloud", "create", "--quiet"),
        ("gcloud", "update", "--quiet"),
        ("terraform", "init", "-no-color"),
        ("terraform", "apply", "plinth.tfplan"),
        ("terraform", "init", "-no-color"),
        ("terraform", "apply", "plinth.tfplan"),
        ("terraform", "init", "-no-color"),
        ("terraform", "apply", "plinth.tfplan"),
        ("gcloud", "get-credentials", "--quiet"),
        ("kubectl", "apply", "install"),
        ("kubectl", "wait", "appprojects.argoproj.io"),
        ("kubectl", "apply", "root"),
    ]
    roots = [
        words[1].rpartition("/")[2]
        for words in programs.calls
        if words[0] == "terraform" and "apply" in words
    ]
    assert roots == ["network", "cluster", "platform"]
    assert all(f"--context={CONTEXT}" in words for words in programs.calls if words[0] == "kubectl")
    table = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert table == [
        "step",
        "state: bucket `acme-ml-terraform`",
        "state: versions in bucket `acme-ml-terraform`",
        "terraform: network",
        "terraform: cluster",
        "terraform: platform",
        "outputs: platform",
        "credentials",
        "secret: value of `google-sign-in` in Secret Manager",
        "argo cd",
        "root",
    ]


def test_what_is_there_is_not_made_again(tree, programs, capsys):
    everything_is_there(programs)
    assert bootstrap(tree, "--yes") == 0
    programs.forget()
    capsys.readouterr()
    assert bootstrap(tree, "--yes", "--format", "json") == 0
    assert done(programs) == [("terraform", "init", "-no-color")] * 3
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "plinth.dev/bootstrap/v1"
    assert {each["outcome"] for each in document["steps"]} == {"was there"}
    assert document["diagnostics"] == []


def test_a_failed_step_shows_what_its_program_said_without_its_secret(tree, programs, capsys):
    complaint = f"Error: quota exceeded for {SECRET}\n"
    programs.answers("terraform", "cluster apply", code=1, complaint=complaint)
    assert bootstrap(tree, "--yes") == 1
    captured = capsys.readouterr()
    assert "Error: quota exceeded for ****" in captured.err
    assert "error[PLN941]" in captured.err
    assert f"go on with `plinth bootstrap dev -C {tree}`" in captured.err
    assert SECRET not in captured.err + captured.out
    assert captured.out.splitlines()[-1].startswith("terraform: cluster")
    assert "failed" in captured.out.splitlines()[-1]


def test_a_failed_step_is_in_the_json(tree, programs, capsys):
    programs.answers("terraform", "cluster apply", code=1, complaint=f"Error: no quota {SECRET}\n")
    assert bootstrap(tree, "--yes", "--format", "json") == 1
    text = capsys.readouterr().out
    document = json.loads(text)
    assert [each["code"] for each in document["diagnostics"]] == ["PLN941"]
    assert "Error: no quota" in document["diagnostics"][0]["message"]
    assert document["steps"][-1]["outcome"] == "failed"
    assert SECRET not in text


def test_a_run_after_a_failure_begins_where_the_other_one_ended(tree, programs, capsys):
    programs.answers("terraform", "cluster apply", code=1, once=True)
    assert bootstrap(tree, "--yes") == 1
    programs.forget()
    programs.answers("gcloud", "buckets describe", output="True\n")
    programs.answers("terraform", "network plan", output="No changes.\n")
    assert bootstrap(tree, "--yes") == 0
    applied = [
        words[1].rpartition("/")[2]
        for words in programs.calls
        if words[0] == "terraform" and "apply" in words
    ]
    assert applied == ["cluster", "platform"]
    assert not [words for words in programs.calls if "create" in words]


def test_ctrl_c_is_handed_on_once_and_the_next_run_goes_on(tree, programs):
    programs.answers("terraform", "cluster apply", waits=True, once=True)
    words = [sys.executable, "-m", "plinth", "bootstrap", "dev", "-C", str(tree), "--yes"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        deadline = time.monotonic() + 60
        while not (programs.folder / "waiting").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert (programs.folder / "interrupted").read_text() == str(int(signal.SIGINT))
    assert "Interrupt received." in err
    assert f"stopped: what was done stays; go on with `plinth bootstrap dev -C {tree}`" in err
    assert out.splitlines()[-1].split("  ")[0] == "terraform: cluster"
    assert "stopped" in out.splitlines()[-1]
    assert not list(tree.rglob("plinth.tfplan"))
    programs.forget()
    programs.answers("gcloud", "buckets describe", output="True\n")
    programs.answers("terraform", "network plan", output="No changes.\n")
    assert bootstrap(tree, "--yes") == 0
    applied = [
        each[1].rpartition("/")[2] for each in programs.calls if each[0] == "terraform" and "apply" in each
    ]
    assert applied == ["cluster", "platform"]


def test_a_missing_program_is_named_before_anything_is_done(tree, programs, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(programs.folder))
    (programs.folder / "gcloud").unlink()
    (programs.folder / "terraform").unlink()
    assert bootstrap(tree, "--yes") == 1
    said = capsys.readouterr().err
    assert "error[PLN940]: not on PATH: `gcloud`, `terraform`" in said
    assert "https://cloud.google.com/sdk/docs/install" in said
    assert programs.calls == []


def test_opentofu_is_taken_where_only_that_is_there(tree, programs, monkeypatch):
    (programs.folder / "terraform").rename(programs.folder / "tofu")
    programs.answers("tofu", " plan ", output="No changes.\n")
    assert bootstrap(tree, "--yes") == 0
    assert (
        "tofu",
        "-chdir=generated/dev/terraform/network",
        "init",
        "-input=false",
        "-no-color",
    ) in programs.calls


def test_another_terraform_can_be_named(tree, programs, monkeypatch):
    named = programs.folder / "terraform-1.11"
    (programs.folder / "terraform").rename(named)
    programs.answers("terraform-1.11", " plan ", output="No changes.\n")
    monkeypatch.setenv("PLINTH_TERRAFORM", str(named))
    assert bootstrap(tree, "--yes") == 0
    assert [words[0] for words in programs.calls if "init" in words] == ["terraform-1.11"] * 3


def test_a_plan_that_destroys_is_not_agreed_to_beforehand(tree, programs, capsys):
    programs.answers(
        "terraform", "network plan", code=2, output="Plan: 1 to add, 0 to change, 1 to destroy.\n"
    )
    assert bootstrap(tree, "--yes") == 1
    assert "error[PLN944]" in capsys.readouterr().err
    assert not [words for words in programs.calls if "apply" in words]


def test_where_nobody_can_be_asked_nothing_is_begun(tree, programs, capsys):
    assert bootstrap(tree) == 1
    assert "error[PLN909]: there is no terminal to ask on" in capsys.readouterr().err
    assert programs.calls == []


@pytest.mark.parametrize(("answer", "code", "applied"), [("y\n", 0, 3), ("\n", 3, 0), ("n\n", 3, 0)])
def test_an_apply_is_asked_for(tree, programs, monkeypatch, capsys, answer, code, applied):
    monkeypatch.setattr("plinth.cli.carrying_out.can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin.readline", lambda: answer, raising=False)
    assert bootstrap(tree) == code
    assert len([words for words in programs.calls if words[0] == "terraform" and "apply" in words]) == applied
    assert (
        "apply this plan of `network`? (3 to add, 0 to change, 0 to destroy) [y/N]: "
        in capsys.readouterr().err
    )


def test_a_secret_that_only_a_person_has_is_named_and_the_run_is_incomplete(tree, programs, capsys):
    programs.answers("gcloud", "secrets versions describe", code=1)
    assert bootstrap(tree, "--yes") == 3
    captured = capsys.readouterr()
    assert (
        "gcloud secrets versions add google-sign-in --project=acme-ml-dev --data-file=google-sign-in.json"
        in captured.err
    )
    assert not [words for words in programs.calls if "add" in words]
    assert captured.out.splitlines()[-1].split()[:2] == ["root", "made"]


def test_a_control_plane_that_does_not_answer_ends_the_run_with_a_way_in(tree, programs, capsys):
    programs.answers("kubectl", "/readyz", code=1, complaint="Unable to connect to the server: timeout\n")
    assert bootstrap(tree, "--yes") == 1
    said = capsys.readouterr().err
    assert "error[PLN943]" in said
    assert "Unable to connect to the server: timeout" in said
    assert "container.clusters.connect" in said
    assert not [words for words in programs.calls if words[0] == "kubectl" and "apply" in words]


def test_a_tree_that_is_not_compiled_is_refused(tree, programs, capsys):
    file = tree / "platform.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("max: 3", "max: 2"), encoding="utf-8")
    assert bootstrap(tree, "--yes") == 1
    assert "error[PLN942]" in capsys.readouterr().err
    assert programs.calls == []


def test_a_plan_needs_no_program_and_prints_what_a_shell_takes(tree, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/nonexistent")
    assert bootstrap(tree, "--plan") == 0
    lines = capsys.readouterr().out.splitlines()
    commands = [shlex.split(line) for line in lines if line and not line.startswith("#")]
    assert commands[0] == ["cd", str(tree)]
    assert [words[0] for words in commands[1:]] == [
        *["gcloud"] * 2,
        *["terraform"] * 10,
        *["gcloud"] * 2,
        *["kubectl"] * 3,
    ]


def test_the_same_is_there_for_programs(tree, capsys):
    assert bootstrap(tree, "--plan", "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["step"] for each in document["plan"]][:3] == [
        "state: bucket `acme-ml-terraform`",
        "state: versions in bucket `acme-ml-terraform`",
        "terraform: network",
    ]


def test_an_environment_that_is_not_there_is_a_mistyped_line(tree, capsys):
    assert main(["bootstrap", "dve", "-C", str(tree), "--plan"]) == 1
    assert "did you mean `dev`?" in capsys.readouterr().err


def test_what_a_killed_teardown_left_lifts_no_protection(tree, programs):
    left = tree / "generated/dev/terraform/cluster/plinth_teardown_override.tf.json"
    left.write_text("{}", encoding="utf-8")
    everything_is_there(programs)
    assert bootstrap(tree, "--yes") == 0
    assert not left.exists()


def test_outputs_are_recorded_on_the_way(tree, programs, capsys):
    options = Namespace(directory=str(tree), file="platform.yaml", environment="dev")
    chosen = choose(options, Console())
    body = {"output": {"mlflow_client_id": {"value": "${a.b.c}"}}}
    root = Root(name="platform", folder="generated/dev/terraform/platform", bodies=(body,))
    chosen = replace(chosen, roots=(root,))
    printed = {"mlflow_client_id": {"sensitive": False, "type": "string", "value": "a-b-c"}}
    programs.answers("terraform", " output -json", output=json.dumps(printed))
    steps = [
        each
        for each in first_hour(
            "dev",
            (root,),
            chosen.compilation.commands,
            terraform="terraform",
            repository=("https://a/b.git", None),
        )
        if each.records
    ]
    outcomes = carry_out(steps, chosen, Console(), is_sure=True, again="plinth bootstrap dev")
    assert [(each.step, each.outcome) for each in outcomes.records] == [("outputs: platform", "made")]
    assert (tree / "outputs.lock.yaml").read_text(encoding="utf-8").splitlines() == [
        "apiVersion: plinth.dev/v1alpha1",
        "kind: Outputs",
        "environments:",
        "  dev:",
        "    mlflow_client_id: a-b-c",
    ]
    assert "compile, and commit both" in capsys.readouterr().err


def test_a_cluster_that_is_there_needs_kubectl_alone(tmp_path, programs, capsys):
    tree = tmp_path / "lab"
    tree.mkdir()
    shutil.copy(ROOT / "examples/platforms/existing.yaml", tree / "platform.yaml")
    assert main(["bootstrap", "default", "-C", str(tree), "--plan", "--format", "json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert {command[0] for step in plan for command in step["commands"]} == {"kubectl"}
    (given,) = [each for each in plan if "google-sign-in" in each["step"] or "sign-in" in each["step"]][:1]
    assert given["byPerson"]
    assert given["commands"][0][-2:] == ["--from-file=clientID", "--from-file=clientSecret"]
    names = [each["step"].partition(":")[0] for each in plan]
    assert (
        names.index("credentials") < names.index("namespace") < names.index("secret") < names.index("argo cd")
    )
