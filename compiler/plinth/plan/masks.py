"""Values of fields as they may be shown: nothing secret leaves here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from plinth.diagnostics.secrets import hide_secrets
from plinth.plan.fields import ABSENT, FieldChange

HIDDEN: Final = "(hidden)"
_SECRET_FIELDS: Final = frozenset({("data",), ("stringData",)})
_DEEPEST: Final = 200


def masked(change: FieldChange, *, is_secret: bool) -> FieldChange:
    """A change as it may be shown.

    Every value of a Secret is hidden, and everywhere what looks like a secret. Two hidden values look the
    same and are not, or there would be no change.
    """
    in_secret = is_secret and change.way[:1] in _SECRET_FIELDS
    before, after = (_shown(value, is_hidden=in_secret) for value in (change.before, change.after))
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
        return HIDDEN
    if not isinstance(value, str):
        return value
    shown = hide_secrets(value)
    return HIDDEN if shown and not shown.strip("*") else shown
