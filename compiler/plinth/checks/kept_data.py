"""PLN407: a volume that goes when its component goes.

Source: Argo CD 3.5, "Sync Options": `Prune` and `Delete`, each `false` or `confirm`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.checks import Check, Compiled
from plinth.diagnostics.diagnostic import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_OPTIONS: Final = "argocd.argoproj.io/sync-options"
_KEEPING: Final = {"Prune": frozenset({"false", "confirm"}), "Delete": frozenset({"false", "confirm"})}


class KeptData(Check):
    """Looks at every PersistentVolumeClaim, at hand or in the catalogue."""

    code = "PLN407"
    page = """\
# PLN407: data goes with its component

A PersistentVolumeClaim does not tell Argo CD to keep it.

When the component leaves the spec, or its Application is deleted, Argo CD deletes the claim, and most
storage classes then delete the disk. A claim that an upstream renames is deleted in the same way.

## How to mend it

Say that it stays, in a merge patch that is named in `patches` of the component:

```yaml
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: runs
  namespace: mlflow
  annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}
```

`confirm` in place of `false` has Argo CD ask a person first. A claim that has served its purpose is deleted
by hand.

## Examples

```yaml object speaks
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: runs, namespace: mlflow}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 20Gi}}}
```

Kept when it leaves git, and yet deleted with its Application:

```yaml object speaks
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: runs, namespace: mlflow, annotations: {argocd.argoproj.io/sync-options: Prune=false}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 20Gi}}}
```

```yaml object silent
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: runs
  namespace: mlflow
  annotations: {argocd.argoproj.io/sync-options: "Prune=false,Delete=false"}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 20Gi}}}
```

The volume of JupyterHub's own database is kept by Plinth:

```yaml silent
spec:
  identity:
    signIn: {provider: google, hostedDomain: example.com, credentials: {secret: google-sign-in}}
  components:
    jupyterhub: {}
```
"""

    def run(self, compiled: Compiled) -> Iterable[Diagnostic]:
        """One for each claim that may go."""
        for each in compiled.known:
            if (each.key.group, each.key.kind) == ("", "PersistentVolumeClaim") and not _stays(each.body):
                yield Diagnostic(
                    code=self.code,
                    severity="warning",
                    message=f"`{each.key}` and its data are deleted with the component",
                    help=f"add `{_OPTIONS}: Prune=false,Delete=false` to its annotations by a patch;"
                    f" `plinth explain {self.code}` shows one",
                    path=each.path,
                    at_key=True,
                )


def _stays(body: Mapping[str, Any]) -> bool:
    text = str((body["metadata"].get("annotations") or {}).get(_OPTIONS) or "")
    said = {
        name.strip(): value.strip()
        for name, _, value in (option.partition("=") for option in text.split(","))
    }
    return all(said.get(name) in values for name, values in _KEEPING.items())


CHECK = KeptData()
