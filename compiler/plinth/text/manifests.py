"""Manifests of others, read as the tools of Kubernetes read them.

A manifest has no positions that anybody asks for, and may use all of YAML. What a scalar means
follows kustomize and the API server: a date or a time of day is text, `yes` and `on` are text too,
and `0755` is octal.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_RESOLVERS = (
    ("tag:yaml.org,2002:bool", re.compile("true|True|TRUE|false|False|FALSE"), "tTfF"),
    ("tag:yaml.org,2002:null", re.compile("~|null|Null|NULL|"), ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:int", re.compile("[-+]?(0o?[0-7]+|0x[0-9a-fA-F]+|0|[1-9][0-9]*)"), "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        re.compile(
            r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
        ),
        "-+0123456789.",
    ),
)


class ManifestError(ValueError):
    """Text that is no stream of YAML documents."""


def read_manifests(data: bytes) -> tuple[dict[str, Any], ...]:
    """Every document of a stream that is a map; empty ones are left out.

    Raises:
        ManifestError: it is not YAML, or a document is something else than a map.
    """
    import yaml  # noqa: PLC0415 - only who reads manifests pays for it

    try:
        documents = list(yaml.load_all(data, Loader=_loader()))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ManifestError(str(error)) from None
    found = [document for document in documents if document is not None]
    if not all(isinstance(document, dict) for document in found):
        raise ManifestError("a document is no map")
    return tuple(found)


@cache
def _loader() -> Any:
    import yaml  # noqa: PLC0415 - only who reads manifests pays for it

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]  # chosen at run time
        """A safe loader that knows the scalars of YAML 1.2, and octals."""

        yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as PyYAML has it

    for tag, pattern, first in _RESOLVERS:
        Loader.add_implicit_resolver(tag, re.compile(f"^(?:{pattern.pattern})$"), list(first))

    def integer(loader: Any, node: Any) -> int:
        text = loader.construct_scalar(node)
        sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.lstrip("+"))
        if digits.startswith("0x"):
            return sign * int(digits, 0)
        if digits.startswith("0") and len(digits) > 1:
            return sign * int(digits.removeprefix("0o"), 8)
        return sign * int(digits)

    def number(loader: Any, node: Any) -> float:
        return float(loader.construct_scalar(node).replace(".inf", "inf").replace(".nan", "nan"))

    Loader.add_constructor("tag:yaml.org,2002:int", integer)
    Loader.add_constructor("tag:yaml.org,2002:float", number)
    return Loader
