"""A small platform on Google Cloud, and what is said about changes of it.

    told = faults(with_spec("network: {nodes: 10.1.0.0/20}"))

Nothing is compiled: only reading is looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.diagnostics.diagnostic import SpecError
from plinth.spec.read import read_spec

if TYPE_CHECKING:
    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.spec.read import Environment
    from plinth.text.spans import Span

SMALL: Final = """\
apiVersion: plinth.dev/v1alpha1
kind: Platform
metadata: {name: acme-ml}
spec:
  cloud: {provider: gcp, project: acme-ml-dev, projectNumber: 123456789012, region: us-central1}
  repository: {url: "https://github.com/acme/ml-platform.git"}
  nodePools:
    - {name: system, cpu: 4, memory: 16Gi, nodes: {min: 1, max: 3}}
    - {name: t4, gpu: {model: t4, count: 1}, nodes: {max: 3}}
  identity: {domain: ml.acme.com, admins: [platform@acme.com]}
  components: {cert-manager: {}}
"""


def with_spec(*lines: str) -> str:
    """The small platform with more lines in its spec."""
    return SMALL + "".join(f"  {line}\n" for text in lines for line in text.splitlines())


def changed(*changes: tuple[str, str]) -> str:
    """The small platform with texts replaced, each of which it has exactly once."""
    text = SMALL
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def environments(text: str) -> dict[str, Environment]:
    """Every environment of a file without a fault, by name."""
    found, warnings = read_spec(text.encode(), "platform.yaml")
    assert warnings == ()
    return {each.name: each for each in found}


def faults(text: str | bytes) -> tuple[Diagnostic, ...]:
    """Everything that is said about a file; nothing where it is fine."""
    data = text.encode() if isinstance(text, str) else text
    try:
        return read_spec(data, "platform.yaml")[1]
    except SpecError as error:
        return error.diagnostics


def codes(text: str | bytes) -> list[str]:
    """The codes of what is said, from the top of the file to its end."""
    return [each.code for each in faults(text)]


def marked(text: str, span: Span | None) -> str:
    """The text that a span underlines, up to the end of its first line."""
    assert span is not None
    line = text.splitlines()[span.line - 1]
    return (
        line[span.column - 1 : span.end_column - 1] if span.end_line == span.line else line[span.column - 1 :]
    )
