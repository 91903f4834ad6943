"""What is wrong with a network whatever the cloud that makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.diagnostics.diagnostic import Diagnostic

if TYPE_CHECKING:
    from plinth.spec.platform import Network


def access_faults(network: Network) -> list[Diagnostic]:
    """A public control plane without ranges: nobody would reach it, or on some clouds the whole world."""
    if network.access == "private" or network.allow:
        return []
    return [
        Diagnostic(
            code="PLN319",
            message="the control plane has a public address, and nobody may reach it",
            help="name the ranges that may: `allow: [203.0.113.0/24]`; or leave it private",
            path=network.said_path("access"),
        )
    ]
