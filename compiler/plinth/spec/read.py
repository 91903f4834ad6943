"""From the bytes of a `platform.yaml` to typed environments, or every fault of the first bad stage.

The stages are text, secrets, environments, types, rules. A stage looks at everything before it
gives up, so that one run shows all there is to mend at that depth; the next stage would only speak
of what the last one already refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace
from pydantic import ValidationError

from plinth import registry
from plinth.diagnostics.diagnostic import Diagnostic, Related, SpecError, has_errors
from plinth.diagnostics.secrets import secret_in
from plinth.diagnostics.suggest import did_you_mean
from plinth.spec.environments import split
from plinth.spec.faults import TEXT_CODES, from_pydantic, place_of
from plinth.spec.platform import CloudSection, ComponentSection, Document, Platform, document_type
from plinth.spec.rules import check_environments, check_platform
from plinth.text.nodes import find, read_yaml, walk
from plinth.text.source import shown
from plinth.text.spans import show_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plinth.spec.environments import Tree
    from plinth.spec.faults import Location
    from plinth.text.nodes import Node, TextFault
    from plinth.text.spans import Span, SpecPath


class Environment(Struct, frozen=True):
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
    together = fold(found) + check_environments({each.name: each.platform for each in environments})
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
    shared: dict[tuple[Any, ...], tuple[Diagnostic, list[str]]] = {}
    for name, diagnostics in found.items():
        for each in diagnostics:
            key = (each.code, each.message, each.path, each.span)
            names = shared.setdefault(key, (each, []))[1]
            if name not in names:
                names.append(name)
    return tuple(
        replace(each, environments=() if len(names) == len(found) else tuple(names))
        for each, names in shared.values()
    )


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
    _raise_if_wrong(fold(found), document)
    return tuple(environments)


def _validate(tree: Tree) -> Document:
    root = tree.node
    if not isinstance(root.value, Mapping):
        raise SpecError((_not_a_platform(root),))
    cloud, cloud_faults = _cloud_type(root)
    components, component_faults = _component_types(root)
    # What no plug-in can judge has been told already, better.
    untold: tuple[Location, ...] = tuple(("spec", "components", name) for name in component_faults)
    if cloud_faults:
        untold = (*untold, ("spec", "cloud"))
    faults = (*cloud_faults, *component_faults.values())
    known = _known_type(cloud, tuple(components.items()))
    try:
        typed = known.model_validate(_plain(root))
    except ValidationError as error:
        raise SpecError((*faults, *from_pydantic(error, root, known, without=untold))) from None
    if faults:
        raise SpecError(faults)
    return typed.attached(root)


@cache
def _known_type(
    cloud: type[CloudSection], components: tuple[tuple[str, type[ComponentSection]], ...]
) -> type[Document]:
    """The type of a file, made once for all environments that name the same plug-ins."""
    return document_type(cloud, dict(components))


def _cloud_type(root: Node) -> tuple[type[CloudSection], tuple[Diagnostic, ...]]:
    """The section of the cloud that is named, or that of any cloud and what is wrong with the name."""
    cloud = find(root, ("spec", "cloud"))
    if cloud is None or not isinstance(cloud.value, Mapping):
        return CloudSection, ()  # said as of any other section
    provider = cloud.value.get("provider")
    clouds = registry.names("clouds")
    choices = ", ".join(f"`{name}`" for name in clouds)
    if provider is None:
        fault = Diagnostic(
            code="PLN202",
            message=f"`{show_path(cloud.path)}` lacks `provider`",
            help=f"add `provider`: one of {choices}",
            path=cloud.path,
            at_key=True,
        )
    elif not isinstance(provider.value, str):
        fault = Diagnostic(
            code="PLN203",
            message="`provider` is not the name of a cloud",
            help=f"use one of {choices}",
            path=provider.path,
            span=place_of(provider),
        )
    elif provider.value not in clouds:
        fault = Diagnostic(
            code="PLN204",
            message=f"{shown(provider.value)} is not a cloud that Plinth knows",
            help=did_you_mean(provider.value, clouds, otherwise=f"use one of {choices}"),
            path=provider.path,
            span=provider.span,
        )
    else:
        return registry.load("clouds", provider.value).Section, ()
    return CloudSection, (fault,)


def _component_types(root: Node) -> tuple[dict[str, type[ComponentSection]], dict[str, Diagnostic]]:
    """The sections of the components that are named, and what is wrong with the other names."""
    components = find(root, ("spec", "components"))
    if components is None or not isinstance(components.value, Mapping):
        return {}, {}
    known = registry.names("components")
    types: dict[str, type[ComponentSection]] = {}
    faults: dict[str, Diagnostic] = {}
    for name, node in components.value.items():
        if name not in known:
            faults[name] = Diagnostic(
                code="PLN306",
                message=f"{shown(name)} is not a component that Plinth knows",
                help=did_you_mean(name, known, otherwise=f"the components are {', '.join(known)}"),
                path=node.path,
                at_key=True,
                span=node.key_span,
            )
        elif node.value is None:
            # Whoever writes the name alone wants the component; nothing would leave it out unsaid.
            faults[name] = Diagnostic(
                code="PLN203",
                message=f"nothing stands where the section of `{name}` is wanted",
                help=f"write `{name}: {{}}` to have it as it comes, or take the line away",
                path=node.path,
                at_key=True,
                span=node.key_span,
            )
        else:
            types[name] = registry.load("components", name).Section
    return types, faults


def _plain(node: Node) -> object:
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
            help="put it into the secret store and write its name: `{secret: NAME}`; "
            "revoke it if it was ever committed",
            path=node.path,
            span=node.span,
        )
        for node in walk(document)
        if isinstance(node.value, str) and secret_in(node.value)
    )


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


def _raise_if_wrong(diagnostics: tuple[Diagnostic, ...], document: Node) -> None:
    if has_errors(diagnostics):
        raise SpecError(ordered(locate(each, document) for each in diagnostics))


def _span(document: Node, path: SpecPath, *, at_key: bool) -> Span | None:
    """The place of a path, or of the nearest part above it that was said."""
    for length in range(len(path), -1, -1):
        node = find(document, path[:length])
        if node is not None:
            exact = length == len(path)
            # What was not said is shown by the key of the section that lacks it.
            by_key = node.key_span is not None and (at_key or not exact)
            return node.key_span if by_key else place_of(node)
    return None
