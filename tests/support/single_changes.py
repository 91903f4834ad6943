"""One platform, changed in one place at a time, and what Terraform is to do about each.

    spec("update", "google_container_node_pool.cpu", "nodePools.cpu.nodes.max", 8)
    argument("replace", "google_compute_network.platform", "name", "other")

The first edits `platform.yaml` and compiles it again. The second edits what was compiled, for arguments that no
field of the spec reaches. Each says by hand what becomes of which resource; all others stay as they are.

Where the provider's own code decides, the recorded schemas say one thing and a plan another: `but` has what the
plan says, and `because` why.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

import yaml

from support import platforms, roots

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.tf_actions import Action

Layers = dict[str, dict[str, Any]]
"""The document of each root by its layer."""
Actions = dict[str, "Action"]

PLATFORM: Final = """\
apiVersion: plinth.dev/v1alpha1
kind: Platform
metadata: {name: acme}
spec:
  cloud: {provider: gcp, project: acme-ml-dev, projectNumber: 123456789012, region: us-central1, zones: [a, b]}
  state: {bucket: acme-terraform}
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
    - {name: burst, cpu: 8, memory: 32Gi, capacity: spot, nodes: {max: 4}}
    - {name: gpu, gpu: {model: t4, count: 1}, nodes: {max: 3}}
  identity:
    domain: ml.acme.com
    admins: [platform@acme.com]
    signIn: {provider: google, hostedDomain: acme.com, credentials: {secret: google-sign-in}}
  storage: {buckets: [{name: artifacts}, {name: datasets}], database: {size: small}}
  upstreams: remote
  components: {mlflow: {artifacts: artifacts}}
"""

REMOVED: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleChange:
    """A change, and what is to become of which resource."""

    name: str
    edit: Callable[[], Layers]
    """Makes the platform anew, changed."""
    actions: Actions
    but: Actions | None = None
    """What a plan says, where it is not the same."""
    because: str = ""

    @property
    def real(self) -> Actions:
        """What a plan is to say."""
        return self.actions if self.but is None else self.but


def spec(path: str, value: Any, actions: Actions, **more: Any) -> SingleChange:
    """A change of the spec: `nodePools.cpu.nodes.max` names items by their `name`."""

    def edit() -> Layers:
        document = yaml.safe_load(PLATFORM)
        _put(document if path.startswith("metadata") else document["spec"], path.split("."), value)
        return compiled(yaml.safe_dump(document))

    shown = "is removed" if value is REMOVED else f"is {value}"
    return SingleChange(name=f"{path} {shown}", edit=edit, actions=actions, **more)


def argument(
    action: Action | Literal["no-op"], address: str, path: str, value: Any, also: Actions | None = None, **more: Any
) -> SingleChange:
    """A change of one argument of one compiled resource: `node_config[0].spot`; and of others that follow from it."""

    def edit() -> Layers:
        layers = copy.deepcopy(compiled(PLATFORM))
        kind, name = address.split(".")
        (root,) = (each for each in layers.values() if name in each["resource"].get(kind, {}))
        _put(root["resource"][kind][name], re.findall(r"[^.\[\]]+", path), value)
        return layers

    shown = "is removed" if value is REMOVED else f"is {value}"
    actions: Actions = {} if action == "no-op" else {address: action}
    return SingleChange(
        name=f"{address}.{path} {shown}", edit=edit, actions=actions | (also or {}), **more
    )


@cache
def compiled(text: str) -> Layers:
    """The documents of the only environment that a platform has."""
    tree = platforms.tree(platforms.compile_bytes(text.encode()))
    return {name.partition("/")[2]: roots.whole(files) for name, files in roots.of_tree(tree).items()}


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
