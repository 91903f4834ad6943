"""From `terraform output -json` to what is recorded of an environment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from plinth.diagnostics.diagnostic import Diagnostic, PlinthError, listed
from plinth.diagnostics.secrets import secret_in

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


class Taken(Struct, frozen=True, kw_only=True):
    """What was taken from the outputs of one or more roots."""

    values: Mapping[str, str]
    left_out: tuple[str, ...]
    """Names that the compiled tree does not declare, sorted."""


def taken(data: bytes | str, declared: Collection[str], source: str) -> Taken:
    """The declared outputs among those that Terraform printed.

    Args:
        data: What `terraform output -json` printed.
        declared: The names that the compiled tree declares and that are not sensitive.
        source: Where it is from, for messages.

    Raises:
        PlinthError: it is something else, a declared output is sensitive or no text, or none is declared.
    """
    found = _read(data, source)
    values: dict[str, str] = {}
    for name in sorted(found.keys() & set(declared)):
        values[name] = _value(name, found[name], source)
    left_out = tuple(sorted(found.keys() - set(declared)))
    if left_out and not values:
        wanted = f"it declares {listed(tuple(sorted(declared)))}" if declared else "it declares none at all"
        raise _fault(
            f"{source} has {listed(left_out)}, and the compiled tree declares no such output",
            f"{wanted}: name the outputs of this environment, or run `plinth compile` first",
        )
    return Taken(values=values, left_out=left_out)


def recorded(
    before: Mapping[str, Mapping[str, str]],
    environment: str,
    values: Mapping[str, str],
    declared: Collection[str],
) -> dict[str, Mapping[str, str]]:
    """The record with what is known now; what nobody declares any more leaves it, the rest stays."""
    kept = {name: value for name, value in before.get(environment, {}).items() if name in declared}
    after = {**before, environment: {**kept, **values}}
    return {name: each for name, each in after.items() if each}


def _read(data: bytes | str, source: str) -> dict[str, Any]:
    help_ = "give what `terraform output -json` prints in a root"
    try:
        found = json.loads(data)
    except ValueError:
        raise _fault(f"{source} is no JSON", help_) from None
    if not isinstance(found, dict) or not all(
        isinstance(each, dict) and {"value", "sensitive"} <= each.keys() for each in found.values()
    ):
        raise _fault(f"{source} is JSON of another kind", help_)
    return found


def _value(name: str, output: Mapping[str, Any], source: str) -> str:
    if output["sensitive"]:
        raise _fault(
            f"the output `{name}` of {source} is sensitive",
            "nothing secret is written into the tree: make the root as it is compiled, and apply it again",
        )
    value = output["value"]
    if not isinstance(value, str) or not value:
        raise _fault(f"the output `{name}` of {source} is no text", "apply the root as it is compiled")
    if secret_in(value):
        raise _fault(
            f"the output `{name}` of {source} looks like a secret",
            "nothing secret is written into the tree; its value is not shown here either",
        )
    return value


def _fault(message: str, help_: str) -> PlinthError:
    return PlinthError(Diagnostic(code="PLN945", message=message, help=help_))
