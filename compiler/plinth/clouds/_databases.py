"""Databases on a server that somebody else runs, alike on every cloud; and the entry of those on ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.ir.answers import DatabaseFacts
from plinth.ir.needs import Secret, SecretKey
from plinth.ir.said import Said, said, text

if TYPE_CHECKING:
    from plinth.ir.answers import SecretFacts
    from plinth.ir.needs import Database
    from plinth.spec.platform import ExistingDatabase


def entry_name(need: Database, platform: Said) -> Said:
    """The entry that holds a database's user: named by a person for a server of theirs, by us for ours."""
    existing = need.server.existing
    return said(existing, "secret") if existing else text(platform, "-postgres-", need.name)


def entry_of(need: Database, platform: Said) -> Secret:
    """The entry with a database's user and password: a person's, or made up."""
    return Secret(
        name=entry_name(need, platform),
        reader=need.reader,
        made_by="person" if need.server.existing else "generated",
        keys=(SecretKey(name="username", value=need.name), SecretKey(name="password", form="password")),
        origins=need.origins,
    )


def existing_facts(need: Database, existing: ExistingDatabase, secret: SecretFacts) -> DatabaseFacts:
    """How a program reaches a database on somebody else's server."""
    return DatabaseFacts(
        host=said(existing, "host"),
        port=said(existing, "port"),
        database=Said(need.name, need.origins),
        tls="prefer",
        secret=secret,
    )
