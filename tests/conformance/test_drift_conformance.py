"""The recorded cases of drift, where this machine has them."""

import os
from pathlib import Path

import pytest

from support.platforms import ROOT

VARIABLE = "PLINTH_DRIFT_CASES"


def folder():
    named = os.environ.get(VARIABLE)
    return Path(named) if named else ROOT.parent / "shared" / "drift"


def conformance():
    """The script beside this file; it is run by path, and no package."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("drift_conformance", Path(__file__).with_name("drift.py"))
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


needs_cases = pytest.mark.skipif(
    not folder().joinpath("cases.yaml").is_file(),
    reason=f"no recorded cases of drift: {VARIABLE} names no folder, and ../shared/drift is none",
)


@needs_cases
def test_the_recorded_cases_are_judged_as_they_should_be():
    script = conformance()
    replayed = script.replay(folder() / "cases.yaml", folder() / "fixtures.jsonl.gz")
    wrong = [outcome for outcome in replayed.outcomes if outcome.grade in {"missed", "false"}]
    assert replayed.count("missed") <= script.MOST_MISSED, wrong
    assert replayed.count("false") <= script.MOST_FALSE, wrong
    assert replayed.count("right") > 0


@pytest.mark.parametrize(
    ("expected", "ours", "grade"),
    [
        ("drift", "drift", "right"),
        ("drift", "clean", "missed"),
        ("missing", "explained", "missed"),
        ("clean", "drift", "false"),
        ("explained", "error", "false"),
        ("drift", "drift-unmanaged", "other class"),
        ("clean", "explained", "other class"),
    ],
)
def test_a_case_has_one_grade(expected, ours, grade):
    assert conformance().Outcome(id="x", expected=expected, ours=ours).grade == grade
