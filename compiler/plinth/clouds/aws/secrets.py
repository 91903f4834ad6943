"""Entries of Secrets Manager, and who may read them.

What nobody has to know is generated: the value goes from an ephemeral resource into a write-only
argument, so that no plan and no state ever holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds._secrets import generated, origins_of_entry
from plinth.clouds.aws.names import reference
from plinth.clouds.aws.policies import allow, inline, policy
from plinth.ir.answers import Answer, SecretFacts, SecretStoreFacts
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.clouds.aws.identities import Identities
    from plinth.clouds.aws.names import Names
    from plinth.ir.needs import Secret
    from plinth.ir.said import Origin

RECOVERY_DAYS: Final = 7
"""For how long a deleted entry can be brought back; until then its name is taken."""


def answer(need: Secret, names: Names, identities: Identities) -> Answer[SecretFacts]:
    """An entry; its value generated, or left for a person to put there."""
    name = need.name.value
    origins = origins_of_entry(need)
    entry = TerraformResource(
        layer="platform",
        type="aws_secretsmanager_secret",
        name=name,
        arguments={
            "name": need.name,
            "kms_key_id": reference("aws_kms_key.data", "arn"),
            "recovery_window_in_days": RECOVERY_DAYS,
        },
        origins=origins,
    )
    targets: list[Target] = [entry, *identities.reader(need.reader, origins)]
    # AWS adds six letters of its own to the ARN of an entry.
    arn = names.arn("secretsmanager", "secret:", need.name, "-??????")
    reads = policy(allow(("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"), arn))
    targets.append(inline("platform", identities.address(need.reader), name, reads, origins))
    if need.made_by == "generated":
        targets += _generated(need, name)
    return Answer(targets=tuple(targets), facts=SecretFacts(name=need.name, remote=need.name))


def store(names: Names) -> Answer[SecretStoreFacts]:
    """Secrets Manager of the account, reached with the pod's own identity."""
    provider = {"aws": {"service": "SecretsManager", "region": names.region}}
    return Answer(facts=SecretStoreFacts(provider=provider))


def _generated(need: Secret, name: str) -> list[Target]:
    made, value = generated(need)
    version = TerraformResource(
        layer="platform",
        type="aws_secretsmanager_secret_version",
        name=name,
        arguments={
            "secret_id": reference(f"aws_secretsmanager_secret.{name}", "id"),
            "secret_string_wo": value,
            # Written once: a new number here would make a new value, and log everybody out.
            "secret_string_wo_version": 1,
        },
        origins=origins_of_entry(need),
    )
    return [*made, version]


def read_back(entry: str, name: str, origins: tuple[Origin, ...]) -> TerraformResource:
    """The text of an entry as it stands in the store, for a write-only argument."""
    return TerraformResource(
        layer="platform",
        block="ephemeral",
        type="aws_secretsmanager_secret_version",
        name=name,
        arguments={
            "secret_id": reference(f"aws_secretsmanager_secret.{entry}", "id"),
            "version_id": reference(f"aws_secretsmanager_secret_version.{entry}", "version_id"),
        },
        origins=origins,
    )
