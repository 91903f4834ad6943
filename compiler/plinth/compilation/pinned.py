"""What would lose sight of infrastructure that stands: another layout, or an environment that is gone.

Terraform's state is kept for each root. Nothing moves a resource from the state of one root to that
of another, so a tree that forgets a root leaves behind what was made by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.diagnostics.diagnostic import Diagnostic, SpecError
from plinth.diagnostics.suggest import did_you_mean
from plinth.spec.read import locate, ordered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plinth.compilation.inputs import Inputs
    from plinth.spec.read import Environment


def refuse_lost_state(environments: tuple[Environment, ...], inputs: Inputs) -> None:
    """Accept the environments of a spec beside what is pinned and recorded.

    Raises:
        SpecError: one has another layout than the lock says, or one is gone whose outputs are recorded.
    """
    found = [*_other_layouts(environments, inputs), *_gone(environments, inputs)]
    if found:
        document = environments[0].document
        raise SpecError(tuple(ordered(locate(each, document) for each in found)))


def _other_layouts(environments: tuple[Environment, ...], inputs: Inputs) -> Iterator[Diagnostic]:
    for each in environments:
        pinned = inputs.lock.layouts.get(each.name, each.platform.layout)
        if pinned == each.platform.layout or each.name in inputs.release:
            continue
        yield Diagnostic(
            code="PLN323",
            message=f"environment `{each.name}` is `{pinned}`, and cannot become `{each.platform.layout}`: "
            "its resources are in the state of other Terraform roots",
            help=f"leave it `{pinned}`; or take it down with `plinth teardown {each.name}` and then compile "
            f"with `--release {each.name}`",
            path=each.platform.said_path("layout"),
        )


def _gone(environments: tuple[Environment, ...], inputs: Inputs) -> Iterator[Diagnostic]:
    names = {each.name for each in environments}
    for name in sorted({*inputs.outputs} - names - inputs.release):
        yield Diagnostic(
            code="PLN323",
            message=f"environment `{name}` is gone from the spec, and outputs of its infrastructure are "
            "recorded in `outputs.lock.yaml`",
            help=did_you_mean(
                name,
                names,
                otherwise=f"bring it back; or take it down with `plinth teardown {name}` and then compile "
                f"with `--release {name}`",
            ),
            path=("spec", "environments"),
            at_key=True,
        )
