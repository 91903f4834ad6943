"""A state that looks as if the real provider had applied a plan.

What the provider itself planned to create is what there is. Where the plan leaves a value to the apply, the state
has what the stub made up, which applied the same configuration and knows types, but neither defaults nor versions.

Source: Terraform, "JSON output format"; state files of version 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

JsonObject = dict[str, Any]

ANSWERED: Final[dict[str, JsonObject]] = {"google_compute_firewall": {"enable_logging": True}}
"""Where the provider holds two answers of Google against each other: of rules with a `log_config`, and all of ours
have one, the older argument of the same meaning is true."""


def resources(made_up: JsonObject, plan: JsonObject) -> Iterator[JsonObject]:
    """The resources of a state that the stub left, with the values that a plan of the same creates has."""
    planned = {each["address"]: each["change"] for each in changes(plan)}
    versions = dict(_versions(plan["planned_values"]["root_module"]))
    for resource in made_up["resources"]:
        if resource["mode"] != "managed":
            continue
        address = f"{resource['module']}.{resource['type']}.{resource['name']}"
        change, (instance,) = planned[address], resource["instances"]
        attributes = _known(change["after"], change["after_unknown"], instance["attributes"])
        attributes |= ANSWERED.get(resource["type"], {})
        # What is sensitive stays marked: a mark that comes or goes is a change to Terraform.
        whole = {**instance, "schema_version": versions[address], "attributes": attributes}
        yield {**resource, "provider": _provider(resource["provider"]), "instances": [whole]}


def state(some: Iterable[JsonObject]) -> JsonObject:
    """A state that holds some resources."""
    head = {"version": 4, "terraform_version": "1.11.0", "serial": 1, "lineage": "plinth", "outputs": {}}
    return {**head, "resources": list(some)}


def changes(plan: JsonObject) -> Iterator[JsonObject]:
    """The changes of managed resources."""
    return (each for each in plan.get("resource_changes", ()) if each["mode"] == "managed")


def _provider(address: str) -> str:
    """Without the alias, which is another one in another configuration."""
    return address.partition("]")[0] + "]"


def _versions(module: JsonObject) -> Iterator[tuple[str, int]]:
    for resource in module.get("resources", ()):
        yield resource["address"], resource["schema_version"]
    for child in module.get("child_modules", ()):
        yield from _versions(child)


def _known(after: Any, unknown: Any, made_up: Any) -> Any:
    """What is planned, with what is made up in place of what is not known yet."""
    if unknown is True:
        return made_up
    if isinstance(after, dict):
        found = unknown if isinstance(unknown, dict) else {}
        other = made_up if isinstance(made_up, dict) else {}
        return {key: _known(after.get(key), found.get(key), other.get(key)) for key in {**after, **found}}
    if isinstance(after, list) and isinstance(unknown, list):
        others = made_up if isinstance(made_up, list) else []
        return [
            _known(each, unknown[at] if at < len(unknown) else None, others[at] if at < len(others) else None)
            for at, each in enumerate(after)
        ]
    return after
