"""Values that nobody has to know, alike on every cloud.

A value goes from an ephemeral resource into a write-only argument, so that no plan and no state ever
holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.ir.said import Expression
from plinth.ir.targets import TerraformResource

if TYPE_CHECKING:
    from plinth.ir.needs import Secret
    from plinth.ir.said import Origin

_FORMS: Final[dict[str, dict[str, Any]]] = {
    "password": {"length": 32, "special": False},
    # 64 decimal digits are 32 bytes of hexadecimal to those who want that, and 212 bits of chance.
    "hex": {"length": 64, "special": False, "upper": False, "lower": False},
}


def password(name: str, form: str, origins: tuple[Origin, ...]) -> TerraformResource:
    """A value that nobody knows."""
    return TerraformResource(
        layer="platform",
        block="ephemeral",
        type="random_password",
        name=name,
        arguments=_FORMS[form],
        origins=origins,
    )


def generated(need: Secret) -> tuple[list[TerraformResource], Expression]:
    """What makes up the values of an entry, and the JSON text of them all, for a write-only argument."""
    made: list[TerraformResource] = []
    fields: list[str] = []
    for index, key in enumerate(need.keys):
        if key.form is None:
            fields.append(f'"{key.name}" = "{key.value}"')
            continue
        resource = password(f"{need.name.value}-{index}", key.form, origins_of_entry(need))
        fields.append(f'"{key.name}" = ephemeral.random_password.{resource.name}.result')
        made.append(resource)
    return made, Expression(f"jsonencode({{{', '.join(fields)}}})")


def origins_of_entry(need: Secret) -> tuple[Origin, ...]:
    """Who needs it, and who named it: addresses are made of the name."""
    return (*need.origins, *need.name.origins)
