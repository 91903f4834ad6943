"""The platforms that are measured: the example, the reference platform, and many environments of one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reference.upstreams import OURS, UPSTREAMS
from timing import process_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent
PLINTH: Final = (sys.executable, "-m", "plinth")

_COMPILED: Final = ("overlays", "generated", ".plinth")
_VENDOR: Final = "vendor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A platform on disk in two states: as it is, and with one value of one environment changed."""

    root: Path
    spec: str
    changed_spec: str
    plugins: Mapping[str, str] = field(default_factory=dict)
    """Variables of the environment by which its plug-ins are found."""
    is_vendored: bool = False

    @property
    def environments(self) -> tuple[str, ...]:
        """Their names, sorted."""
        return tuple(sorted(path.name for path in (self.root / "overlays").iterdir()))

    def write(self) -> None:
        """Put the platform file in place as it is."""
        (self.root / "platform.yaml").write_text(self.spec, encoding="utf-8")

    def change(self) -> None:
        """Put the platform file with the changed value in place."""
        (self.root / "platform.yaml").write_text(self.changed_spec, encoding="utf-8")

    def clear(self) -> None:
        """As a fresh clone is before the first compile: the spec, the lock and what is vendored."""
        self.write()
        for top in _COMPILED:
            folder = self.root / top
            if top == "generated" and folder.is_dir():
                for path in folder.iterdir():
                    if path.name != _VENDOR:
                        shutil.rmtree(path)
            else:
                shutil.rmtree(folder, ignore_errors=True)

    def plinth(self, *words: str) -> None:
        """Run a command on the tree.

        Raises:
            SystemExit: it fails; what it said is the message.
        """
        done = subprocess.run(
            [*PLINTH, *words, "-C", str(self.root)],
            check=False,
            capture_output=True,
            text=True,
            env=process_environment(self.plugins),
        )
        if done.returncode:
            raise SystemExit(f"plinth {' '.join(words)} in {self.root.name}:\n{done.stderr}")

    def commit(self) -> bool:
        """Make the tree the HEAD of a repository of its own; False where there is no git."""
        if not shutil.which("git"):
            return False
        (self.root / ".gitignore").write_text(".plinth/\n", encoding="utf-8")
        named = ("-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false")
        for words in (["init", "--quiet"], ["add", "--all"], [*named, "commit", "--quiet", "-m", "compiled"]):
            subprocess.run(["git", "-C", str(self.root), *words], check=True, capture_output=True)
        return True


def example(folder: Path, mirror: Path | None) -> Tree:
    """The platform at the root of this repository, vendored where there is a mirror."""
    spec = _example_spec(vendored=mirror is not None)
    spec["spec"]["environments"]["prod"]["components"]["jupyterhub"] = {"idle": "3h"}
    changed = _text(spec)
    spec["spec"]["environments"]["prod"]["components"]["jupyterhub"] = {"idle": "4h"}
    return _made(Tree(root=folder, spec=_text(spec), changed_spec=changed, is_vendored=bool(mirror)), mirror)


def fleet(folder: Path, mirror: Path | None, count: int) -> Tree:
    """The example with so many environments, each a project of its own."""
    spec = _example_spec(vendored=mirror is not None)
    environments = {
        f"env-{number:03d}": {"cloud": {"project": f"acme-ml-{number:03d}", "projectNumber": 10**11 + number}}
        for number in range(count)
    }
    spec["spec"]["environments"] = environments
    text = _text(spec)
    environments["env-007"]["components"] = {"jupyterhub": {"idle": "3h"}}
    return _made(Tree(root=folder, spec=text, changed_spec=_text(spec), is_vendored=bool(mirror)), mirror)


def pools(folder: Path, mirror: Path | None, count: int) -> Tree:
    """The example in one environment with so many node pools, three in four of them with GPUs."""
    spec = _example_spec(vendored=mirror is not None)
    del spec["spec"]["environments"]
    spec["spec"]["network"]["pods"] = "10.64.0.0/12"
    spec["spec"]["nodePools"] += [_pool(number) for number in range(count - len(spec["spec"]["nodePools"]))]
    text = _text(spec)
    return _made(Tree(root=folder, spec=text, changed_spec=text, is_vendored=bool(mirror)), mirror)


def _pool(number: int) -> dict[str, Any]:
    pool: dict[str, Any] = {"name": f"pool-{number:02d}", "cpu": 2 + number % 7, "nodes": {"max": 3}}
    gpu = {"gpu": {"model": "t4"}, "capacity": "spot"} if number % 4 else {"memory": "16Gi"}
    return pool | gpu


def reference(folder: Path, mirror: Path) -> Tree:
    """25 upstreams in two environments, most of them plug-ins that are made here and now.

    Nothing of an upstream is part of this repository: the facts of each are made from the mirror.
    """
    plugins = folder.parent / f"{folder.name}-plugins"
    (plugins / "components").mkdir(parents=True)
    for each in UPSTREAMS:
        module = f"{each.name.replace('-', '_')}.py"
        shutil.copyfile(HERE / "reference" / "plugin.py", plugins / "components" / module)
    facts = [f"{each.name}/{each.version}" for each in UPSTREAMS]
    _catalogue(mirror, plugins / "catalog" / "components", facts)
    spec = _example_spec(vendored=True)
    spec["spec"]["storage"] = {"buckets": [{"name": "artifacts"}]}
    spec["spec"]["components"] = {
        "cert-manager": {"version": "1.20.2"},
        "external-secrets": {},
        "training-operator": {"version": "1.7.0"},
        **{each.name: {"version": each.version} for each in UPSTREAMS},
    }
    prod = spec["spec"]["environments"]["prod"]
    del prod["storage"]
    prod["components"] = {each.name: {"replicas": 2, "tag": "v9.0.1", "note": "prod"} for each in UPSTREAMS}
    text = _text(spec)
    prod["components"]["trainer"]["replicas"] = 3
    variables = {"PLINTH_PLUGINS": str(plugins), "PYTHONPATH": str(HERE)}
    tree = Tree(root=folder, spec=text, changed_spec=_text(spec), plugins=variables, is_vendored=True)
    return _made(tree, mirror)


def upstream_count() -> int:
    """How many upstreams the reference platform has."""
    return len(OURS) + len(UPSTREAMS)


def whole(tree: Tree, environment: str, folder: Path) -> Path:
    """A kustomization of every overlay of an environment, outside the tree: what one build of all takes."""
    home = folder / environment
    home.mkdir(parents=True)
    overlays = sorted(
        path.parent for path in (tree.root / "overlays" / environment).glob("*/kustomization.yaml")
    )
    body = {"resources": [os.path.relpath(path, home) for path in overlays]}
    (home / "kustomization.yaml").write_text(json.dumps(body), encoding="utf-8")  # which is YAML too
    return home


def one_config_map(folder: Path) -> Path:
    """The smallest kustomization that builds: what starting kubectl takes."""
    folder.mkdir()
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}}
    (folder / "one.yaml").write_text(json.dumps(body), encoding="utf-8")
    (folder / "kustomization.yaml").write_text(json.dumps({"resources": ["one.yaml"]}), encoding="utf-8")
    return folder


def memory_folder() -> str | None:
    """A folder on a memory file system with room, or None: creating files on a disk varies 40-fold."""
    folder = Path("/dev/shm")  # noqa: S108 - it is the file system that is wanted; names in it are random
    if not os.access(folder, os.W_OK):
        return None
    room = os.statvfs(folder)
    return str(folder) if room.f_bavail * room.f_frsize > 2**30 else None


def _catalogue(mirror: Path, catalog: Path, names: list[str]) -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    from catalog_components import component_text  # noqa: PLC0415 - found by the line above

    for name in names:
        component, _, version = name.partition("/")
        (catalog / component).mkdir(parents=True)
        text = component_text(mirror, component, version)
        (catalog / component / f"{version}.json").write_text(text, encoding="utf-8")


def _made(tree: Tree, mirror: Path | None) -> Tree:
    tree.root.mkdir()
    tree.write()
    if mirror is not None:
        tree.plinth("vendor", "--mirror", str(mirror))
    tree.plinth("compile")
    return tree


def _example_spec(*, vendored: bool) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - see `apart` in `run`: who measures stays small

    found: dict[str, Any] = yaml.safe_load((ROOT / "platform.yaml").read_bytes())
    found["spec"]["upstreams"] = "vendored" if vendored else "remote"
    return found


def _text(spec: dict[str, Any]) -> str:
    import yaml  # noqa: PLC0415 - as above

    text: str = yaml.safe_dump(spec, sort_keys=False, width=120)
    return text
