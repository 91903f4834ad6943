"""The tools that make the catalogue's data, on a mirror small enough to read."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from plinth.catalog import CatalogError
from plinth.catalog.components import load
from plinth.catalog.machine_table import DATA

TOOLS = Path(__file__).parent.parent.parent / "tools"


def tool(name):
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


components = tool("catalog_components")
machines = tool("catalog_machines")

SAID = """\
repository: acme/web
ref: v1.0
commit: 0123456789abcdef0123456789abcdef01234567
path: deploy
made with: kubectl kustomize
licence: Apache-2.0
"""
MANIFESTS = """\
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: dates}, data: {day: 2026-01-02, octal: 0644}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: hub}
spec: {template: {spec: {containers: [{name: hub, image: "acme/hub:set-by-chartpress"}]}}}
---
"""


@pytest.fixture
def mirror(tmp_path):
    def make(name="web/1.0", said=SAID, manifests=MANIFESTS):
        folder = tmp_path / "mirror" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "SOURCE").write_text(said, encoding="utf-8")
        (folder / "manifests.yaml").write_text(manifests, encoding="utf-8")
        return tmp_path / "mirror"

    return make


def made(mirror, name="web/1.0"):
    return json.loads(components.component_text(mirror, *name.split("/")))


@pytest.mark.parametrize(
    ("component", "made_with", "source"),
    [
        pytest.param(
            "web",
            "kubectl kustomize",
            {
                "kind": "git",
                "repository": "https://github.com/acme/web",
                "commit": "0123456789abcdef0123456789abcdef01234567",
                "ref": "v1.0",
                "path": "deploy",
            },
            id="kustomize",
        ),
        pytest.param(
            "web",
            "upstream release YAML kept in the repository",
            {
                "kind": "file",
                "url": "https://raw.githubusercontent.com/acme/web/"
                "0123456789abcdef0123456789abcdef01234567/deploy",
            },
            id="release file",
        ),
        pytest.param(
            "jupyterhub",
            "helm template (defaults)",
            {
                "kind": "chart",
                "repository": "https://hub.jupyter.org/helm-chart/",
                "name": "jupyterhub",
                "version": "1.0",
                "namespace": "jupyterhub",
                "release": "jupyterhub",
            },
            id="published chart, not the folder in git",
        ),
        pytest.param(
            "karpenter",
            "helm template (names)",
            {
                "kind": "chart",
                "repository": "oci://public.ecr.aws/karpenter",
                "name": "karpenter",
                "version": "1.0",
                "namespace": "kube-system",
                "release": "karpenter",
            },
            id="a namespace that its makers want",
        ),
    ],
)
def test_how_it_was_made_decides_the_source(mirror, component, made_with, source):
    said = SAID.replace("kubectl kustomize", made_with)
    item = made(mirror(f"{component}/1.0", said), f"{component}/1.0")
    assert (item["source"], item["madeWith"]) == (source, made_with)


@pytest.mark.parametrize(
    ("made_with", "message"),
    [
        pytest.param("helm template (defaults)", "add its repository", id="unknown chart"),
        pytest.param("by hand", "by hand", id="unknown way"),
    ],
)
def test_a_source_that_is_not_known_is_a_fault(mirror, made_with, message):
    with pytest.raises(CatalogError, match=message):
        made(mirror(said=SAID.replace("kubectl kustomize", made_with)))


def test_what_was_left_out_and_published_is_kept(mirror):
    said = SAID + (
        "largest CRD as published: cars.example.com, 5000 bytes as compact JSON\n"
        "left out:\n"
        "  - Secret/web: values replaced by a placeholder (keys kept)\n"
        "  - ConfigMap/code (main.py)\n"
    )
    assert made(mirror(said=said))["incomplete"] == ["ConfigMap/code", "Secret/web"]
    with pytest.raises(CatalogError, match="some scripts"):
        made(mirror(said=SAID + "left out:\n  - some scripts\n"))


def test_lists_are_opened_and_dates_are_text(mirror):
    item = made(mirror())
    assert [(row["kind"], row["name"]) for row in item["objects"]] == [
        ("ConfigMap", "dates"),
        ("Deployment", "hub"),
    ]
    assert item["objects"][0]["data"] == ["day", "octal"]


def test_a_placeholder_tag_becomes_the_charts_version(mirror):
    said = SAID.replace("kubectl kustomize", "helm template (defaults)")
    item = made(mirror("jupyterhub/1.0", said), "jupyterhub/1.0")
    assert item["objects"][1]["pod"]["containers"][0]["image"] == "acme/hub:1.0"


def test_an_image_that_git_is_behind_with_becomes_the_releases(mirror):
    said = SAID.replace("kubectl kustomize", "helm template (names)")
    behind = MANIFESTS.replace("set-by-chartpress", components.CHARTS["karpenter"].placeholder_tag)
    item = made(mirror("karpenter/1.0", said, behind), "karpenter/1.0")
    assert item["objects"][1]["pod"]["containers"][0]["image"] == "acme/hub:1.0"


def test_write_check_and_read_back(mirror, tmp_path, capsys):
    arguments = ["--mirror", str(mirror())]
    catalog = tmp_path / "catalog" / "components"
    assert components.main([*arguments, "--check", "web/1.0"], catalog=catalog) == 1
    assert not catalog.exists()
    assert components.main([*arguments, "web/1.0"], catalog=catalog) == 0
    assert capsys.readouterr().out == "web/1.0: stale\nweb/1.0: written\n"
    assert components.main([*arguments, "--check"], catalog=catalog) == 0
    assert load("web", "1.0", (tmp_path / "catalog",)).images() == ("acme/hub:set-by-chartpress",)
    mirror(manifests=MANIFESTS.replace("day", "night"))
    assert components.main([*arguments, "--check"], catalog=catalog) == 1


BASIC = """\
cloud,region,machine,vcpu,memory_gib,gpu_model,gpu_count,gpu_memory_gib,local_ssd_gib,network_gbps,on_demand_usd_h,spot_usd_h,as_of
gcp,us-central1,a1-big,4,16,,0,0,,10,0.123456,,2026-08-03
aws,us-east-1,b1.big,4,16,,0,0,0,10,0.2,0.1,
"""
MORE = """\
cloud,region,machine,arch,gpu_interconnect,rdma,gke_accelerator_label,device_resource,fractional_gpu,alloc_cpu_m,alloc_memory_mib,spot_interruption_band,spot_basis,price_confidence
aws,us-east-1,b1.big,amd64,,,,,0,3920,14162,5-10%,sku,high
gcp,us-central1,a1-big,amd64,,,,,1,,,,sku,high
"""


@pytest.fixture
def tables(tmp_path):
    def make(basic=BASIC, more=MORE):
        (tmp_path / "machines.csv").write_text(basic, encoding="utf-8")
        (tmp_path / "machines_ext.csv").write_text(more, encoding="utf-8")
        return tmp_path

    return make


def test_two_tables_become_one_sorted_by_cloud_and_machine(tables):
    text = machines.machines_text(tables())
    first, second = json.loads(text)["machines"]
    assert (first["machine"], second["machine"]) == ("b1.big", "a1-big")
    assert (second["on_demand_usd_h"], second["vcpu"], second["fractional_gpu"]) == (0.123456, 4, True)
    assert not {"local_ssd_gib", "spot_usd_h", "gpu_model"} & second.keys()
    assert len(text.splitlines()) == 2 + 5


def test_tables_must_hold_the_same_machines_once(tables):
    with pytest.raises(CatalogError, match="differ: gcp us-central1 a1-big"):
        machines.machines_text(tables(more="\n".join(MORE.splitlines()[:2]) + "\n"))
    with pytest.raises(CatalogError, match="holds a machine twice"):
        machines.machines_text(tables(basic=BASIC + BASIC.splitlines()[1] + "\n"))


def test_broken_figures_are_not_written(tables, tmp_path):
    broken = BASIC.replace("0.2,0.1", "0.2,0.3")
    with pytest.raises(CatalogError, match=r"aws b1\.big: spot"):
        machines.main(["--source", str(tables(broken))], target=tmp_path / "machines.json")
    assert not (tmp_path / "machines.json").exists()


def test_machines_are_written_and_checked(tables, tmp_path):
    target = tmp_path / "machines.json"
    arguments = ["--source", str(tables())]
    assert machines.main([*arguments, "--check"], target=target) == 1
    assert machines.main(arguments, target=target) == 0
    assert machines.main([*arguments, "--check"], target=target) == 0


def test_the_shipped_table_holds_one_machine_a_line():
    lines = DATA.read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(json.loads(DATA.read_bytes())["machines"]) + 5
