"""The rig for tests: `control_plane`, `simulated_cluster`, `argo_cd`, each started when the first test asks for it.

Workers of a parallel run have a control plane each. Sharing one would save 0.5 GiB and 5 s of CPU for each
further worker, and cost a protocol for who starts it, who ends it and what a worker does when another one
broke it. Two workers with Argo CD need less than 2 GiB. Within a worker tests share it and keep to
namespaces of their own (`cluster.namespace()`), so starting it is paid once.
"""

from __future__ import annotations

import pytest

from .argocd import PROGRAMS as ARGO_CD
from .argocd import argo_cd as started_argo_cd
from .control_plane import CONTROLLERS, NODES, PROGRAMS
from .control_plane import control_plane as started_control_plane
from .programs import missing

FIXTURES = ("control_plane", "simulated_cluster", "argo_cd")


@pytest.fixture(scope="session")
def control_plane():
    """etcd, an API server, and the controllers: without them no namespace ends and the role `edit` allows nothing."""
    _skip_without(*PROGRAMS, *CONTROLLERS)
    with started_control_plane() as cluster:
        cluster.add_controllers()
        yield cluster


@pytest.fixture(scope="session")
def simulated_cluster(control_plane):
    """The same with a scheduler and one large node on which pods seem to run."""
    _skip_without(*NODES)
    control_plane.add_nodes("node-1")
    return control_plane


@pytest.fixture(scope="session")
def argo_cd(control_plane):
    """Argo CD on the same cluster."""
    _skip_without(*ARGO_CD)
    with started_argo_cd(control_plane) as argo:
        yield argo


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Name the rig's logs in the report of a test that failed with it, and keep them."""
    report = yield
    asked = getattr(item, "funcargs", {})
    cluster = asked.get("control_plane") or getattr(asked.get("platform"), "cluster", None)
    if report.failed and cluster is not None:
        cluster.programs.keep_logs = True
        report.sections.append(("logs of the rig", str(cluster.programs.logs)))
    return report


def _skip_without(*names):
    lacking = missing(*names)
    if lacking:
        pytest.skip(lacking)
