"""The workflows after a merge: plan, wait for an approval, apply, move the branch of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.starter.credentials import (
    AWS,
    AZURE,
    github_note,
    github_repository,
    github_variables,
    plans_in_an_environment,
    variable,
)
from plinth.starter.github.parts import FOLDER, TERRAFORM, action, amazon, checkout, google, machine, workflow
from plinth.starter.platform import branch_of
from plinth.starter.scripts import script
from plinth.starter.words import filled
from plinth.text.annotated import Line, Noted

if TYPE_CHECKING:
    from plinth.starter.questions import Answers

ROOTS: Final = ".github/plinth-roots.sh"


def apply(answers: Answers) -> str:
    """What happens after a merge, environment by environment."""
    jobs: dict[str, Any] = {}
    before: str | None = None
    for name in answers.environments:
        told = github_variables(answers)
        ready = f"vars.{variable(name, told[0])} != '' && " if told else ""
        promotes = name in answers.others
        job = {
            **({"needs": before} if before else {}),
            "if": f"${{{{ {ready}github.ref_name == '{answers.get('--branch')}' }}}}",
            "permissions": Line({"contents": "read", "id-token": "write"}),
            "concurrency": Line({"group": f"plinth-{name}", "cancel-in-progress": False}),
            "uses": f"./{FOLDER}/plinth-environment.yml",
            "with": {
                "environment": name,
                "promotes": promotes,
                "removals": "${{ inputs.removals == true }}",
                **_region(answers, name),
                **{_input(what): f"${{{{ vars.{variable(name, what)} }}}}" for what in told},
            },
        }
        jobs[name] = Noted(value=job, gap=before is not None)
        before = name
        if promotes:
            jobs[f"{name}-branch"] = Noted(
                value=_branch_job(answers, name), above="Only now may Argo CD follow.", gap=True
            )
            before = f"{name}-branch"
    return workflow(
        _apply_head(answers),
        "plinth apply",
        on={
            "push": Line({"branches": [answers.get("--branch")]}),
            "workflow_dispatch": {
                "inputs": {
                    "removals": Line(
                        {"type": "boolean", "default": False, "description": "Remove what is no longer used"}
                    )
                }
            },
        },
        folder=".",
        concurrency=None,
        jobs=jobs,
    )


def _input(what: str) -> str:
    return what.lower().replace("_", "-")


def _region(answers: Answers, environment: str) -> dict[str, str | None]:
    """Where AWS is asked for credentials; the roots say where their things are."""
    if answers.provider != AWS:
        return {}
    is_first = environment == answers.environments[0]
    return {"region": answers.get("--region", "" if is_first else environment)}


def _apply_head(answers: Answers) -> str:
    names = ", ".join(f"`{each}`" for each in answers.environments)
    told = github_variables(answers)
    number = {2: "two", 3: "three"}.get(len(told))
    rights = (
        f"""\
2. For each environment {number} variables (Settings > Secrets and variables > Actions > Variables).
Until the first of them is set, nothing happens here.
{github_note(answers, "   ")}"""
        if told
        else "2. Credentials of your cloud: a step of plinth-environment.yml before its last ones."
    )
    if plans_in_an_environment(answers):
        plans = ", ".join(f"`{each}-plan`" for each in answers.environments)
        rights += f"""
3. Environments {plans} for planning, without reviewers. Restrict all of them to the branch
`{answers.get("--branch")}` (deployment branches): who may run a job in them may read what a plan reads.
{_made_by(answers)}"""
    return filled(f"""
After a merge: plan, wait for an approval, apply, and only then move the branch that Argo CD follows.
An environment waits for the one before it.

Before the first run:
1. Environments (Settings > Environments) {names}, each with required reviewers.
WITHOUT REVIEWERS A PLAN IS APPLIED UNASKED.
{rights}

Removals: what the spec no longer has may be in use until Argo CD has synced. So what a plan removes is
left out at first; once everything is Synced, run this workflow by hand with `removals`.
""")


def _made_by(answers: Answers) -> str:
    if github_repository(answers):
        return "`ci` in platform.yaml has made who plans and who applies, once you have applied it by hand."
    return "Who plans and who applies is made by `ci: {github: OWNER/REPOSITORY}` in platform.yaml."


def environment(answers: Answers, folder: str) -> str:
    """What one environment goes through; called by `apply`'s workflow."""
    inputs = {
        "environment": Line({"type": "string", "required": True}),
        "promotes": Line({"type": "boolean", "required": True}),
        "removals": Line({"type": "boolean", "required": True}),
    }
    more = [*_region(answers, answers.environments[0]), *map(_input, github_variables(answers))]
    inputs |= {each: Line({"type": "string", "required": True}) for each in more}
    variables = {"ENVIRONMENT": "${{ inputs.environment }}", "REMOVALS": "${{ inputs.removals }}"}

    def steps(mode: str) -> list[object]:
        return [
            checkout(),
            {
                "uses": action("hashicorp/setup-terraform"),
                "with": Line({"terraform_version": TERRAFORM, "terraform_wrapper": False}),
            },
            *google(answers, "${{ inputs.identity-provider }}", f"${{{{ inputs.{mode}-account }}}}"),
            *amazon(answers, f"${{{{ inputs.{mode}-role }}}}", "${{ inputs.region }}"),
            {
                "name": f"{mode.capitalize()} network, cluster, platform",
                "id": mode,
                "env": {
                    "MODE": mode,
                    **({"PLINTH_CHANGES": "${{ needs.plan.outputs.changes }}"} if mode == "apply" else {}),
                    **variables,
                    **_microsoft(answers, f"${{{{ inputs.{mode}-client }}}}"),
                },
                "run": f'sh "$GITHUB_WORKSPACE/{ROOTS}"',
            },
        ]

    plan = {
        **({"environment": "${{ inputs.environment }}-plan"} if plans_in_an_environment(answers) else {}),
        **machine(30),
        "permissions": Line({"contents": "read", "id-token": "write"}),
        "outputs": Line({"changes": "${{ steps.plan.outputs.PLINTH_CHANGES }}"}),
        "steps": steps("plan"),
    }
    apply = {
        "needs": "plan",
        "if": Noted(
            value="${{ needs.plan.outputs.changes != '' || inputs.promotes }}",
            above="A branch that moves is approved as well, whether there is anything to apply or not.",
        ),
        "environment": "${{ inputs.environment }}",
        **machine(120),
        "permissions": Line({"contents": "read", "id-token": "write"}),
        "steps": steps("apply"),
    }
    return workflow(
        "One environment: plan its roots, and apply what was approved. Called by plinth-apply.yml.",
        "plinth environment",
        on={"workflow_call": {"inputs": inputs}},
        folder=folder,
        concurrency=None,
        jobs={"plan": plan, "apply": Noted(value=apply, gap=True)},
    )


def _microsoft(answers: Answers, client: str) -> dict[str, str]:
    """By which Terraform signs in to Azure as who the job is; it takes no sign-in of another program."""
    return {"ARM_USE_OIDC": "true", "ARM_CLIENT_ID": client} if answers.provider == AZURE else {}


def promote(answers: Answers) -> str:
    """What happens after a merge where there is no infrastructure to apply."""
    jobs: dict[str, Any] = {
        f"{name}-branch": Noted(
            value={**_branch_job(answers, name, needs=False), "environment": name}, gap=index > 0
        )
        for index, name in enumerate(answers.others)
    }
    return workflow(
        "After a merge and an approval: move an environment's branch forward, which its Argo CD follows.\n"
        "The approval is that of the environment (Settings > Environments, required reviewers).\n"
        "WITHOUT REVIEWERS THE BRANCH MOVES UNASKED.",
        "plinth promote",
        on={"push": Line({"branches": [answers.get("--branch")]})},
        folder=".",
        concurrency=None,
        jobs=jobs,
    )


def _branch_job(answers: Answers, name: str, *, needs: bool = True) -> dict[str, Any]:
    return {
        **({"needs": name} if needs else {}),
        **machine(5),
        "permissions": Line({"contents": "write"}),
        "steps": [
            {
                "name": f"Move {branch_of(answers, name)} forward",
                "env": {"GH_TOKEN": "${{ github.token }}", "BRANCH": branch_of(answers, name)},
                "run": script("github_branch.sh"),
            }
        ],
    }
