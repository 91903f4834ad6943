"""Somebody is told before the platform costs more than it may.

Source: Google Cloud, "Create, edit, or delete budgets and budget alerts".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds.gcp.names import TITLE
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Expression, Said, said, text
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plinth.clouds.gcp.names import Names
    from plinth.ir import needs
    from plinth.spec import platform as spec

PARTS: Final = (0.5, 0.9, 1.0)
"""Parts of the budget at which a mail is written."""

MOST_CHANNELS: Final = 5


def answer(need: needs.Budget, names: Names) -> Answer[NoFacts]:
    """The project's budget for a month, and a channel for every address."""
    budget = need.budget
    channels = [_channel(index, address, budget, names) for index, address in enumerate(budget.notify)]
    limit: Target = TerraformResource(
        layer="platform",
        type="google_billing_budget",
        name="platform",
        arguments={
            "billing_account": said(names.cloud, "billing_account"),
            "display_name": text(names.platform, "-", names.environment),
            "budget_filter": [
                {"projects": [text("projects/", names.project_number)], "calendar_period": "MONTH"}
            ],
            "amount": [
                {
                    "specified_amount": [
                        {
                            "currency_code": said(budget, "currency"),
                            "units": said(budget, "monthly").map(str),
                        }
                    ]
                }
            ],
            "threshold_rules": [
                {"threshold_percent": part, "spend_basis": "CURRENT_SPEND"} for part in PARTS
            ],
            "all_updates_rule": [
                {
                    "monitoring_notification_channels": [
                        Expression(f"google_monitoring_notification_channel.{each.name}.id")
                        for each in channels
                    ],
                    "disable_default_iam_recipients": False,
                }
            ],
        },
        origins=(budget.spec_path,),
    )
    return Answer(targets=(*channels, limit), facts=NoFacts())


def budget_faults(platform: spec.Platform, names: Names) -> Iterator[Diagnostic]:
    """A budget that Google Cloud has no place for."""
    budget = platform.budget
    if budget is None:
        return
    if names.cloud.billing_account is None:
        yield Diagnostic(
            code="PLN202",
            message=f"a budget on {TITLE} belongs to a billing account, and none is said",
            help="add the account that pays: `cloud: {billingAccount: 012345-6789AB-CDEF01}`; "
            "`gcloud billing projects describe ID` prints it",
            path=platform.cloud.spec_path,
            at_key=True,
        )
    if len(budget.notify) > MOST_CHANNELS:
        yield Diagnostic(
            code="PLN315",
            message=f"{len(budget.notify)} addresses are to be written to, and a budget on {TITLE} "
            f"writes to {MOST_CHANNELS}",
            help="name a mailing list in their place",
            path=budget.said_path("notify"),
            at_key=True,
        )


def _channel(index: int, address: str, budget: spec.Budget, names: Names) -> TerraformResource:
    origins = said(budget, "notify").origins
    return TerraformResource(
        layer="platform",
        type="google_monitoring_notification_channel",
        name=f"budget-{index}",
        arguments={
            "project": names.project,
            "display_name": text("Budget of ", names.platform),
            "type": "email",
            "labels": {"email_address": Said(address, origins)},
        },
        origins=origins,
    )
