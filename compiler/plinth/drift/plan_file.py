"""A Terraform plan in JSON: what it is proven to be before anything is read from it.

Source: Terraform, "JSON Output Format", plan representation 1.2.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Json = Mapping[str, Any]

LARGEST_BYTES: Final = 64 * 2**20
"""Of a file that is read at all."""


class NotAPlan(ValueError):
    """The file is no plan in JSON; the message says what it is."""


def read_plan(data: bytes) -> Json:
    """The plan of a file that `terraform show -json` has written.

    Raises:
        NotAPlan: it is something else.
    """
    if not data.strip():
        raise NotAPlan("it is empty")
    if data.startswith(b"PK\x03\x04"):
        raise NotAPlan("it is a plan as `terraform plan -out` writes it, not its JSON form")
    try:
        plan = json.loads(data)
    except (ValueError, RecursionError):
        if b'"@level"' in data[:4096]:
            raise NotAPlan("it is what `terraform plan -json` says while it works") from None
        raise NotAPlan("it is no JSON") from None
    if not isinstance(plan, dict):
        raise NotAPlan("it is no JSON object")
    if "resource_changes" not in plan and "planned_values" not in plan and "configuration" not in plan:
        is_state = "values" in plan or {"serial", "lineage"} <= plan.keys()
        raise NotAPlan("it is a state, not a plan" if is_state else "it is no plan of Terraform")
    version = str(plan.get("format_version", ""))
    if version.partition(".")[0] != "1":
        raise NotAPlan(f"its format is `{version[:20]}`, and 1.x is understood")
    _check(plan)
    return plan


def addresses(plan: Json) -> frozenset[str]:
    """The managed resources that the plan's configuration has, without what `count` adds to them."""
    module = (plan.get("configuration") or {}).get("root_module") or {}
    found = {each["address"] for each in module.get("resources") or () if each.get("mode") == "managed"}
    return frozenset(found or {bare(each["address"]) for each in managed(plan, "resource_changes")})


def constants(plan: Json) -> dict[str, str]:
    """What the plan's providers are configured with, where it is a plain text: `{"project": ...}`."""
    found: dict[str, str] = {}
    for provider in ((plan.get("configuration") or {}).get("provider_config") or {}).values():
        for name, expression in (provider.get("expressions") or {}).items():
            value = expression.get("constant_value") if isinstance(expression, dict) else None
            if isinstance(value, str):
                found[name] = value
    return found


def managed(plan: Json, name: str) -> Iterator[Json]:
    """The entries of a list that are of managed resources, each `change` with a `before` and an `after`."""
    for each in plan.get(name) or ():
        if each.get("mode", "managed") == "managed":
            change = each["change"]
            yield {**each, "change": {**change, "before": change.get("before"), "after": change.get("after")}}


def bare(address: str) -> str:
    """An address without what `count` or `for_each` adds to it."""
    return re.sub(r"\[[^\]]*\]", "", address)


def _check(plan: Json) -> None:
    """Accept the shape that everything here builds on."""
    for name in ("resource_changes", "resource_drift"):
        for each in plan.get(name) or ():
            change = each.get("change") if isinstance(each, dict) else None
            if not (
                isinstance(change, dict)
                and isinstance(each.get("address"), str)
                and isinstance(change.get("actions"), list)
            ):
                raise NotAPlan(f"an entry of its `{name}` has no address or no actions")
