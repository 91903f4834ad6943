"""Workflows for GitHub Actions: what a pull request changes, applying it, and drift.

Rights are given to single jobs; actions are pinned to commits; whatever comes from outside reaches a
shell as a variable, never as a part of its text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.starter.github.apply import ROOTS, apply, environment, promote
from plinth.starter.github.drift import drift
from plinth.starter.github.parts import FOLDER
from plinth.starter.github.review import pull_request
from plinth.starter.questions import is_provisioned
from plinth.starter.scripts import script

if TYPE_CHECKING:
    from plinth.starter.questions import Answers


def workflows(answers: Answers, folder: str) -> dict[str, str]:
    """Path from the repository's root -> text; `folder` is the platform's."""
    makes = is_provisioned(answers.provider)
    found = {
        f"{FOLDER}/plinth-drift.yml": drift(answers, folder),
        f"{FOLDER}/plinth-pull-request.yml": pull_request(answers, folder),
    }
    if makes:
        found[f"{FOLDER}/plinth-apply.yml"] = apply(answers)
        found[f"{FOLDER}/plinth-environment.yml"] = environment(answers, folder)
        found[ROOTS] = script("roots.sh")
    elif answers.others:
        found[f"{FOLDER}/plinth-promote.yml"] = promote(answers)
    return found
