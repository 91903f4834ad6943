"""From a field that differs to the lines of the spec that it comes from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from plinth.ir.origins import origins_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KEYS: Final = re.compile(r"\[(?P<pairs>.*)\]", re.DOTALL)


def of_fields(
    paths: Iterable[str], body: Mapping[str, Any], origins: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """The origins of fields, each once, paths of the spec first; the object's where no field is named."""
    found = dict.fromkeys(
        origin for path in list(paths) or [""] for origin in origins_at(origins, _pointer(path, body))
    )
    return tuple(sorted(found, key=lambda text: text.startswith("because ")))


def _pointer(path: str, body: Any) -> str:
    """The JSON pointer of a path whose list items stand by their keys; as far as the desired object goes."""
    done: list[str] = []
    for part in path.split("/")[1:]:
        plain = part.replace("~1", "/").replace("~0", "~")
        if isinstance(body, list):
            index = _index(plain, body)
            if index is None:
                break
            done.append(str(index))
            body = body[index]
        else:
            done.append(part)
            body = body.get(plain) if isinstance(body, dict) else None
    return "".join(f"/{part}" for part in done)


def _index(part: str, items: list[Any]) -> int | None:
    if part.isdecimal():
        return int(part) if int(part) < len(items) else None
    match = _KEYS.fullmatch(part)
    if match is None:
        return None
    wanted = [pair.partition("=") for pair in match["pairs"].split(",")]
    for index, item in enumerate(items):
        if isinstance(item, dict):
            # A key with a default, such as a port's protocol, may be left out where it is desired.
            if all(str(item.get(key, value)) == value for key, _, value in wanted):
                return index
        elif [str(item)] == [value for _, _, value in wanted]:  # a member of a set: `[=x]`
            return index
    return None
