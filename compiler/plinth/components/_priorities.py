"""What an autoscaler reads of groups of nodes that it should add to before all others.

It is one ConfigMap of a name that the program has fixed, in a namespace where it looks: levels, and regular
expressions over names of groups. The highest level with a group that will do is taken.

Source: Cluster Autoscaler, "Priority based expander".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.ir.said import Said, origins_of
from plinth.ir.targets import Manifest, ObjectKey
from plinth.text.emit import yaml_numbered

if TYPE_CHECKING:
    from plinth.ir.said import Origin

PRIORITIES: Final = "cluster-autoscaler-priority-expander"

FIRST: Final = 20
OTHERS: Final = 10


def priorities(
    component: str, namespace: str, first: tuple[Said, ...], origins: tuple[Origin, ...]
) -> Manifest:
    """The ConfigMap; `first` are the expressions for the groups that go before all others."""
    # A group of no priority is left out as long as there is one of any: so all others have one.
    levels = {OTHERS: [".*"], FIRST: [each.value for each in first]}
    written = Said(yaml_numbered(levels), (*origins, *origins_of(first)))
    labels = {"app.kubernetes.io/name": component}
    return Manifest(
        application=component,
        key=ObjectKey("", "ConfigMap", namespace, PRIORITIES),
        body={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": PRIORITIES, "labels": labels, "namespace": namespace},
            "data": {"priorities": written},
        },
        origins=origins,
    )
