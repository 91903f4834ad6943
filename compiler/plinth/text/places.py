"""Which part of a YAML or JSON document stands on a line."""

from __future__ import annotations

from typing import Any


def pointers(data: bytes) -> tuple[str, ...]:
    """The JSON pointer of what stands on each line of a document, the deepest where several do.

    The first is that of line 1. A line that holds only a bracket or a comment belongs to what it
    closes, or to what is around it.

    Raises:
        ValueError: it is not YAML.
    """
    import yaml  # noqa: PLC0415 - only who asks pays for it

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        root = yaml.compose(data.decode("utf-8"), Loader=loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    lines = [""] * (data.count(b"\n") + 1)
    if root is not None:
        _fill(root, "", lines)
    return tuple(lines)


def _fill(node: Any, where: str, lines: list[str]) -> None:
    if node.id == "mapping":
        children = [(key, value, _part(key.value)) for key, value in node.value]
    elif node.id == "sequence":
        children = [(value, value, str(index)) for index, value in enumerate(node.value)]
    else:
        return
    for first, value, part in children:
        place = f"{where}/{part}"
        for line in range(first.start_mark.line, _last_line(value) + 1):
            lines[line] = place
        _fill(value, place, lines)


def _last_line(node: Any) -> int:
    end = node.end_mark
    # A block ends where the next token begins, at the start of a line that is not its own.
    is_next = end.column == 0 and end.line > node.start_mark.line
    return int(end.line) - 1 if is_next else int(end.line)


def _part(key: str) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")
