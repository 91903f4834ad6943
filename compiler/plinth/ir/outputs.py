"""`outputs.lock.yaml`: what an apply told and manifests need, none of it secret.

An environment's outputs are those that its compiled Terraform declares; nothing else gets in. What
is missing is waited for: the Applications that need it are compiled, withheld and named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from plinth.ir.said import Because, Said
from plinth.text.emit import yaml_text

if TYPE_CHECKING:
    from plinth.ir.needs import Context
    from plinth.ir.said import Origin

PATH: Final = "outputs.lock.yaml"
API_VERSION: Final = "plinth.dev/v1alpha1"

Recorded = Mapping[str, Mapping[str, str]]
"""Outputs by environment and name."""


class OutputsError(ValueError):
    """The text is no record of outputs."""


def read_outputs(data: Any) -> Recorded:
    """What was recorded, from the plain data of the file.

    Raises:
        OutputsError: it is something else; the message says what is wrong.
    """
    if (
        not isinstance(data, Mapping)
        or data.get("kind") != "Outputs"
        or data.get("apiVersion") != API_VERSION
    ):
        raise OutputsError(f"it is no Outputs of {API_VERSION}")
    environments = data.get("environments", {})
    if not isinstance(environments, Mapping):
        raise OutputsError("`environments` is no map")
    for environment, values in environments.items():
        if not isinstance(values, Mapping):
            raise OutputsError(f"`environments.{environment}` is no map")
        for name, value in values.items():
            if not isinstance(value, str):
                raise OutputsError(f"`environments.{environment}.{name}` is no text")
    return {str(environment): dict(values) for environment, values in environments.items()}


def outputs_text(recorded: Recorded) -> str:
    """The file."""
    environments = {name: dict(sorted(values.items())) for name, values in sorted(recorded.items()) if values}
    return yaml_text({"apiVersion": API_VERSION, "kind": "Outputs", "environments": environments})


def output_value(context: Context, name: str, origins: tuple[Origin, ...]) -> tuple[Said, tuple[str, ...]]:
    """The recorded value of an output, and what it waits for: the output's name, or nothing.

    A value that is not known yet is a text that says so; it is in nothing that is delivered.
    """
    value = context.outputs.get(name)
    if value is None:
        return Said(f"known-after-apply-of-{name}", origins), (name,)
    return Said(value, (*origins, Because(f"the output `{name}` is recorded in {PATH}"))), ()
