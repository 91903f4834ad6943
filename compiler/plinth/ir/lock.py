"""`plinth.lock.yaml`: what was chosen once and is kept until somebody asks for another.

Versions that a spec leaves open, machines with the prices they were chosen at, and the digests of
upstreams. A newer catalogue moves nothing that stands here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field
from msgspec.structs import asdict

from plinth.catalog.components import ChartSource, FileSource, GitSource
from plinth.text.emit import yaml_text

if TYPE_CHECKING:
    from plinth.catalog.components import Upstream

PATH: Final = "plinth.lock.yaml"
API_VERSION: Final = "plinth.dev/v1alpha1"

LAYERED: Final = "layered"
"""The layout of an environment for which the file says none."""

_SOURCE_KINDS: Final = {GitSource: "git", FileSource: "file", ChartSource: "chart"}
_PRICE: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,9})?")


class LockError(ValueError):
    """The text is no lock of ours."""


class Vendored(Struct, frozen=True, kw_only=True):
    """An upstream under `generated/vendor/`."""

    digest: str
    """Of its objects, as the catalogue counts them."""
    incomplete: tuple[str, ...] = ()
    """Objects that the mirror does not have as upstream publishes them."""


class Lock(Struct, frozen=True, kw_only=True):
    """What is pinned. Every map is by environment, or by `component/version`."""

    versions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pools: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    layouts: Mapping[str, str] = field(default_factory=dict)
    """`layered` or `single`, for every environment that was ever compiled."""
    vendored: Mapping[str, Vendored] = field(default_factory=dict)
    compiler: str = ""
    """The version of the compiler that wrote it; empty where it does not say."""


def read_lock(data: Any) -> Lock:
    """A lock from the plain data of its file.

    Raises:
        LockError: it is something else; the message says what is wrong.
    """
    if not isinstance(data, Mapping) or data.get("kind") != "Lock" or data.get("apiVersion") != API_VERSION:
        raise LockError(f"it is no Lock of {API_VERSION}")
    environments = _map(data.get("environments", {}), "environments")
    upstreams = _map(data.get("upstreams", {}), "upstreams")
    versions: dict[str, dict[str, str]] = {}
    pools: dict[str, dict[str, Mapping[str, Any]]] = {}
    layouts: dict[str, str] = {}
    for name, pinned in environments.items():
        where = f"environments.{name}"
        found = _map(_map(pinned, where).get("components", {}), f"{where}.components")
        layouts[name] = _text(pinned.get("layout", LAYERED), f"{where}.layout")
        versions[name] = {
            component: _text(version, f"{where}.components.{component}")
            for component, version in found.items()
        }
        chosen = _map(pinned.get("nodePools", {}), f"{where}.nodePools")
        pools[name] = {pool: _pin(pin, f"{where}.nodePools.{pool}") for pool, pin in chosen.items()}
    vendored = {
        name: _vendored(entry["vendored"], f"upstreams.{name}")
        for name, entry in upstreams.items()
        if isinstance(entry, Mapping) and "vendored" in entry
    }
    compiler = data.get("compiler")
    return Lock(
        versions=versions,
        pools=pools,
        layouts=layouts,
        vendored=vendored,
        compiler=compiler if isinstance(compiler, str) else "",
    )


def lock_text(
    *,
    compiler: str,
    versions: Mapping[str, Mapping[str, str]],
    pools: Mapping[str, Mapping[str, Mapping[str, Any]]],
    layouts: Mapping[str, str],
    upstreams: Mapping[str, Upstream],
    vendored: Mapping[str, Vendored],
) -> str:
    """The file. `upstreams` are those in use, by `component/version`."""
    environments: dict[str, Any] = {}
    for name, pinned in versions.items():
        environments[name] = {"components": dict(pinned)}
        if pools.get(name):
            environments[name]["nodePools"] = {pool: dict(pin) for pool, pin in pools[name].items()}
        if layouts.get(name, LAYERED) != LAYERED:
            environments[name]["layout"] = layouts[name]
    entries: dict[str, Any] = {}
    for name, upstream in upstreams.items():
        source = {"kind": _SOURCE_KINDS[type(upstream.source)], **asdict(upstream.source)}
        entries[name] = {"digest": upstream.digest, "source": source}
        if name in vendored:
            entries[name]["vendored"] = {"digest": vendored[name].digest}
            if vendored[name].incomplete:
                entries[name]["vendored"]["incomplete"] = list(vendored[name].incomplete)
    document: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": "Lock",
        "compiler": compiler,
        "environments": environments,
    }
    return yaml_text(document | ({"upstreams": entries} if entries else {}))


def _pin(data: Any, where: str) -> Mapping[str, Any]:
    pin = _map(data, where)
    _text(pin.get("machine"), f"{where}.machine")
    price = _text(pin.get("onDemandUsdPerHour", "0"), f"{where}.onDemandUsdPerHour")
    if not _PRICE.fullmatch(price):
        raise LockError(f"`{where}.onDemandUsdPerHour` is no price")
    _text(pin.get("pricedOn", ""), f"{where}.pricedOn")
    return pin


def _vendored(data: Any, where: str) -> Vendored:
    entry = _map(data, f"{where}.vendored")
    incomplete = entry.get("incomplete", [])
    if not isinstance(incomplete, list) or not all(isinstance(each, str) for each in incomplete):
        raise LockError(f"`{where}.vendored.incomplete` is no list of objects")
    return Vendored(
        digest=_text(entry.get("digest"), f"{where}.vendored.digest"), incomplete=tuple(incomplete)
    )


def _map(data: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise LockError(f"`{where}` is no map")
    return data


def _text(data: Any, where: str) -> str:
    if not isinstance(data, str):
        raise LockError(f"`{where}` is no text")
    return data
