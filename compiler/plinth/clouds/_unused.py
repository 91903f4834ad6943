"""What a spec says and a cloud does nothing with: told as a warning, never ignored.

It is no error, for one spec is laid over several clouds, and what one of them has no use for another needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.diagnostics.diagnostic import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plinth.spec.platform import Platform
    from plinth.spec.section import Section

CODE: Final = "PLN327"


def unused(section: Section, field: str, where: str, instead: str) -> Iterator[Diagnostic]:
    """A warning where somebody said this field; a default is nobody's doing.

    `where` follows "has no use"; `instead` is what to do, or what holds in its place.
    """
    if section.origin(field) is None:
        return
    yield Diagnostic(
        code=CODE,
        severity="warning",
        message=f"`{section.key_of(field)}` has no use {where}",
        help=instead,
        path=section.said_path(field),
        at_key=True,
    )


def unused_ranges(platform: Platform, *fields: str) -> Iterator[Diagnostic]:
    """Ranges of addresses beside a network that is there already and has its own."""
    for field in fields:
        yield from unused(
            platform.network,
            field,
            "in a network that is there already",
            "remove it: addresses are those that the network has",
        )


def unused_size(platform: Platform) -> Iterator[Diagnostic]:
    """The size of a database server that somebody else runs."""
    database = platform.storage.database
    if database and database.existing:
        yield from unused(
            database,
            "size",
            "for a server that is there already",
            "remove it: whoever runs the server decides its size",
        )
