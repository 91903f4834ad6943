"""What a compile gives to those who do not ask for all of it."""

from __future__ import annotations

from plinth.pipeline import Inputs, compile_spec
from support.platforms import FILE, example


def test_without_files_all_else_is_the_same():
    inputs = Inputs(patch=lambda _path: None, vendored=lambda _name, _version: None)
    whole, bare = (compile_spec(example(), FILE, inputs, as_files=each) for each in (True, False))
    assert whole.groups
    assert bare.groups == {}
    assert (bare.diagnostics, bare.lock) == (whole.diagnostics, whole.lock)
    for one, other in zip(bare.compilations, whole.compilations, strict=True):
        assert one.graph.targets == other.graph.targets
        assert one.objects == other.objects
        assert one.commands == other.commands
