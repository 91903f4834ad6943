"""Entries of Secret Manager, and who may read them.

What nobody has to know is generated: the value goes from an ephemeral resource into a write-only
argument, so that no plan and no state ever holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plinth.clouds._secrets import generated, origins_of_entry
from plinth.ir.answers import Answer, SecretFacts, SecretStoreFacts
from plinth.ir.said import Expression
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.clouds.gcp.names import Names
    from plinth.ir.needs import Secret


def answer(need: Secret, names: Names) -> Answer[SecretFacts]:
    """An entry; its value generated, or left for a person to put there."""
    name = need.name.value
    origins = origins_of_entry(need)
    targets: list[Target] = [
        TerraformResource(
            layer="platform",
            type="google_secret_manager_secret",
            name=name,
            arguments={
                "secret_id": need.name,
                "project": names.project,
                "replication": [{"user_managed": [{"replicas": [_replica(names)]}]}],
            },
            origins=origins,
        ),
        TerraformResource(
            layer="platform",
            type="google_secret_manager_secret_iam_member",
            name=name,
            arguments={
                "project": names.project,
                "secret_id": Expression(f"google_secret_manager_secret.{name}.secret_id"),
                "role": "roles/secretmanager.secretAccessor",
                "member": names.principal(need.reader),
            },
            origins=origins,
        ),
    ]
    if need.made_by == "generated":
        targets += _generated(need, name)
    return Answer(targets=tuple(targets), facts=SecretFacts(name=need.name, remote=need.name))


def store(names: Names) -> Answer[SecretStoreFacts]:
    """Secret Manager of the project, reached with the pod's own identity."""
    return Answer(facts=SecretStoreFacts(provider={"gcpsm": {"projectID": names.project}}))


def _replica(names: Names) -> dict[str, Any]:
    """The secret in the platform's region: a key encrypts only what is where the key is."""
    return {
        "location": names.region,
        "customer_managed_encryption": [{"kms_key_name": names.key("secrets")}],
    }


def _generated(need: Secret, name: str) -> list[Target]:
    made, value = generated(need)
    version = TerraformResource(
        layer="platform",
        type="google_secret_manager_secret_version",
        name=name,
        arguments={
            "secret": Expression(f"google_secret_manager_secret.{name}.id"),
            "secret_data_wo": value,
            # Written once: a new number here would make a new value, and log everybody out.
            "secret_data_wo_version": 1,
        },
        origins=origins_of_entry(need),
    )
    return [*made, version]
