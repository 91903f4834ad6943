"""PLN404: an object of a kind that the cluster will not know when the object comes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from plinth.checks import Check, Compiled, FinalObject
from plinth.checks._known import is_custom
from plinth.diagnostics.diagnostic import Diagnostic, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

_THERE: Final = frozenset(
    {
        # Argo CD is there before all else; Argo Workflows has other kinds in the same group.
        ("argoproj.io", "AppProject"),
        ("argoproj.io", "Application"),
        ("argoproj.io", "ApplicationSet"),
        # GKE's control plane brings them by itself.
        ("networking.gke.io", "GKENetworkParamSet"),
        ("networking.gke.io", "Network"),
    }
)
"""Groups and kinds that no component has to bring."""


class UnknownKinds(Check):
    """Looks at every custom resource, and at the CRDs of the environment."""

    code = "PLN404"
    page = """\
# PLN404: no CRD for a custom resource

An object is of a kind that Kubernetes does not have itself, and no component of the environment brings its
CRD; or the CRD does not serve the version that the object is written in; or the CRD comes in the same wave
or a later one.

The API server refuses an object whose kind it does not know. Argo CD looks at every object before it
applies the first one, so the whole Application fails, and with it every wave that comes after.

## How to mend it

Add the component that brings the CRD, or choose a version of it that serves the object's version. The order
follows from what a component requires; where it is wrong, that is a fault of the component: please report
it.

## Examples

Nothing brings Ray:

```yaml object speaks
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: shared, namespace: mlflow}
```

External Secrets is there, and serves this version no longer:

```yaml object speaks
apiVersion: external-secrets.io/v1beta1
kind: ExternalSecret
metadata: {name: tracking, namespace: mlflow}
```

```yaml object silent
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: tracking, namespace: mlflow}
```

Kinds of Kubernetes itself need no CRD, though the names of many groups have a dot:

```yaml object silent
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: mlflow}
spec: {podSelector: {}, policyTypes: [Ingress]}
```

Nor do kinds that a cloud's control plane brings:

```yaml object silent
apiVersion: networking.gke.io/v1
kind: Network
metadata: {name: vpc1}
spec: {type: Device, parametersRef: {group: networking.gke.io, kind: GKENetworkParamSet, name: vpc1}}
```

```yaml silent
spec:
  components:
    cert-manager: {}
```
"""

    def run(self, compiled: Compiled) -> Iterable[Diagnostic]:
        """One for each kind and version of an Application that has no CRD in time."""
        found: dict[tuple[str, str, str], list[FinalObject]] = defaultdict(list)
        for each in compiled.known:
            key = each.key
            if is_custom(key.group) and (key.group, key.kind) not in _THERE:
                found[each.application.name, str(each.body["apiVersion"]), key.kind].append(each)
        for (_, api_version, kind), objects in sorted(found.items()):
            reason = _unserved(compiled, objects[0], api_version.rpartition("/")[2])
            if reason:
                yield Diagnostic(
                    code=self.code,
                    message=f"{listed(each.key for each in objects)} would be refused:"
                    f" {reason} `{api_version}` `{kind}`",
                    help="add the component that brings the CRD, in a version that serves this one",
                    path=objects[0].path,
                    at_key=True,
                )


def _unserved(compiled: Compiled, item: FinalObject, version: str) -> str:
    """Why the cluster does not know the kind, in words before its name; empty where it does."""
    every = compiled.kinds.get((item.key.group, item.key.kind), ())
    if not every:
        return "no component of the environment brings a CRD for"
    serving = [each for each in every if version in each.versions]
    if not serving:
        versions = sorted({name for each in every for name in each.versions})
        return f"the CRD serves {listed(versions)}, and not"
    # Within one Application Argo CD applies CRDs first.
    in_time = [
        each
        for each in serving
        if each.application == item.application or each.application.wave < item.application.wave
    ]
    if not in_time:
        own, late = item.application, serving[0].application
        return f"`{own.name}` is in wave {own.wave}, and `{late.name}` in wave {late.wave} brings"
    return ""


CHECK = UnknownKinds()
