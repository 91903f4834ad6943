"""What a run says of the tests that it left out, and where leaving one out is a failure.

A pytest plug-in. Where `PLINTH_LEAVE_OUT` is set, a run fails that left out a test for any reason but those which the
variable names: a line for each, of which the reason of a test has to hold the text. Empty, it allows none.
"""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "PLINTH_LEAVE_OUT"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that is to be complete and is not."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    # The workers of a parallel run tell what they left out to the process that hands out the tests.
    if (
        not hasattr(session.config, "workerinput")
        and session.exitstatus == 0
        and _refused(_left_out(reporter))
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason, so that no run passes for complete that is not."""
    left_out = _left_out(terminalreporter)
    for reason, names in sorted(left_out.items()):
        listed = ", ".join(f"{name} ({names.count(name)})" for name in sorted(set(names)))
        terminalreporter.write_line(f"left out: {listed} because {reason}")
    refused = _refused(left_out)
    if refused:
        number = sum(len(left_out[reason]) for reason in refused)
        terminalreporter.write_line(
            f"{VARIABLE} does not allow to leave out {number} of these, so the run has failed:", red=True
        )
        for reason in refused:
            terminalreporter.write_line(f"  {reason}", red=True)


def _left_out(reporter: pytest.TerminalReporter) -> Mapping[str, list[str]]:
    """The names of tests by the reason that each was left out for."""
    found: dict[str, list[str]] = defaultdict(list)
    for report in reporter.stats.get("skipped", ()):
        _, _, reason = report.longrepr
        found[reason.removeprefix("Skipped: ")].append(report.nodeid.partition("[")[0])
    return found


def _refused(left_out: Mapping[str, list[str]]) -> list[str]:
    named = os.environ.get(VARIABLE)
    if named is None:
        return []
    allowed = [line.strip() for line in named.splitlines() if line.strip()]
    return [reason for reason in sorted(left_out) if not any(text in reason for text in allowed)]
