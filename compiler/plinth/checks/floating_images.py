"""PLN401: an image whose name does not say which image it is.

Source: the images that upstream repositories render at their release tags.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from plinth.checks import Check, Compiled, FinalObject
from plinth.diagnostics.diagnostic import Diagnostic, listed
from plinth.ir.kubernetes import containers, may_hold_pods

if TYPE_CHECKING:
    from collections.abc import Iterable

_FLOATING: Final = re.compile(
    r"latest|main|master|edge|nightly|dev|latest-.+|.+-latest|(?:.+-)?set[.-]by[.-].+", re.IGNORECASE
)
_STAGING: Final = re.compile(r"(?:^|/)(?:k8s-staging-[^/]+|istio-testing)(?=/)")
_NO_IMAGE: Final = re.compile(r"auto|.*(?:\{\{|\$[({]).*")
"""Filled in when a pod is made: by Istio's injection, or by what a template is given."""


class FloatingImages(Check):
    """Looks at every container, at hand or in the catalogue."""

    code = "PLN401"
    page = """\
# PLN401: an image floats

A container's image has no tag and no digest, or a tag that its makers move: `latest`, `main`, `master`,
`edge`, `nightly`, `dev`, `latest-...`, `...-latest`, `set-by-...`. Or it lies in a registry for staging,
which drops images after some weeks.

What runs is then not what was reviewed: two nodes of one cluster may run two programs under one name, a
rollback brings nothing back, and one day a pod that is moved to another node does not start. Many projects
publish manifests at their release tags that name such images; only their charts and release files name the
released ones.

## How to mend it

Name the version, or better the digest, in a patch of the workload, and name the patch in `patches` of the
component:

```yaml
target: {kind: Deployment, name: trainer, namespace: ml}
operations:
  - {op: replace, path: /spec/template/spec/containers/0/image, value: "registry.example/trainer:v1.4.2"}
```

A digest pins an image whatever its tag is.

## Examples

Nobody knows which `trainer` this is:

```yaml object speaks
apiVersion: v1
kind: Pod
metadata: {name: trainer, namespace: mlflow}
spec:
  containers: [{name: trainer, image: registry.example/trainer}]
```

A branch is not a version:

```yaml object speaks
apiVersion: v1
kind: Pod
metadata: {name: trainer, namespace: mlflow}
spec:
  initContainers: [{name: fetch, image: "registry.example:5000/fetch:main"}]
  containers: [{name: trainer, image: "registry.example:5000/trainer:v1.4.2"}]
```

The tag floats, and the digest does not:

```yaml object silent
apiVersion: v1
kind: Pod
metadata: {name: trainer, namespace: mlflow}
spec:
  containers:
    - name: trainer
      image: example/trainer:latest@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
```

Every upstream that Plinth brings names its version:

```yaml silent
spec:
  components:
    training-operator: {version: 1.7.0}
```
"""

    def run(self, compiled: Compiled) -> Iterable[Diagnostic]:
        """One for each floating image of an Application."""
        users: dict[tuple[str, str], list[FinalObject]] = defaultdict(list)
        for each in compiled.known:
            if not may_hold_pods(each.key):
                continue
            images = {container.get("image") for _, container in containers(each.body)}
            for image in sorted(image for image in images if isinstance(image, str)):
                users[each.application.name, image].append(each)
        for (_, image), objects in sorted(users.items()):
            reason = _floats(image)
            if reason:
                yield Diagnostic(
                    code=self.code,
                    message=f"{listed(each.key for each in objects)} would run `{image}`, which {reason}",
                    help="name a version or a digest in a patch, and the patch in `patches` of the component",
                    path=objects[0].path,
                    at_key=True,
                )


def _floats(image: str) -> str:
    """Why the image floats, in words that follow "which"; empty where it does not."""
    if not image or _NO_IMAGE.fullmatch(image):
        return ""
    name, _, digest = image.partition("@")
    # The last part alone may hold a tag: a colon before it is that of a port.
    tag = name.rpartition("/")[2].partition(":")[2]
    if _STAGING.search(name):
        return "lies in a registry for staging: it is dropped after some weeks"
    if digest:
        return ""
    if not tag:
        return "has neither a tag nor a digest: it is whatever was pushed last"
    if _FLOATING.fullmatch(tag):
        return f"floats: `{tag}` is another image tomorrow"
    return ""


CHECK = FloatingImages()
