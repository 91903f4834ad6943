"""Values as they may be shown: what is secret is hidden, and that two hidden values differ is not.

Hidden are all values that a Secret holds, in its annotations as well, and anywhere else what has the
name of a secret or looks like one. Nothing of a hidden value is left, neither its length nor a digest.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

from plinth.diagnostics.secrets import hide_secrets
from plinth.drift.desired import LAST_APPLIED, group_kind
from plinth.drift.paths import ABSENT, Keys, Path, is_too_deep

HIDDEN: Final = "(secret)"
DIFFERS: Final = "(secret, differs)"

_SECRET_WORDS: Final = frozenset(
    {
        "apikey",
        "auth",
        "authorization",
        "bearer",
        "cookie",
        "cred",
        "credential",
        "credentials",
        "creds",
        "dsn",
        "htpasswd",
        "kubeconfig",
        "pass",
        "passphrase",
        "passwd",
        "password",
        "passwords",
        "pat",
        "pgpass",
        "pwd",
        "salt",
        "secret",
        "secrets",
        "token",
        "tokens",
    }
)
_KEYS_OF: Final = frozenset(
    {
        "access",
        "account",
        "api",
        "client",
        "encryption",
        "hmac",
        "license",
        "master",
        "private",
        "secret",
        "signing",
        "ssh",
    }
)
"""`API_KEY` is a secret, the `key` of a toleration is none."""
_ABOUT: Final = frozenset(
    {
        "algorithm",
        "class",
        "count",
        "enabled",
        "expiration",
        "expiry",
        "file",
        "format",
        "id",
        "interval",
        "kind",
        "lifetime",
        "mode",
        "mount",
        "name",
        "names",
        "namespace",
        "path",
        "policy",
        "ref",
        "refs",
        "rotation",
        "seconds",
        "store",
        "ttl",
        "type",
        "version",
    }
)
"""A name that ends so tells about a secret, or where one is."""

_ENDS: Final = ("password", "passwd")
"""What a word may end with that is written as one: `PGPASSWORD`."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SETTING: Final = re.compile(
    r"""
    (?P<name>-{0,2}[A-Za-z_][\w.-]*)
    (?P<between>\\?["']?(?:[ \t]*=[ \t]*|[ \t]*:[ \t]+|:(?=["'])|(?<=[\w"'])[ \t]+))
    (?P<value>\\?"(?:[^"\\]|\\.)*"?|'[^']*'?|(?:(?:Bearer|Basic)[ ]+)?[^\s,;&]+)
    (?P<rest>[^\n]*)
    """,
    re.VERBOSE,
)
"""`--db-password=x`, `password: "x"`, `--token x`: a name and what it is set to, within a text."""
_QUOTED: Final = re.compile(
    r'((?:Invalid|Unsupported|Duplicate) value: )("(?:[^"\\]|\\.)*"|\{.*?\}(?=:|$)|[^":{]+)', re.DOTALL
)
_SHORTEST: Final = 4
"""Characters of a value that is looked for in messages: a shorter one is in every word."""


def is_secret_name(name: str) -> bool:
    """True for the name of what holds a secret: `DB_PASSWORD`, `apiKey`; not for `secretName`, `tokenTtl`."""
    words = [word.lower() for word in _WORD.findall(name.rpartition("/")[2])]
    if not words or words[-1] in _ABOUT:
        return False
    if not _SECRET_WORDS.isdisjoint(words) or any(word.endswith(_ENDS) for word in words):
        return True
    return any(word in {"key", "keys"} and before in _KEYS_OF for before, word in pairwise(words))


class Masks:
    """What is to be hidden of one object, wherever its values appear."""

    def __init__(self, *bodies: Mapping[str, Any]) -> None:
        """`bodies` are the desired and the live object and what probes answered."""
        self._is_secret = any(group_kind(body) == ("", "Secret") for body in bodies)
        self._bodies = bodies

    @cached_property
    def _known(self) -> Sequence[str]:
        """What is hidden, longest first. Few objects are refused, and only then is it asked for."""
        texts = {text for body in self._bodies for text in self._secrets(body)}
        return sorted(texts, key=len, reverse=True)

    def pair(self, path: Path, one: Any, other: Any) -> tuple[Any, Any]:
        """Two values of one place, fit to be shown; ABSENT stays."""
        names = _names_of(path)
        hidden = self._holds_secret(names)
        first, second = (
            side if side is ABSENT else _masked(side, names, hidden=hidden) for side in (one, other)
        )
        return first, second if one is ABSENT or other is ABSENT else _marked(first, second, one, other)

    def message(self, text: str) -> str:
        """What a server said, without the values that it quotes; of a Secret nothing is left to say."""
        if self._is_secret:
            return "(what was said of a Secret is not shown)"
        return _settings_hidden(self.place(_QUOTED.sub(r"\1(not shown)", text)))

    def place(self, text: str) -> str:
        """A place that a server names, without the values that are known to be secret."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return hide_secrets(text)

    def _holds_secret(self, names: Sequence[str]) -> bool:
        if LAST_APPLIED in names:
            return True
        if self._is_secret:
            return names[:1] != ["metadata"] or "annotations" in names
        return False

    def _secrets(self, body: Mapping[str, Any]) -> Iterator[str]:
        """Every text of an object that is hidden, in the forms in which a message could quote it."""
        for names, part in _parts(body):
            masked = _masked(part, names, hidden=self._holds_secret(names))
            for text in _hidden(part, masked):
                if len(text) >= _SHORTEST:
                    yield from _forms(text)


def _parts(body: Mapping[str, Any]) -> Iterator[tuple[list[str], Any]]:
    """The fields of an object, those of its metadata, and those of what was applied last."""
    for key, value in body.items():
        if key == "metadata" and isinstance(value, Mapping):
            yield from ((["metadata", str(name)], child) for name, child in value.items())
            annotations = value.get("annotations")
            last = _read(annotations.get(LAST_APPLIED)) if isinstance(annotations, Mapping) else None
            if isinstance(last, Mapping):
                yield from _parts(last)
        else:
            yield [str(key)], value


def _hidden(value: Any, masked: Any) -> Iterator[str]:
    """The texts that differ from what is shown in their place."""
    if isinstance(value, Mapping) and isinstance(masked, Mapping):
        for key, child in masked.items():
            yield from _hidden(value[key], child)
    elif isinstance(value, Sequence) and isinstance(masked, list):
        for one, other in zip(value, masked, strict=True):
            yield from _hidden(one, other)
    elif value != masked:
        yield str(value)


def _forms(text: str) -> Iterable[str]:
    yield text
    yield json.dumps(text)[1:-1]
    yield base64.b64encode(text.encode(errors="surrogatepass")).decode()
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except ValueError:
        return
    if len(decoded) >= _SHORTEST:
        yield decoded


def _read(text: object) -> Any:
    try:
        read = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return None if is_too_deep(read) else read


def _names_of(path: Path) -> list[str]:
    """The names that a place goes by: keys of maps, and of a named item its name, in place of `value`."""
    names: list[str] = []
    for index, part in enumerate(path):
        if isinstance(part, str):
            before = path[index - 1] if index else None
            own = dict(before.pairs).get("name") if isinstance(before, Keys) else None
            names.append(str(own) if part == "value" and own is not None else part)
    return names


def _names_under(names: list[str], item: Mapping[str, Any], key: str) -> list[str]:
    """In `{name: PASSWORD, value: x}` it is the name that says what the value is."""
    own = item.get("name", item.get("key"))
    return [*names, own if key == "value" and isinstance(own, str) else key]


def _masked(value: Any, names: list[str], *, hidden: bool) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _masked(child, _names_under(names, value, str(key)), hidden=hidden)
            for key, child in value.items()
            if key != LAST_APPLIED
        }
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _masked_list(value, names, hidden=hidden)
    if value is None or isinstance(value, bool):
        return HIDDEN if hidden and value is not None else value
    if hidden or (names and is_secret_name(names[-1])):
        return HIDDEN
    return _text_hidden(value) if isinstance(value, str) else value


def _masked_list(values: Sequence[Any], names: list[str], *, hidden: bool) -> list[Any]:
    """A list, in which `--password` hides what follows it."""
    shown: list[Any] = []
    after_flag = False
    for value in values:
        shown.append(_masked(value, names, hidden=hidden or (after_flag and isinstance(value, str))))
        after_flag = (
            isinstance(value, str) and value.startswith("-") and "=" not in value and is_secret_name(value)
        )
    return shown


def _text_hidden(text: str) -> str:
    hidden = _settings_hidden(text)
    return hidden if hide_secrets(hidden) == hidden else HIDDEN


def _settings_hidden(text: str) -> str:
    """A text in which `password: x` has become `password: (secret)`, up to the end of a YAML line."""
    lines = []
    for line in text.split("\n"):
        start = 0
        shown = ""
        while found := _SETTING.search(line, start):
            is_flag = found["between"].strip() or found["name"].startswith("-")
            if not (is_flag and is_secret_name(found["name"])):
                # The value may itself be a name: `env: password: x`.
                shown += line[start : found.end("name")]
                start = found.end("name")
                continue
            if found["value"][:1] in {"|", ">", "&"}:
                return HIDDEN
            is_yaml = ":" in found["between"] and found["value"][:1] not in "\"'\\"
            shown += line[start : found.start("value")] + HIDDEN
            start = len(line) if is_yaml else found.end("value")
        lines.append(shown + line[start:])
    return "\n".join(lines)


def _marked(first: Any, second: Any, one: Any, other: Any) -> Any:
    """The second of two masked values, with a mark where the same is shown for what differs."""
    if isinstance(second, str):
        return second.replace(HIDDEN, DIFFERS) if first == second and one != other else second
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return {
            key: _marked(first[key], child, one[key], other[key]) if key in first else child
            for key, child in second.items()
        }
    if isinstance(first, list) and isinstance(second, list):
        pairs = zip(first, second, one, other, strict=False)
        return [_marked(*pair) for pair in pairs] + second[len(first) :]
    return second
