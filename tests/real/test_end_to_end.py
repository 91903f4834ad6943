"""The example platform on a cluster, from the two commands of docs/bootstrap.md on; `support.running` says what is real.

All tests share one platform, in any order: each leaves it settled. `settle` waits for Argo CD and then runs `plinth
drift`, so that every change here is one after which nothing has drifted.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

import pytest

from rig.argocd import NAMESPACE, explain
from support import platforms
from support.dry_runs import READER, UNASKED, documented, grant, only_dry_runs, unknown_kinds
from support.hand_edits import EDITS, HIDDEN, edited
from support.record import is_asked
from support.repository import git
from support.running import OLDER, bring_up, compiled, missing_to_run, older_key, running

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [platforms.needs_mirror, pytest.mark.xdist_group("end-to-end")]

APPLICATIONS = {
    "argo-cd": 1,
    "argo-cd-crds": 0,
    "cert-manager": 1,
    "cert-manager-crds": 0,
    "external-secrets": 1,
    "external-secrets-crds": 0,
    "jupyterhub": 2,
    "mlflow": 2,
    "root": 0,
    "training-operator": 1,
    "training-operator-crds": 0,
}
"""Every Application of `dev`, and its wave."""

OLD, NEW = "3.4.7", "3.5.1"
"""Versions of Argo CD in the catalogue. Only its manifests are upgraded: the program that runs stays the rig's."""

REFRESHES = 10

KEPT = (
    ("v1", "Namespace", "jupyterhub", ""),
    ("v1", "Namespace", "kubeflow", ""),
    ("v1", "PersistentVolumeClaim", "hub-db-dir", "jupyterhub"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "pytorchjobs.kubeflow.org", ""),
)
REMOVED = (
    ("apps/v1", "Deployment", "hub", "jupyterhub"),
    ("apps/v1", "Deployment", "training-operator", "kubeflow"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", "training-operator", ""),
)


@pytest.fixture(scope="module")
def platform(vendored_example, tmp_path_factory):
    """The example's environment `dev`, up and settled, with the older of two versions of Argo CD."""
    lacking = missing_to_run()
    if lacking:
        pytest.skip(lacking)
    folder = tmp_path_factory.mktemp("end-to-end")
    with running(vendored_example, folder, with_old_argo_cd) as found:
        bring_up(found, APPLICATIONS)
        yield found


def with_old_argo_cd(spec):
    return spec.replace("  components:\n", f"  components:\n    argo-cd: {{version: {OLD}}}\n", 1)


def another_idle_time(spec):
    """The time after which an idle notebook is ended, an hour longer."""
    return re.sub(r"idle: (\d+)h", lambda found: f"idle: {int(found[1]) + 1}h", spec)


def syncs(platform):
    """When the last sync of each Application began, the root apart: it follows every commit."""
    return {
        name: each["status"].get("operationState", {}).get("startedAt")
        for name, each in platform.applications().items()
        if name != "root"
    }


def test_argo_cd_alone_brings_every_application_up(platform, record_property):
    rows = [("Application", "wave", "objects", "seconds to Healthy", "syncs", "retries")]
    for name, came in sorted(platform.came.items(), key=lambda each: each[1].seconds):
        rows.append(
            (name, *map(str, (came.wave, came.objects, round(came.seconds), came.syncs, came.retries)))
        )
    lines = ["{:24}{:>6}{:>9}{:>20}{:>7}{:>9}".format(*row) for row in rows]
    lines += [f"reviews answered for {name}: {count}" for name, count in platform.others.answered.items()]
    started = platform.started
    lines += [
        f"the control plane was ready after {started.control_plane_s:.1f} s",
        f"Argo CD was ready after {started.argo_cd_s:.1f} s",
        f"all programs together had {platform.peak_mib()} MiB at most",
    ]
    record_property("table", "\n".join(lines))
    assert {name: came.wave for name, came in platform.came.items()} == APPLICATIONS
    assert all(came.objects for came in platform.came.values())


def test_an_application_comes_when_all_of_the_waves_before_it_are_settled(platform):
    settled, came = set(), []
    for each in platform.record.since(0):
        if each.name not in came and each.name != "root":
            came.append(each.name)
            before = {name for name, number in APPLICATIONS.items() if number < APPLICATIONS[each.name]}
            assert before - {"root"} <= settled, f"{each.name} came before {before - settled} was settled"
        if each.is_settled:
            settled.add(each.name)
    assert set(came) == set(APPLICATIONS) - {"root"}


def test_a_controller_that_is_killed_in_the_first_sync_finishes_it_when_it_is_started_again(platform):
    (cut,) = platform.cuts
    assert set() < cut.settled < set(APPLICATIONS)
    assert cut.root["phase"] == "Running"
    after = [each for each in platform.record.since(cut.at) if each.name == "root"]
    # It goes on with the sync that it finds, and does not begin another one.
    finished = next(each for each in after if each.phase != "Running")
    assert (finished.phase, finished.started) == ("Succeeded", cut.root["startedAt"])


def test_what_newer_manifests_of_argo_cd_leave_out_is_gone_once_it_brought_itself(platform):
    assert {each[:3]: older_key(platform.cluster, each) for each in OLDER} == {
        each[:3]: None for each in OLDER
    }


def test_webhooks_were_asked_and_what_needs_a_volume_has_one(platform):
    """What came up did not come up for want of a question: webhooks that fail closed were called."""
    assert platform.others.answered["external-secrets/external-secrets-webhook"] > 0
    claim = platform.get("v1", "PersistentVolumeClaim", "hub-db-dir", "jupyterhub")
    assert claim["status"]["phase"] == "Bound"


def test_a_commit_that_changes_one_value_syncs_that_application_alone(platform):
    before, mark = syncs(platform), platform.record.mark()
    platform.settle(platform.edit(another_idle_time))
    hours = int(re.search(r"idle: (\d+)h", platform.spec())[1])
    settings = platform.get("v1", "ConfigMap", "hub-plinth", "jupyterhub")["data"]["plinth.json"]
    assert json.loads(settings)["idle_seconds"] == hours * 3600
    after = syncs(platform)
    assert {name for name, each in after.items() if each != before[name]} == {"jupyterhub"}
    # What its sync writes into the Application is no difference to the root.
    assert {each.name for each in platform.record.since(mark) if each.sync == "OutOfSync"} == {"jupyterhub"}


def test_a_commit_that_changes_nothing_but_a_base_reaches_the_cluster(platform):
    """As a newer compiler might write the base: no file of the Application's own folder changes."""
    (file,) = platform.folder.glob("generated/base/training-operator/*/kustomization.yaml")
    before = syncs(platform)
    good = file.read_bytes()

    def replicas():
        return platform.get("apps/v1", "Deployment", "training-operator", "kubeflow")["spec"]["replicas"]

    file.write_bytes(good + b"replicas: [{name: training-operator, count: 2}]\n")
    platform.publish()
    try:
        platform.wait("the change of the base is in the cluster", lambda: replicas() == 2)
    finally:
        file.write_bytes(good)
        platform.settle(platform.publish())
    assert replicas() == 1
    after = syncs(platform)
    # Its definitions have another base, and the other components have theirs.
    assert {name for name, each in after.items() if each != before[name]} == {"training-operator"}


def test_argo_cd_is_upgraded_by_a_commit_to_its_own_application(platform):
    def images():
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
        pods = [
            each["spec"]["template"]["spec"] for each in platform.cluster.client.call("GET", path)["items"]
        ]
        found = {image["image"] for pod in pods for image in pod["containers"]}
        return {each.rpartition(":")[2] for each in found if "argoproj/argocd" in each}

    assert images() == {f"v{OLD}"}
    platform.settle(
        platform.edit(
            lambda spec: spec.replace(f"argo-cd: {{version: {OLD}}}", f"argo-cd: {{version: {NEW}}}")
        )
    )
    assert images() == {f"v{NEW}"}
    annotations = platform.applications()["argo-cd"]["metadata"]["annotations"]
    assert f"/generated/base/argo-cd/{NEW};" in annotations["argocd.argoproj.io/manifest-generate-paths"]


def test_what_somebody_edits_by_hand_is_put_back(platform):
    def replicas():
        return platform.get("apps/v1", "Deployment", "mlflow", "mlflow")["spec"]["replicas"]

    platform.cluster.client.merge("apps/v1", "Deployment", "mlflow", "mlflow", {"spec": {"replicas": 3}})
    platform.wait("MLflow has one replica again", lambda: replicas() == 1)
    platform.settle(git(platform.folder, "rev-parse", "HEAD").strip())


def test_what_kustomize_refuses_changes_nothing_and_argo_cd_says_why(platform):
    def said():
        return explain(platform.applications()["mlflow"])

    def health():
        return {name: each["status"]["health"]["status"] for name, each in platform.applications().items()}

    file = platform.folder / "overlays/dev/mlflow/kustomization.yaml"
    good, before = file.read_bytes(), dict(objects(platform))
    file.write_bytes(good + b"- there-is-no-such-file.yaml\n")
    platform.publish()
    try:
        told = ("there-is-no-such-file.yaml", "no such file")
        platform.wait("Argo CD says what kustomize says", lambda: all(map(said().__contains__, told)))
        assert {key: generation(platform, key) for key in before} == before
        assert {name for name, said in health().items() if said != "Healthy"} <= {"root"}  # which waits
        assert platform.get("apps/v1", "Deployment", "mlflow", "mlflow")["status"]["availableReplicas"] == 1
    finally:
        file.write_bytes(good)
        platform.settle(platform.publish())


def test_components_that_are_taken_out_go_in_reverse_order_and_come_back_on_what_was_kept(platform):
    taken = re.findall(r"^ +(?:jupyterhub|training-operator): .*\n", platform.spec(), re.MULTILINE)
    assert len(taken) == 2
    gone = ("jupyterhub", "training-operator", "training-operator-crds")
    kept = {key: platform.uid(*key) for key in KEPT}
    assert None not in kept.values()
    assert all(platform.uid(*key) for key in REMOVED)
    mark = platform.record.mark()

    def without(spec):
        for each in taken:
            spec = spec.replace(each, "")
        return spec

    revision = platform.edit(without)
    try:
        platform.wait("the Applications are gone", lambda: not {*gone} & set(platform.applications()))
        for key in REMOVED:
            platform.wait(f"{' '.join(key[1:])} is gone", lambda key=key: platform.uid(*key) is None)
        platform.settle(revision)
        assert {key: platform.uid(*key) for key in KEPT} == kept
        order = platform.record.order(mark, "is_leaving", "is_gone")
        # Each waits for the one before it to be gone with all that it brought.
        assert order == tuple((what, name) for name in gone for what in ("is_leaving", "is_gone"))
    finally:
        # The vendored files went with the components: a commit brings both back.
        git(platform.folder, "revert", "--no-edit", revision)
        platform.settle(platform.publish())
    assert {key: platform.uid(*key) for key in KEPT} == kept


def test_drift_needs_no_right_but_that_to_ask_and_finds_nothing_on_a_settled_platform(platform):
    grant(platform.cluster, documented())
    with only_dry_runs(platform.cluster, service("mlflow", "mlflow")):
        code, report, said = platform.drift(READER)
    assert (code, report["findings"]) == (3, []), said
    assert unknown_kinds(report) <= UNASKED | LEFT_OUT, said


def test_drift_tells_twelve_hand_edits_while_nobody_heals_them_and_argo_cd_heals_them_then(platform):
    grant(platform.cluster, documented())
    platform.argo.kill_controller()
    try:
        with edited(platform.cluster.client):
            before = dict(objects(platform))
            _, report, said = platform.drift()
            with only_dry_runs(platform.cluster, service("mlflow", "mlflow")):
                _, asked, said_to_reader = platform.drift(READER)
            assert dict(objects(platform)) == before
            check_edits(platform, report)
            assert [each for each in SPELLINGS if each in said + said_to_reader] == []
            mine = {
                (finding["resource"]["kind"], finding["resource"]["name"]) for finding in asked["findings"]
            }
            assert mine == {each.key[1:3] for each in EDITS}
            assert unknown_kinds(asked) <= UNASKED | LEFT_OUT
    finally:
        platform.argo.start_controller()
        platform.refresh()
    # Argo CD heals what drifted when it is back.
    platform.wait("nothing has drifted", lambda: platform.drift()[1].get("findings") == [])
    platform.settle(git(platform.folder, "rev-parse", "HEAD").strip())


def check_edits(platform, report):
    """Each edit is told once, with its field, who is on record for it, and the line of the spec."""
    lines = platform.spec().splitlines()
    found = {(each["resource"]["kind"], each["resource"]["name"]): each for each in report["findings"]}
    assert set(found) == {each.key[1:3] for each in EDITS}
    assert len(report["findings"]) == len(EDITS)
    for each in EDITS:
        finding = found[each.key[1:3]]
        assert finding["class"] == each.class_, each.what
        assert [field["path"] for field in finding["fields"]] == ([each.field] if each.field else []), (
            each.what
        )
        assert [actor["manager"] for actor in finding["actors"]] == each.actors, each.what
        numbers = [origin["line"] for origin in finding["origins"] if "line" in origin]
        said = [lines[number - 1].strip() for number in numbers]
        assert any(line.startswith(each.line) for line in said), (each.what, said)
        assert each.severity in {None, finding["severity"]}, each.what


LEFT_OUT = {"Secret"}
"""Of one the mirror lacks the values."""

SPELLINGS = (HIDDEN, base64.b64encode(HIDDEN.encode()).decode())


def service(name, namespace):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}}


def test_a_second_compile_and_sync_change_nothing_over_ten_refreshes(platform):
    compiled(platform.folder)
    assert git(platform.folder, "status", "--porcelain", "--", ":!.plinth") == ""
    platform.settle(platform.publish())  # a commit without a change
    before, found, mark = syncs(platform), dict(objects(platform)), platform.record.mark()
    for _ in range(REFRESHES):
        platform.refresh()
        platform.wait("all are looked at", lambda: not any(map(is_asked, platform.applications().values())))
    platform.wait("all of it is on record", lambda: platform.record.has(platform.applications()))
    for each in platform.record.since(mark):
        assert (each.sync, each.is_gone) == ("Synced", False), each
    assert syncs(platform) == before
    assert dict(objects(platform)) == found


def objects(platform) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every object of every Application but the root's, and its generation, or its version where it has none."""
    for name, application in platform.applications().items():
        for each in () if name == "root" else application["status"]["resources"]:
            group, version = each.get("group", ""), each["version"]
            key = (
                f"{group}/{version}" if group else version,
                each["kind"],
                each["name"],
                each.get("namespace", ""),
            )
            yield key, generation(platform, key)


def generation(platform, key):
    """Of an object, or its version where it has none."""
    metadata = (platform.get(*key) or {}).get("metadata", {})
    return metadata.get("generation", metadata.get("resourceVersion"))
