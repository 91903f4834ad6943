"""Where everything lies in the tree, and what a file is called.

Backends that write a thing and backends that point at it ask here, so that neither knows the other.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from plinth.ir.targets import Application, Base, ObjectKey

LONGEST_FILE_NAME: Final = 120

_UNSAFE: Final = re.compile(r"[^a-z0-9.-]")


def overlay(environment: str, component: str) -> str:
    """`overlays/<env>/<component>`: what an Application syncs."""
    return f"overlays/{environment}/{component}"


def base(component: str, version: str) -> str:
    """`generated/base/<component>/<version>`: every object of upstream but its CRDs."""
    return f"generated/base/{component}/{version}"


def base_crds(component: str, version: str) -> str:
    """The CRDs of upstream alone."""
    return f"{base(component, version)}/crds"


def vendor(component: str, version: str) -> str:
    """`generated/vendor/<component>/<version>`: upstream's objects, one in a file; CRDs in `crds/` below."""
    return f"generated/vendor/{component}/{version}"


def applications(environment: str) -> str:
    """`generated/<env>/argocd`: what the root Application syncs."""
    return f"generated/{environment}/argocd"


def bootstrap(environment: str) -> str:
    """`generated/<env>/bootstrap`: what a person applies by hand, once."""
    return f"generated/{environment}/bootstrap"


def relative(folder: str, target: str) -> str:
    """How a kustomization in `folder` names `target`."""
    return posixpath.relpath(target, folder)


def source_path(environment: str, application: Application) -> str:
    """The folder that an Application syncs."""
    if application.holds_crds:
        return base_crds(application.component, application.version)
    return overlay(environment, application.component)


def reads(environment: str, application: Application, bases: dict[str, Base]) -> tuple[str, ...]:
    """Every folder that building an Application reads: a change in any of them is its change."""
    source = source_path(environment, application)
    upstream = bases.get(application.component)
    if upstream is None:
        return (source,)
    folders = {source}
    if not application.holds_crds:
        folders.add(base(upstream.component, upstream.version))
    if upstream.vendored:
        folders.add(vendor(upstream.component, upstream.version))
    return tuple(sorted(folders))


def object_file(key: ObjectKey, home: str, prefix: str = "") -> str:
    """The file of one object: `deployment-mlflow.yaml`, the namespace told where it is not `home`."""
    parts = [prefix, key.kind, key.namespace if key.namespace not in {"", home} else "", key.name]
    name = "-".join(_UNSAFE.sub("-", part.lower()) for part in parts if part)
    return f"{name[:LONGEST_FILE_NAME]}.yaml"
