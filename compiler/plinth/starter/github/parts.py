"""What every workflow is put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.starter.credentials import AWS, signs_in
from plinth.starter.requirements import FILE as REQUIREMENTS
from plinth.text.annotated import Line, Noted, annotated_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.starter.questions import Answers

FOLDER: Final = ".github/workflows"
RUNNER: Final = "ubuntu-24.04"
TERRAFORM: Final = "1.11.4"
PYTHON: Final = "3.13"
RUN: Final = "${{ github.server_url }}/${{ github.repository }}/actions/runs/${{ github.run_id }}"
"""The address of the run, as an expression of GitHub's."""

# Each commit is the one that the tag beside it named when it was looked up.
_ACTIONS: Final = {
    "actions/checkout": ("11bd71901bbe5b1630ceea73d27597364c9af683", "v4.2.2"),
    "actions/setup-python": ("42375524e23c412d93fb67b49958b491fce71c38", "v5.4.0"),
    "aws-actions/configure-aws-credentials": ("ececac1a45f3b08a01d2dd070d28d111c5fe6722", "v4.1.0"),
    "google-github-actions/auth": ("7c6bc770dae815cd3e89ee6cdf493a5fab2cc093", "v3.0.0"),
    "google-github-actions/get-gke-credentials": ("3da1e46a907576cefaa90c484278bb5b259dd395", "v3.0.0"),
    "hashicorp/setup-terraform": ("b9cd54a3c349d3f38e8881555d616ced269862dd", "v3.1.2"),
}


def workflow(
    head: str,
    name: str,
    *,
    on: Mapping[str, Any],
    folder: str,
    concurrency: tuple[str, bool] | None,
    jobs: Mapping[str, Any],
) -> str:
    """The text of a workflow; no right is given but to single jobs.

    Args:
        head: A comment for people at the top.
        name: What GitHub calls it.
        on: What starts it.
        folder: Where its shells begin.
        concurrency: A group of which one run is at a time, and whether a new one ends the old one.
        jobs: By name.
    """
    document: dict[str, Any] = {"name": name, "on": dict(on), "permissions": Line({})}
    if concurrency:
        group, cancels = concurrency
        document["concurrency"] = Line({"group": group, "cancel-in-progress": cancels})
    if folder != ".":
        document["defaults"] = {"run": Line({"working-directory": folder})}
    document["jobs"] = Noted(value=dict(jobs), gap=True)
    return annotated_yaml(document, head=head)


def machine(minutes: int) -> dict[str, Any]:
    """Where a job runs, and for how long at most."""
    return {"runs-on": RUNNER, "timeout-minutes": minutes}


def checkout(depth: int | None = None) -> dict[str, Any]:
    """The commit; its history where `depth` is 0. No later step can push with what is left behind."""
    history = {} if depth is None else {"fetch-depth": depth}
    return {"uses": action("actions/checkout"), "with": Line({**history, "persist-credentials": False})}


def plinth() -> list[object]:
    """Plinth, as the platform pins it."""
    return [
        {"uses": action("actions/setup-python"), "with": Line({"python-version": PYTHON})},
        {"name": "Install Plinth", "run": f"python -m pip install --requirement {REQUIREMENTS}"},
    ]


def google(answers: Answers, provider: str, account: str) -> list[object]:
    """Signing in to Google Cloud by who the job is; nothing on other clouds."""
    if not signs_in(answers):
        return []
    return [
        {
            "uses": action("google-github-actions/auth"),
            "with": {"workload_identity_provider": provider, "service_account": account},
        }
    ]


def amazon(answers: Answers, role: str, region: str) -> list[object]:
    """Signing in to AWS by who the job is; nothing on other clouds."""
    if answers.provider != AWS:
        return []
    return [
        {
            "uses": action("aws-actions/configure-aws-credentials"),
            "with": {"role-to-assume": role, "aws-region": region},
        }
    ]


def action(name: str) -> Noted:
    """A pinned action."""
    commit, version = _ACTIONS[name]
    return Noted(value=f"{name}@{commit}", beside=version)
