"""Every version in the catalogue: it compiles, and our patches fit what its makers publish."""

from __future__ import annotations

import re

import pytest

from plinth.catalog.components import components, load, versions
from plinth.ir.targets import Base, Manifest, Patch
from support import platforms

EVERY = [(name, version) for name in components() for version in versions(name)]
ELSEWHERE = {
    "karpenter": '{provider: aws, accountId: "123456789012", region: us-east-1,'
    ' admins: ["arn:aws:iam::123456789012:role/platform"]}'
}
"""Components that the example's cloud has no use for, with one that does."""


def platform(name, version, upstreams):
    """The example without environments of its own, with this version of a component."""
    text = platforms.example().decode()
    head, _, rest = text.partition("  components:\n")
    own, _, _ = rest.partition("  environments:\n")
    lines = [line for line in own.splitlines() if not line.startswith(f"    {name}:")]
    section = f"version: {version}" + (", images: [minimal]" if name == "jupyterhub" else "")
    chosen = "\n".join([*lines, f"    {name}: {{{section}}}"])
    head = head.replace("upstreams: remote", f"upstreams: {upstreams}")
    if name in ELSEWHERE:
        head = re.sub(r"^  cloud: .*$", f"  cloud: {ELSEWHERE[name]}", head, flags=re.MULTILINE)
    return f"{head}  components:\n{chosen}\n".encode()


@pytest.mark.parametrize(("name", "version"), EVERY, ids=lambda part: part)
def test_a_version_compiles(name, version):
    (compilation,) = platforms.compile_bytes(platform(name, version, "remote")).compilations
    assert compilation.versions[name] == version
    assert f"generated/base/{name}/{version}/kustomization.yaml" in compilation.files


@platforms.needs_mirror
@pytest.mark.parametrize(("name", "version"), EVERY, ids=lambda part: part)
def test_our_patches_fit_what_is_published(name, version):
    """An object of ours is not one of upstream's, and what we patch is there and changes as we say."""
    result = platforms.compile_bytes(platform(name, version, "vendored"), platforms.mirror())
    (compilation,) = result.compilations
    (base,) = (each for each in compilation.graph.of(Base) if each.component == name)
    published = set(base.upstream.objects)
    rendered = {each.key for each in compilation.objects if each.application.component == name}
    ours = {each.key for each in compilation.graph.of(Manifest) if each.application == name}
    patched = {each.target for each in compilation.graph.of(Patch) if each.application == name}

    assert not ours & published
    assert patched <= published
    assert rendered == ours | {key for key in published if key.kind != "CustomResourceDefinition"}
    assert {crd.name for crd in load(name, version).crds} == {
        key.name for key in published if key.kind == "CustomResourceDefinition"
    }
