"""PLN406: a base that was vendored from a mirror which leaves objects out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.checks import Check, Compiled
from plinth.diagnostics.diagnostic import Diagnostic, listed
from plinth.ir.said import spec_path
from plinth.ir.targets import Base

if TYPE_CHECKING:
    from collections.abc import Iterable


class IncompleteUpstreams(Check):
    """Looks at what the lock says of each vendored upstream."""

    code = "PLN406"
    page = """\
# PLN406: a vendored upstream is incomplete

An upstream was vendored from a mirror whose `SOURCE` says that it leaves objects out, or keeps their keys
and blanks their values.

Such a tree compiles, can be compared, and is good for tests. Committed and synced, the component would come
up without these objects, or with blanks in their place; in a cluster that has the real ones, it would take
them away.

## How to mend it

Vendor it again from a complete mirror (`plinth vendor --mirror DIR`), or write `upstreams: remote`, and
Argo CD fetches the upstream as its makers publish it.

## Examples

A mirror with this in its `SOURCE` makes the check speak:

```text source speaks
repository: jupyterhub/zero-to-jupyterhub-k8s
ref: 4.4.0
left out:
  - Secret/hub: values replaced by a placeholder (keys kept)
  - ConfigMap/hub (jupyterhub_config.py, z2jh.py)
```

One without does not:

```text source silent
repository: cert-manager/cert-manager
ref: v1.21.1
```

Where nothing is vendored, nothing is left out:

```yaml silent
spec:
  upstreams: remote
```
"""

    def run(self, compiled: Compiled) -> Iterable[Diagnostic]:
        """One for each incomplete base."""
        for base in compiled.graph.of(Base):
            if base.vendored and base.incomplete:
                yield Diagnostic(
                    code=self.code,
                    severity="warning",
                    message=f"`{base.component}` {base.version} was vendored without"
                    f" {listed(base.incomplete)}: good for tests, never for a commit",
                    help="vendor it from a complete mirror, or write `upstreams: remote`",
                    path=spec_path(base.origins),
                    at_key=True,
                )


CHECK = IncompleteUpstreams()
