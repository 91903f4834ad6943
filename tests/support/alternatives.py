"""Another valid value for every scalar of the example, so that each can be changed in turn.

before, after = written_anew("spec.nodePools.t4.nodes.max")

Tests of `EACH` run in one worker for each value, so that all of them look at what was compiled once.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NoReturn

import pytest

from plinth.ir.people import PatchFault
from plinth.pipeline import Inputs, compile_spec
from support.leaves import write
from support.platforms import FILE, example

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.ir.fileset import File

OTHERWISE: Final[dict[str, dict[str, str]]] = {
    "spec.nodePools.system.name": {"spec.environments.prod.nodePools.system.name": "renamed"},
    "spec.nodePools.burst.name": {"spec.environments.prod.nodePools.burst.name": "renamed"},
    "spec.nodePools.t4.name": {"spec.tiers.1xgpu.pools[0]": "renamed"},
    "spec.storage.buckets.artifacts.name": {"spec.components.mlflow.artifacts": "renamed"},
    # One image may not be offered twice, so the two change places.
    "spec.components.jupyterhub.images[0]": {"spec.components.jupyterhub.images[1]": "minimal"},
    "spec.components.jupyterhub.images[1]": {"spec.components.jupyterhub.images[0]": "spark"},
}
"""What is written beside a leaf so that the spec stays valid: references to a name, above all."""

BEFORE: Final[dict[str, tuple[str, str]]] = {
    "spec.tiers.1xgpu.gpu.count": ("{model: t4, count: 1}", "{model: t4, count: 2}"),
    "spec.tiers.1xgpu.pools[0]": ("gpu: {count: 1}, cpu: 3", "cpu: 3"),
    "spec.components.mlflow.artifacts": ("[{name: artifacts}]", "[{name: artifacts}, {name: models}]"),
    "spec.environments.prod.nodePools.burst.name": (
        ", gpu: {count: 1}, cpu: 3, memory: 10Gi, pools: [t4]",
        ", cpu: 3, memory: 10Gi",
    ),
}
"""Changes of the text on both sides, where the example leaves a leaf no other valid value."""

ALTERNATIVES: Final[dict[str, str]] = {
    "metadata.name": "acme-two",
    "spec.cloud.project": "acme-ml-test",
    "spec.cloud.projectNumber": "123456789013",
    "spec.cloud.region": "europe-west4",
    "spec.state.bucket": "acme-ml-state",
    "spec.repository.url": "https://github.com/acme/other.git",
    "spec.repository.branch": "trunk",
    "spec.network.nodes": "10.8.0.0/16",
    "spec.network.pods": "10.9.0.0/16",
    "spec.network.services": "10.10.0.0/16",
    "spec.network.access": "public",
    "spec.network.allow[0]": "198.51.100.0/24",
    "spec.cluster.kubernetes": '"1.33"',
    "spec.cluster.channel": "stable",
    "spec.cluster.maintenance.weekly[0]": "fri 02:00-08:00",
    "spec.cluster.maintenance.weekly[1]": "mon 02:00-08:00",
    "spec.nodePools.system.name": "renamed",
    "spec.nodePools.system.cpu": "8",
    "spec.nodePools.system.memory": "64Gi",
    "spec.nodePools.system.nodes.min": "2",
    "spec.nodePools.system.nodes.max": "4",
    "spec.nodePools.burst.name": "renamed",
    "spec.nodePools.burst.cpu": "16",
    "spec.nodePools.burst.memory": "128Gi",
    "spec.nodePools.burst.capacity": "on-demand",
    "spec.nodePools.burst.nodes.min": "1",
    "spec.nodePools.burst.nodes.max": "5",
    "spec.nodePools.t4.name": "renamed",
    "spec.nodePools.t4.gpu.model": "l4",
    "spec.nodePools.t4.gpu.count": "2",
    "spec.nodePools.t4.capacity": "on-demand",
    "spec.nodePools.t4.nodes.min": "1",
    "spec.nodePools.t4.nodes.max": "6",
    "spec.identity.domain": "ai.acme.com",
    "spec.identity.admins[0]": "root@acme.com",
    "spec.identity.signIn.hostedDomain": "acme.org",
    "spec.identity.signIn.credentials.secret": "other-sign-in",
    "spec.tiers.cpu.name": "small",
    "spec.tiers.cpu.cpu": "2.5",
    "spec.tiers.cpu.memory": "7Gi",
    "spec.tiers.1xgpu.name": "one-gpu",
    "spec.tiers.1xgpu.gpu.count": "2",
    "spec.tiers.1xgpu.cpu": "2",
    "spec.tiers.1xgpu.memory": "9Gi",
    "spec.tiers.1xgpu.pools[0]": "system",
    "spec.storage.buckets.artifacts.name": "renamed",
    "spec.storage.database.size": "large",
    "spec.upstreams": "vendored",
    "spec.components.cert-manager.version": "1.19.4",
    "spec.components.training-operator.version": "1.9.2",
    "spec.components.jupyterhub.images[0]": "spark",
    "spec.components.jupyterhub.images[1]": "minimal",
    "spec.components.jupyterhub.idle": "3h",
    "spec.components.mlflow.artifacts": "models",
    "spec.environments.prod.branch": "env/live",
    "spec.environments.prod.cloud.project": "acme-ml-live",
    "spec.environments.prod.cloud.projectNumber": "210987654322",
    "spec.environments.prod.nodePools.system.name": "t4",
    "spec.environments.prod.nodePools.system.nodes.min": "3",
    "spec.environments.prod.nodePools.system.nodes.max": "6",
    "spec.environments.prod.nodePools.burst.name": "t4",
    "spec.environments.prod.storage.database.size": "large",
    "spec.environments.prod.components.cert-manager.version": "1.19.4",
}

EACH: Final = [pytest.param(leaf, marks=pytest.mark.xdist_group(leaf)) for leaf in ALTERNATIVES]
"""Every value for `parametrize`."""


def written_anew(leaf: str) -> tuple[bytes, bytes]:
    """The example with a leaf as it is and with another value, all else valid and alike."""
    before = _without_alternative(leaf)
    return before, write(before, {leaf: ALTERNATIVES[leaf], **OTHERWISE.get(leaf, {})})


def _without_alternative(leaf: str) -> bytes:
    """The example, or the little change of it that gives a leaf another valid value."""
    if leaf not in BEFORE:
        return example()
    there, instead = BEFORE[leaf]
    assert example().decode().count(there) == 1
    return example().decode().replace(there, instead).encode()


@cache
def compiled(data: bytes) -> Mapping[str, File]:
    """Every file that a spec compiles to by its path, beside no patch; compiled once and never to be altered."""
    result = compile_spec(data, FILE, Inputs(patch=_no_patch, vendored=lambda _component, _version: ()))
    return {path: made for group in result.groups.values() for path, made in group.items()}


def _no_patch(path: str) -> NoReturn:
    raise PatchFault(path)
