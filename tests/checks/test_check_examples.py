"""The whole objects on the page of each check, put into the example's `dev`, and the example itself."""

from __future__ import annotations

import pytest

from plinth import registry
from support.compiled import fences, read, remote, said, silent_everywhere, vendored, with_object
from support.platforms import needs_mirror

CHECKS = {check.code: check for check in registry.load_all("checks")}
OF_ONE_OBJECT = sorted(CHECKS.keys() - {"PLN406"})


def examples(mark: str) -> list[object]:
    return [
        pytest.param(code, text, id=f"{code}-{number}")
        for code in OF_ONE_OBJECT
        for number, text in enumerate(fences(CHECKS[code].page, f"yaml object {mark}"), 1)
    ]


@pytest.mark.parametrize(("code", "text"), examples("speaks"))
def test_a_check_speaks_on_the_objects_of_its_page(code, text):
    found = said(CHECKS[code], with_object(remote()[0], read(text)))

    assert len(found) == 1
    assert "mlflow" in (*found[0].path, *(part for each in found[0].related for part in each.path))


@pytest.mark.parametrize(("code", "text"), examples("silent"))
def test_a_check_is_silent_on_the_objects_of_its_page(code, text):
    assert said(CHECKS[code], with_object(remote()[0], read(text))) == ()


@pytest.mark.parametrize("code", OF_ONE_OBJECT)
def test_every_page_shows_both(code):
    page = CHECKS[code].page

    assert page.startswith(f"# {code}: ")
    assert "\n## How to mend it\n" in page
    assert fences(page, "yaml object speaks")
    assert fences(page, "yaml object silent") or fences(page, "yaml silent")


@pytest.mark.parametrize("code", sorted(CHECKS))
def test_a_check_is_silent_on_the_example(code):
    assert silent_everywhere(CHECKS[code], remote())


@needs_mirror
@pytest.mark.parametrize("code", sorted(CHECKS))
def test_a_check_is_silent_on_the_example_with_vendored_upstreams(code):
    assert silent_everywhere(CHECKS[code], vendored())
