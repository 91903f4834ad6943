"""PLN408: a pod that its namespace does not admit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.checks import Check, Compiled, FinalObject
from plinth.checks._pod_standards import violations
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.kubernetes import may_hold_pods
from plinth.ir.said import pointer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_PARTS: Final = (dict, list)
_ENFORCE: Final = "pod-security.kubernetes.io/enforce"


class PodSecurity(Check):
    """Looks at the pods of every object at hand, and at the labels of namespaces."""

    code = "PLN408"
    page = """\
# PLN408: the namespace does not admit the pod

A pod, or the pods that an object makes, break the level of the Pod Security Standards that their namespace
enforces by its label `pod-security.kubernetes.io/enforce`: `baseline` forbids what reaches into the node,
`restricted` also demands what keeps a program from becoming root. The controls are those of Kubernetes
1.34.

The Deployment is accepted, and not one of its pods is ever made: the Application waits for them, and so
does every wave after it. The reason stands in an event of the ReplicaSet only.

## How to mend it

Set the fields that are named, by a patch of the workload. Where the program needs what is forbidden, let a
patch of the Namespace enforce a lower level, and know that this holds for all its pods.

Upstream's pods are seen only where upstream is vendored.

## Examples

The namespace `mlflow` enforces `restricted`:

```yaml object speaks
apiVersion: v1
kind: Pod
metadata: {name: report, namespace: mlflow}
spec:
  containers: [{name: report, image: "registry.example/report:v1.4.2"}]
```

A custom resource with pod templates is judged as well, for its operator makes the pods in its namespace:

```yaml object speaks
apiVersion: kubeflow.org/v1
kind: PyTorchJob
metadata: {name: report, namespace: mlflow}
spec:
  pytorchReplicaSpecs:
    Worker:
      template:
        spec:
          hostNetwork: true
          containers: [{name: pytorch, image: "registry.example/report:v1.4.2"}]
```

```yaml object silent
apiVersion: v1
kind: Pod
metadata: {name: report, namespace: mlflow}
spec:
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: report
      image: registry.example/report:v1.4.2
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
```

`kube-system` enforces nothing:

```yaml object silent
apiVersion: v1
kind: Pod
metadata: {name: report, namespace: kube-system}
spec:
  containers: [{name: report, image: "registry.example/report:v1.4.2"}]
```

```yaml silent
spec:
  components:
    cert-manager: {}
```
"""

    def run(self, compiled: Compiled) -> Iterable[Diagnostic]:
        """One for each pod template."""
        levels = {
            each.key.name: str((each.body["metadata"].get("labels") or {}).get(_ENFORCE, "privileged"))
            for each in compiled.known
            if (each.key.group, each.key.kind) == ("", "Namespace")
        }
        for each in compiled.known:
            level = levels.get(each.key.namespace, "privileged")
            if not each.is_whole or level == "privileged" or not may_hold_pods(each.key):
                continue
            for where, template in _templates(
                each.body, is_pod=(each.key.group, each.key.kind) == ("", "Pod")
            ):
                found = violations(template, level)
                if found:
                    yield Diagnostic(
                        code=self.code,
                        message="\n  - ".join((_headline(each, where, level), *found)),
                        help="mend these fields by a patch, or lower the level by a patch of the Namespace",
                        path=each.path,
                        at_key=True,
                    )


def _headline(item: FinalObject, where: str, level: str) -> str:
    place = "" if where in {"", "/spec/template"} else f" at `{where}`"
    return f"no pod of `{item.key}`{place} would start, for `{item.key.namespace}` enforces `{level}`:"


def _templates(
    node: object, where: tuple[str | int, ...] = (), *, is_pod: bool = False
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every pod template in an object, or the pod that it is, with the JSON pointer to it."""
    if isinstance(node, dict):
        spec = node.get("spec")
        is_template = is_pod or where[-1:] == ("template",)
        if is_template and isinstance(spec, dict) and isinstance(spec.get("containers"), list):
            yield pointer(*where), node
            return
        for name, child in node.items():
            if isinstance(child, _PARTS):
                yield from _templates(child, (*where, name))
    elif isinstance(node, list):
        for index, child in enumerate(node):
            if isinstance(child, _PARTS):
                yield from _templates(child, (*where, index))


CHECK = PodSecurity()
