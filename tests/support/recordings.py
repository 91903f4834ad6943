"""The recorded provider schemas, and which of them a root may be run with.

A provider is recorded once for each major version that we compile for: `azurerm.json` is the oldest
of them, `azurerm5.json` a later one. A root says by its version constraints which it takes.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parents[1] / "data" / "tfschema"

Recordings = tuple[Path, ...]
"""Of each provider one version, which may be in several files."""


def oldest() -> Recordings:
    """The oldest recording of each provider: what a test takes that looks at no version."""
    return tuple(sorted(path for versions in _by_provider().values() for path in versions[0]))


def newest() -> Recordings:
    """The newest recording of each provider."""
    return tuple(sorted(path for versions in _by_provider().values() for path in versions[-1]))


EDITIONS = {"oldest": oldest, "newest": newest}


def used(root: Mapping[str, Any], some: Recordings) -> dict[str, Path]:
    """Of some recordings those of the providers that a root requires, by the provider."""
    required = {each["source"] for each in root["terraform"]["required_providers"].values()}
    return {_read(path)["provider"]: path for path in some if _read(path)["provider"] in required}


def allowed(root: Mapping[str, Any], some: Recordings) -> bool:
    """Whether a root's version constraints allow these recordings."""
    recorded = used(root, some)
    required = root["terraform"]["required_providers"].values()
    return all(_allows(each["version"], recorded[each["source"]]) for each in required)


@cache
def _by_provider() -> dict[str, list[list[Path]]]:
    """The files of each version, the oldest first."""
    found: dict[str, dict[tuple[int, ...], list[Path]]] = {}
    for path in sorted(FOLDER.glob("*.json")):
        recorded = _read(path)
        versions = found.setdefault(recorded["provider"], {})
        versions.setdefault(_version(recorded["version"]), []).append(path)
    return {provider: [versions[each] for each in sorted(versions)] for provider, versions in found.items()}


@cache
def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _version(text: str) -> tuple[int, ...]:
    return (*map(int, text.split(".")), 0, 0)[:3]


def _allows(constraint: str, path: Path) -> bool:
    """Whether `>= 4.65, < 6` allows the recorded version; these two operators are all that we write."""
    recorded = _version(_read(path)["version"])
    for each in constraint.split(", "):
        operator, version = re.fullmatch(r"(>=|<) ([0-9.]+)", each).groups()  # type: ignore[union-attr]
        if (recorded >= _version(version)) != (operator == ">="):
            return False
    return True
