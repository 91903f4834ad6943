"""PLN405: an object in a namespace that is not there when the object comes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from plinth.checks import Check, Compiled, FinalObject
from plinth.diagnostics.diagnostic import Diagnostic, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plinth.ir.targets import Application

_OF_THE_CLUSTER: Final = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})
"""Source: Kubernetes, "Initial namespaces"."""


class Namespaces(Check):
    """Looks at where every object goes."""

    code = "PLN405"
    page = """\
# PLN405: nothing makes the namespace

An object is in a namespace that no object of the environment makes, or that comes in a later wave.
Namespaces that every cluster has (`default`, `kube-node-lease`, `kube-public`, `kube-system`) are there
already. An object that names none goes into the namespace of its component.

The API server refuses an object whose namespace is not there. Argo CD is not told to make namespaces by
itself: one that it made would have no label, and so neither the restrictions on pods nor the access to the
secret store that namespaces of Plinth have.

## How to mend it

Add the component that makes the namespace, or let a patch take the object elsewhere. If a component of
Plinth's own puts objects where it makes no namespace, that is a fault of the component: please report it.

## Examples

```yaml object speaks
apiVersion: v1
kind: ConfigMap
metadata: {name: dashboards, namespace: monitoring}
```

The component MLflow makes this one:

```yaml object silent
apiVersion: v1
kind: ConfigMap
metadata: {name: dashboards, namespace: mlflow}
```

cert-manager keeps its election of a leader in `kube-system`:

```yaml silent
spec:
  components:
    cert-manager: {version: 1.21.1}
```
"""

    def run(self, compiled: Compiled) -> Iterable[Diagnostic]:
        """One for each namespace that an Application misses."""
        makers: dict[str, list[Application]] = defaultdict(list)
        homes: dict[tuple[str, str], list[FinalObject]] = defaultdict(list)
        for each in compiled.known:
            if (each.key.group, each.key.kind) == ("", "Namespace"):
                makers[each.key.name].append(each.application)
            elif each.key.namespace and each.key.namespace not in _OF_THE_CLUSTER:
                homes[each.application.name, each.key.namespace].append(each)
        for (_, name), objects in sorted(homes.items()):
            reason = _missing(objects[0].application, makers.get(name, ()))
            if reason:
                yield Diagnostic(
                    code=self.code,
                    message=f"{listed(each.key for each in objects)} would be refused:"
                    f" the namespace `{name}` {reason}",
                    help=f"add the component that makes `{name}`, or take the objects elsewhere by a patch",
                    path=objects[0].path,
                    at_key=True,
                )


def _missing(application: Application, makers: Iterable[Application]) -> str:
    """Why the namespace is not there in time, in words after its name; empty where it is."""
    waves = [(maker.wave, maker.name) for maker in makers]
    if not waves:
        return "is made by no object of the environment"
    wave, name = min(waves)
    if wave > application.wave:
        return f"comes with `{name}` in wave {wave}, after `{application.name}` in wave {application.wave}"
    return ""


CHECK = Namespaces()
