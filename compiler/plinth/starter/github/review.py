"""The workflow of a pull request: is the tree current, and what would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.starter.github.parts import RUN, checkout, machine, plinth, workflow
from plinth.starter.scripts import script
from plinth.text.annotated import Line

if TYPE_CHECKING:
    from plinth.starter.questions import Answers


def pull_request(answers: Answers, folder: str) -> str:
    """One job, whose comment is found again by its first line."""
    marker = "<!-- plinth -->" if folder == "." else f"<!-- plinth: {folder} -->"
    job = {
        **machine(15),
        "permissions": Line({"contents": "read", "pull-requests": "write"}),
        "steps": [
            # The history is there for the target branch.
            checkout(depth=0),
            *plinth(),
            {"name": "The tree is what platform.yaml compiles to", "run": "plinth compile --check"},
            {
                "name": "Compare with the target branch",
                "id": "diff",
                "if": "${{ !cancelled() }}",
                "env": {"BASE": "origin/${{ github.base_ref }}"},
                "run": script("diff.sh"),
            },
            {
                "name": "Comment",
                "if": "${{ !cancelled() && steps.diff.outcome == 'success' }}",
                "env": {
                    "GH_TOKEN": "${{ github.token }}",
                    "MARKER": marker,
                    "NUMBER": "${{ github.event.pull_request.number }}",
                    "RUN": RUN,
                },
                "run": script("github_comment.sh"),
            },
        ],
    }
    return workflow(
        "What a pull request changes: in the platform's words, as one comment that is kept up to date.\n"
        "It needs no credentials. In a pull request from a fork the comment is in the job's summary.",
        "plinth pull request",
        on={"pull_request": Line({"branches": [answers.get("--branch")]})},
        folder=folder,
        concurrency=("plinth-pull-request-${{ github.event.pull_request.number }}", True),
        jobs={"review": job},
    )
