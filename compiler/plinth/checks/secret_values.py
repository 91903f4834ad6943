"""PLN403: the value of a secret in an object of ours or in a person's patch.

Upstream's own Secrets are not looked at: they are empty, or filled with what an overlay takes away
or replaces, and a person who adds to them does it by a patch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from plinth.checks import Check, Compiled
from plinth.diagnostics.diagnostic import Diagnostic, listed
from plinth.diagnostics.secrets import secret_in
from plinth.ir.kubernetes import CONTAINER_LISTS, may_hold_pods
from plinth.ir.patch import parts_of
from plinth.ir.said import pointer, settle, spec_path
from plinth.ir.targets import Manifest, ObjectKey, Patch

_DATA: Final = ("data", "stringData")
_SPOKEN: Final = frozenset({"args", "command", "env"})
"""The parts of a container in which a program is told something."""

Leaf = tuple[tuple[str, ...], str]


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
            if not _is_secret(manifest.key) and not may_hold_pods(manifest.key):
                continue
            found = sorted(
                {pointer(*where) for where in _values(manifest.key, _leaves(settle(manifest.body)[0], ()))}
            )
            if found:
                yield self._diagnostic(f"`{manifest.key}`", found, spec_path(manifest.origins), at_key=True)
        for patch in compiled.graph.of(Patch):
            found = (
                sorted({pointer(*where) for where in _values(patch.target, _written(patch))})
                if patch.file
                else []
            )
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


def _written(patch: Patch) -> Iterator[Leaf]:
    """The texts that a patch puts into its object, by where."""
    if patch.merge is not None:
        yield from _leaves(settle(patch.merge)[0], ())
    for operation in patch.operations:
        if operation["op"] in {"add", "replace"}:
            yield from _leaves(settle(operation["value"])[0], parts_of(operation["path"]))


def _leaves(node: object, where: tuple[str, ...]) -> Iterator[Leaf]:
    if isinstance(node, str):  # most of them, and what is a mapping is asked dearly
        if node:
            yield where, node
    elif isinstance(node, Mapping):
        for key, child in node.items():
            yield from _leaves(child, (*where, str(key)))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _leaves(child, (*where, str(index)))
    elif node is not None:
        yield where, str(node)


def _values(key: ObjectKey, leaves: Iterable[Leaf]) -> Iterator[tuple[str, ...]]:
    """Where a value stands: all that a Secret holds, and what looks like one and is told to a program."""
    for where, text in leaves:
        if _is_secret(key):
            if where[0] in _DATA:
                yield where
        elif _is_spoken(where) and secret_in(text):
            yield where


def _is_secret(key: ObjectKey) -> bool:
    return (key.group, key.kind) == ("", "Secret")


def _is_spoken(where: tuple[str, ...]) -> bool:
    names = set(where)
    return bool(names & _SPOKEN) and bool(names & set(CONTAINER_LISTS)) and where[-1] != "name"


CHECK = SecretValues()
