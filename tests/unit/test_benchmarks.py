"""The benchmark's own sums: what it takes for a broken budget, and the platform that it measures."""

from __future__ import annotations

import sys

import pytest

from plinth.ir.ledger import read_ledger
from support import platforms

sys.path.insert(0, str(platforms.ROOT / "benchmarks"))

import trees
from budgets import PASS, Budget, judge
from show import table
from timing import Measure, Series, run_in_turn

PYTHON = Series(seconds=(0.02, 0.01, 0.02), peak_mib=9.0)
COLD = Series(seconds=(0.60, 0.40, 0.80), peak_mib=50.0)
FAST = Budget(measure="example: cold", against=PASS, limit=50.0)


def judged(budget, *, quick=False, cold=COLD, peaks=None):
    return judge({PASS: PYTHON, "example: cold": cold}, quick=quick, ratios=[budget], peaks=peaks or {})


def test_a_ratio_is_the_median_of_the_ratios_of_each_turn():
    (claim,) = judged(FAST)
    assert (claim.value, claim.lowest, claim.highest) == pytest.approx((40, 30, 40))
    assert claim.holds
    assert claim.verdict == "ok"


def test_a_ratio_over_its_limit_breaks_the_budget():
    (claim,) = judged(FAST, cold=Series(seconds=(1.2, 0.3, 1.2), peak_mib=50.0))
    assert claim.value == pytest.approx(60)
    assert not claim.holds
    assert claim.verdict == "OVER"


def test_a_noisy_machine_has_a_limit_of_its_own():
    budget = Budget(measure="example: cold", against=PASS, limit=30.0, quick=45.0)
    assert [judged(budget, quick=quick)[0].holds for quick in (False, True)] == [False, True]


def test_a_ratio_without_a_limit_is_shown_and_never_judged():
    (claim,) = judged(Budget(measure="example: cold", against=PASS))
    assert claim.holds
    assert claim.verdict == ""


def test_what_was_not_measured_makes_no_claim():
    assert judged(Budget(measure="example: cold", against="bound: cold", limit=1.0)) == ()
    assert judged(Budget(measure="reference: cold", against=PASS, limit=1.0)) == ()


def test_memory_over_its_limit_breaks_the_budget():
    _, claim = judged(FAST, peaks={"example: cold": 49.0, "reference: cold": 1.0})
    assert (claim.of, claim.value, claim.holds) == ("peak memory", 50.0, False)


def test_every_measure_has_its_seconds_once_and_every_claim_a_row():
    claims = judged(FAST, peaks={"example: cold": 80.0})
    lines = table({PASS: PYTHON, "example: cold": COLD}, claims).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["python", "-c", "pass", "0.020", "0.010-0.020", "9"],
        [
            "example:",
            "cold",
            "0.600",
            "0.400-0.800",
            "50",
            "python",
            "-c",
            "pass",
            "40.00x",
            "30.00-40.00",
            "50x",
            "ok",
        ],
        ["peak", "memory", "50MiB", "80MiB", "ok"],
    ]


def test_commands_run_in_turn_and_the_first_turn_does_not_count(tmp_path):
    said = tmp_path / "said"
    said.write_text("")

    def before(word):
        return lambda: said.write_text(said.read_text() + word)

    true = (sys.executable, "-c", "pass")
    found = run_in_turn(
        [
            Measure(key="a", command=true, before=before("a")),
            Measure(key="b", command=true, before=before("b"), turns=1),
        ],
        2,
    )
    assert said.read_text() == "ab" + "ab" + "a"
    assert [len(found[key].seconds) for key in "ab"] == [2, 1]


def test_a_command_that_fails_ends_the_benchmark():
    with pytest.raises(SystemExit, match="exits with 3"):
        run_in_turn([Measure(key="a", command=(sys.executable, "-c", "raise SystemExit(3)"))], 1)


@platforms.needs_mirror
def test_the_reference_platform_is_vendored_and_compiles_its_environments_apart(tmp_path):
    tree = trees.reference(tmp_path / "reference", platforms.mirror())
    assert trees.upstream_count() == 25
    assert len(list((tree.root / "generated/vendor").glob("*/*/kustomization.yaml"))) == 25
    assert tree.environments == ("dev", "prod")
    for name in (each.name for each in trees.UPSTREAMS):
        texts = [
            sorted(path.read_text() for path in (tree.root / "overlays" / environment / name).iterdir())
            for environment in tree.environments
        ]
        assert texts[0] != texts[1], name
    before = ledgers(tree)
    tree.change()
    tree.plinth("compile")
    assert {path for path, mark in ledgers(tree).items() if before[path] != mark} == {
        "overlays/prod/trainer/patch-deployment-jobset-controller-manager.yaml"
    }


def ledgers(tree):
    found = {}
    for path in tree.root.glob("generated/*/index.jsonl"):
        found |= {entry.path: entry.digest for entry in read_ledger(path.read_bytes()).entries}
    return found
