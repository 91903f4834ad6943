"""One fault, one place, one way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plinth.text.spans import Span, SpecPath

Severity = Literal["error", "warning"]


class Related(Struct, frozen=True, kw_only=True):
    """Another place that a reader needs to see to understand the fault."""

    message: str
    path: SpecPath = ()
    span: Span | None = None


class Diagnostic(Struct, frozen=True, kw_only=True):
    """What is wrong, where, and what to do about it.

    `path` says which part of the spec is at fault; the span is looked up last, when the text is
    at hand. A fault of the text itself (a duplicate key) has its span at once.
    """

    code: str
    """Never given to another fault: `PLN204`."""
    message: str
    """States what is. Backticks hold what the reader typed."""
    help: str
    """Says what to do."""
    severity: Severity = "error"
    path: SpecPath = ()
    at_key: bool = False
    """The fault is the key (an unknown one), not its value."""
    span: Span | None = None
    label: str = ""
    """Said beside the underlined text."""
    related: tuple[Related, ...] = ()
    environments: tuple[str, ...] = ()
    """The environments that share the fault; empty where it holds for all of them."""


class PlinthError(Exception):
    """The world is not as it must be: a full disk, a missing file, no rights.

    Raised with a diagnostic that names what was tried.
    """

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class SpecError(Exception):
    """The spec has faults; `diagnostics` holds every one of the stage that found them."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(f"{len(diagnostics)} faults in the spec")
        self.diagnostics = diagnostics


def has_errors(diagnostics: tuple[Diagnostic, ...]) -> bool:
    """True where at least one is more than a warning."""
    return any(each.severity == "error" for each in diagnostics)


def listed(names: Iterable[Any], *, most: int = 3) -> str:
    """Names in a row, in backticks, the rest of a long row as a number."""
    every = [f"`{name}`" for name in names]
    rest = len(every) - most
    return ", ".join(every[:most]) + (f" and {rest} more" if rest > 0 else "")
