"""The recorded provider schemas, and which of them a root may be run with.

A provider is recorded once for each major version that we compile for: `azurerm.json` is the oldest
of them, `azurerm5.json` a later one. A version may be in two files: `aws_more.json` has by hand what
`aws.json` lacks. A root says by its version constraints which it takes.
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
"""Those of one version of each provider."""


def oldest() -> Recordings:
    """The oldest recording of each provider: what a test takes that looks at no version."""
    return tuple(sorted(path for versions in _by_provider().values() for path in versions[0]))


def newest() -> Recordings:
    """The newest recording of each provider."""
    return tuple(sorted(path for versions in _by_provider().values() for path in versions[-1]))


EDITIONS = {"oldest": oldest, "newest": newest}


def used(root: Mapping[str, Any], some: Recordings) -> dict[str, Recordings]:
    """Of some recordings those of the providers that a root requires, by the provider."""
    required = {each["source"] for each in root["terraform"]["required_providers"].values()}
    return {
        provider: tuple(path for path in some if _read(path)["provider"] == provider)
        for provider in sorted(required)
    }


def allowed(root: Mapping[str, Any], some: Recordings) -> bool:
    """Whether a root's version constraints allow these recordings."""
    recorded = used(root, some)
    required = root["terraform"]["required_providers"].values()
    return all(_allows(each["version"], path) for each in required for path in recorded[each["source"]])


@cache
def _by_provider() -> dict[str, list[Recordings]]:
    """The files of each provider, those of one version together, the oldest version first."""
    found: dict[str, dict[str, Recordings]] = {}
    for path in sorted(FOLDER.glob("*.json"), key=lambda path: _version(_read(path)["version"])):
        versions, version = found.setdefault(_read(path)["provider"], {}), _read(path)["version"]
        versions[version] = (*versions.get(version, ()), path)
    return {provider: list(versions.values()) for provider, versions in found.items()}


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
