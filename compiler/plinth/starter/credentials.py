"""How workflows get rights in a cloud: which clouds they sign in to, and what their variables are called."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from plinth.starter.questions import Answers

GOOGLE: Final = "gcp"
"""The cloud whose clusters a job reaches by who it is; on others it takes a kubeconfig."""
AWS: Final = "aws"
AZURE: Final = "azure"

IDENTITY_PROVIDER: Final = "IDENTITY_PROVIDER"
PLAN_ACCOUNT: Final = "PLAN_ACCOUNT"
APPLY_ACCOUNT: Final = "APPLY_ACCOUNT"
PLAN_ROLE: Final = "PLAN_ROLE"
APPLY_ROLE: Final = "APPLY_ROLE"
PLAN_CLIENT: Final = "PLAN_CLIENT"
APPLY_CLIENT: Final = "APPLY_CLIENT"
KUBECONFIG: Final = "KUBECONFIG"

GITHUB_VARIABLES: Final = {
    GOOGLE: (IDENTITY_PROVIDER, PLAN_ACCOUNT, APPLY_ACCOUNT),
    AWS: (PLAN_ROLE, APPLY_ROLE),
    AZURE: (PLAN_CLIENT, APPLY_CLIENT),
}
"""What a job on GitHub is told of each cloud, by which it signs in; nothing runs until the first is set."""

_GITHUB: Final = re.compile(r"(?:https://github\.com/|git@github\.com:)([^/]+/[^/]+?)(?:\.git)?")


def signs_in(answers: Answers) -> bool:
    """Whether every job can sign in to the cloud and its clusters without a key, by who it is."""
    return answers.provider == GOOGLE


def github_variables(answers: Answers) -> tuple[str, ...]:
    """What the jobs that plan and apply on GitHub are told, none where signing in is left to a person."""
    return GITHUB_VARIABLES.get(answers.provider, ())


def plans_in_an_environment(answers: Answers) -> bool:
    """Whether who plans is known by one of GitHub's environments, whose name ends in `-plan`."""
    return answers.provider in {AWS, AZURE}


def github_repository(answers: Answers) -> str | None:
    """The repository whose workflows the cloud is to believe, `acme/ml-platform`; None where nobody said."""
    if answers.get("--ci") != "github" or not plans_in_an_environment(answers):
        return None
    match = _GITHUB.fullmatch(answers.get("--repository") or "")
    return match[1] if match else None


def variable(environment: str, what: str) -> str:
    """The name of a variable or secret of CI: `PLINTH_DEV_PLAN_ACCOUNT`."""
    return f"PLINTH_{environment.upper().replace('-', '_')}_{what}"


def github_note(answers: Answers, indent: str) -> str:
    """What the variables of the first environment hold on GitHub, an item each."""
    name = answers.environments[0]
    if answers.provider == AWS:
        role = f"arn:aws:iam::{answers.get('--account-id')}:role/{answers.get('--name')}-ci"
        return f"""\
{indent}- {variable(name, PLAN_ROLE)}: `{role}-plan`
{indent}- {variable(name, APPLY_ROLE)}: `{role}`"""
    if answers.provider == AZURE:
        return f"""\
{indent}- {variable(name, PLAN_CLIENT)}: the output `client-id-ci-plan` of the root `cluster`
{indent}- {variable(name, APPLY_CLIENT)}: its output `client-id-ci`
{indent}- On the state's container, grant the first Storage Blob Data Reader and the second Storage Blob
Data Contributor. The vault has to be reached as well: docs/clouds/azure.md says from where."""
    return variables_note(name, indent)


def variables_note(environment: str, indent: str = "") -> str:
    """What the variables of an environment hold on Google Cloud, an item each."""
    return f"""\
{indent}- {variable(environment, IDENTITY_PROVIDER)}: `projects/NUMBER/locations/global/...`,
  the full name of a workload identity provider that believes this repository
{indent}- {variable(environment, PLAN_ACCOUNT)}: a service account that may read everything and
  write the state
{indent}- {variable(environment, APPLY_ACCOUNT)}: one that may apply, which only jobs of the
  environment `{environment}` may use"""
