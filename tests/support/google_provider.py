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
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import rig
from support import applied_state, closed_network, module_plans, terraform

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from support.module_plans import Planned
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
        self._names = dict(zip(module_plans.named(len(roots)), roots, strict=True))
        self._modules = {name: module for module, name in self._names.items()}
        self._folder = self._work / "roots"
        modules = {module: roots[name] for module, name in self._names.items()}
        module_plans.write(self._folder, modules, settings={"google": {"access_token": TOKEN}})

    def validate(self) -> dict[Name, tuple[str, ...]]:
        """The errors of each root that has any."""
        self._find_modules()
        printed = self._run("validate", "-json").stdout
        found: dict[Name, list[str]] = {}
        for each in json.loads(printed[: printed.rindex("}") + 1])["diagnostics"]:
            if each["severity"] == "error":
                name, text = module_plans.place(each, self._names)
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
        errors = module_plans.errors_of_run(done.stdout)
        if not Path(saved).exists():
            told = "\n".join(f"{name}: {text}" for name, text in module_plans.placed(errors, self._names))
            raise AssertionError(f"{self._tool.name} made no plan\n{told}\n{done.stderr}")
        shown = self._run("show", "-json", saved).stdout
        Path(saved).unlink()
        return {**json.loads(shown), "errors": errors}

    def read(self, plan: JsonObject) -> dict[Name, Planned]:
        """What the plan says of each root."""
        return module_plans.read(plan, self._names)

    def applied(self, plan: JsonObject) -> dict[Name, list[JsonObject]]:
        """The resources of each root as a state holds them once the plan of creates was applied."""
        terraform.apply(self._tool, self._folder, work=self._work, reattach=self._reattach)
        made_up = json.loads((self._work / "state").read_text(encoding="utf-8"))
        found: dict[Name, list[JsonObject]] = {name: [] for name in self._modules}
        for resource in applied_state.resources(made_up, plan):
            found[self._names[module_plans.module(f"{resource['module']}.")]].append(resource)
        return found

    def state(self, applied: Mapping[Name, tuple[Iterable[JsonObject], Root]]) -> JsonObject:
        """A state in which each root has those of the resources that a document has, too."""
        return applied_state.state(
            {**resource, "module": f"module.{self._modules[name]}"}
            for name, (some, document) in applied.items()
            for resource in some
            if resource["name"] in document.get("resource", {}).get(resource["type"], {})
        )

    def schemas(self) -> JsonObject:
        """What the google provider tells of its types, as `providers schema -json` has it."""
        self._find_modules()
        shown = json.loads(self._run("providers", "schema", "-json").stdout)["provider_schemas"]
        (found,) = (each for name, each in shown.items() if name.endswith("/hashicorp/google"))
        return dict(found)

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
