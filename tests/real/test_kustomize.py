"""What kustomize makes of our overlays, and whether it is what we say and what Terraform makes.

Everything is read from the output of the real program. Without upstream manifests most of it is
left out: an overlay is nothing without its base.
"""

from __future__ import annotations

import json
import os
import shutil
from functools import cache
from pathlib import Path

import pytest

from plinth.catalog.components import load
from plinth.ir import layout
from plinth.ir.targets import Application, Base
from plinth.plan.overlays import build
from plinth.plan.tree import Tree
from plinth.text.emit import yaml_text
from plinth.text.manifests import read_manifests
from support import kustomize, platforms, roots, terraform
from support.modules import Modules

pytestmark = [
    pytest.mark.skipif(kustomize.command() is None, reason=kustomize.MISSING),
    pytest.mark.xdist_group("kustomize"),  # what was built and read once serves every test
]

ENVIRONMENTS = ("dev", "prod")
TOPS = ("generated", "overlays")
TRAINING_KINDS = {"MPIJob", "MXJob", "PaddleJob", "PyTorchJob", "TFJob", "XGBoostJob"}


@cache
def example():
    return platforms.compile_bytes(platforms.example())


def overlays():
    """Environment and component of every overlay of the example."""
    return [
        (each.environment.name, application.component)
        for each in example().compilations
        for application in each.graph.of(Application)
        if not application.holds_crds
    ]


def bases():
    """Component and version of every base of the example."""
    every = (base for each in example().compilations for base in each.graph.of(Base))
    return sorted({(base.component, base.version) for base in every})


@pytest.fixture(scope="session")
def built(vendored_example):
    """The objects of a folder of the vendored example, built once."""
    return cache(lambda path: kustomize.build(vendored_example / path))


@pytest.fixture(scope="session")
def built_short(vendored_example, tmp_path_factory):
    """As `built`, of CRDs without their schemas; and where that tree is.

    Schemas are all but a hundredth of what kustomize reads, and no patch of ours looks into one: they are there where
    CRDs themselves are looked at, and not where it is about which objects come along.
    """
    root = tmp_path_factory.mktemp("short") / "platform"
    ignored = shutil.ignore_patterns(".plinth")
    shutil.copytree(vendored_example, root, ignore=ignored, copy_function=copy_without_schemas)
    return root, cache(lambda path: kustomize.build(root / path))


def copy_without_schemas(source, target):
    lines = Path(source).read_text(encoding="utf-8").splitlines(keepends=True)
    if "kind: CustomResourceDefinition\n" in lines:
        lines = without_schemas(lines)
    Path(target).write_text("".join(lines), encoding="utf-8")


def without_schemas(lines):
    """The lines of a CRD as `plinth vendor` writes it: the schema of a version is a block of its own."""
    is_schema = False
    for line in lines:
        if line.strip() and not line.startswith("     "):
            is_schema = line == "    schema:\n"
            if is_schema:
                yield "    schema: {openAPIV3Schema: {type: object}}\n"
        if not is_schema:
            yield line


def overlays_of(root, folder):
    """The objects that a diff sees in a folder of a tree on disk."""
    paths = [path.relative_to(root).as_posix() for top in TOPS for path in (root / top).rglob("*.yaml")]
    tree = Tree(
        marks=dict.fromkeys(paths, ""), read=lambda path: (root / path).read_bytes(), origins=lambda _path: {}
    )
    found = build(tree, folder)
    assert not found.fetched
    return found.objects


def plain(bodies):
    return {key: json.loads(json.dumps(body)) for key, body in bodies.items()}


def bodies(objects, kind, name=None):
    return [body for key, body in objects.items() if key.kind == kind and name in {None, key.name}]


def only(objects, kind, name=None):
    (body,) = bodies(objects, kind, name)
    return body


# Our rendering is kustomize's ------------------------------------------------------------------


@pytest.mark.parametrize(("environment", "component"), overlays())
def test_an_overlay_builds_to_the_objects_that_we_render(environment, component, built, vendored_result):
    (compilation,) = (each for each in vendored_result.compilations if each.environment.name == environment)
    ours = {each.key: each.body for each in compilation.objects if each.application.component == component}
    assert built(layout.overlay(environment, component)) == plain(ours)


@pytest.mark.parametrize(("environment", "component"), overlays())
def test_an_overlay_is_put_together_from_its_files_as_kustomize_does(
    environment, component, built, vendored_example
):
    folder = layout.overlay(environment, component)
    ours = {each.key: each.body for each in overlays_of(vendored_example, folder)}
    assert built(folder) == plain(ours)


@pytest.mark.parametrize(("component", "version"), [each for each in bases() if load(*each).crds])
def test_crds_are_put_together_from_their_files_as_kustomize_does(
    component, version, built, vendored_example
):
    folder = layout.base_crds(component, version)
    assert built(folder) == plain({each.key: each.body for each in overlays_of(vendored_example, folder)})


@pytest.mark.parametrize(("component", "version"), [each for each in bases() if load(*each).crds])
def test_the_base_of_crds_holds_each_crd_and_nothing_else(component, version, built):
    keys = built(layout.base_crds(component, version))
    assert {(key.kind, key.name) for key in keys} == {
        ("CustomResourceDefinition", crd.name) for crd in load(component, version).crds
    }


def test_the_training_operator_comes_with_its_six_kinds(built):
    crds = built(layout.base_crds("training-operator", "1.7.0"))
    overlay = built(layout.overlay("dev", "training-operator"))
    assert {body["spec"]["names"]["kind"] for body in crds.values()} == TRAINING_KINDS
    assert only(overlay, "Deployment")["metadata"]["name"] == "training-operator"


@pytest.mark.parametrize(("component", "version"), bases())
def test_a_remote_base_leaves_what_a_vendored_one_has(
    component, version, built_short, remote_example, tmp_path
):
    """The upstream put in place of its address: nothing is fetched, and no chart is rendered."""
    vendored, built = built_short
    remote = tmp_path / "remote"
    shutil.copytree(remote_example / layout.base(component, version), remote)
    upstream = vendored / layout.vendor(component, version)
    folders = [upstream, upstream / "crds"] if load(component, version).crds else [upstream]
    for file in remote.rglob("kustomization.yaml"):
        (kustomization,) = read_manifests(file.read_bytes())
        kustomization.pop("helmCharts", None)
        places = [os.path.relpath(folder, file.parent) for folder in folders]
        file.write_text(yaml_text({**kustomization, "resources": places}), encoding="utf-8")

    wanted = built(layout.base(component, version))
    found = kustomize.build(remote)
    if component == "argo-cd":  # only there does Argo CD have to render charts
        settings = only(found, "ConfigMap", "argocd-cm")["data"]
        assert settings.pop("kustomize.buildOptions") == "--enable-helm"
    assert found == wanted
    if load(component, version).crds:
        assert kustomize.build(remote / "crds") == built(layout.base_crds(component, version))


# The first hour, and what Argo CD reads ---------------------------------------------------------


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_two_steps_of_the_first_hour(environment, built_short):
    _, built = built_short
    folder = layout.bootstrap(environment)
    version = next(version for component, version in bases() if component == "argo-cd")
    install = dict(built(f"{folder}/install"))
    crds = {key.name: install.pop(key) for key in list(install) if key.kind == "CustomResourceDefinition"}
    assert install == built(layout.overlay(environment, "argo-cd"))
    assert set(crds) == {crd.name for crd in load("argo-cd", version).crds}
    assert sorted((key.kind, key.name) for key in built(f"{folder}/root")) == [
        ("AppProject", "default"),
        ("AppProject", "platform"),
        ("AppProject", "root"),
        ("Application", "root"),
    ]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_application_names_folders_that_are_there(environment, built, vendored_example):
    objects = built(layout.applications(environment))
    applications = bodies(objects, "Application")
    assert only(objects, "Application", "root")["spec"]["source"]["path"] == layout.applications(environment)
    for application in applications:
        paths = application["metadata"]["annotations"]["argocd.argoproj.io/manifest-generate-paths"].split(
            ";"
        )
        assert all(path.startswith("/") for path in paths)
        assert f"/{application['spec']['source']['path']}" in paths
        assert all((vendored_example / path[1:]).is_dir() for path in paths)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_project_permits_what_was_there_before_as_well(environment, built):
    """Argo CD removes nothing from where a project does not reach, and refuses what it does not list."""
    project = only(built(layout.applications(environment)), "AppProject", "platform")["spec"]
    assert project["destinations"] == [{"server": "https://kubernetes.default.svc", "namespace": "*"}]
    assert project["clusterResourceWhitelist"] == [{"group": "*", "kind": "*"}]


# One platform over both halves -------------------------------------------------------------------


@pytest.fixture(scope="session")
def planned(stub_providers, tmp_path_factory):
    """What Terraform plans for a root of the example, by address."""
    tool = terraform.find("terraform") or pytest.skip(terraform.missing("terraform"))
    every = roots.of_tree(platforms.tree(example()))
    modules = Modules(tool, every, work=tmp_path_factory.mktemp("work"), reattach=stub_providers)
    return lambda environment, layer: terraform.planned(modules.plans[f"{environment}/{layer}"])


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_mlflow_finds_what_terraform_makes(environment, built, planned):
    objects = built(layout.overlay(environment, "mlflow"))
    pod = only(objects, "Deployment")["spec"]["template"]["spec"]
    (server,) = pod["containers"]
    environment_of = {each["name"]: each for each in server["env"]}
    platform, network = planned(environment, "platform"), planned(environment, "network")
    record = platform["google_dns_record_set.postgres"]
    zone = network["google_dns_managed_zone.databases"]
    database = platform["google_sql_database.mlflow"]
    bucket = platform["google_storage_bucket.artifacts"]
    binding = platform["google_storage_bucket_iam_member.mlflow-mlflow-artifacts"]
    secret = only(objects, "ExternalSecret")
    reference = environment_of["PGPASSWORD"]["valueFrom"]["secretKeyRef"]

    assert environment_of["PGHOST"]["value"] == record["name"].removesuffix(".")
    assert record["name"].endswith(f".{zone['dns_name']}")
    assert record["managed_zone"] == zone["name"]
    assert f"--backend-store-uri=postgresql+psycopg2:///{database['name']}" in server["args"]
    assert f"--artifacts-destination=gs://{bucket['name']}" in server["args"]
    assert binding["member"].endswith(f"/subject/ns/mlflow/sa/{pod['serviceAccountName']}")
    assert only(objects, "ServiceAccount")["metadata"]["name"] == pod["serviceAccountName"]
    assert reference["name"] == secret["spec"]["target"]["name"]
    assert reference["key"] in {each["secretKey"] for each in secret["spec"]["data"]}
    entries = {each["remoteRef"]["key"] for each in secret["spec"]["data"]}
    assert entries == {platform["google_secret_manager_secret.acme-ml-postgres-mlflow"]["secret_id"]}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_hub_signs_in_with_what_a_person_put_into_the_store(environment, built, planned):
    objects = built(layout.overlay(environment, "jupyterhub"))
    (container,) = only(objects, "Deployment", "hub")["spec"]["template"]["spec"]["containers"]
    client = {each["name"]: each for each in container["env"] if each["name"].startswith("OAUTH_")}
    secret = only(objects, "ExternalSecret", "hub-sign-in")["spec"]
    settings = json.loads(only(objects, "ConfigMap", "hub-plinth")["data"]["plinth.json"])["traits"]
    platform = planned(environment, "platform")

    assert {name: each["valueFrom"]["secretKeyRef"] for name, each in client.items()} == {
        "OAUTH_CLIENT_ID": {"name": "hub-sign-in", "key": "clientID"},
        "OAUTH_CLIENT_SECRET": {"name": "hub-sign-in", "key": "clientSecret"},
    }
    assert secret["target"]["name"] == "hub-sign-in"
    assert {each["secretKey"]: each["remoteRef"]["key"] for each in secret["data"]} == {
        "clientID": "google-sign-in",
        "clientSecret": "google-sign-in",
    }
    entry = platform["google_secret_manager_secret.google-sign-in"]
    assert {each["remoteRef"]["key"] for each in secret["data"]} == {entry["secret_id"]}
    assert "google_secret_manager_secret_version.google-sign-in" not in platform
    assert settings["JupyterHub"]["authenticator_class"] == "google"
    assert settings["GoogleOAuthenticator"]["hosted_domain"] == ["acme.com"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_gpu_tier_finds_the_nodes_of_its_pool(environment, built, planned):
    settings = json.loads(
        only(built(layout.overlay(environment, "jupyterhub")), "ConfigMap", "hub-plinth")["data"][
            "plinth.json"
        ]
    )
    (tier,) = (each for each in settings["traits"]["KubeSpawner"]["profile_list"] if each["slug"] == "1xgpu")
    override = tier["kubespawner_override"]
    (config,) = planned(environment, "cluster")["google_container_node_pool.t4"]["node_config"]
    (expression,) = override["node_affinity_required"][0]["matchExpressions"]
    tolerated = {(each["key"], each["value"], each["effect"]) for each in override["tolerations"]}
    effects = {"NO_SCHEDULE": "NoSchedule"}

    assert config["labels"][expression["key"]] in expression["values"]
    assert {(each["key"], each["value"], effects[each["effect"]]) for each in config["taint"]} == tolerated
    assert override["extra_resource_limits"] == {"nvidia.com/gpu": "1"}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_store_is_that_of_the_project(environment, built, planned):
    store = only(built(layout.overlay(environment, "external-secrets")), "ClusterSecretStore")
    entries = (
        after
        for address, after in planned(environment, "platform").items()
        if address.startswith("google_secret_manager_secret.")
    )
    assert {after["project"] for after in entries} == {store["spec"]["provider"]["gcpsm"]["projectID"]}


# Secrets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("environment", "component"), overlays())
def test_no_object_of_ours_holds_a_secret_value(environment, component, built):
    """Secrets are upstream's own, empty or without what we had taken out; variables only refer to one."""
    objects = built(layout.overlay(environment, component))
    upstream = {
        key for name, version in bases() if name == component for key in built(layout.base(name, version))
    }
    assert {key for key in objects if key.kind == "Secret"} <= upstream
    for body in objects.values():
        for container in containers(body):
            for variable in container.get("env") or ():
                if any(word in variable["name"] for word in ("PASSWORD", "SECRET", "TOKEN", "KEY")):
                    assert "value" not in variable, variable


def test_the_hub_reads_its_keys_from_the_store_alone(built):
    objects = built(layout.overlay("dev", "jupyterhub"))
    made_up = {
        "hub.config.JupyterHub.cookie_secret",
        "hub.config.CryptKeeper.keys",
        "hub.config.ConfigurableHTTPProxy.auth_token",
    }
    filled = {each["secretKey"] for each in only(objects, "ExternalSecret", "hub-plinth")["spec"]["data"]}
    assert filled == made_up
    assert not made_up & only(objects, "Secret", "hub")["data"].keys()
    assert "values.yaml" in only(objects, "Secret", "hub")["data"]
    for name in ("hub", "proxy"):
        (container,) = only(objects, "Deployment", name)["spec"]["template"]["spec"]["containers"]
        (token,) = (each for each in container["env"] if each["name"] == "CONFIGPROXY_AUTH_TOKEN")
        assert token["valueFrom"]["secretKeyRef"] == {
            "name": "hub-plinth",
            "key": "hub.config.ConfigurableHTTPProxy.auth_token",
        }


def containers(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"containers", "initContainers"} and isinstance(value, list):
                yield from (each for each in value if isinstance(each, dict))
            yield from containers(value)
    elif isinstance(node, list):
        for each in node:
            yield from containers(each)


def test_overlays_are_the_same_whether_upstreams_are_vendored_or_not(vendored_example, remote_example):
    def files(root):
        return {
            path.relative_to(root): path.read_bytes() for path in sorted((root / "overlays").rglob("*.yaml"))
        }

    assert files(vendored_example) == files(remote_example)
    assert len(files(remote_example)) > 50
