"""A plug-in is one module in a folder: nothing of ours names it, and everything of ours knows it.

One dummy of each kind is written into a temporary folder that `PLINTH_PLUGINS` names. Every command
here is a process of its own, as plug-ins are found once in each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from plinth.ir.ledger import read_ledger

if TYPE_CHECKING:
    from pathlib import Path

CLOUD = """
from typing import ClassVar, Literal

from plinth.clouds import Answers, Cloud
from plinth.ir.answers import (
    Answer, BucketFacts, DatabaseFacts, IdentityFacts, NoFacts, PoolFacts, SecretFacts, SecretStoreFacts,
)
from plinth.ir.commands import CloudCommands
from plinth.ir.said import Said, said
from plinth.ir.targets import TerraformResource
from plinth.spec.fields import Field
from plinth.spec.platform import CloudSection


class DummyCloudSection(CloudSection):
    cluster_field: ClassVar[str] = "planet"
    provider: Literal["dummycloud"]
    planet: str = Field(description="Where the dummy cluster is.")

    def cluster_key(self):
        return ("dummycloud", self.planet)


class DummyCloud(Cloud):
    name = "dummycloud"
    Section = DummyCloudSection
    has_secret_store = False

    def answering(self, context, pinned):
        return DummyAnswers(context)


class DummyAnswers(Answers):
    def __init__(self, context):
        self._cloud = context.platform.cloud

    def faults(self):
        return ()

    def network(self, need):
        network = TerraformResource(
            layer="network",
            type="dummy_network",
            name="platform",
            arguments={"planet": said(self._cloud, "planet"), "nodes": said(need.network, "nodes")},
            origins=(need.network.spec_path,),
        )
        return Answer(targets=(network,), facts=NoFacts())

    def roots(self, need):
        return Answer(facts=NoFacts())

    cluster = registry = database_server = roots

    def node_pool(self, need):
        return Answer(facts=PoolFacts(labels={}, tolerations=(), gpu_resource=None))

    def bucket(self, need):
        return Answer(facts=BucketFacts(url=Said("dummy://", ())))

    def secret(self, need):
        return Answer(facts=SecretFacts(name=need.name, remote=None))

    def database(self, need):
        nothing = Said("", ())
        secret = SecretFacts(name=nothing, remote=None)
        facts = DatabaseFacts(host=nothing, port=nothing, database=nothing, tls="", secret=secret)
        return Answer(facts=facts)

    def identity(self, need):
        return Answer(facts=IdentityFacts())

    def secret_store(self, need):
        return Answer(facts=SecretStoreFacts(provider=None))

    def commands(self, secrets):
        return CloudCommands(context="dummy")


CLOUD = DummyCloud()
"""

COMPONENT = """
from plinth.components import Component
from plinth.ir.kubernetes import namespace
from plinth.ir.said import said
from plinth.ir.targets import Manifest, ObjectKey
from plinth.spec.fields import Field
from plinth.spec.platform import ComponentSection


class DummySection(ComponentSection):
    greeting: str = Field(description="What the dummy says.")


class DummyComponent(Component):
    name = "dummy-component"
    namespace = "dummy"
    Section = DummySection

    def versions(self, folders):
        return ("1.0",)

    def emit(self, section, given):
        yield namespace(self.name, self.namespace, level="restricted", base=None, origins=given.origins)
        yield Manifest(
            application=self.name,
            key=ObjectKey("", "ConfigMap", "dummy", "hello"),
            body={
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "hello", "namespace": "dummy"},
                "data": {"greeting": said(section, "greeting")},
            },
            origins=given.origins,
        )


COMPONENT = DummyComponent()
"""

BACKEND = """
from plinth.backends import Backend
from plinth.ir.fileset import File
from plinth.ir.targets import TerraformResource
from plinth.text.emit import json_text


class DummyBackend(Backend):
    name = "dummybackend"

    def emit(self, graph, environment):
        addresses = [each.address for each in graph.of(TerraformResource)]
        content = json_text({"addresses": addresses}).encode()
        origins = {"": ("because a dummy lists what there is",)}
        path = f"generated/{environment}/dummybackend/addresses.json"
        return {path: File(content=content, backend=self.name, origins=origins)}


BACKEND = DummyBackend()
"""

CHECK = """
from plinth.checks import Check
from plinth.diagnostics.diagnostic import Diagnostic


class DummyCheck(Check):
    code = "PLN999"
    page = "# PLN999: the dummy is rude\\n\\nIt has been heard to say boo.\\n"

    def run(self, compiled):
        for each in compiled.objects:
            if each.body.get("data", {}).get("greeting") == "boo":
                yield Diagnostic(
                    code=self.code,
                    message="the dummy says `boo`",
                    help="have it say something kind",
                    path=("spec", "components", "dummy-component", "greeting"),
                )


CHECK = DummyCheck()
"""

PLATFORM = """\
apiVersion: plinth.dev/v1alpha1
kind: Platform
metadata: {name: dummy}
spec:
  cloud: {provider: dummycloud, planet: mars}
  repository: {url: https://github.com/acme/dummy.git}
  identity: {domain: dummy.example.com, admins: [dummy@example.com]}
  upstreams: remote
  components:
    dummy-component: {greeting: hello}
"""


@pytest.fixture(scope="module")
def plugins(tmp_path_factory):
    """A folder with a dummy of each kind."""
    root = tmp_path_factory.mktemp("plugins")
    for kind, name, text in (
        ("clouds", "dummycloud", CLOUD),
        ("components", "dummy_component", COMPONENT),
        ("backends", "dummybackend", BACKEND),
        ("checks", "dummycheck", CHECK),
    ):
        (root / kind).mkdir()
        (root / kind / f"{name}.py").write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def platform(tmp_path):
    """A folder with a platform that uses all dummies."""
    (tmp_path / "platform.yaml").write_text(PLATFORM, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def compiled(plugins, tmp_path_factory):
    """Such a folder, compiled; nothing changes it any more."""
    root = tmp_path_factory.mktemp("compiled")
    (root / "platform.yaml").write_text(PLATFORM, encoding="utf-8")
    done = plinth(root, plugins, "compile")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return root


def test_the_schema_knows_them(plugins, platform):
    done = plinth(platform, plugins, "schema")
    definitions = json.loads(done.stdout)["$defs"]
    assert definitions["DummyCloudSection"]["properties"]["provider"]["const"] == "dummycloud"
    assert "dummy-component" in definitions["Components"]["properties"]
    assert "What the dummy says." in done.stdout
    assert "dummy" not in plinth(platform, None, "schema").stdout


def test_the_compiled_tree_holds_what_they_make(compiled):
    network = compiled / "generated/default/terraform/network/dummy_network.tf.json"
    assert json.loads(network.read_text()) == {
        "resource": {"dummy_network": {"platform": {"nodes": "10.0.0.0/16", "planet": "mars"}}}
    }
    manifest = yaml.safe_load(
        (compiled / "overlays/default/dummy-component/configmap-hello.yaml").read_text()
    )
    assert manifest["data"] == {"greeting": "hello"}
    application = compiled / "generated/default/argocd/applications/dummy-component.yaml"
    assert yaml.safe_load(application.read_text())["spec"]["destination"]["namespace"] == "dummy"
    listed = json.loads((compiled / "generated/default/dummybackend/addresses.json").read_text())
    assert listed == {"addresses": ["dummy_network.platform"]}


def test_the_ledger_knows_who_wrote_and_why(compiled):
    ledger = read_ledger((compiled / "generated/default/index.jsonl").read_bytes())
    entries = {entry.path: entry for entry in ledger.entries}
    assert entries["generated/default/dummybackend/addresses.json"].backend == "dummybackend"
    origins = entries["overlays/default/dummy-component/configmap-hello.yaml"].origins
    assert origins["/data/greeting"] == ("spec.components.dummy-component.greeting",)


def test_a_check_is_run_and_has_its_page(plugins, platform):
    (platform / "platform.yaml").write_text(PLATFORM.replace("hello", "boo"), encoding="utf-8")
    done = plinth(platform, plugins, "compile")
    assert done.returncode == 1
    assert "error[PLN999]: the dummy says `boo`" in done.stderr
    assert "--> platform.yaml:10:33" in done.stderr
    explained = plinth(platform, plugins, "explain", "PLN999")
    assert explained.stdout == "# PLN999: the dummy is rude\n\nIt has been heard to say boo.\n"
    assert "PLN999  the dummy is rude\n" in plinth(platform, plugins, "explain").stdout


def test_without_the_folder_they_are_unknown(platform):
    done = plinth(platform, None, "compile")
    assert done.returncode == 1
    assert "`dummycloud` is not a cloud that Plinth knows" in done.stderr
    assert "`dummy-component` is not a component that Plinth knows" in done.stderr
    assert plinth(platform, None, "explain", "PLN999").returncode == 1


def test_a_changed_plugin_makes_a_tree_stale(plugins, platform, tmp_path_factory):
    copy = tmp_path_factory.mktemp("changed")
    for path in plugins.rglob("*.py"):
        (copy / path.relative_to(plugins)).parent.mkdir(exist_ok=True)
        (copy / path.relative_to(plugins)).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    assert plinth(platform, copy, "compile").returncode == 0
    assert plinth(platform, copy, "compile", "--check").returncode == 0
    component = copy / "components" / "dummy_component.py"
    component.write_text(
        component.read_text(encoding="utf-8").replace('"greeting": said', '"words": said'), encoding="utf-8"
    )
    done = plinth(platform, copy, "compile", "--check")
    assert done.returncode == 2
    assert "overlays/default/dummy-component/configmap-hello.yaml" in done.stdout


def plinth(folder: Path, plugins: Path | None, *words: str) -> Any:
    environment = {name: value for name, value in os.environ.items() if name != "PLINTH_PLUGINS"}
    if plugins is not None:
        environment["PLINTH_PLUGINS"] = str(plugins)
    command = [sys.executable, "-m", "plinth", *words]
    return subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, encoding="utf-8"
    )
