"""PLN402: one object that two would own."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from plinth.checks import Check, Compiled
from plinth.checks._known import in_place
from plinth.diagnostics.diagnostic import Diagnostic, Related
from plinth.ir.said import spec_path
from plinth.ir.targets import Application, Base, Manifest, ObjectKey

if TYPE_CHECKING:
    from collections.abc import Iterable


class DuplicateObjects(Check):
    """Looks at the identity of every object, CRDs among them."""

    code = "PLN402"
    page = """\
# PLN402: two would own one object

An object with the same group, kind, namespace and name is in two Applications, or in one of them both as an
object of ours and as upstream's. The version is no part of what an object is.

Argo CD is told `FailOnSharedResource=true`, so the Application that comes second does not sync at all.
Without that each would undo the other's changes for ever, and the first of them to go would take the object
of the other along: with a CRD, every object of its kind. Within one Application kustomize refuses to build.

## How to mend it

Drop one of the two components, or choose versions of which only one brings the object. Components that
share a CRD need one owner for it; if two components of Plinth's own clash, that is a fault of Plinth:
please report it.

## Examples

The training operator makes the namespace `kubeflow` already (this object is in the Application `mlflow`):

```yaml object speaks
apiVersion: v1
kind: Namespace
metadata: {name: kubeflow}
```

And it brings this CRD, in an Application of its own:

```yaml object speaks
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tfjobs.kubeflow.org}
spec:
  group: kubeflow.org
  scope: Namespaced
  names: {kind: TFJob, plural: tfjobs}
  versions: [{name: v1, served: true, storage: true}]
```

One name in two namespaces is two objects:

```yaml object silent
apiVersion: v1
kind: ServiceAccount
metadata: {name: training-operator, namespace: mlflow}
```

```yaml silent
spec:
  components:
    cert-manager: {}
    training-operator: {}
```
"""

    def run(self, compiled: Compiled) -> Iterable[Diagnostic]:
        """One for each object with more than one owner."""
        owners: dict[ObjectKey, list[Application]] = defaultdict(list)
        for each in compiled.known:
            owners[each.key].append(each.application)
        for application, key in _ours_and_theirs(compiled):
            owners[key].append(application)
        for key, some in sorted((key, some) for key, some in owners.items() if len(some) > 1):
            yield self._diagnostic(key, some)

    def _diagnostic(self, key: ObjectKey, owners: list[Application]) -> Diagnostic:
        first, *others = sorted(owners, key=lambda each: each.name)
        names = list(dict.fromkeys(f"`{each.name}`" for each in others if each != first))
        if names:
            where = (
                f"the Applications `{first.name}` and {', '.join(names)}: Argo CD would sync only one of them"
            )
        else:
            where = f"`{first.name}` twice, as ours and as upstream's: kustomize would not build it"
        return Diagnostic(
            code=self.code,
            message=f"`{key}` is in {where}",
            help="drop one of the components, or choose versions of which only one brings it",
            path=spec_path(others[-1].origins),
            at_key=True,
            related=(Related(message="it is brought here too", path=spec_path(first.origins)),)
            if names
            else (),
        )


def _ours_and_theirs(compiled: Compiled) -> Iterable[tuple[Application, ObjectKey]]:
    """Objects of ours that stand in for one of upstream's: once they are rendered only ours is to be seen."""
    applications = {each.name: each for each in compiled.graph.of(Application)}
    bases = {base.component: base for base in compiled.graph.of(Base)}
    for manifest in compiled.graph.of(Manifest):
        application = applications.get(manifest.application)
        base = bases.get(application.component) if application else None
        is_hidden = (
            base is not None
            and manifest.key in base.upstream.objects
            and manifest.key.kind != "CustomResourceDefinition"
        )
        if application and is_hidden:
            yield application, in_place(manifest.key, application, compiled.kinds)


CHECK = DuplicateObjects()
