"""The workflows that `plinth init` writes: rights, pins, what reaches a shell, and what each step does when run."""

from __future__ import annotations

import http.server
import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest
import yaml

from plinth.cli import main
from plinth.starter.scripts import __file__ as scripts_file
from plinth.starter.scripts import script
from support import platforms
from support.starting import (
    AWS,
    AZURE,
    EXISTING,
    GCP,
    PROD_AWS,
    PROD_AZURE,
    PROD_EXISTING,
    PROD_GCP,
    files,
)

SCRIPTS = sorted(path.name for path in Path(scripts_file).parent.glob("*.sh"))
needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="there is no jq")


@pytest.fixture(autouse=True)
def _nobody_to_ask(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())


def begun(folder, words, ci="github"):
    made = _begun(tuple(ci if word == "github" else word for word in words))
    for path, data in made.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return {
        path: yaml.load(data, Loader=yaml.CSafeLoader)
        for path, data in made.items()
        if path.startswith(".git") and path.endswith(".yml")
    }


@cache
def _begun(words):
    """What `plinth init` writes into an empty folder: always the same, and asked for by many tests."""
    with TemporaryDirectory() as folder:
        assert main(["init", "-C", folder, *words]) == 0
        return files(Path(folder))


def github(folder, words):
    return {path.rpartition("/")[2].removesuffix(".yml"): said for path, said in begun(folder, words).items()}


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job.get("steps", ())]


ALL = [
    pytest.param((*GCP, *PROD_GCP), id="gcp"),
    pytest.param((*AWS, *PROD_AWS), id="aws"),
    pytest.param((*AZURE, *PROD_AZURE), id="azure"),
    pytest.param(EXISTING, id="existing"),
    pytest.param((*EXISTING, *PROD_EXISTING), id="existing, two environments"),
]


@pytest.mark.parametrize("words", ALL)
def test_every_job_has_only_rights_that_are_listed_and_a_time_limit(words, tmp_path):
    for name, workflow in github(tmp_path, words).items():
        assert workflow["permissions"] == {}, name
        for job in workflow["jobs"].values():
            assert job["permissions"]
            assert ("uses" in job) != ("timeout-minutes" in job)


def test_who_may_write_what(tmp_path):
    rights = {
        (name, job): {right for right, level in said["permissions"].items() if level == "write"}
        for name, workflow in github(tmp_path, (*GCP, *PROD_GCP)).items()
        for job, said in workflow["jobs"].items()
    }
    assert rights == {
        ("plinth-pull-request", "review"): {"pull-requests"},
        ("plinth-drift", "drift"): {"issues", "id-token"},
        ("plinth-environment", "plan"): {"id-token"},
        ("plinth-environment", "apply"): {"id-token"},
        ("plinth-apply", "dev"): {"id-token"},
        ("plinth-apply", "prod"): {"id-token"},
        ("plinth-apply", "prod-branch"): {"contents"},
    }


@pytest.mark.parametrize("words", ALL)
def test_actions_are_pinned_to_commits_and_say_their_version(words, tmp_path):
    begun(tmp_path, words)
    for path, data in files(tmp_path).items():
        for line in re.findall(r"uses: (.*)", data.decode()):
            assert re.fullmatch(
                r'"\./\.github/workflows/plinth-environment\.yml"|[a-z/-]+@[0-9a-f]{40} # v[0-9.]+', line
            ), path


@pytest.mark.parametrize("words", ALL)
def test_no_expression_stands_in_a_shell(words, tmp_path):
    for workflow in github(tmp_path, words).values():
        for step in steps(workflow):
            assert "${{" not in step.get("run", "")


def test_no_later_step_can_push_with_what_checkout_leaves(tmp_path):
    for workflow in github(tmp_path, (*GCP, *PROD_GCP)).values():
        for step in steps(workflow):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_the_branch_of_an_environment_moves_after_its_apply_and_the_next_environment_waits(tmp_path):
    jobs = github(tmp_path, (*GCP, *PROD_GCP))["plinth-apply"]["jobs"]
    assert list(jobs) == ["dev", "prod", "prod-branch"]
    assert jobs["prod"]["needs"] == "dev"
    assert jobs["prod-branch"]["needs"] == "prod"
    assert [jobs[name]["concurrency"] for name in ("dev", "prod")] == [
        {"group": "plinth-dev", "cancel-in-progress": False},
        {"group": "plinth-prod", "cancel-in-progress": False},
    ]
    environment = github_again(tmp_path)["plinth-environment"]["jobs"]
    assert "environment" not in environment["plan"]
    assert environment["apply"]["environment"] == "${{ inputs.environment }}"
    assert environment["apply"]["needs"] == "plan"


def signing(tmp_path, words):
    """The inputs of each environment, and by job what signs it in: the environment, the step's or the program's."""
    found = github(tmp_path, words)
    inputs = {
        name: {key: text for key, text in job["with"].items() if key not in {"promotes", "removals"}}
        for name, job in found["plinth-apply"]["jobs"].items()
        if "with" in job
    }
    known = {}
    for name, job in found["plinth-environment"]["jobs"].items():
        assert job["permissions"]["id-token"] == "write"
        *before, last = job["steps"]
        says = [step["with"] for step in before if "credentials" in step["uses"]]
        of_program = {key: text for key, text in last["env"].items() if key.startswith("ARM_")}
        known[name] = (job["environment"], says, of_program)
    return inputs, known


def test_on_aws_a_job_takes_the_role_that_the_platform_makes(tmp_path):
    inputs, known = signing(tmp_path, (*AWS, *PROD_AWS))
    assert inputs["prod"] == {
        "environment": "prod",
        "region": "eu-west-1",
        "plan-role": "${{ vars.PLINTH_PROD_PLAN_ROLE }}",
        "apply-role": "${{ vars.PLINTH_PROD_APPLY_ROLE }}",
    }
    region = "${{ inputs.region }}"
    assert known == {
        "plan": (
            "${{ inputs.environment }}-plan",
            [{"role-to-assume": "${{ inputs.plan-role }}", "aws-region": region}],
            {},
        ),
        "apply": (
            "${{ inputs.environment }}",
            [{"role-to-assume": "${{ inputs.apply-role }}", "aws-region": region}],
            {},
        ),
    }


def test_on_azure_terraform_itself_is_who_the_job_is(tmp_path):
    inputs, known = signing(tmp_path, (*AZURE, *PROD_AZURE))
    assert inputs["prod"] == {
        "environment": "prod",
        "plan-client": "${{ vars.PLINTH_PROD_PLAN_CLIENT }}",
        "apply-client": "${{ vars.PLINTH_PROD_APPLY_CLIENT }}",
    }
    assert known == {
        "plan": (
            "${{ inputs.environment }}-plan",
            [],
            {"ARM_USE_OIDC": "true", "ARM_CLIENT_ID": "${{ inputs.plan-client }}"},
        ),
        "apply": (
            "${{ inputs.environment }}",
            [],
            {"ARM_USE_OIDC": "true", "ARM_CLIENT_ID": "${{ inputs.apply-client }}"},
        ),
    }


@pytest.mark.parametrize(
    ("words", "layer", "kind", "names"),
    [
        pytest.param(AWS, "platform", "aws_iam_role", ["ci", "ci-plan"], id="aws"),
        pytest.param(AZURE, "cluster", "azurerm_user_assigned_identity", ["ci", "ci-plan"], id="azure"),
    ],
)
def test_the_first_platform_makes_who_its_workflows_are(words, layer, kind, names, tmp_path):
    begun(tmp_path, words)
    text = (tmp_path / "platform.yaml").read_bytes()
    assert b"ci: {github: acme/ml-platform}" in text
    tree = platforms.tree(platforms.compile_bytes(text.replace(b"vendored", b"remote")))
    made = json.loads(tree[f"generated/dev/terraform/{layer}/{kind}.tf.json"])["resource"][kind]
    assert set(names) <= set(made)
    head = (tmp_path / ".github/workflows/plinth-apply.yml").read_text(encoding="utf-8")
    assert all(f"-{made[name]['name'].removeprefix('acme-ml-')}`" in head for name in names)


@pytest.mark.parametrize(
    "repository", ["https://git.acme.com/acme/ml-platform.git", "git@gitlab.com:acme/x.git"]
)
def test_no_workflow_is_believed_of_a_repository_that_github_does_not_have(repository, tmp_path):
    words = [repository if word.startswith("https://github.com") else word for word in AWS]
    begun(tmp_path, words)
    assert b"ci: {" not in (tmp_path / "platform.yaml").read_bytes()


def github_again(folder):
    """The workflows that are there."""
    found = folder / ".github/workflows"
    return {path.stem: yaml.safe_load(path.read_bytes()) for path in found.iterdir()}


def test_a_cluster_that_is_there_has_nothing_to_apply_but_branches_to_move(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    assert set(github(one, EXISTING)) == {"plinth-drift", "plinth-pull-request"}
    promote = github(two, (*EXISTING, *PROD_EXISTING))["plinth-promote"]["jobs"]
    assert promote["prod-branch"]["environment"] == "prod"


def test_in_a_folder_of_the_repository_shells_begin_there(tmp_path):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    (tmp_path / "infra").mkdir()
    assert main(["init", "-C", str(tmp_path / "infra"), *GCP]) == 0
    found = github_again(tmp_path)
    for name in ("plinth-pull-request", "plinth-environment", "plinth-drift"):
        assert found[name]["defaults"] == {"run": {"working-directory": "infra"}}
    assert {
        step["env"]["MARKER"] for step in steps(found["plinth-pull-request"]) if step.get("name") == "Comment"
    } == {"<!-- plinth: infra -->"}


@pytest.mark.parametrize("words", ALL)
def test_a_gitlab_pipeline_has_a_manual_job_before_anything_is_applied(words, tmp_path):
    found = begun(tmp_path, words, ci="gitlab")
    assert found[".gitlab-ci.yml"] == {"include": [{"local": ".gitlab/plinth.yml"}]}
    jobs = found[".gitlab/plinth.yml"]
    for name, job in jobs.items():
        if name.startswith("plinth apply"):
            assert job["rules"][0]["when"] == "manual"
            assert job["resource_group"] == f"plinth-{job['environment']['name']}"
            assert job["needs"] == [name.replace("apply", "plan")]
        if name.startswith("plinth branch"):
            applied = name.replace("branch", "apply")
            assert job["needs"] == [applied] if applied in jobs else job["rules"][0]["when"] == "manual"
        for other in [job[key] for key in ("extends",) if key in job]:
            assert other in jobs


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_a_step_is_good_shell(name, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    subprocess.run([shell, "-n"], input=script(name), text=True, check=True)


@pytest.fixture
def step(tmp_path):
    """Runs a step in a folder whose `gh` and `plinth` are told what to answer, and notes what they are asked."""
    programs = tmp_path / "programs"
    programs.mkdir()

    def program(name, text):
        (programs / name).write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        (programs / name).chmod(0o755)

    def run(name, by="bash", **variables):
        environment = {
            **os.environ,
            "PATH": f"{programs}:{os.environ['PATH']}",
            "GITHUB_REPOSITORY": "acme/ml",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            **variables,
        }
        return subprocess.run(
            [by, "-e", "-c", script(name)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    run.program = program
    return run


GH = """
case "$*" in
  *--paginate*) cat listed.json ;;
  *) echo "$*" >> asked.txt; exit ${REFUSED:-0} ;;
esac
"""


@needs_jq
@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        pytest.param(
            [],
            "--method POST repos/acme/ml/issues/7/comments --field body=@comment.md --silent",
            id="the first",
        ),
        pytest.param(
            [
                {"id": 1, "body": "<!-- plinth --> mine", "user": {"type": "User"}},
                {"id": 2, "body": "other", "user": {"type": "Bot"}},
                {"id": 3, "body": "<!-- plinth -->\nold", "user": {"type": "Bot"}},
            ],
            "--method PATCH repos/acme/ml/issues/comments/3 --field body=@comment.md --silent",
            id="kept up to date",
        ),
    ],
)
def test_a_pull_request_has_one_comment(listed, asked, step, tmp_path):
    step.program("gh", GH)
    (tmp_path / "plinth-diff.md").write_text("# What changes\n", encoding="utf-8")
    (tmp_path / "listed.json").write_text(json.dumps(listed[:1]) + json.dumps(listed[1:]), encoding="utf-8")
    done = step("github_comment.sh", MARKER="<!-- plinth -->", NUMBER="7", RUN="https://x/1")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "asked.txt").read_text(encoding="utf-8") == f"api {asked}\n"
    assert (tmp_path / "comment.md").read_text(encoding="utf-8") == "<!-- plinth -->\n# What changes\n"


@needs_jq
def test_who_may_not_comment_has_the_diff_in_the_summary(step, tmp_path):
    step.program("gh", GH)
    (tmp_path / "plinth-diff.md").write_text("# What changes\n", encoding="utf-8")
    (tmp_path / "listed.json").write_text("[]", encoding="utf-8")
    done = step("github_comment.sh", MARKER="<!-- plinth -->", NUMBER="7", RUN="https://x/1", REFUSED="1")
    assert done.returncode == 0
    assert done.stdout.startswith("::notice::")
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == "# What changes\n"


@needs_jq
def test_a_diff_that_is_too_long_for_a_comment_is_linked(step, tmp_path):
    step.program("gh", GH)
    (tmp_path / "plinth-diff.md").write_text("ä" * 65_530, encoding="utf-8")
    (tmp_path / "listed.json").write_text("[]", encoding="utf-8")
    assert step("github_comment.sh", MARKER="<!-- plinth -->", NUMBER="7", RUN="https://x/1").returncode == 0
    assert "[the summary](https://x/1)" in (tmp_path / "comment.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("code", "ends"), [(0, 0), (2, 0), (1, 1), (3, 3)])
def test_only_a_diff_that_could_not_be_made_fails_the_job(code, ends, step):
    step.program("plinth", f"exit {code}\n")
    assert step("diff.sh", by="sh", BASE="origin/main").returncode == ends


@needs_jq
@pytest.mark.parametrize(
    ("code", "is_open", "asked"),
    [
        pytest.param(0, False, "", id="clean"),
        pytest.param(
            0,
            True,
            "api --method PATCH repos/acme/ml/issues/5 --raw-field state=closed --silent\n",
            id="clean again",
        ),
        pytest.param(
            2,
            False,
            "api --method POST repos/acme/ml/issues --raw-field title=Drift in dev --field body=@issue.md --silent\n",
            id="drifted",
        ),
        pytest.param(
            2,
            True,
            "api --method PATCH repos/acme/ml/issues/5 --field body=@issue.md --silent\n",
            id="drifted still",
        ),
        pytest.param(
            3,
            True,
            "api --method PATCH repos/acme/ml/issues/5 --field body=@issue.md --silent\n",
            id="not known",
        ),
        pytest.param(1, True, "", id="wrong"),
    ],
)
def test_an_environment_has_one_issue_while_it_has_drifted(code, is_open, asked, step, tmp_path):
    step.program("gh", GH)
    finding = {
        "id": "dev/mlflow",
        "class": "changed",
        "severity": "high",
        "fields": [{"desired": "a secret value"}],
    }
    step.program("plinth", f"echo '{json.dumps({'findings': [finding]})}'\nexit {code}\n")
    issue = {"number": 5, "body": "<!-- plinth drift: dev -->\nold", "user": {"type": "Bot"}}
    other = {"number": 4, "body": None, "user": {"type": "Bot"}}
    (tmp_path / "listed.json").write_text(
        json.dumps([other, *([issue] if is_open else [])]), encoding="utf-8"
    )
    done = step("github_drift.sh", ENVIRONMENT="dev", RUN="https://x/1")
    assert done.returncode == code, done.stderr
    told = tmp_path / "asked.txt"
    assert (told.read_text(encoding="utf-8") if told.exists() else "") == asked
    if code == 2:
        text = (tmp_path / "issue.md").read_text(encoding="utf-8")
        assert "- high changed: `dev/mlflow`" in text
        assert "secret value" not in text


@pytest.mark.parametrize(
    ("is_there", "asked"),
    [
        (
            True,
            "api --method PATCH repos/acme/ml/git/refs/heads/env/prod --raw-field sha=abc --field force=false --silent",
        ),
        (
            False,
            "api --method POST repos/acme/ml/git/refs --raw-field ref=refs/heads/env/prod --raw-field sha=abc --silent",
        ),
    ],
)
def test_a_branch_moves_without_force(is_there, asked, step, tmp_path):
    step.program(
        "gh",
        f'case "$*" in *git/ref/heads*) exit {0 if is_there else 1} ;; *) echo "$*" > asked.txt ;; esac\n',
    )
    assert step("github_branch.sh", by="sh", BRANCH="env/prod", GITHUB_SHA="abc").returncode == 0
    assert (tmp_path / "asked.txt").read_text(encoding="utf-8") == f"{asked}\n"


def test_a_branch_that_cannot_move_says_what_a_person_can_do(step):
    step.program("gh", "exit 1\n")
    done = step("github_branch.sh", by="sh", BRANCH="env/prod", GITHUB_SHA="abc")
    assert done.returncode == 1
    assert "git push origin abc:refs/heads/env/prod" in done.stdout


class Notes(http.server.BaseHTTPRequestHandler):
    """A GitLab that has some notes."""

    notes: ClassVar[list[dict]] = []
    asked: ClassVar[list[tuple[str, str, object]]] = []
    code = 200

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.asked.append((self.command, self.path, body))
        page = self.notes if self.path.endswith("page=1") else []
        self.send_response(self.code)
        self.end_headers()
        self.wfile.write(json.dumps(page if self.command == "GET" else {}).encode())

    do_GET = do_POST = do_PUT = answer  # noqa: N815 - the library's names

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def gitlab_notes():
    handler = type("Here", (Notes,), {"notes": [], "asked": [], "code": 200})
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        handler.address = f"http://127.0.0.1:{server.server_port}"
        yield handler
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("notes", "last"),
    [
        pytest.param([], ("POST", "/projects/9/merge_requests/7/notes"), id="the first"),
        pytest.param(
            [{"id": 3, "body": "hello"}, {"id": 4, "body": "<!-- plinth -->\nold"}],
            ("PUT", "/projects/9/merge_requests/7/notes/4"),
            id="kept up to date",
        ),
    ],
)
def test_a_merge_request_has_one_note(notes, last, gitlab_notes, tmp_path):
    gitlab_notes.notes = notes
    assert noted(gitlab_notes, tmp_path, token="t") == ""  # noqa: S106 - a stand-in
    assert gitlab_notes.asked[-1] == (*last, {"body": "<!-- plinth -->\n# What changes\n"})


def test_without_a_token_or_the_right_there_is_only_the_artifact(gitlab_notes, tmp_path):
    assert "there is no PLINTH_GITLAB_TOKEN" in noted(gitlab_notes, tmp_path, token="")
    assert gitlab_notes.asked == []
    gitlab_notes.code = 403
    assert "GitLab takes no note (403)" in noted(gitlab_notes, tmp_path, token="t")  # noqa: S106 - a stand-in


def noted(gitlab_notes, folder, *, token):
    (folder / "plinth-diff.md").write_text("# What changes\n", encoding="utf-8")
    environment = {
        "CI_API_V4_URL": gitlab_notes.address,
        "CI_PROJECT_ID": "9",
        "CI_MERGE_REQUEST_IID": "7",
        "MARKER": "<!-- plinth -->",
        "PLINTH_GITLAB_TOKEN": token,
    }
    done = subprocess.run(
        [sys.executable, "-c", script("gitlab_note.py")],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout
