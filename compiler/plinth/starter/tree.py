"""Every file of a new platform, by its path in the repository."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth import registry
from plinth.spec.schema import json_schema
from plinth.starter import github, gitlab
from plinth.starter.gitfiles import ATTRIBUTES_FILE, IGNORE_FILE, attribute_lines, ignore_lines, with_lines
from plinth.starter.platform import FILE, SCHEMA_FILE, platform_text
from plinth.starter.requirements import FILE as REQUIREMENTS_FILE
from plinth.starter.requirements import requirements_text
from plinth.text.emit import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.starter.questions import Answers

GROWING: Final = (IGNORE_FILE, ATTRIBUTES_FILE)
"""Files at the repository's root that may be there and only get lines at their end."""
GITLAB_MAIN: Final = gitlab.MAIN_FILE
"""May be there, and is then left as it is: a person includes the pipeline."""


class Tree(Struct, frozen=True, kw_only=True):
    """What a new platform is made of."""

    fresh: Mapping[str, bytes]
    """Path -> content of files that must not be there yet."""
    grown: Mapping[str, bytes]
    """Path -> content of files that keep every line they have."""
    is_included: bool
    """Nothing is left to do for CI to know its pipeline."""


def tree(
    answers: Answers,
    folder: str,
    *,
    version: str,
    requirement: str | None,
    found: Mapping[str, bytes | None],
) -> Tree:
    """The files, by their paths from the repository's root.

    Args:
        answers: Complete, and read without a fault.
        folder: Where the platform is in the repository, `.` for its root.
        version: Of this Plinth.
        requirement: Where pip gets Plinth from; None where nobody said.
        found: What `GROWING` and `GITLAB_MAIN` hold now, None for what is not there.
    """
    prefix = "" if folder == "." else f"{folder}/"
    fresh = {
        f"{prefix}{FILE}": platform_text(answers, folder),
        f"{prefix}{SCHEMA_FILE}": _schema((*registry.load_all("clouds"), *registry.load_all("components"))),
        f"{prefix}{REQUIREMENTS_FILE}": requirements_text(requirement, version),
    }
    has_main = found[GITLAB_MAIN] is not None
    match answers.get("--ci"):
        case "github":
            fresh |= github.workflows(answers, folder)
        case "gitlab":
            fresh |= gitlab.pipeline(answers, folder)
            fresh |= {} if has_main else {GITLAB_MAIN: gitlab.main_text()}
    lines = {IGNORE_FILE: ignore_lines(), ATTRIBUTES_FILE: attribute_lines(folder)}
    return Tree(
        fresh={path: text.encode() for path, text in sorted(fresh.items())},
        grown={path: with_lines(found[path], each) for path, each in lines.items()},
        is_included=answers.get("--ci") != "gitlab" or not has_main,
    )


@cache
def _schema(_plugins: tuple[Any, ...]) -> str:
    """The text of the schema: the same for the same plug-ins, and long."""
    return json_text(json_schema())
