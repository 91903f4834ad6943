"""Plug-ins by listing a folder: their names cost no import.

A plug-in is one module that holds one object: `CLOUD`, `COMPONENT`, `BACKEND` or `CHECK`. Its
name is the module's, with `-` for `_`. The folders named in `PLINTH_PLUGINS` (separated as in
`PATH`) are listed after our own; each may hold `clouds/`, `components/`, `backends/`, `checks/`
and `catalog/components/<name>/<version>.json`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from types import ModuleType

Kind = Literal["clouds", "components", "backends", "checks"]

ATTRIBUTES: Final = {"clouds": "CLOUD", "components": "COMPONENT", "backends": "BACKEND", "checks": "CHECK"}

_PACKAGE: Final = Path(__file__).parent


class DuplicatePlugin(Exception):
    """Two folders bring a plug-in of the same kind and name."""


def names(kind: Kind) -> tuple[str, ...]:
    """The names of all plug-ins of a kind, sorted; nothing is imported."""
    return tuple(sorted(_found(kind, _folders())))


def load(kind: Kind, name: str) -> Any:
    """The object that a plug-in's module holds.

    Raises:
        KeyError: no plug-in of that kind has this name.
    """
    return _load(kind, name, _folders())


def load_all(kind: Kind) -> tuple[Any, ...]:
    """Every plug-in of a kind, in the order of their names."""
    return tuple(load(kind, name) for name in names(kind))


def catalog_folders() -> tuple[Path, ...]:
    """The folders that hold `components/<name>/<version>.json`, our own first."""
    return (_PACKAGE / "catalog", *(folder / "catalog" for folder in _folders() if (folder / "catalog").is_dir()))


def sources() -> tuple[Path, ...]:
    """Every file that decides what a compile writes: ours and the plug-ins', sorted."""
    files = [path for folder in (_PACKAGE, *_folders()) for path in folder.rglob("*") if path.is_file()]
    return tuple(sorted(path for path in files if "__pycache__" not in path.parts))


def _folders() -> tuple[Path, ...]:
    text = os.environ.get("PLINTH_PLUGINS", "")
    return tuple(Path(part).resolve() for part in text.split(os.pathsep) if part)


@cache
def _found(kind: Kind, folders: tuple[Path, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in (_PACKAGE, *folders):
        if not (folder / kind).is_dir():
            continue
        for path in sorted((folder / kind).iterdir()):
            is_module = path.suffix == ".py" or (path / "__init__.py").is_file()
            if not is_module or path.name.startswith("_"):
                continue
            name = path.stem.replace("_", "-")
            if name in found:
                raise DuplicatePlugin(f"{kind} `{name}` is in {found[name]} and in {path}")
            found[name] = path
    return found


@cache
def _load(kind: Kind, name: str, folders: tuple[Path, ...]) -> Any:
    path = _found(kind, folders)[name]
    module = f"plinth.{kind}.{path.stem}"
    if path.is_relative_to(_PACKAGE):
        return getattr(importlib.import_module(module), ATTRIBUTES[kind])
    return getattr(_import_from(path, module), ATTRIBUTES[kind])


def _import_from(path: Path, name: str) -> ModuleType:
    # A package keeps its code in `__init__.py`, beside the modules that it imports.
    file = path if path.suffix == ".py" else path / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
