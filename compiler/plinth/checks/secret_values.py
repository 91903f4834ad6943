"""PLN403: the value of a secret in an object of ours or in a person's patch.

Upstream's own Secrets are not looked at: they are empty, or filled with what an overlay takes away
or replaces, and a person who adds to them does it by a patch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.checks import Check, Compiled
from plinth.diagnostics.diagnostic import Diagnostic, listed
from plinth.diagnostics.secrets import secret_in
from plinth.ir.kubernetes import CONTAINER_LISTS, may_hold_pods
from plinth.ir.patch import parts_of
from plinth.ir.said import pointer, settle, spec_path
from plinth.ir.targets import Manifest, ObjectKey, Patch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DATA: Final = ("data", "stringData")
_MARKS: Final[dict[Any, str]] = {
    **dict.fromkeys(CONTAINER_LISTS, "containers"),
    **dict.fromkeys(("args", "command", "env"), "what a program is told"),
}
_ALL_MARKS: Final = frozenset(_MARKS.values())

Where = tuple[str, ...]


class SecretValues(Check):
    """Looks at our own objects and at the patches of people."""

    code = "PLN403"
    page = """\
# PLN403: the value of a secret would be in git

An object of ours or a patch of yours gives a Secret its content, or hands a container something that looks
like a key or a password: the marks that issuers put on their keys, a password within a URL, or a long run
of letters and digits that no person would write. What it is, is never shown.

Everything that is compiled is committed. Whoever can read the repository then has the secret, base64 hides
nothing, and taking the line out again does not take it out of the history.

## How to mend it

Put the value into the secret store of the cloud, refer to it by name, and let an ExternalSecret bring it
into the cluster. A container reads it by `valueFrom: {secretKeyRef: {name: ..., key: ...}}`. Take a value
that has been committed for known: replace it where it was issued.

## Examples

```yaml object speaks
apiVersion: v1
kind: Secret
metadata: {name: tracking, namespace: mlflow}
stringData: {password: hunter2}
```

A password within a URL:

```yaml object speaks
apiVersion: v1
kind: Pod
metadata: {name: report, namespace: mlflow}
spec:
  containers:
    - name: report
      image: registry.example/report:v1.4.2
      env: [{name: DATABASE, value: "postgresql://report:hunter2@db.example/runs"}]
```

A Secret that a controller fills, and a reference to one:

```yaml object silent
apiVersion: v1
kind: Secret
metadata: {name: tracking, namespace: mlflow}
```

```yaml object silent
apiVersion: v1
kind: Pod
metadata: {name: report, namespace: mlflow}
spec:
  containers:
    - name: report
      image: registry.example/report:v1.4.2
      env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: tracking, key: password}}}]
```

A spec holds names of secrets, and that is fine:

```yaml silent
spec:
  identity:
    signIn: {provider: google, hostedDomain: example.com, credentials: {secret: google-sign-in}}
```
"""

    def run(self, compiled: Compiled) -> Iterable[Diagnostic]:
        """One for each object of ours, and one for each patch, that holds a value."""
        for manifest in compiled.graph.of(Manifest):
            found = _values(manifest.key, [((), manifest.plain)])
            if found:
                yield self._diagnostic(f"`{manifest.key}`", found, spec_path(manifest.origins), at_key=True)
        for patch in compiled.graph.of(Patch):
            found = _values(patch.target, _written(patch)) if patch.file else []
            if found:
                named = f"`{patch.file}`, a patch of `{patch.target}`,"
                yield self._diagnostic(named, found, spec_path(patch.origins), at_key=False)

    def _diagnostic(self, what: str, found: list[str], path: tuple[str, ...], *, at_key: bool) -> Diagnostic:
        return Diagnostic(
            code=self.code,
            message=f"{what} holds what is a secret or looks like one at {listed(found)}",
            help="put it into the secret store and refer to it by name; replace one that has been committed",
            path=path,
            at_key=at_key,
        )


def _written(patch: Patch) -> Iterator[tuple[Where, object]]:
    """What a patch puts into its object, by where."""
    if patch.merge is not None:
        yield (), settle(patch.merge)[0]
    for operation in patch.operations:
        if operation["op"] in {"add", "replace"}:
            yield parts_of(operation["path"]), settle(operation["value"])[0]


def _values(key: ObjectKey, parts: Iterable[tuple[Where, object]]) -> list[str]:
    """Where a value stands: all that a Secret holds, and what looks like one and is told to a program."""
    if (key.group, key.kind) == ("", "Secret"):
        found = [leaf for where, part in parts for leaf, _ in _leaves(part, where) if leaf[0] in _DATA]
    elif may_hold_pods(key):
        found = [leaf for where, part in parts for leaf, text in _told(part, where) if secret_in(text)]
    else:
        return []
    return sorted({pointer(*leaf) for leaf in found})


def _told(part: object, where: Where) -> Iterator[tuple[Where, str]]:
    """What programs are told: the leaves below a list of containers and a part of them that speaks."""
    marks = frozenset(_MARKS[name] for name in where if name in _MARKS)
    for leaf, text in _leaves(part, where, _ALL_MARKS - marks):
        if leaf[-1] != "name":
            yield leaf, text


def _leaves(node: object, where: Where, below: frozenset[str] = frozenset()) -> Iterator[tuple[Where, str]]:
    """Every text, and every number as a text, that stands below something with each of the marks."""
    if isinstance(node, (dict, list)):
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            mark = _MARKS.get(key)
            still = below - {mark} if mark in below else below
            if not still or isinstance(child, (dict, list)):
                yield from _leaves(child, (*where, str(key)), still)
    elif not below and node is not None and node != "":
        yield where, str(node)


CHECK = SecretValues()
