from __future__ import annotations

import pytest
from msgspec.structs import replace

from plinth.checks.incomplete_upstreams import CHECK
from plinth.ir.targets import Base
from plinth.ir.vendored import left_out
from support.compiled import fences, only, remote, said, with_targets


def with_base(**fields):
    def change(target):
        is_it = isinstance(target, Base) and target.component == "jupyterhub"
        return replace(target, **fields) if is_it else target

    return with_targets(remote()[0], change)


def test_an_incomplete_base():
    found = only(CHECK, with_base(vendored=True, incomplete=("ConfigMap/hub", "Secret/hub")))

    assert (found.severity, found.path) == ("warning", ("spec", "components", "jupyterhub"))
    assert found.message == (
        "`jupyterhub` 4.4.0 was vendored without `ConfigMap/hub`, `Secret/hub`:"
        " good for tests, never for a commit"
    )


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"vendored": True}, id="complete"),
        pytest.param({"vendored": False, "incomplete": ("Secret/hub",)}, id="not used"),
    ],
)
def test_a_base_that_is_whole(fields):
    assert said(CHECK, with_base(**fields)) == ()


@pytest.mark.parametrize(("mark", "count"), [("speaks", 1), ("silent", 0)])
def test_the_page_shows_what_a_mirror_says(mark, count):
    (text,) = fences(CHECK.page, f"text source {mark}")

    assert len(said(CHECK, with_base(vendored=True, incomplete=left_out(text)))) == count
