"""The security gate: every root of every golden case, and of the example, against checkov's rules."""

from __future__ import annotations

import pytest

from support import checkov, terraform

pytestmark = [
    pytest.mark.skipif(checkov.find() is None, reason=checkov.MISSING),
    pytest.mark.xdist_group("terraform"),  # which has the plans
]

CLOUDS = sorted(checkov.MOST_EXCEPTIONS)


@pytest.fixture(scope="module", params=CLOUDS)
def cloud(request):
    return request.param


@pytest.fixture(scope="module")
def plans(every_root):
    tool = terraform.find("terraform") or pytest.skip(terraform.missing("terraform"))
    return checkov.plans(lambda edition: every_root(tool, edition))


@pytest.fixture(scope="module")
def scans(cloud, plans, tmp_path_factory):
    some, program = checkov.by_cloud()[cloud], checkov.find()
    return (
        checkov.scan_written(program, some, tmp_path_factory.mktemp("written")),
        checkov.scan_planned(
            program, {name: plans[name] for name in some}, tmp_path_factory.mktemp("planned")
        ),
    )


def test_every_file_is_read_and_looked_at(cloud, scans):
    for scan in scans:
        assert scan.unread == ()
        assert scan.passed > len(checkov.by_cloud()[cloud])


def test_nothing_fails_that_is_not_a_reviewed_exception(cloud, scans):
    allowed = checkov.exceptions(cloud)
    assert [each for scan in scans for each in scan.failed if each[0] not in allowed] == []


def test_every_exception_still_fails_somewhere(cloud, scans):
    failing = {check for scan in scans for check in scan.checks}
    assert set(checkov.exceptions(cloud)) - failing == set()


def test_exceptions_are_few_and_have_a_reason(cloud):
    found = checkov.exceptions(cloud)
    assert len(found) <= checkov.MOST_EXCEPTIONS[cloud]
    assert all(len(reason.split()) >= 5 for reason in found.values())
