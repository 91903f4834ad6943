"""Values of fields as they may be shown: nothing secret leaves here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from plinth.diagnostics.secrets import hide_secrets
from plinth.plan.fields import ABSENT, FieldChange

SECRET: Final = "(secret)"  # noqa: S105 - stands in the place of one
OTHER_SECRET: Final = "(another secret)"  # noqa: S105 - the same
_SECRET_FIELDS: Final = frozenset({("data",), ("stringData",)})
_DEEPEST: Final = 200


def masked(change: FieldChange, *, is_secret: bool) -> FieldChange:
    """A change as it may be shown.

    Every value of a Secret is hidden, and everywhere what looks like a secret; that two values differ
    stays to be seen.
    """
    in_secret = is_secret and change.way[:1] in _SECRET_FIELDS
    before, after = (_shown(value, is_hidden=in_secret) for value in (change.before, change.after))
    if change.before is not ABSENT and change.after is not ABSENT and before == after:
        after = OTHER_SECRET if in_secret or not isinstance(after, str) else f"{after} {OTHER_SECRET}"
    return replace(change, before=before, after=after)


def _shown(value: Any, *, is_hidden: bool, depth: int = 0) -> Any:
    if value is ABSENT:
        return value
    if depth > _DEEPEST:
        return "(too deep to be shown)"
    if isinstance(value, Mapping):
        return {
            hide_secrets(str(key)): _shown(part, is_hidden=is_hidden, depth=depth + 1)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_shown(part, is_hidden=is_hidden, depth=depth + 1) for part in value]
    if is_hidden:
        return SECRET
    return hide_secrets(value) if isinstance(value, str) else value
