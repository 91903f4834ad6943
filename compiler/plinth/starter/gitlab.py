"""The pipeline for GitLab: what a merge request changes, applying it, and drift.

It is a file of its own that `.gitlab-ci.yml` includes, so that a pipeline that is there stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.starter.credentials import (
    APPLY_ACCOUNT,
    IDENTITY_PROVIDER,
    KUBECONFIG,
    PLAN_ACCOUNT,
    signs_in,
    variable,
    variables_note,
)
from plinth.starter.github.parts import PYTHON, TERRAFORM
from plinth.starter.platform import branch_of
from plinth.starter.questions import is_provisioned
from plinth.starter.requirements import FILE as REQUIREMENTS
from plinth.starter.scripts import script
from plinth.starter.words import filled
from plinth.text.annotated import Line, Noted, annotated_yaml

if TYPE_CHECKING:
    from plinth.starter.questions import Answers

MAIN_FILE: Final = ".gitlab-ci.yml"
FILE: Final = ".gitlab/plinth.yml"
ROOTS: Final = ".gitlab/plinth-roots.sh"
NOTE: Final = ".gitlab/plinth_note.py"

_GCLOUD_IMAGE: Final = "google/cloud-sdk:stable"


def pipeline(answers: Answers, folder: str) -> dict[str, str]:
    """Path from the repository's root -> text, `.gitlab-ci.yml` apart; `folder` is the platform's."""
    makes = is_provisioned(answers.provider)
    jobs = {**_shared(answers, folder), **_review(folder)}
    for name in answers.environments:
        jobs |= _apply(answers, name, folder) if makes else {}
        jobs |= _branch(answers, name, makes=makes) if name in answers.others else {}
    jobs |= _drift(answers, folder)
    document = {name: Noted(value=job, gap=index > 0) for index, (name, job) in enumerate(jobs.items())}
    found = {FILE: annotated_yaml(document, head=_head(answers, makes=makes))}
    found[NOTE] = script("gitlab_note.py")
    return found | ({ROOTS: script("roots.sh")} if makes else {})


def main_text() -> str:
    """A `.gitlab-ci.yml` where there is none: it includes the pipeline."""
    return annotated_yaml({"include": [Line({"local": FILE})]})


def _head(answers: Answers, *, makes: bool) -> str:
    name = answers.environments[0]
    pushing = (
        "; with `write_repository` as well it moves the branches of environments" if answers.others else ""
    )
    rights = (
        f"{variables_note(name)}\n- the same for every other environment; until then nothing is applied"
        if signs_in(answers)
        else f"- {variable(name, KUBECONFIG)} and its like, of type File: may read every kind and change none"
    )
    applying = (
        """
After a merge: plan; apply once somebody starts the job; only then move the branch that Argo CD follows.
Let only those start it who may deploy (Settings > CI/CD > Protected environments).

Removals: what the spec no longer has may be in use until Argo CD has synced. So what a plan removes is
left out at first; once everything is Synced, run a pipeline by hand with PLINTH_REMOVALS=true.
"""
        if makes
        else ""
    )
    return filled(f"""
What a merge request changes, applying it, and drift.
{applying}
Variables (Settings > CI/CD > Variables):
- PLINTH_GITLAB_TOKEN: a project access token with the scope `api`, for the note on a merge request{pushing}
{rights}
- PLINTH_DRIFT=on and a pipeline schedule, for a nightly comparison. An API server that the runner
cannot reach needs a runner beside it: give the jobs `tags`.
""")


def _shared(answers: Answers, folder: str) -> dict[str, Any]:
    inside = [] if folder == "." else [f"cd {folder}"]
    install = f"python -m pip install --quiet --requirement {REQUIREMENTS}"
    shared: dict[str, Any] = {
        ".plinth": {"image": f"python:{PYTHON}", "timeout": "15 minutes", "before_script": [*inside, install]}
    }
    if is_provisioned(answers.provider):
        shared[".plinth terraform"] = {
            "image": {"name": f"hashicorp/terraform:{TERRAFORM}", "entrypoint": [""]},
            "stage": "deploy",
            "timeout": "2 hours",
            "before_script": [
                "apk add --no-cache jq",
                *([script("gcp_sign_in.sh")] if signs_in(answers) else []),
                *inside,
            ],
            "script": [f'sh "$CI_PROJECT_DIR/{ROOTS}"'],
        }
    return shared


def _review(folder: str) -> dict[str, Any]:
    rules = [Line({"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'})]
    marker = "<!-- plinth -->" if folder == "." else f"<!-- plinth: {folder} -->"
    report = _inside(folder, "plinth-diff.md")
    return {
        "plinth check": {
            "extends": ".plinth",
            "stage": "test",
            "rules": rules,
            "script": ["plinth compile --check"],
        },
        "plinth diff": {
            "extends": ".plinth",
            "stage": "test",
            "rules": rules,
            "variables": {
                "GIT_DEPTH": "0",
                "BASE": "$CI_MERGE_REQUEST_DIFF_BASE_SHA",
                "MARKER": marker,
            },
            "script": [
                script("diff.sh"),
                f'python "$CI_PROJECT_DIR/{NOTE}"',
            ],
            "artifacts": Line({"paths": [report], "expose_as": "plinth diff", "expire_in": "1 week"}),
        },
    }


def _apply(answers: Answers, name: str, folder: str) -> dict[str, Any]:
    ready = f" && ${variable(name, IDENTITY_PROVIDER)}" if signs_in(answers) else ""
    condition = f"{_on_branch(answers)}{ready}"

    def job(mode: str, account: str) -> dict[str, Any]:
        rights = _signing(name, account) if signs_in(answers) else {"variables": {}}
        variables = {"MODE": mode, "ENVIRONMENT": name, "REMOVALS": "$PLINTH_REMOVALS"}
        return {"extends": ".plinth terraform", **rights, "variables": variables | rights["variables"]}

    before = answers.environments[answers.environments.index(name) - 1] if name in answers.others else None
    return {
        f"plinth plan {name}": {
            **job("plan", PLAN_ACCOUNT),
            "rules": [Line({"if": condition})],
            "needs": [f"plinth apply {before}"] if before else [],
            "artifacts": {"reports": Line({"dotenv": _inside(folder, "plinth.env")})},
        },
        f"plinth apply {name}": {
            **job("apply", APPLY_ACCOUNT),
            "rules": [Line({"if": condition, "when": "manual"})],
            "needs": [f"plinth plan {name}"],
            "environment": Line({"name": name}),
            "resource_group": f"plinth-{name}",
        },
    }


def _branch(answers: Answers, name: str, *, makes: bool) -> dict[str, Any]:
    ready = f" && ${variable(name, IDENTITY_PROVIDER)}" if makes and signs_in(answers) else ""
    rule = {"if": f"{_on_branch(answers)}{ready}"}
    return {
        f"plinth branch {name}": {
            "image": f"python:{PYTHON}",
            "stage": "deploy",
            "timeout": "5 minutes",
            "rules": [Line(rule if makes else {**rule, "when": "manual"})],
            "needs": [f"plinth apply {name}"] if makes else [],
            "variables": {"GIT_DEPTH": "0", "BRANCH": branch_of(answers, name)},
            "script": [script("gitlab_branch.sh")],
        }
    }


def _drift(answers: Answers, folder: str) -> dict[str, Any]:
    is_google = signs_in(answers)
    shared = {
        "image": _GCLOUD_IMAGE if is_google else f"python:{PYTHON}",
        "stage": "test",
        "timeout": "30 minutes",
        "rules": [Line({"if": '$CI_PIPELINE_SOURCE == "schedule" && $PLINTH_DRIFT == "on"'})],
        "before_script": [
            "apt-get -qq update && apt-get -qq install --yes jq python3-venv",
            *([] if folder == "." else [f"cd {folder}"]),
            "python3 -m venv /opt/plinth && export PATH=/opt/plinth/bin:$PATH",
            f"python -m pip install --quiet --requirement {REQUIREMENTS}",
            *([script("gcp_sign_in.sh"), script("gitlab_cluster.sh")] if is_google else []),
        ],
        "script": [script("gitlab_drift.sh")],
        "artifacts": Line(
            {"paths": [_inside(folder, "plinth-drift.json")], "when": "always", "expire_in": "1 week"}
        ),
    }
    found: dict[str, Any] = {".plinth drift": shared}
    for name in answers.environments:
        rights: dict[str, Any] = {"variables": {"KUBECONFIG": f"${variable(name, KUBECONFIG)}"}}
        if is_google:
            rights = _signing(name, PLAN_ACCOUNT)
        rights["variables"] = {"ENVIRONMENT": name, **rights["variables"]}
        found[f"plinth drift {name}"] = {"extends": ".plinth drift", **rights}
    return found


def _signing(name: str, account: str) -> dict[str, Any]:
    """What `gcp_sign_in.sh` is told."""
    provider = f"${variable(name, IDENTITY_PROVIDER)}"
    return {
        "id_tokens": {"PLINTH_ID_TOKEN": Line({"aud": f"https://iam.googleapis.com/{provider}"})},
        "variables": {"PROVIDER": provider, "ACCOUNT": f"${variable(name, account)}"},
    }


def _inside(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def _on_branch(answers: Answers) -> str:
    return f'$CI_COMMIT_BRANCH == "{answers.get("--branch")}" && $CI_PIPELINE_SOURCE =~ /^(push|web)$/'
