"""Write the pages of `docs/` that are made from code: `spec.md`, and the table in `machines.md`.

    python tools/reference.py [--check]

With `--check` nothing is written; the exit code is 1 where a page is not what the code gives.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import annotated_types
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticUndefined

from plinth import registry
from plinth.catalog.machines import CLOUDS, machines
from plinth.spec import Section, fields, rules
from plinth.spec.platform import ComponentSection, Document, Metadata, Platform

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic.fields import FieldInfo

DOCS: Final = Path(__file__).parent.parent / "docs"

BEGIN: Final = "<!-- gpu shapes: written by tools/reference.py -->"
END: Final = "<!-- end of gpu shapes -->"

NAMED: Final = {
    "name": fields.Name,
    "memory": fields.Memory,
    "duration": fields.Duration,
    "range": fields.Cidr,
    "domain": fields.Domain,
    "e-mail": fields.Email,
    "branch": fields.Branch,
    "path": fields.RelativePath,
    "git URL": fields.GitUrl,
    "secret name": fields.SecretName,
    "bucket URL": fields.BucketUrl,
}
"""Types that more than one field has, by what the page calls them."""

NO_VALUE: Final = "!"
"""Refused by every type of `NAMED`; the refusal says what is wanted instead."""

HEAD: Final = """\
# platform.yaml, section by section

Written by `tools/reference.py` from the types that read the file. [environments.md](environments.md) says how
an environment changes a section, [patches.md](patches.md) what goes into `patches`, and
[machines.md](machines.md) how the shape of a node pool becomes a machine.

The file is YAML 1.2 with fewer liberties: no anchors, aliases, merge keys or tags, no key twice, no `yes` or
`on` without quotes, no octal numbers, no dates. A number is no text: `kubernetes: "1.34"` has quotes. Keys
that are not listed here are refused. `plinth schema` prints the same as JSON Schema, and an editor with the
YAML language server checks a file whose first line names it.

A default in the column says what holds where the key is absent; `-` is "nothing".
"""


def main(arguments: Sequence[str] | None = None, *, folder: Path = DOCS) -> int:
    """Write or check; 0 where all is well, 1 where a checked page is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    stale = 0
    for name, text in pages(folder).items():
        path = folder / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        print(f"{name}: {'stale' if options.check else 'written'}")
        stale = 1
        if not options.check:
            path.write_text(text, encoding="utf-8")
    return stale if options.check else 0


def pages(folder: Path) -> dict[str, str]:
    """Every page that is made here by its name; of `machines.md` the text around the table is kept."""
    text = (folder / "machines.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return {"spec.md": spec_page(), "machines.md": f"{before}{BEGIN}\n\n{gpu_table()}\n{END}{after}"}


def spec_page() -> str:
    """The reference of the spec."""
    parts = [HEAD, _top(), _table("metadata", Metadata), _table("spec", Platform, also=_environments_row())]
    for name in registry.names("clouds"):
        section = registry.load("clouds", name).Section
        parts.append(_table(f"spec.cloud` with `provider: {name}", section))
    for key, info in _fields(Platform):
        if key not in {"cloud", "components"}:
            parts += _below(f"spec.{key}", _annotation(Platform, info[0]))
    about = "What each component's section may have beside its own keys."
    parts.append(_table("spec.components.NAME", ComponentSection, about=about))
    for name in registry.names("components"):
        component = registry.load("components", name)
        known = ", ".join(f"`{version}`" for version in component.versions(registry.catalog_folders()))
        about = f"{_first_line(component.Section)} Versions: {known}."
        parts.append(
            _table(f"spec.components.{name}", component.Section, about=about, without=ComponentSection)
        )
    parts += [_types(), _limits()]
    return "\n".join(parts)


def gpu_table() -> str:
    """The GPUs and other accelerators that a pool can ask for on each cloud, as Markdown."""
    return "\n".join(f"### {title}\n\n{_devices(cloud)}" for cloud, title in CLOUDS.items())


def _devices(cloud: str) -> str:
    rows = ["| `model` | `count` | `interconnect` | machine | vCPU | memory | USD an hour | priced on |"]
    rows.append("| - | -: | - | - | -: | -: | -: | - |")
    found = [each for each in machines(cloud) if each.gpu_count and not (each.is_fractional or each.is_metal)]
    for each in sorted(found, key=lambda each: (each.gpu_model or "", each.gpu_count, each.vcpu, each.name)):
        link = f"`{each.gpu_interconnect}`" if each.gpu_interconnect == "nvlink" else "-"
        price = "-" if each.on_demand_usd_h is None else f"{each.on_demand_usd_h:.2f}"
        day = each.as_of.isoformat() if each.as_of else "unknown"
        rows.append(
            f"| `{each.gpu_model}` | {each.gpu_count:g} | {link} | {each.machine_type} | {each.vcpu} "
            f"| {each.memory_gib:g}Gi | {price} | {day} |"
        )
    return "\n".join(rows) + "\n"


def _top() -> str:
    rows = [
        f"| `{key}` | {_words(_annotation(Document, field))} | required | {_meaning(Document, field, info)} |"
        for key, (field, info) in _fields(Document)
    ]
    return _section("The file", "Four keys, all required.", rows)


def _environments_row() -> str:
    return (
        "| `environments` | map of changes by [name](#types-of-values) | one, `default` "
        "| What each environment changes: [environments.md](environments.md). |"
    )


def _below(path: str, annotation: Any) -> Iterator[str]:
    """The tables of the section in an annotation and of every section below it."""
    section, is_list = _section_in(annotation)
    if section is None:
        return
    place = f"{path}[]" if is_list else path
    yield _table(place, section)
    for key, (field, _) in _fields(section):
        yield from _below(f"{place}.{key}", _annotation(section, field))


def _table(
    path: str,
    section: type[Section],
    *,
    about: str = "",
    also: str = "",
    without: type[Section] = Section,
) -> str:
    rows = [
        f"| `{key}` | {_words(_annotation(section, field))} | {_default(info)} "
        f"| {_meaning(section, field, info)} |"
        for key, (field, info) in _fields(section)
        if field not in without.model_fields
    ]
    return _section(f"`{path}`", about or _first_line(section), [*rows, *([also] if also else [])])


def _section(title: str, about: str, rows: list[str]) -> str:
    head = f"## {title}\n\n{about}\n"
    if not rows:
        return head
    head += "\n| key | type | default | meaning |\n| - | - | - | - |\n"
    return head + "".join(f"{row}\n" for row in rows)


def _fields(section: type[Section]) -> Iterator[tuple[str, tuple[str, FieldInfo]]]:
    for field, info in section.model_fields.items():
        yield section.key_of(field), (field, info)


def _annotation(section: type[Section], field: str) -> Any:
    """The annotation as it is written: pydantic's own takes apart what has a name."""
    owner = next(kind for kind in section.__mro__ if field in vars(kind).get("__annotations__", {}))
    annotation = owner.__annotations__[field]
    # Alone: other annotations of the class may name what only a type checker imports.
    holder = type("Holder", (), {"__annotations__": {field: annotation}, "__module__": owner.__module__})
    return get_type_hints(holder, include_extras=True)[field]


def _section_in(annotation: Any) -> tuple[type[Section] | None, bool]:
    """The section in an annotation such as `tuple[NodePool, ...] | None`, and whether it is a list's item."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation, False
    for each in get_args(annotation):
        found, is_list = _section_in(each)
        if found is not None:
            return found, is_list or get_origin(annotation) is tuple
    return None, False


def _words(annotation: Any) -> str:
    """A type as a reader knows it."""
    for name, known in NAMED.items():
        if annotation == known:
            return f"[{name}](#types-of-values)"
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _limited(inside[0], inside[1:])
    if origin in {Union, UnionType}:
        kinds = [each for each in inside if each is not NoneType]
        return "number" if kinds == [int, float] else " or ".join(map(_words, kinds))
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in inside)
    if origin is tuple:
        return f"list of {_words(inside[0])}"
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return "map"
    return {bool: "`true` or `false`", int: "whole number", str: "text"}[annotation]


def _limited(kind: Any, metadata: tuple[Any, ...]) -> str:
    # `Field(ge=1, pattern=...)` keeps what it was told as a list of its own.
    told = [part for each in metadata for part in (each, *getattr(each, "metadata", ()))]
    least = next((each for each in told if isinstance(each, annotated_types.Ge | annotated_types.Gt)), None)
    most = next((each for each in told if isinstance(each, annotated_types.Le)), None)
    pattern = next((each.pattern for each in told if getattr(each, "pattern", None)), None)
    words = _words(kind)
    if pattern:
        return f"{words} `{_cell(pattern)}`"
    if isinstance(least, annotated_types.Gt) and most:
        return f"{words} above {least.gt}, at most {most.le}"
    return f"{words}, {least.ge} to {most.le}" if least and most else words


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    if info.default is PydanticUndefined:
        return "as below"  # a section whose own defaults hold
    if info.default is None:
        return "-"
    if isinstance(info.default, bool):
        return f"`{str(info.default).lower()}`"
    return "empty" if info.default == () else _literal(info.default)


def _literal(value: Any) -> str:
    return f"`[{', '.join(map(str, value))}]`" if isinstance(value, tuple) else f"`{value}`"


def _meaning(section: type[Section], field: str, info: FieldInfo) -> str:
    unsaid = _UNSAID.get((section.__name__, field))
    if unsaid:
        return _cell(unsaid)
    if info.description:
        return _cell(info.description)
    inner, is_list = _section_in(_annotation(section, field))
    if inner is not None:
        return f"{'Each: ' if is_list else ''}{_cell(_first_line(inner))}"
    if field == "name":
        return "What others name it by; an environment changes it by this name."
    return ""


_UNSAID: Final = {
    ("Document", "api_version"): "The version of this format.",
    ("Document", "kind"): "What the file is.",
    ("Document", "spec"): "The platform.",
    ("Platform", "cloud"): "Which cloud, and where on it; `provider` decides what else there is.",
    (
        "Platform",
        "components",
    ): "What the platform offers: a section for each component, `{}` for one as it comes.",
    ("Cluster", "maintenance"): "When the cloud may upgrade the cluster; at any time where absent.",
    ("Database", "engine"): "The only engine there is.",
    ("ExistingDatabase", "host"): "Where it is reached.",
    ("ExistingDatabase", "port"): "Its port.",
    ("GcpSection", "provider"): "Google Cloud.",
    ("ExistingSection", "provider"): "A cluster that is there already.",
    ("SignIn", "provider"): "The only provider there is.",
    ("TierGpu", "count"): "Whole GPUs.",
}
"""What the types leave to their names, or say in words for who reads the code."""


def _first_line(section: type[Section]) -> str:
    return (inspect.getdoc(section) or "").partition("\n\n")[0].replace("\n", " ")


def _types() -> str:
    rows = [f"| {name} | {_cell(_wanted(kind))} |\n" for name, kind in NAMED.items()]
    return "## Types of values\n\n| type | how it is written |\n| - | - |\n" + "".join(rows)


def _wanted(kind: Any) -> str:
    """What the type says is wanted, to whom it refuses a value."""
    try:
        TypeAdapter(kind).validate_python(NO_VALUE)
    except ValidationError as error:
        return str(error.errors()[0]["ctx"]["help"])
    raise ValueError(f"{kind} takes {NO_VALUE!r}")


def _limits() -> str:
    words = {"node_pools": "node pools", "tiers": "tiers", "buckets": "buckets", "admins": "administrators"}
    most = [
        f"| {words.get(field, f'`{field}`')} | at most {count} |\n" for field, count in rules.MOST.items()
    ]
    ranges = [
        f"| range of nodes | /{rules.SMALLEST_NODES} or larger |\n",
        f"| range of pods | /{rules.SMALLEST_PODS} or larger |\n",
        f"| pods of one node | a /{rules.PODS_PER_NODE_PREFIX} of that range |\n",
        f"| range of services | /{rules.SMALLEST_SERVICES} or larger |\n",
        "| range of the control plane | exactly a /28 |\n",
    ]
    return "## Limits\n\n| what | limit |\n| - | - |\n" + "".join(most + ranges)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
