"""Manifests of others, read as the tools of Kubernetes read them.

A manifest has no positions that anybody asks for, and may use all of YAML. What a scalar means
follows kustomize and the API server: a date or a time of day is text, `yes` and `on` are text too,
and `0755` is octal. Documents are built from the parser's events: PyYAML's own constructors take
twice as long, and this is where a cold compile spends its time.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_INTEGER: Final = re.compile(r"(?P<sign>[-+]?)(?P<digits>0o?[0-7]+|0x[0-9a-fA-F]+|0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_TAGS: Final[dict[str, Callable[[Any], Any]]] = {
    "!": str,
    "tag:yaml.org,2002:bool": lambda text: text in _TRUE,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:null": lambda _text: None,
    "tag:yaml.org,2002:str": str,
}


class ManifestError(ValueError):
    """Text that is no stream of YAML documents."""


def read_manifests(data: bytes) -> tuple[dict[str, Any], ...]:
    """Every document of a stream that is a map; empty ones are left out.

    Raises:
        ManifestError: it is not YAML, or a document is something else than a map.
    """
    import yaml  # noqa: PLC0415 - only who reads manifests pays for it

    try:
        found = [document for document in _Documents(data, yaml).read() if document is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ManifestError(str(error)) from None
    if not all(isinstance(document, dict) for document in found):
        raise ManifestError("a document is no map")
    return tuple(found)


class _Documents:
    """The documents of one stream, built as the parser's events come."""

    def __init__(self, data: bytes, yaml: Any) -> None:
        parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(data)
        self._next: Callable[[], Any] = parser.get_event
        self._yaml = yaml
        self._anchors: dict[str, Any] = {}

    def read(self) -> list[Any]:
        """All documents."""
        found = []
        self._next()  # the stream begins
        while not isinstance(self._next(), self._yaml.StreamEndEvent):  # or a document does
            self._anchors = {}
            found.append(self._node(self._next()))
            self._next()  # the document ends
        return found

    def _node(self, event: Any) -> Any:
        yaml = self._yaml
        kind = type(event)
        if kind is yaml.ScalarEvent:
            if event.tag is not None:
                value = self._tagged(event)
            else:
                value = _scalar(event.value) if event.implicit[0] else event.value
        elif kind is yaml.MappingStartEvent:
            return self._map(event)
        elif kind is yaml.SequenceStartEvent:
            return self._list(event)
        elif event.anchor not in self._anchors:
            raise ValueError(f"an alias to `{event.anchor}`, which is not there")
        else:
            return self._anchors[event.anchor]
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        return value

    def _map(self, event: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if event.anchor is not None:
            self._anchors[event.anchor] = found
        end = self._yaml.MappingEndEvent
        inherited: dict[str, Any] = {}
        while type(key := self._next()) is not end:
            if type(key) is not self._yaml.ScalarEvent:
                raise ValueError("a key is no text")
            value = self._node(self._next())
            if key.value == "<<" and key.implicit[0]:
                for part in reversed(value if isinstance(value, list) else [value]):
                    inherited |= part
            else:
                found[key.value] = value
        for key_text, value in inherited.items():
            found.setdefault(key_text, value)
        return found

    def _list(self, event: Any) -> list[Any]:
        found: list[Any] = []
        if event.anchor is not None:
            self._anchors[event.anchor] = found
        end = self._yaml.SequenceEndEvent
        while type(item := self._next()) is not end:
            found.append(self._node(item))
        return found

    @staticmethod
    def _tagged(event: Any) -> Any:
        if event.tag not in _TAGS:
            raise ValueError(f"the tag `{event.tag}` means nothing in a manifest")
        return _TAGS[event.tag](event.value)


@lru_cache(maxsize=8192)
def _scalar(text: str) -> Any:
    """What a plain scalar means."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text[0] not in "-+.0123456789":
        return text
    number = text.replace("_", "")  # kustomize reads `1_000` as 1000
    integer = _INTEGER.fullmatch(number)
    if integer:
        return _integer(integer["digits"]) * (-1 if integer["sign"] == "-" else 1)
    if _FLOAT.fullmatch(number):
        return float(number.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _integer(digits: str) -> int:
    if digits.startswith("0x"):
        return int(digits, 16)
    if digits.startswith("0") and len(digits) > 1:
        return int(digits.removeprefix("0o"), 8)
    return int(digits)
