"""`plinth compile --diff` in real repositories: what is said of an edit, and of what cannot be compared."""

from __future__ import annotations

import json
import shutil

import pytest

from plinth import __version__
from plinth.cli import main
from support.platforms import ROOT
from support.repository import commit, git, repository

MAX = ("nodes: {min: 0, max: 3}", "nodes: {min: 0, max: 8}")


@pytest.fixture
def tree(committed_example, tmp_path):
    """A repository of its own with the example."""
    return shutil.copytree(committed_example, tmp_path / "tree", symlinks=True)


@pytest.fixture
def told(tree, capsys):
    """Run the command there: exit code, stdout, stderr."""

    def run(*words):
        capsys.readouterr()
        code = main(["compile", "--diff", "-C", str(tree), *words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def edit(tree, *changes):
    path = tree / "platform.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def test_nothing_changes(told):
    assert told() == (0, "against HEAD:\n\nnothing changes\n", "")


def test_an_edit_is_told_with_its_line_and_nothing_is_written(tree, told):
    edit(tree, MAX)
    code, out, err = told()
    assert (code, err) == (2, "")
    assert out == (
        "against HEAD:\n"
        "\n"
        "The spec\n"
        "~ spec.nodePools.t4.nodes.max: 3 -> 8  platform.yaml:17\n"
        "\n"
        "Cost, USD a month\n"
        "~ dev: idle floor 408.28, expected 695.56 -> 933.87 (+238.31), ceiling 1,599.84 -> 2,588.29 (+988.45)\n"
        "    t4: expected 127.78 -> 340.75 (+212.97), ceiling 530.00 -> 1,413.34 (+883.34)\n"
        "    NAT gateway: expected 3.24 -> 4.47 (+1.23), ceiling 10.22 -> 15.33 (+5.11)\n"
        "    boot disks: expected 38.93 -> 63.04 (+24.11), ceiling 130.00 -> 230.00 (+100.00)\n"
        "~ prod: idle floor 739.90, expected 980.08 -> 1,218.39 (+238.31), ceiling 1,736.11 -> 2,724.56 (+988.45)\n"
        "    t4: expected 127.78 -> 340.75 (+212.97), ceiling 530.00 -> 1,413.34 (+883.34)\n"
        "    NAT gateway: expected 3.52 -> 4.75 (+1.23), ceiling 8.18 -> 13.29 (+5.11)\n"
        "    boot disks: expected 41.70 -> 65.81 (+24.11), ceiling 110.00 -> 210.00 (+100.00)\n"
        "  together: idle floor 1,148.18, expected 1,675.64 -> 2,152.26 (+476.62), "
        "ceiling 3,335.95 -> 5,312.84 (+1,976.89)\n"
        "\n"
        "Terraform\n"
        "~ google_container_node_pool.t4  (dev, prod: cluster)\n"
        "    /autoscaling/0/total_max_node_count: 3 -> 8\n"
        "    platform.yaml:17 spec.nodePools.t4.nodes.max\n"
        "\n"
        "2 to change\n"
    )
    assert git(tree, "status", "--porcelain") == " M platform.yaml\n"


def moved(*amounts):
    """Floor, expected and ceiling: before, after, and what that changes where it does."""
    found = (dict(zip(("before", "after", "change"), (*each, "0.00")[:3], strict=True)) for each in amounts)
    return dict(zip(("floor", "expected", "ceiling"), found, strict=True))


def test_json_has_the_contract(tree, told):
    edit(tree, MAX)
    code, out, _ = told("--format", "json", "--env", "dev")
    document = json.loads(out)
    origins = [{"path": "spec.nodePools.t4.nodes.max", "file": "platform.yaml", "line": 17}]
    total = moved(("408.28", "408.28"), ("695.56", "933.87", "238.31"), ("1599.84", "2588.29", "988.45"))
    assert code == 2
    assert document == {
        "schema": "plinth.dev/diff/v1",
        "base": "HEAD",
        "changes": [
            {
                "layer": "spec",
                "env": "",
                "address": "spec.nodePools.t4.nodes.max",
                "action": "update",
                "cause": "spec",
                "risk": "unknown",
                "reasons": [],
                "origins": origins,
                "fields": [{"path": "", "before": 3, "after": 8}],
            },
            {
                "layer": "terraform",
                "env": "dev",
                "root": "cluster",
                "address": "google_container_node_pool.t4",
                "action": "update",
                "cause": "spec",
                "risk": "unknown",
                "reasons": [],
                "origins": origins,
                "fields": [{"path": "/autoscaling/0/total_max_node_count", "before": 3, "after": 8}],
            },
        ],
        "cost": {
            "currency": "USD",
            "per": "month",
            "environments": [
                {
                    "environment": "dev",
                    **total,
                    "pools": [
                        {
                            "pool": "t4",
                            **moved(
                                ("0.00", "0.00"),
                                ("127.78", "340.75", "212.97"),
                                ("530.00", "1413.34", "883.34"),
                            ),
                        }
                    ],
                    "fees": [
                        {
                            "fee": "NAT gateway",
                            **moved(("1.02", "1.02"), ("3.24", "4.47", "1.23"), ("10.22", "15.33", "5.11")),
                        },
                        {
                            "fee": "boot disks",
                            **moved(
                                ("10.00", "10.00"),
                                ("38.93", "63.04", "24.11"),
                                ("130.00", "230.00", "100.00"),
                            ),
                        },
                    ],
                }
            ],
            "total": total,
        },
        "summary": {"create": 0, "update": 1, "replace": 0, "delete": 0, "rename": 0, "forget": 0},
    }


def test_what_is_compiled_already_changes_the_same(tree, told):
    edit(tree, MAX)
    before = told()
    assert main(["compile", "-C", str(tree)]) == 0
    assert told() == before
    commit(tree)
    assert told()[0] == 0
    assert told("--base", "HEAD~1")[1] == before[1].replace("HEAD", "HEAD~1")


def test_a_new_pool_and_a_renamed_one(tree, told):
    edit(
        tree,
        (
            "    - {name: burst, cpu",
            "    - {name: more, cpu: 4, memory: 16Gi, nodes: {max: 2}}\n    - {name: burst, cpu",
        ),
    )
    _, out, _ = told()
    assert (
        "+ google_container_node_pool.more  (dev, prod: cluster)\n    platform.yaml:16 spec.nodePools.more\n"
        in out
    )
    edit(tree, ("name: more, cpu", "name: other, cpu"))
    assert main(["compile", "-C", str(tree)]) == 0
    commit(tree)
    edit(tree, ("name: other, cpu", "name: third, cpu"))
    _, out, _ = told()
    assert (
        "> google_container_node_pool.other -> google_container_node_pool.third  (dev, prod: cluster)\n"
        in out
    )
    assert "    the old one is deleted, and a new one is created\n" in out


def test_a_removed_component_leaves_its_namespace(tree, told):
    edit(tree, ("    mlflow: {artifacts: artifacts}\n", ""))
    _, out, _ = told()
    assert (
        "- google_sql_database.mlflow  (dev, prod: platform)\n    platform.yaml:33 in HEAD spec.components.mlflow\n"
        in out
    )
    assert "! Namespace/mlflow  (dev, prod: mlflow)\n    Argo CD leaves it in the cluster\n" in out
    assert "- Deployment.apps/mlflow/mlflow  (dev, prod: mlflow)\n" in out


def test_a_removed_environment_goes_whole(tree, told):
    text = (tree / "platform.yaml").read_text(encoding="utf-8")
    (tree / "platform.yaml").write_text(text[: text.index("    prod:\n")], encoding="utf-8")
    code, out, _ = told("--env", "prod", "--format", "json")
    changes = json.loads(out)["changes"]
    assert code == 2
    assert {each["env"] for each in changes} == {"", "prod"}
    assert {each["action"] for each in changes if each["env"]} == {"delete", "forget"}
    assert {each["origins"][0].get("path") for each in changes} == {"spec.environments.prod"}
    assert changes[0]["origins"] == [
        {"path": "spec.environments.prod", "file": "platform.yaml", "line": 36, "revision": "HEAD"}
    ]


def test_an_upstream_that_argo_cd_fetches_is_told_as_a_whole(tree, told):
    edit(tree, ("cert-manager: {version: 1.20.2}", "cert-manager: {version: 1.21.1}"))
    _, out, _ = told()
    assert "~ upstream/cert-manager  (prod: cert-manager)\n" in out
    assert "platform.yaml:41 spec.environments.prod.components.cert-manager.version\n" in out


def test_a_patch_of_a_person_is_part_of_what_changes(tree, told):
    (tree / "patches").mkdir()
    (tree / "patches/hub.yaml").write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: mlflow, namespace: mlflow}\nspec: {replicas: 2}\n",
        encoding="utf-8",
    )
    edit(
        tree,
        ("mlflow: {artifacts: artifacts}", "mlflow: {artifacts: artifacts, patches: [patches/hub.yaml]}"),
    )
    code, out, err = told()
    assert code == 2, err
    assert "/spec/replicas: 1 -> 2\n    platform.yaml:33 spec.components.mlflow.patches\n" in out


def test_markdown_is_one_comment_with_its_fences_closed(tree, told):
    edit(tree, ("acme-ml-dev", "acme-ml-tst"), ("metadata: {name: acme-ml}", "metadata: {name: acme-two}"))
    code, out, _ = told("--format", "markdown")
    assert code == 2
    assert len(out) <= 65_536
    assert out.startswith("### Plinth: ")
    fences = [line for line in out.splitlines() if line.startswith("```")]
    assert len(fences) % 2 == 0
    assert set(fences) == {"```diff", "```"}
    assert out.count("<details") == out.count("</details>") > 1


def test_before_the_first_commit_everything_is_new(tree, told):
    shutil.rmtree(tree / ".git")
    git(tree, "init", "-q")
    code, out, err = told()
    assert (code, err) == (2, "there is no platform.yaml in HEAD: everything is new\n")
    assert "+ google_container_cluster." in out
    assert "0 to" not in out


def test_a_base_without_a_platform_makes_everything_new(tree, told):
    git(tree, "checkout", "-q", "--orphan", "empty")
    git(tree, "rm", "-rqf", "--cached", ".")
    git(tree, "commit", "-q", "--allow-empty", "-m", "nothing")
    code, out, err = told("--base", "empty")
    assert code == 2
    assert err == "there is no platform.yaml in empty: everything is new\n"
    assert "+ spec: (none) -> " in out


def test_without_a_repository_there_is_nothing_to_compare_with(tree, told):
    shutil.rmtree(tree / ".git")
    code, out, err = told()
    assert (code, out) == (1, "")
    assert "error[PLN930]: there is no git repository in " in err
    assert "git init" in err


def test_without_git_the_program_is_named(tree, told, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "git", None)
    code, _, err = told()
    assert code == 1
    assert "error[PLN930]: the program `git` cannot be run" in err


@pytest.mark.parametrize("name", ["nowhere", "HEAD~99", "--help", "HEAD:platform.yaml", ""])
def test_a_commit_that_is_not_there(told, name):
    code, out, err = told(f"--base={name}")
    assert (code, out) == (1, "")
    assert "PLN930" in err


def test_a_shallow_clone_says_how_to_deepen_it(tree, tmp_path, capsys):
    edit(tree, MAX)
    commit(tree)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=1", tree.as_uri(), str(clone))
    assert main(["compile", "--diff", "--base", "HEAD~1", "-C", str(clone)]) == 1
    said = capsys.readouterr().err
    assert "the clone is shallow" in said
    assert "fetch-depth: 0" in said


def test_a_platform_in_a_folder_of_its_repository(tmp_path, capsys):
    folder = repository(tmp_path) / "infra"
    folder.mkdir()
    text = (ROOT / "examples/platforms/small.yaml").read_text(encoding="utf-8")
    (folder / "platform.yaml").write_text(text, encoding="utf-8")
    assert main(["compile", "-C", str(folder)]) == 0
    commit(tmp_path)
    capsys.readouterr()
    assert main(["compile", "--diff", "-C", str(folder)]) == 0
    edit(folder, ("max: 3", "max: 4"))
    assert main(["compile", "--diff", "-C", str(folder)]) == 2
    assert "/autoscaling/0/total_max_node_count: 3 -> 4\n" in capsys.readouterr().out


def test_what_another_compiler_changes_is_kept_apart(tree, told):
    """The tree is one that a compiler wrote which counted nodes in another field, and made another bucket."""
    pools = tree / "generated/dev/terraform/cluster/google_container_node_pool.tf.json"
    text = pools.read_text(encoding="utf-8")
    pools.write_text(text.replace("total_max_node_count", "max_node_count"), encoding="utf-8")
    lock = tree / "plinth.lock.yaml"
    lock.write_text(
        lock.read_text(encoding="utf-8").replace(f'compiler: "{__version__}"', 'compiler: "0.0.9"'),
        encoding="utf-8",
    )
    commit(tree)
    edit(tree, MAX)
    code, out, _ = told("--format", "json")
    seen = {
        (each["cause"], each["env"], each["address"]): each["fields"] for each in json.loads(out)["changes"]
    }
    assert code == 2
    assert seen["spec", "dev", "google_container_node_pool.t4"] == [
        {"path": "/autoscaling/0/total_max_node_count", "before": 3, "after": 8}
    ]
    assert seen["compiler", "dev", "google_container_node_pool.t4"] == [
        {"path": "/autoscaling/0/max_node_count", "before": 3, "after": None},
        {"path": "/autoscaling/0/total_max_node_count", "before": None, "after": 3},
    ]
    assert {env for cause, env, _ in seen if cause == "compiler"} == {"dev"}
    assert "Terraform, by another version of Plinth, not by the spec\n" in told()[1]


def test_a_spec_that_was_committed_without_its_tree_is_due_already(tree, told):
    edit(tree, MAX)
    commit(tree)
    code, out, _ = told()
    assert code == 2
    assert "Terraform, due already: what is committed is not what its spec compiles to\n" in out
    assert "The spec\n" not in out


def test_a_base_that_no_longer_compiles_is_compared_as_it_is(tree, told):
    edit(tree, ("idle: 2h", "idle: soon"))
    commit(tree)
    edit(tree, ("idle: soon", "idle: 3h"))
    code, out, err = told()
    assert code == 2
    assert "platform.yaml of HEAD does not compile with Plinth " in err
    assert "~ spec.components.jupyterhub.idle: soon -> 3h" in out
    assert "~ ConfigMap/jupyterhub/hub-plinth  (dev, prod: jupyterhub)\n" in out


def test_a_committed_file_that_no_compile_writes_is_named(tree, told):
    path = "generated/dev/terraform/cluster/google_container_node_pool.tf.json"
    (tree / path).write_text("{", encoding="utf-8")
    commit(tree)
    code, _, err = told()
    assert code == 1
    assert f"error[PLN931]: `{path}`: " in err


def test_faults_of_the_spec_come_first(tree, told):
    edit(tree, ("idle: 2h", "idle: soon"))
    code, out, err = told("--format", "json")
    assert code == 1
    assert json.loads(out)["schema"] == "plinth.dev/diagnostics/v1"
    assert err == ""


@pytest.mark.parametrize("words", [("--base", "HEAD"), ("--format", "markdown"), ("--check", "--diff")])
def test_what_means_nothing_without_diff_is_refused(tree, words, capsys):
    assert main(["compile", *words, "-C", str(tree)]) == 1
    assert "PLN909" in capsys.readouterr().err


def test_an_environment_that_is_nowhere(told):
    code, _, err = told("--env", "prd")
    assert code == 1
    assert "there is no environment `prd`, neither now nor in the commit" in err
    assert "did you mean `prod`?" in err
