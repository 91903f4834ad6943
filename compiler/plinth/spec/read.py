"""From the bytes of a `platform.yaml` to typed environments, or every fault of the first bad stage.

The stages are text, environments, types, rules. A stage looks at everything before it gives up,
so that one run shows all there is to mend at that depth; the next stage would only speak of what
the last one already refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from plinth import registry
from plinth.diagnostics.diagnostic import Diagnostic, Related, SpecError, has_errors
from plinth.diagnostics.secrets import secret_in
from plinth.diagnostics.suggest import did_you_mean
from plinth.spec.environments import Tree, split
from plinth.spec.faults import TEXT_CODES, from_pydantic
from plinth.spec.platform import CloudSection, ComponentSection, Document, Platform, document_type
from plinth.spec.rules import check_environments, check_platform
from plinth.text.nodes import Node, TextFault, find, read_yaml, walk

if TYPE_CHECKING:
    from plinth.text.spans import Span, SpecPath


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment of a spec, typed, with the tree that knows where everything was said."""

    name: str
    platform_name: str
    platform: Platform
    node: Node
    document: Node
    """The whole file, for looking up the place of any path."""


def read_spec(data: bytes, file: str) -> tuple[tuple[Environment, ...], tuple[Diagnostic, ...]]:
    """Every environment of a platform file, by name, and the warnings.

    Raises:
        SpecError: with every fault of the first stage that found one.
    """
    document, faults = read_yaml(data, file)
    if document is None or faults:
        raise SpecError(tuple(_text_fault(each) for each in faults))
    _raise_if_wrong(_secrets(document), document)
    trees, wrong = split(document)
    _raise_if_wrong(wrong, document)
    environments = _typed(trees, document)
    found = {each.name: check_platform(each.platform) for each in environments}
    together = _fold(found) + check_environments({each.name: each.platform for each in environments})
    _raise_if_wrong(together, document)
    return environments, tuple(locate(each, document) for each in together)


def locate(diagnostic: Diagnostic, document: Node) -> Diagnostic:
    """The diagnostic with the place of its path, and of its relations, looked up in the file."""
    span = diagnostic.span or _span(document, diagnostic.path, at_key=diagnostic.at_key)
    related = tuple(
        replace(each, span=each.span or (_span(document, each.path, at_key=False) if each.path else None))
        for each in diagnostic.related
    )
    return replace(diagnostic, span=span, related=related)


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics from the top of the file to its end, those without a place last."""

    def place(each: Diagnostic) -> tuple[bool, str, int, int, str, str]:
        span = each.span
        return (
            (False, span.file, span.line, span.column, each.code, each.message)
            if span
            else (True, "", 0, 0, each.code, each.message)
        )

    return tuple(sorted(diagnostics, key=place))


def fold(found: Mapping[str, Iterable[Diagnostic]]) -> tuple[Diagnostic, ...]:
    """Faults of several environments, each said once, with the environments that share it.

    A fault that all of them share names none.
    """
    return _fold({name: tuple(each) for name, each in found.items()})


def _typed(trees: tuple[Tree, ...], document: Node) -> tuple[Environment, ...]:
    found: dict[str, tuple[Diagnostic, ...]] = {}
    environments: list[Environment] = []
    for tree in trees:
        try:
            typed = _validate(tree)
        except SpecError as error:
            found[tree.environment] = error.diagnostics
        else:
            found[tree.environment] = ()
            environments.append(
                Environment(tree.environment, typed.metadata.name, typed.spec, tree.node, document)
            )
    _raise_if_wrong(_fold(found) + _environment_names(trees), document)
    return tuple(environments)


def _validate(tree: Tree) -> Document:
    root = tree.node
    if not isinstance(root.value, Mapping):
        raise SpecError((_not_a_platform(root),))
    cloud, cloud_faults = _cloud_type(root)
    components, component_faults = _component_types(root)
    known = document_type(cloud or CloudSection, components)
    faults = [*cloud_faults, *component_faults]
    try:
        typed = known.model_validate(_plain(root))
    except ValidationError as error:
        ours = {each.path for each in faults}
        told = from_pydantic(error, root, known)
        # A cloud or component that is not there has been said already, better.
        faults += [each for each in told if not any(each.path[: len(path)] == path for path in ours)]
        raise SpecError(tuple(faults)) from None
    if faults:
        raise SpecError(tuple(faults))
    return typed.attached(root)


def _cloud_type(root: Node) -> tuple[type[CloudSection] | None, list[Diagnostic]]:
    provider = find(root, ("spec", "cloud", "provider"))
    if provider is None or not isinstance(provider.value, str):
        return None, []
    clouds = registry.names("clouds")
    if provider.value not in clouds:
        fault = Diagnostic(
            code="PLN204",
            message=f"`{provider.value}` is not a cloud that Plinth knows",
            help=did_you_mean(provider.value, clouds, otherwise=f"use one of {', '.join(f'`{name}`' for name in clouds)}"),
            path=provider.path,
            span=provider.span,
        )
        # Nothing of the section can be judged without its cloud.
        return None, [fault, replace(fault, path=provider.path[:-1])][:1]
    section: type[CloudSection] = registry.load("clouds", provider.value).Section
    return section, []


def _component_types(root: Node) -> tuple[dict[str, type[ComponentSection]], list[Diagnostic]]:
    components = find(root, ("spec", "components"))
    if components is None or not isinstance(components.value, Mapping):
        return {}, []
    known = registry.names("components")
    types: dict[str, type[ComponentSection]] = {}
    faults: list[Diagnostic] = []
    for name, node in components.value.items():
        if name in known:
            types[name] = registry.load("components", name).Section
        else:
            faults.append(
                Diagnostic(
                    code="PLN306",
                    message=f"`{name}` is not a component that Plinth knows",
                    help=did_you_mean(name, known, otherwise=f"the components are {', '.join(known)}"),
                    path=node.path,
                    at_key=True,
                    span=node.key_span,
                )
            )
    return types, faults


def _plain(node: Node) -> Any:
    # Tuples for lists: the types are strict, and a frozen section holds tuples.
    if isinstance(node.value, Mapping):
        return {key: _plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return tuple(_plain(child) for child in node.value)
    return node.value


def _secrets(document: Node) -> tuple[Diagnostic, ...]:
    return tuple(
        Diagnostic(
            code="PLN205",
            message="this value looks like a secret",
            help="put it into the secret store and write its name: `{secret: NAME}`; revoke it if it was ever committed",
            path=node.path,
            span=node.span,
        )
        for node in walk(document)
        if isinstance(node.value, str) and secret_in(node.value)
    )


def _environment_names(trees: tuple[Tree, ...]) -> tuple[Diagnostic, ...]:
    # An environment's name is a folder's and a DNS label; the same rule as for any name.
    from pydantic import TypeAdapter  # noqa: PLC0415 - keeps this file's imports about the spec

    from plinth.spec.fields import Name  # noqa: PLC0415 - as above

    adapter = TypeAdapter(Name)
    faults: list[Diagnostic] = []
    for tree in trees:
        try:
            adapter.validate_python(tree.environment)
        except ValidationError as error:
            context = error.errors()[0]["ctx"]
            faults.append(
                Diagnostic(
                    code="PLN206",
                    message=context["text"],
                    help=context["help"],
                    path=("spec", "environments", tree.environment),
                    at_key=True,
                )
            )
    return tuple(faults)


def _not_a_platform(root: Node) -> Diagnostic:
    return Diagnostic(
        code="PLN203",
        message="the file is not a map",
        help="start with `apiVersion: plinth.dev/v1alpha1`, `kind: Platform`, `metadata` and `spec`",
        path=root.path,
        span=root.span,
    )


def _text_fault(fault: TextFault) -> Diagnostic:
    return Diagnostic(
        code=TEXT_CODES[fault.kind],
        message=fault.message,
        help=fault.help,
        span=fault.span,
        related=tuple(Related(message=message, span=span) for message, span in fault.related),
    )


def _fold(found: Mapping[str, tuple[Diagnostic, ...]]) -> tuple[Diagnostic, ...]:
    shared: dict[tuple[Any, ...], tuple[Diagnostic, list[str]]] = {}
    for name, diagnostics in found.items():
        for each in diagnostics:
            key = (each.code, each.message, each.path, each.span)
            names = shared.setdefault(key, (each, []))[1]
            if name not in names:
                names.append(name)
    return tuple(
        replace(each, environments=() if len(names) == len(found) else tuple(names)) for each, names in shared.values()
    )


def _raise_if_wrong(diagnostics: tuple[Diagnostic, ...], document: Node) -> None:
    if has_errors(diagnostics):
        raise SpecError(ordered(locate(each, document) for each in diagnostics))


def _span(document: Node, path: SpecPath, *, at_key: bool) -> Span | None:
    """The place of a path, or of the nearest part above it that was said."""
    for length in range(len(path), -1, -1):
        node = find(document, path[:length])
        if node is not None:
            exact = length == len(path)
            # A section that lacks something is named by its key: its value may be many lines.
            by_key = node.key_span is not None and (at_key or not exact or isinstance(node.value, Mapping))
            return node.key_span if by_key else node.span
    return None
