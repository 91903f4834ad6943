"""How workflows get rights in a cloud: which clouds they sign in to, and what their variables are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from plinth.starter.questions import Answers

GOOGLE: Final = "gcp"
"""The cloud that a workflow signs in to by itself; on others the step is for whoever runs them."""

IDENTITY_PROVIDER: Final = "IDENTITY_PROVIDER"
PLAN_ACCOUNT: Final = "PLAN_ACCOUNT"
APPLY_ACCOUNT: Final = "APPLY_ACCOUNT"
KUBECONFIG: Final = "KUBECONFIG"


def signs_in(answers: Answers) -> bool:
    """Whether workflows can sign in to the cloud without a key, by who they are."""
    return answers.provider == GOOGLE


def variable(environment: str, what: str) -> str:
    """The name of a variable or secret of CI: `PLINTH_DEV_PLAN_ACCOUNT`."""
    return f"PLINTH_{environment.upper().replace('-', '_')}_{what}"


def variables_note(environment: str, indent: str = "") -> str:
    """What the variables of an environment hold, an item each."""
    return f"""\
{indent}- {variable(environment, IDENTITY_PROVIDER)}: `projects/NUMBER/locations/global/...`,
  the full name of a workload identity provider that believes this repository
{indent}- {variable(environment, PLAN_ACCOUNT)}: a service account that may read everything and
  write the state
{indent}- {variable(environment, APPLY_ACCOUNT)}: one that may apply, which only jobs of the
  environment `{environment}` may use"""
