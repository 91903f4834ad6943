"""One platform, changed in one place at a time, and what Terraform is to do about each.

    PLATFORM = Platform("{provider: gcp, project: acme-ml-dev, ...}")
    PLATFORM.spec({"nodePools.cpu.nodes.max": 8}, {"google_container_node_pool.cpu": "update"})
    PLATFORM.argument("replace", "google_compute_router_nat.platform", {"name": "other"})

The first change edits `platform.yaml` and compiles it again. The second edits what was compiled, for arguments
that no field of the spec reaches. Each says by hand what becomes of which resource; all others stay as they are.

Where the provider's own code decides, the recorded schemas say one thing and a plan another: `but` has what the
plan says, and `because` why.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

import yaml

from plinth.plan import actions
from support import platforms
from support.roots import of_tree, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plinth.plan.actions import PlannedAction, Root

Layers = dict[str, "Root"]
"""The document of each root by its layer."""
Actions = dict[str, "PlannedAction"]

ON_EVERY_CLOUD: Final = """\
apiVersion: plinth.dev/v1alpha1
kind: Platform
metadata: {name: acme}
spec:
  state: {bucket: acmeterraform}
  repository: {url: "https://github.com/acme/ml-platform.git"}
  network:
    nodes: 10.16.0.0/20
    pods: 10.32.0.0/14
    services: 10.48.0.0/20
    controlPlane: 172.16.0.0/28
    allow: [203.0.113.0/24]
  cluster: {kubernetes: "1.34", channel: regular, maintenance: {weekly: [sat 02:00-08:00, sun 02:00-08:00]}}
  nodePools:
    - {name: cpu, cpu: 4, memory: 16Gi, nodes: {min: 1, max: 3}}
    - {name: gpu, gpu: {model: t4, count: 1}, capacity: spot, nodes: {max: 3}}
  identity:
    domain: ml.acme.com
    admins: [platform@acme.com]
    signIn: {provider: google, hostedDomain: acme.com, credentials: {secret: google-sign-in}}
  storage: {buckets: [{name: artifacts}, {name: datasets}], database: {size: small}}
  upstreams: remote
  components: {mlflow: {artifacts: artifacts}}
"""
"""A platform without its cloud."""

REMOVED: Final = object()

_SECTIONS: Final = {"resource": "", "ephemeral": "ephemeral."}
"""What a root is made of, each with how an address of it begins."""


_REFERENCE: Final = re.compile(r"(?<![\w.])((?:ephemeral\.)?[a-z]\w*\.[\w-]+)(?:\.\w+|\[\d+\])+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleChange:
    """A change, and what is to become of which resource."""

    name: str
    roots: Callable[[], tuple[Layers, Layers]]
    """Makes every root of the platform as it was, and changed."""
    actions: Actions
    """What the recorded schemas are to say."""
    but: Actions | None = None
    """What a plan says, where it is not the same."""
    because: str = ""

    @property
    def planned(self) -> Actions:
        """What a plan is to say."""
        return self.actions if self.but is None else self.but

    def changed_roots(self) -> dict[str, tuple[Root, Root]]:
        """By layer each root that is not as it was, before and after."""
        before, after = self.roots()
        return {layer: (before[layer], after[layer]) for layer in before if before[layer] != after[layer]}


class Platform:
    """What is changed: the same platform on every cloud."""

    def __init__(self, cloud: str) -> None:
        """`cloud` is the YAML of the section of that name."""
        document = yaml.safe_load(ON_EVERY_CLOUD)
        document["spec"]["cloud"] = yaml.safe_load(cloud)
        self._text = yaml.safe_dump(document)

    def roots(self) -> Layers:
        """The platform as it was, compiled; not to be changed."""
        return compiled(self._text)

    def spec(self, change: Mapping[str, Any], actions: Actions, **more: Any) -> SingleChange:
        """A change of the spec: `nodePools.cpu.nodes.max` names items by their `name`."""
        ((path, value),) = change.items()

        def roots() -> tuple[Layers, Layers]:
            document = yaml.safe_load(self._text)
            _put(document["spec"], path.split("."), value)
            return self.roots(), compiled(yaml.safe_dump(document))

        return SingleChange(name=f"{path} {_shown(value)}", roots=roots, actions=actions, **more)

    def argument(
        self,
        action: PlannedAction | Literal["no-op"],
        address: str,
        change: Mapping[str, Any],
        *,
        given: Mapping[str, Any] | None = None,
        also: Actions | None = None,
        **more: Any,
    ) -> SingleChange:
        """A change of one argument of one resource: `node_config[0].spot`.

        `given` are arguments that the resource had before the change. `also` is what becomes of others because
        of it.
        """
        ((path, value),) = change.items()

        def roots() -> tuple[Layers, Layers]:
            before = _edited(self.roots(), address, given or {})
            return before, _edited(before, address, {path: value})

        actions: Actions = {} if action == "no-op" else {address: action}
        name = f"{address}.{path} {_shown(value)}"
        name += "".join(f", where {other} {_shown(wanted)}" for other, wanted in (given or {}).items())
        return SingleChange(name=name, roots=roots, actions=actions | (also or {}), **more)


def affected(before: Root, after: Root) -> tuple[Root, Root]:
    """Both roots with what a change may reach, and what that rests on; all else is the same in both.

    Where the provider's settings change, that is everything.
    """
    if before.get("provider") != after.get("provider"):
        return before, after
    old, new = _bodies(before), _bodies(after)
    every = {*old, *new}
    below = {
        each: {*actions.mentioned(old.get(each)), *actions.mentioned(new.get(each))} & every for each in every
    }
    above = {each: {other for other in every if each in below[other]} for each in every}
    changed = {each for each in every if old.get(each) != new.get(each)}
    kept = _closed(_closed(changed, above), below)
    return _only(before, kept), _only(after, kept)


def reached(before: Root, after: Root) -> tuple[Root, Root]:
    """Both roots with what a change may reach, alone: for a reference to anything else stands a text.

    What a change does not reach stays as it is, so that its values are the same before and after.
    """
    if before.get("provider") != after.get("provider"):
        return before, after
    old, new = _bodies(before), _bodies(after)
    every = {*old, *new}
    changed = {each for each in every if old.get(each) != new.get(each)}
    named = {each: {*actions.mentioned(old.get(each)), *actions.mentioned(new.get(each))} for each in every}
    kept = _closed(changed, {each: {other for other in every if each in named[other]} for each in every})
    cut = (_only(root, kept, alone=True) for root in (before, after))
    return next(cut), next(cut)


@cache
def compiled(text: str) -> dict[str, Any]:
    """The documents of the only environment that a platform has."""
    tree = platforms.tree(platforms.compile_bytes(text.encode()))
    return {name.partition("/")[2]: whole(files) for name, files in of_tree(tree).items()}


def _closed(some: set[str], more: Mapping[str, set[str]]) -> set[str]:
    """The nodes, and all that are reached from them."""
    found, waiting = set(some), list(some)
    while waiting:
        new = more[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def _bodies(root: Root) -> dict[str, Any]:
    return {
        f"{prefix}{kind}.{name}": body
        for section, prefix in _SECTIONS.items()
        for kind, named in root.get(section, {}).items()
        for name, body in named.items()
    }


def _only(root: Root, addresses: set[str], *, alone: bool = False) -> Root:
    # An output may name any resource, and changes none.
    kept = {key: value for key, value in root.items() if key not in {*_SECTIONS, "output"}}
    for section, prefix in _SECTIONS.items():
        for kind, named in root.get(section, {}).items():
            some = {name: body for name, body in named.items() if f"{prefix}{kind}.{name}" in addresses}
            if some:  # Terraform refuses a section that holds nothing
                kept.setdefault(section, {})[kind] = some
    if alone:
        every = _bodies(root).keys()
        for section in _SECTIONS.keys() & kept.keys():
            kept[section] = _detached(kept[section], every - addresses)
        read = _read(kept.pop("data", {}), kept)
        kept |= {"data": read} if read else {}
    return kept


def _read(every: Mapping[str, Any], reader: Any) -> dict[str, Any]:
    """The data sources that somebody reads, and those that these read in turn."""
    bodies = {f"data.{kind}.{name}": body for kind, named in every.items() for name, body in named.items()}

    def named_in(value: Any) -> set[str]:
        text = json.dumps(value)
        return {each for each in bodies if re.search(rf"\b{re.escape(each)}\b", text)}

    kept = _closed(named_in(reader), {each: named_in(body) for each, body in bodies.items()})
    found: dict[str, Any] = {}
    for address in sorted(kept):
        _, kind, name = address.split(".")
        found.setdefault(kind, {})[name] = bodies[address]
    return found


def _detached(value: Any, others: set[str]) -> Any:
    """A body in which nothing names or waits for some others."""
    if isinstance(value, dict):
        return {key: _detached(each, others) for key, each in value.items()}
    if isinstance(value, list):
        return [_detached(each, others) for each in value if not (isinstance(each, str) and each in others)]
    if not isinstance(value, str) or "${" not in value:
        return value
    return _REFERENCE.sub(lambda match: _text(match[0]) if match[1] in others else match[0], value)


def _text(reference: str) -> str:
    # What only a run sees is an entry of a secret store, whose text is an object with a password.
    text = json.dumps({"password": reference}) if reference.startswith("ephemeral.") else reference
    return json.dumps(text)


def _edited(layers: Layers, address: str, changes: Mapping[str, Any]) -> Layers:
    """The roots with one resource changed; what is the same is shared."""
    kind, name = address.split(".")
    (layer,) = (each for each, root in layers.items() if name in root["resource"].get(kind, {}))
    root = layers[layer]
    body = copy.deepcopy(root["resource"][kind][name])
    for path, value in changes.items():
        _put(body, _parts(path), value)
    resources = {**root["resource"], kind: {**root["resource"][kind], name: body}}
    return {**layers, layer: {**root, "resource": resources}}


def _parts(path: str) -> list[str]:
    return re.findall(r"[^.\[\]]+", path)


def _shown(value: Any) -> str:
    return "is removed" if value is REMOVED else f"is {value}"


def _put(place: Any, path: list[str], value: Any) -> None:
    """Set what is at the path, with the maps above it; or remove it."""
    *above, last = path
    for part in above:
        place = _item(place, part) if isinstance(place, list) else place.setdefault(part, {})
    if isinstance(place, list):
        index = place.index(_item(place, last))
        place[index : index + 1] = [] if value is REMOVED else [value]
    elif value is REMOVED:
        del place[last]
    else:
        assert place.get(last) != value, "nothing changes"
        place[last] = value


def _item(items: list[Any], part: str) -> Any:
    return items[int(part)] if part.isdecimal() else next(each for each in items if each["name"] == part)
