"""The workflow that compares, every night, what was compiled with what runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plinth.starter.credentials import IDENTITY_PROVIDER, KUBECONFIG, PLAN_ACCOUNT, signs_in, variable
from plinth.starter.github.parts import RUN, action, checkout, google, machine, plinth, workflow
from plinth.starter.scripts import script
from plinth.starter.words import filled
from plinth.text.annotated import Line

if TYPE_CHECKING:
    from plinth.starter.questions import Answers


def drift(answers: Answers, folder: str) -> str:
    """A job for each environment, and an issue where one has drifted."""
    rights = _rights(answers)
    return workflow(
        filled(f"""
Every night: does what runs differ from what was compiled? One issue for each environment says so.

It begins once the variable PLINTH_DRIFT is `on`. Before that, {rights}

An API server that GitHub's machines cannot reach needs a runner beside it: change `runs-on`.
"""),
        "plinth drift",
        on={"schedule": [Line({"cron": "17 3 * * *"})], "workflow_dispatch": {}},
        folder=folder,
        concurrency=("plinth-drift", False),
        jobs={"drift": _job(answers)},
    )


def _job(answers: Answers) -> dict[str, Any]:
    is_google = signs_in(answers)
    return {
        "if": "${{ vars.PLINTH_DRIFT == 'on' }}",
        **machine(30),
        "permissions": Line(
            {"contents": "read", "issues": "write", **({"id-token": "write"} if is_google else {})}
        ),
        "strategy": {"fail-fast": False, "matrix": {"include": _rows(answers)}},
        "steps": [
            checkout(),
            *plinth(),
            *(_gke_credentials(answers) if is_google else _kubeconfig()),
            {
                "name": "Compare what was compiled with what runs",
                "env": {
                    "ENVIRONMENT": "${{ matrix.environment }}",
                    "GH_TOKEN": "${{ github.token }}",
                    "RUN": RUN,
                },
                "run": script("github_drift.sh"),
            },
        ],
    }


def _rows(answers: Answers) -> list[dict[str, str]]:
    """What differs from one environment's job to the next."""
    is_google = signs_in(answers)
    return [
        {
            "environment": name,
            **(
                {
                    "identity-provider": f"${{{{ vars.{variable(name, IDENTITY_PROVIDER)} }}}}",
                    "account": f"${{{{ vars.{variable(name, PLAN_ACCOUNT)} }}}}",
                }
                if is_google
                else {"kubeconfig": variable(name, KUBECONFIG)}
            ),
        }
        for name in answers.environments
    ]


def _rights(answers: Answers) -> str:
    """What has to be there before it runs, in words."""
    first = answers.environments[0]
    first = answers.environments[0]
    return (
        f"""the variables of plinth-apply.yml are needed,
and {variable(first, PLAN_ACCOUNT)} and its like need `roles/container.viewer`
and the right to read every kind in the cluster."""
        if signs_in(answers)
        else f"""each environment needs a secret,
{variable(first, KUBECONFIG)} and its like: a kubeconfig whose account may read every kind and change none."""
    )


def _gke_credentials(answers: Answers) -> list[object]:
    return [
        *google(answers, "${{ matrix.identity-provider }}", "${{ matrix.account }}"),
        {
            "name": "Find the cluster",
            "id": "cluster",
            "env": {"ENVIRONMENT": "${{ matrix.environment }}"},
            "run": script("cluster.sh"),
        },
        {
            "uses": action("google-github-actions/get-gke-credentials"),
            "with": {
                "cluster_name": "${{ steps.cluster.outputs.name }}",
                "project_id": "${{ steps.cluster.outputs.project }}",
                "location": "${{ steps.cluster.outputs.location }}",
                "use_dns_based_endpoint": True,
            },
        },
    ]


def _kubeconfig() -> list[object]:
    return [
        {
            "name": "Write the kubeconfig",
            "env": {"CONTENT": "${{ secrets[matrix.kubeconfig] }}"},
            "run": "umask 077\n"
            'printf \'%s\' "$CONTENT" > "$RUNNER_TEMP/kubeconfig"\n'
            'echo "KUBECONFIG=$RUNNER_TEMP/kubeconfig" >> "$GITHUB_ENV"\n',
        }
    ]
