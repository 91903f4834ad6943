"""Write the catalogue's component files from rendered manifests.

    python tools/catalog_components.py --mirror DIR [--check] [NAME/VERSION...]

DIR holds `<name>/<version>/{manifests,crds}.yaml` and a SOURCE that says where they come from and
what was left out. Without names, every version that has a file already is written again. With
`--check` nothing is written; the exit code is 1 where a file is not what the mirror gives.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from plinth.catalog import CatalogError
from plinth.catalog.facts import entry, entry_text, objects_of
from plinth.ir.vendored import left_out
from plinth.text.manifests import read_manifests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CATALOG: Final = Path(__file__).parent.parent / "compiler" / "plinth" / "catalog" / "components"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Where a chart is published; the version's own prefix, where it has one."""

    repository: str
    version_prefix: str = ""
    placeholder_tag: str = ""
    """What images carry in git until a release sets them to the chart's version."""
    namespace: str = ""
    """Where its makers want it, if not in a namespace of its own name."""


# A chart rendered from its folder in git; the catalogue names the published one instead, since
# a folder often holds development versions and images.
CHARTS: Final = {
    "cert-manager": Chart(repository="https://charts.jetstack.io", version_prefix="v"),
    "external-secrets": Chart(repository="https://charts.external-secrets.io"),
    "jupyterhub": Chart(
        repository="https://hub.jupyter.org/helm-chart/", placeholder_tag="set-by-chartpress"
    ),
    # The folder of the tag v1.14.1 has the image of the release before it.
    "karpenter": Chart(
        repository="oci://public.ecr.aws/karpenter",
        placeholder_tag="1.13.0@sha256:ea731b0cd813add8b2947a76bfe861c38069d85922b01d0c1647d1466279b7fe",
        namespace="kube-system",
    ),
}


def main(arguments: Sequence[str] | None = None, *, catalog: Path = CATALOG) -> int:
    """Write or check; 0 where all is well, 1 where a checked file is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME/VERSION")
    options = parser.parse_args(arguments)
    names = options.names or [f"{path.parent.name}/{path.stem}" for path in sorted(catalog.glob("*/*.json"))]
    stale = 0
    for name in names:
        component, _, version = name.partition("/")
        text = component_text(options.mirror, component, version)
        path = catalog / component / f"{version}.json"
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        print(f"{name}: {'stale' if options.check else 'written'}")
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if stale and options.check else 0


def component_text(mirror: Path, component: str, version: str) -> str:
    """The catalogue file of one version.

    Raises:
        CatalogError: SOURCE or an object is not as expected.
    """
    folder = mirror / component / version
    said = read_source((folder / "SOURCE").read_text(encoding="utf-8"))
    item = entry(
        component,
        version,
        source_of(component, version, said),
        objects_in(folder),
        made_with=said["made with"][0],
        incomplete=_incomplete(folder),
        published_bytes=dict(_published(line) for line in said.get("largest CRD as published", [])),
        is_stripped="stripped" in said,
    )
    chart = CHARTS.get(component)
    if chart and chart.placeholder_tag:
        _set_tags(item, chart.placeholder_tag, version)
    return entry_text(item)


def read_source(text: str) -> dict[str, list[str]]:
    """SOURCE as its keys and what each says; a key may be said twice, or hold a list."""
    said: dict[str, list[str]] = {}
    values: list[str] = []
    for line in text.splitlines():
        if line.startswith("  - "):
            values.append(line[4:])
        elif line.strip():
            key, _, value = line.partition(":")
            values = said.setdefault(key, [])
            values.extend([value.strip()] if value.strip() else [])
    return said


def source_of(component: str, version: str, said: dict[str, list[str]]) -> dict[str, str]:
    """Where a vendor fetches the version: what was rendered here decides which kind of source."""
    (repository,), (commit,), (ref,), (path,), (made_with,) = (
        said[key] for key in ("repository", "commit", "ref", "path", "made with")
    )
    if made_with.startswith("helm template"):
        if component not in CHARTS:
            raise CatalogError(f"{component} is a chart: add its repository to CHARTS")
        chart = CHARTS[component]
        return {
            "kind": "chart",
            "repository": chart.repository,
            "name": component,
            "version": chart.version_prefix + version,
            "namespace": chart.namespace or component,
            "release": component,
        }
    if made_with.startswith("kubectl kustomize"):
        url = f"https://github.com/{repository}"
        return {"kind": "git", "repository": url, "commit": commit, "ref": ref, "path": path}
    if made_with.startswith("upstream release YAML"):
        return {"kind": "file", "url": f"https://raw.githubusercontent.com/{repository}/{commit}/{path}"}
    raise CatalogError(f"{component} {version}: no source is known for what was made with `{made_with}`")


def objects_in(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Every object of both files, those inside a List among them."""
    for name in ("manifests.yaml", "crds.yaml"):
        path = folder / name
        if path.is_file():
            yield from objects_of(read_manifests(path.read_bytes()))


def _incomplete(folder: Path) -> tuple[str, ...]:
    found = left_out((folder / "SOURCE").read_text(encoding="utf-8"))
    unclear = [each for each in found if "/" not in each or " " in each]
    if unclear:
        raise CatalogError(f"SOURCE leaves out something that is no object: {unclear[0]}")
    return found


def _published(line: str) -> tuple[str, int]:
    name, _, size = line.partition(", ")
    return name, int(size.split()[0])


def _set_tags(item: dict[str, Any], placeholder: str, version: str) -> None:
    for facts in item["objects"]:
        for part in ("containers", "initContainers"):
            for container in facts.get("pod", {}).get(part, ()):
                name = container["image"].removesuffix(f":{placeholder}")
                if name != container["image"]:
                    container["image"] = f"{name}:{version}"


if __name__ == "__main__":
    sys.exit(main())
