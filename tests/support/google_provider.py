"""The rig's google provider on many compiled roots at once, with no account and no way out.

    roots = Roots(tool, {"network": root, "cluster": other}, work=tmp_path, reattach=stub_providers)
    roots.read(roots.plan())["network"].actions

A call of Terraform costs a second before it looks at the first resource, so each root is a module of one
configuration. A module is the root's document as it was compiled, but for its backend, which only a root has, and its
provider block, which the configuration holds in its place; what is said of a module is said of its root.

`random` stays a stand-in (`support.stub_provider`), and programs run in `support.closed_network`. What was applied
before is made by `support.applied_state`; nothing is refreshed, for nothing is there.

Source: Terraform, "Development overrides for provider developers", "JSON output format", "Providers within modules".
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import rig
from support import applied_state, closed_network, terraform

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from support.terraform import Tool

JsonObject = dict[str, Any]
Root: TypeAlias = "Mapping[str, Any]"
"""The whole document of a root."""
Name: TypeAlias = "Hashable"
"""What a root is called by whoever asks."""

PROVIDER: Final = "terraform-provider-google"
TIMEOUT_S: Final = 600.0
TOKEN: Final = "nobody"  # noqa: S105 - of nobody

_SETTINGS: Final = """\
provider_installation {
  dev_overrides { "hashicorp/google" = %s }
  filesystem_mirror { path = "/nonexistent" }
}
"""
"""Of the command line. Another provider fails at once: nothing looks for it on the network."""

_REFUSED: Final = re.compile(r"Resource (?:instance )?(\S+) has\s+lifecycle\.prevent_destroy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a plan says of one root."""

    actions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Address of each resource that is to change to its actions, in their order."""
    refused: frozenset[str] = frozenset()
    """Those that `prevent_destroy` keeps from being destroyed."""
    errors: tuple[str, ...] = ()
    """Everything else that is wrong."""


def missing() -> str | None:
    """Why no test of this machine can ask the real provider to plan."""
    return rig.missing(PROVIDER) if rig.program(PROVIDER) is None else closed_network.missing()


class Roots:
    """Roots in one configuration, for one program."""

    def __init__(self, tool: Tool, roots: Mapping[Any, Root], *, work: Path, reattach: str) -> None:
        """`roots` has each root's whole document by its name; `work` is a folder of ours.

        `reattach` serves the stand-ins of both providers; of them the real plans use `random` alone.
        """
        self._tool, self._work, self._reattach = tool, work.absolute(), reattach
        self._modules = {name: f"m{number:03}" for number, name in enumerate(roots)}
        self._names = {module: name for name, module in self._modules.items()}
        self._folder = self._work / "roots"
        _write(self._folder, {self._modules[name]: root for name, root in roots.items()})

    def validate(self) -> dict[Name, tuple[str, ...]]:
        """The errors of each root that has any."""
        self._find_modules()
        printed = self._run("validate", "-json").stdout
        found: dict[Name, list[str]] = {}
        for each in json.loads(printed[: printed.rindex("}") + 1])["diagnostics"]:
            if each["severity"] == "error":
                name, text = self._place(each)
                found.setdefault(name, []).append(text)
        return {name: tuple(errors) for name, errors in found.items()}

    def plan(self, state: JsonObject | None = None) -> JsonObject:
        """The plan in its JSON form, with the errors of the run beside it, under `"errors"`."""
        if state is not None:
            (self._folder / "terraform.tfstate").write_text(json.dumps(state), encoding="utf-8")
        self._find_modules()
        saved = str(self._work / "plan")
        words = ("-input=false", "-lock=false", "-refresh=false", "-json", f"-out={saved}")
        done = self._run("plan", *words)
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        said = [each["diagnostic"] for each in events if each["type"] == "diagnostic"]
        errors = [each for each in said if each["severity"] == "error"]
        if not Path(saved).exists():
            told = "\n".join(f"{name}: {text}" for name, text in map(self._place, errors))
            raise AssertionError(f"{self._tool.name} made no plan\n{told}\n{done.stderr}")
        shown = self._run("show", "-json", saved).stdout
        Path(saved).unlink()
        return {**json.loads(shown), "errors": errors}

    def read(self, plan: JsonObject) -> dict[Name, Planned]:
        """What the plan says of each root."""
        found = {name: Planned() for name in self._modules}
        for each in applied_state.changes(plan):
            actions = tuple(each["change"]["actions"])
            if actions != ("no-op",):
                found[self._names[_module(each["address"])]].actions[_local(each["address"])] = actions
        for name, text in map(self._place, plan["errors"]):
            refused = _REFUSED.search(text)
            if refused:
                found[name] = replace(found[name], refused=found[name].refused | {refused[1]})
            else:
                found[name] = replace(found[name], errors=(*found[name].errors, text))
        return found

    def applied(self, plan: JsonObject) -> dict[Name, list[JsonObject]]:
        """The resources of each root as a state holds them once the plan of creates was applied."""
        terraform.apply(self._tool, self._folder, work=self._work, reattach=self._reattach)
        made_up = json.loads((self._work / "state").read_text(encoding="utf-8"))
        found: dict[Name, list[JsonObject]] = {name: [] for name in self._modules}
        for resource in applied_state.resources(made_up, plan):
            found[self._names[_module(f"{resource['module']}.")]].append(resource)
        return found

    def state(self, applied: Mapping[Name, tuple[Iterable[JsonObject], Root]]) -> JsonObject:
        """A state in which each root has those of the resources that a document has, too."""
        resources = [
            {**resource, "module": f"module.{self._modules[name]}"}
            for name, (some, document) in applied.items()
            for resource in some
            if resource["name"] in document.get("resource", {}).get(resource["type"], {})
        ]
        head = {"version": 4, "terraform_version": "1.11.0", "serial": 1, "lineage": "plinth", "outputs": {}}
        return {**head, "resources": resources}

    def schemas(self) -> JsonObject:
        """What the google provider tells of its types, as `providers schema -json` has it."""
        self._find_modules()
        shown = json.loads(self._run("providers", "schema", "-json").stdout)["provider_schemas"]
        (found,) = (each for name, each in shown.items() if name.endswith("/hashicorp/google"))
        return dict(found)

    def _place(self, diagnostic: JsonObject) -> tuple[Name, str]:
        """The root that a diagnostic is about, and its text."""
        text = _text(diagnostic)
        file = diagnostic.get("range", {}).get("filename", "")
        module = re.match(r"(?:roots/)?(m\d{3})/", file) or re.search(
            r"module\.(m\d{3})\.", f"{diagnostic.get('address')} {text}"
        )
        if module is None:
            raise AssertionError(f"of no root: {text}")
        return self._names[module[1]], text.replace(f"module.{module[1]}.", "")

    def _find_modules(self) -> None:
        done = self._run("get", "-no-color")
        assert done.returncode == 0, done.stdout + done.stderr

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = rig.program(PROVIDER)
        assert program is not None
        settings = self._work / "real.tfrc"
        settings.write_text(_SETTINGS % json.dumps(str(Path(program).parent)), encoding="utf-8")
        every = json.loads(self._reattach).items()
        # A stand-in counts as gone once its process is not seen; inside, only the first process is sure to be.
        served = {name: {**one, "Pid": 1} for name, one in every if not name.endswith("google")}
        environment = {
            "PATH": os.defpath,
            "HOME": str(self._work),
            "TF_CLI_CONFIG_FILE": str(settings),
            "TF_DATA_DIR": str(self._work / "real"),
            "TF_IN_AUTOMATION": "1",
            "TF_REATTACH_PROVIDERS": json.dumps(served),
            "CHECKPOINT_DISABLE": "1",
            "GOGC": "400",  # a plan of hundreds of resources takes two thirds of the time
            **closed_network.SETTINGS,
        }
        return subprocess.run(
            closed_network.command(self._tool.path, f"-chdir={self._folder}", *arguments),
            check=False,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            env=environment,
        )


def _write(folder: Path, modules: Mapping[str, Root]) -> None:
    """The configuration: a module for each root, and the providers that those had, each once."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    providers: list[JsonObject] = []
    calls: JsonObject = {}
    required: JsonObject = {}
    for module, root in modules.items():
        body = root["provider"]["google"]
        if body not in providers:
            providers.append(body)
        settings = {key: value for key, value in root["terraform"].items() if key != "backend"}
        required |= settings["required_providers"]
        passed = {name: name for name in settings["required_providers"]}
        passed["google"] = f"google.p{providers.index(body)}"
        calls[module] = {"source": f"./{module}", "providers": passed}
        document = {key: value for key, value in root.items() if key != "provider"} | {"terraform": settings}
        (folder / module).mkdir()
        (folder / module / "main.tf.json").write_text(json.dumps(document), encoding="utf-8")
    google = [{**body, "alias": f"p{at}", "access_token": TOKEN} for at, body in enumerate(providers)]
    others = {name: {} for name in required if name != "google"}
    main = {
        "terraform": {"required_providers": required},
        "provider": {"google": google, **others},
        "module": calls,
    }
    (folder / "main.tf.json").write_text(json.dumps(main), encoding="utf-8")


def _module(address: str) -> str:
    return address.split(".", 2)[1]


def _local(address: str) -> str:
    return address.split(".", 2)[2]


def _text(diagnostic: JsonObject) -> str:
    where = f"{diagnostic['address']}: " if diagnostic.get("address") else ""
    return where + ": ".join(each for each in (diagnostic["summary"], diagnostic["detail"]) if each)
