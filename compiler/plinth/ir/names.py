"""Names that a cloud would refuse, said before it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.diagnostics.diagnostic import Diagnostic

if TYPE_CHECKING:
    from plinth.text.spans import SpecPath


def too_long(name: str, longest: int, what: str, path: SpecPath) -> Diagnostic:
    """The fault of a name beyond a limit, with the name as it would be.

    `what` follows the name's length: "a cluster on Google Cloud".
    """
    return Diagnostic(
        code="PLN313",
        message=f"`{name}` is {len(name)} characters long, and {what} has at most {longest}",
        help=f"make this name at least {len(name) - longest} shorter",
        path=path,
    )
