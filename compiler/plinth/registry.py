"""Plug-ins by listing a folder: their names cost no import.

A plug-in is one module that holds one object: `CLOUD`, `COMPONENT`, `BACKEND` or `CHECK`. Its
name is the module's, with `-` for `_`. The folders named in `PLINTH_PLUGINS` (separated as in
`PATH`) are listed after our own; each may hold `clouds/`, `components/`, `backends/`, `checks/`
and `catalog/components/<name>/<version>.json`.
"""

from __future__ import annotations

import importlib
import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

Kind = Literal["clouds", "components", "backends", "checks"]

ATTRIBUTES: Final = {"clouds": "CLOUD", "components": "COMPONENT", "backends": "BACKEND", "checks": "CHECK"}

# Paths are texts here: a compile with nothing to do lists our files and should not pay for pathlib.
_PACKAGE: Final = os.path.dirname(os.path.abspath(__file__))


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
    return _catalogs(_folders())


def sources() -> tuple[str, ...]:
    """Every file that decides what a compile writes: ours and the plug-ins', sorted."""
    found = []
    for top in (_PACKAGE, *_folders()):
        for folder, folders, files in os.walk(top):
            folders[:] = [name for name in folders if name != "__pycache__"]
            found += [os.path.join(folder, name) for name in files]
    return tuple(sorted(found))


def _folders() -> tuple[str, ...]:
    text = os.environ.get("PLINTH_PLUGINS", "")
    return _resolved(text, os.getcwd()) if text else ()


@cache
def _resolved(text: str, _from_folder: str) -> tuple[str, ...]:
    """The folders that a text names, seen from the folder that we are in: a name may be a relative one."""
    return tuple(os.path.realpath(part) for part in text.split(os.pathsep) if part)


@cache
def _catalogs(folders: tuple[str, ...]) -> tuple[Path, ...]:
    from pathlib import Path  # noqa: PLC0415 - see `_PACKAGE`

    catalogs = [os.path.join(folder, "catalog") for folder in (_PACKAGE, *folders)]
    return tuple(Path(folder) for folder in catalogs if os.path.isdir(folder))


@cache
def _found(kind: Kind, folders: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for top in (_PACKAGE, *folders):
        folder = os.path.join(top, kind)
        for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            path = os.path.join(folder, entry)
            stem, suffix = os.path.splitext(entry)
            is_module = suffix == ".py" or os.path.isfile(os.path.join(path, "__init__.py"))
            if not is_module or entry.startswith("_"):
                continue
            name = stem.replace("_", "-")
            if name in found:
                raise DuplicatePlugin(f"{kind} `{name}` is in {found[name]} and in {path}")
            found[name] = path
    return found


@cache
def _load(kind: Kind, name: str, folders: tuple[str, ...]) -> Any:
    path = _found(kind, folders)[name]
    module = f"plinth.{kind}.{os.path.splitext(os.path.basename(path))[0]}"
    if path.startswith(_PACKAGE + os.sep):
        return getattr(importlib.import_module(module), ATTRIBUTES[kind])
    return getattr(_import_from(path, module), ATTRIBUTES[kind])


def _import_from(path: str, name: str) -> ModuleType:
    from importlib.util import module_from_spec, spec_from_file_location  # noqa: PLC0415 - see `_PACKAGE`

    # A package keeps its code in `__init__.py`, beside the modules that it imports.
    file = path if path.endswith(".py") else os.path.join(path, "__init__.py")
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python module")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
