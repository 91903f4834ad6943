"""`plinth cost` in real folders and repositories: its forms, its exit codes, what it refuses."""

from __future__ import annotations

import json
import shutil

import pytest

from plinth.cli import main
from support.platforms import ROOT
from support.repository import commit

MAX = ("nodes: {min: 0, max: 3}", "nodes: {min: 0, max: 8}")
AMOUNTS = ("floor", "expected", "ceiling")


@pytest.fixture
def tree(committed_example, tmp_path):
    """A repository of its own with the example."""
    return shutil.copytree(committed_example, tmp_path / "tree", symlinks=True)


@pytest.fixture
def run(tree, capsys):
    """Run a command there: exit code, stdout, stderr."""

    def command(*words):
        capsys.readouterr()
        code = main([*words, "-C", str(tree)])
        return code, *capsys.readouterr()

    return command


def edit(tree, old, new):
    path = tree / "platform.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_table_for_each_environment_says_dates_and_what_is_not_counted(run):
    code, out, err = run("cost")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "dev (gcp, us-central1), USD a month"
    assert "prod (gcp, us-central1), USD a month" in lines
    assert "  list prices of us-central1, machines as of 2026-08-03, fees as of 2026-11-24" in lines
    (row,) = [line.split() for line in lines if line.startswith("  burst")]
    assert row == ["burst", "n2d-standard-8", "spot", "0..4", "0.00", "68.87", "285.65", "237.93", "68.87"]
    assert next(line.split()[1:] for line in lines if line.startswith("  total"))[:3] == [
        "408.28",
        "695.56",
        "1,599.84",
    ]
    assert "together: idle floor 1,148.18, expected 1,675.64, ceiling 3,335.95" in lines
    assert lines.index("not counted:") > lines.index("ceiling: every pool has its most nodes, all month")
    assert "  traffic: out of the cloud" in out


def test_the_page_shows_what_the_program_prints(run):
    page = (ROOT / "docs/cost.md").read_text(encoding="utf-8")
    shown = page.partition("$ plinth cost --env prod\n")[2].partition("\n...")[0]
    assert run("cost", "--env", "prod")[1].startswith(shown + "\n\n")


def test_json_has_amounts_as_texts_and_their_sum(run):
    code, out, _ = run("cost", "--format", "json")
    document = json.loads(out)
    assert (code, document["schema"], document["currency"], document["per"]) == (
        0,
        "plinth.dev/cost/v1",
        "USD",
        "month",
    )
    assert document["hours"] == {"month": 730, "working": "176"}
    dev, prod = document["environments"]
    assert [each["pool"] for each in dev["pools"]] == ["system", "burst", "t4"]
    assert dev["pools"][2] == {
        "pool": "t4",
        "machine": "n1-standard-4+nvidia-tesla-t4:1",
        "capacity": "spot",
        "nodes": {"min": 0, "max": 3},
        "usdPerHour": {"onDemand": "0.539999", "spot": "0.24201"},
        "floor": "0.00",
        "expected": "127.78",
        "ceiling": "530.00",
        "onDemand": {"floor": "0.00", "expected": "285.12", "ceiling": "1182.60"},
        "spot": {"floor": "0.00", "expected": "127.78", "ceiling": "530.00"},
    }
    assert {
        "fee": "control plane",
        "address": "google_container_cluster.platform",
        "pool": None,
        **dict.fromkeys(AMOUNTS, "73.00"),
    } in dev["fees"]
    for name in AMOUNTS:
        assert (
            abs(float(dev["total"][name]) + float(prod["total"][name]) - float(document["total"][name]))
            < 0.02
        )


def test_hours_are_of_nodes_that_come_and_go(run):
    def expected(hours):
        document = json.loads(run("cost", "--format", "json", "--hours", hours)[1])
        return {name: document["total"][name] for name in AMOUNTS}

    idle, always = expected("0"), expected("730")
    assert idle["expected"] == idle["floor"]
    assert always["expected"] == always["ceiling"]
    assert idle["ceiling"] == always["ceiling"]
    assert "runs 100 of them" in run("cost", "--hours", "1e2")[1]


def test_markdown_is_a_table(run):
    code, out, _ = run("cost", "--env", "dev", "--format", "markdown")
    assert code == 0
    assert out.startswith("### dev (gcp, us-central1), USD a month\n\n|  | machine | capacity | nodes |")
    rows = [line for line in out.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in rows} == {10}
    assert "### prod" not in out


def test_a_cluster_that_is_there_already_has_no_prices(capsys):
    assert main(["cost", "-C", str(ROOT / "examples/platforms"), "-f", "existing.yaml"]) == 0
    assert "not counted: anything: Plinth knows no prices of `existing`\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--env", "prd"], "there is no environment `prd`"),
        (["--diff", "--env", "prd"], "there is no environment `prd`, neither now nor in the commit"),
        (["--hours", "731"], "`--hours 731` is no number of hours in a month"),
        (["--hours", "-1"], "`--hours -1` is no number of hours in a month"),
        (["--hours", "nan"], "`--hours nan` is no number of hours in a month"),
        (["--hours", "many"], "`--hours many` is no number of hours in a month"),
        (["--base", "HEAD"], "`--base` is for `--diff`"),
        (["--format", "html"], "invalid choice"),
    ],
)
def test_a_mistyped_line_is_1_and_says_what(run, words, message):
    words = [f"{words[0]}={words[1]}"] if words[0] == "--hours" else words
    code, out, err = run("cost", *words)
    assert (code, out) == (1, "")
    assert message in err


def test_a_price_in_the_lock_that_is_none_is_said(tree, run):
    lock = tree / "plinth.lock.yaml"
    lock.write_text(lock.read_text(encoding="utf-8").replace('"0.337968"', '"free"'), encoding="utf-8")
    code, _, err = run("cost")
    assert code == 1
    assert "PLN908" in err
    assert "`environments.dev.nodePools.burst.onDemandUsdPerHour` is no price" in err


def test_nothing_changes_for_an_unchanged_spec(tree, run):
    assert run("cost", "--diff") == (0, "cost against HEAD, USD a month:\n\nnothing changes\n", "")
    edit(tree, "# what a data scientist picks", "# another word")
    code, out, _ = run("cost", "--diff", "--format", "json")
    assert (code, json.loads(out)["cost"]) == (0, {})
    assert json.loads(run("compile", "--diff", "--format", "json")[1])["cost"] == {}


def test_an_edit_is_told_alone_and_in_the_diff_alike(tree, run):
    edit(tree, *MAX)
    code, out, _ = run("cost", "--diff", "--env", "dev")
    lines = out.splitlines()[2:]
    assert code == 2
    # three nodes to eight: 5 x 176 h and 5 x 730 h at 0.24201, disks of 200 GiB at 0.10, NAT 0.0014
    assert lines == [
        "~ dev: idle floor 408.28, expected 695.56 -> 933.87 (+238.31), ceiling 1,599.84 -> 2,588.29 (+988.45)",
        "    t4: expected 127.78 -> 340.75 (+212.97), ceiling 530.00 -> 1,413.34 (+883.34)",
        "    NAT gateway: expected 3.24 -> 4.47 (+1.23), ceiling 10.22 -> 15.33 (+5.11)",
        "    boot disks: expected 38.93 -> 63.04 (+24.11), ceiling 130.00 -> 230.00 (+100.00)",
    ]
    assert "\nCost, USD a month\n" + "\n".join(lines) + "\n\n" in run("compile", "--diff", "--env", "dev")[1]
    markdown = run("compile", "--diff", "--env", "dev", "--format", "markdown")[1]
    assert "<summary>Cost, USD a month</summary>\n\n```diff\n!" + lines[0][1:] in markdown
    assert run("cost", "--diff", "--env", "dev", "--format", "markdown")[1].splitlines()[2:4] == [
        "```diff",
        lines[0],
    ]
    alone, whole = (
        json.loads(run(*words, "--diff", "--format", "json")[1])["cost"] for words in (["cost"], ["compile"])
    )
    assert alone == whole
    assert [each["environment"] for each in whole["environments"]] == ["dev", "prod"]
    assert whole["total"]["ceiling"]["change"] == "1976.89"


def test_an_environment_that_is_gone_and_a_first_commit_are_whole_changes(tree, run):
    text = (tree / "platform.yaml").read_text(encoding="utf-8")
    (tree / "platform.yaml").write_text(text[: text.index("    prod:\n")], encoding="utf-8")
    code, out, _ = run("cost", "--diff")
    assert code == 2
    assert "\n- prod: idle floor 739.90 -> 0.00 (-739.90), " in out
    (tree / "platform.yaml").rename(tree / "other.yaml")
    code, out, err = run("cost", "--diff", "-f", "other.yaml")
    assert code == 2
    assert "there is no other.yaml in HEAD" in err
    assert "\n+ dev: idle floor 0.00 -> 408.28 (+408.28), " in out


def test_what_it_cost_is_unknown_where_the_commit_does_not_compile(tree, run):
    good = (tree / "platform.yaml").read_text(encoding="utf-8")
    edit(tree, "model: t4, count: 1", "model: t4, count: 3")
    commit(tree)
    (tree / "platform.yaml").write_text(good, encoding="utf-8")
    code, out, err = run("cost", "--diff")
    assert (code, out) == (3, "")
    assert "what it cost before is not known" in err
    assert json.loads(run("compile", "--diff", "--format", "json")[1])["cost"] == {}


def test_machines_that_are_chosen_anew_are_told_with_what_they_cost(tree, run):
    lock = tree / "plinth.lock.yaml"
    text = lock.read_text(encoding="utf-8")
    dev, rest = text.split("  prod:\n")
    dev = dev.replace("machine: n2d-standard-4", "machine: n2-standard-4").replace('"0.168984"', '"0.2"')
    lock.write_text(f"{dev}  prod:\n{rest}", encoding="utf-8")
    assert main(["compile", "-C", str(tree)]) == 0
    commit(tree)
    code, out, _ = run("compile", "--diff", "--update", "machines")
    assert code == 2
    # one node always: 730 h at 0.2, then at 0.168984
    assert "    system: idle floor 146.00 -> 123.36 (-22.64), " in out
    assert "~ google_container_node_pool.system  (dev: cluster)\n" in out
    assert run("compile", "--diff")[0] == 0
