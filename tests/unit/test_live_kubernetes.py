"""What is asked of an API server, and what is made of its answers and of its silence."""

from __future__ import annotations

import json
import socket
import stat
import sys
import threading

import pytest
import yaml

from plinth.diagnostics.diagnostic import PlinthError
from plinth.live import api_server as live
from plinth.live.api_server import ApiServer, Refused, Request, connect
from plinth.live.kubernetes import Cluster, Kind, Place
from support.api_server import TOKEN, serve

CONFIG_MAP = Kind(
    group="", kind="ConfigMap", plural="configmaps", is_namespaced=True, versions=("v1",), verbs=frozenset()
)
DEPLOYMENT = Kind(
    group="apps",
    kind="Deployment",
    plural="deployments",
    is_namespaced=True,
    versions=("v1",),
    verbs=frozenset(),
)
PLACE = Place(kind=DEPLOYMENT, version="v1", namespace="lab", name="web")


def config_map(name, **data):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "lab"},
        "data": data,
    }


@pytest.fixture
def server():
    with serve() as found:
        yield found


@pytest.fixture
def waited():
    return []


@pytest.fixture
def cluster(server, tmp_path, monkeypatch, waited):
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path)))
    return Cluster(ApiServer(connect(None)._client, wait=waited.append))


def fault(call):
    with pytest.raises(PlinthError) as raised:
        call()
    return raised.value.diagnostic


@pytest.mark.parametrize("method", ["PATCH", "POST"])
@pytest.mark.parametrize("query", [{}, {"dryRun": ""}, {"dryRun": "all"}])
def test_a_request_that_would_change_something_cannot_be_made(method, query):
    with pytest.raises(ValueError, match="would change the cluster"):
        Request(method=method, path="/api/v1/namespaces/lab/configmaps/a", query=query, body={})


@pytest.mark.parametrize("is_aggregated", [True, False])
def test_kinds_are_found_in_both_forms_of_discovery(server, cluster, is_aggregated):
    server.is_aggregated = is_aggregated
    found = cluster.kinds()
    autoscaler = found.served["autoscaling", "HorizontalPodAutoscaler"]
    assert autoscaler.versions == ("v2", "v1")
    assert found.served["", "Namespace"].is_namespaced is False
    assert found.served["apps", "Deployment"].plural == "deployments"
    assert "patch" in found.served["apps", "Deployment"].verbs
    assert found.unread == frozenset()
    assert (len(server.requests) == 2) is is_aggregated


@pytest.mark.parametrize("is_aggregated", [True, False])
def test_a_group_whose_server_is_down_is_unread_and_not_absent(server, cluster, is_aggregated):
    server.is_aggregated = is_aggregated
    server.stale_groups = {"lab.example.com"}
    found = cluster.kinds()
    assert found.unread == {"lab.example.com"}
    assert ("lab.example.com", "Widget") not in found.served
    assert ("apps", "Deployment") in found.served


def test_a_long_list_comes_in_pages_and_every_object_says_what_it_is(server, cluster):
    server.objects = [config_map(f"c{number}") for number in range(7)]
    server.page = 3
    found = cluster.objects(CONFIG_MAP, "v1")
    assert [each["metadata"]["name"] for each in found] == [f"c{number}" for number in range(7)]
    assert {(each["apiVersion"], each["kind"]) for each in found} == {("v1", "ConfigMap")}
    assert {each.query["limit"] for each in server.requests} == {"500"}


def test_a_list_that_expires_on_the_way_is_begun_again(server, cluster):
    server.objects = [config_map(f"c{number}") for number in range(5)]
    server.page, server.expires = 2, 1
    assert len(cluster.objects(CONFIG_MAP, "v1")) == 5
    assert sum("continue" not in each.query for each in server.requests) == 2


def test_a_list_that_always_expires_is_given_up(server, cluster):
    server.objects = [config_map(f"c{number}") for number in range(5)]
    server.page, server.expires = 2, 99
    found = cluster.objects(CONFIG_MAP, "v1")
    assert isinstance(found, Refused)
    assert (found.status, found.reason) == (410, "Expired")


def test_a_busy_server_is_asked_again_when_it_says_so(server, cluster, waited):
    server.busy = 2
    assert cluster.version() == "v1.36.3"
    assert waited == [7.0, 7.0]


def test_a_server_that_stays_busy_is_refused_in_the_end(server, cluster, waited):
    server.busy = 99
    found = cluster.object(PLACE)
    assert isinstance(found, Refused)
    assert found.status == 429
    assert len(waited) == live.TRIES - 1


def test_a_broken_connection_is_tried_again(server, cluster):
    server.broken = 2
    assert cluster.version() == "v1.36.3"


def test_a_server_that_never_says_a_word_is_unreachable(server, cluster):
    server.broken = 99
    told = fault(cluster.version)
    assert told.code == "PLN913"
    assert server.address in told.message


def test_the_apply_probe_is_a_dry_run_under_the_name_of_argo_cd(server, cluster):
    server.objects = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "lab"}}
    ]
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 2},
    }
    found = cluster.apply_probe(PLACE, body)
    (asked,) = server.probes()
    assert found["spec"] == {"replicas": 2}
    assert (asked.method, asked.path) == ("PATCH", "/apis/apps/v1/namespaces/lab/deployments/web")
    assert asked.query == {
        "dryRun": "All",
        "fieldManager": "argocd-controller",
        "fieldValidation": "Strict",
        "force": "true",
    }
    assert asked.headers["content-type"] == "application/apply-patch+yaml"
    assert asked.body == body


def test_the_create_probe_needs_no_right_to_patch(server, cluster):
    server.unprobed = {"deployments": {"patch"}}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "free"}}
    assert cluster.create_probe(PLACE, body)["metadata"] == {"name": "free"}
    assert [each.method for each in server.probes()] == ["PATCH", "POST"]
    assert {each.query["dryRun"] for each in server.probes()} == {"All"}
    assert {each.query["fieldManager"] for each in server.probes()} == {"plinth-probe"}


def test_a_refusal_has_its_status_reason_and_causes(server, cluster, monkeypatch):
    told = {
        "kind": "Status",
        "code": 422,
        "reason": "Invalid",
        "message": "spec.clusterIP: Invalid value",
        "details": {"causes": [{"field": "spec.clusterIP", "reason": "FieldValueInvalid"}]},
    }
    monkeypatch.setattr(type(server), "_resource", lambda *_: (422, told, {}))
    assert cluster.object(PLACE) == Refused(
        status=422, reason="Invalid", message="spec.clusterIP: Invalid value", causes=("spec.clusterIP",)
    )


def test_sixteen_are_under_way_at_once(cluster):
    together = threading.Barrier(16, timeout=60)
    assert len(list(cluster.all(lambda _: together.wait(), range(16)))) == 16


def test_a_seventeenth_waits(cluster):
    together = threading.Barrier(17, timeout=0.3)
    with pytest.raises(threading.BrokenBarrierError):
        list(cluster.all(lambda _: together.wait(), range(17)))


def test_a_fault_on_the_way_ends_the_whole(server, cluster):
    server.unauthorised = True
    told = fault(lambda: list(cluster.all(lambda _: cluster.object(PLACE), range(500))))
    assert told.code == "PLN915"
    assert len(server.requests) < 500


def test_an_expired_token_is_told_with_a_way_out(server, cluster):
    server.unauthorised = True
    told = fault(cluster.version)
    assert told.code == "PLN915"
    assert "expired" in told.message
    assert TOKEN not in told.message + told.help


@pytest.mark.parametrize(("switch", "said"), [("garbage", "no JSON object"), ("redirects", "redirects")])
def test_what_is_no_api_server_is_told(server, cluster, switch, said):
    setattr(server, switch, True)
    told = fault(cluster.version)
    assert told.code == "PLN916"
    assert said in told.message


def test_nobody_at_the_address(server, tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path, server=address)))
    told = fault(Cluster(connect(None)).version)
    assert (told.code, told.message) == ("PLN913", f"{address} cannot be reached: Connection refused")


def test_a_server_that_does_not_answer_in_time_is_no_answer(tmp_path, monkeypatch, server):
    monkeypatch.setattr(live, "ANSWER_S", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path, server=address)))
        found = connect(None).ask(Request(path="/version"))
    assert isinstance(found, Refused)
    assert (found.status, found.reason) == (0, "Timeout")


def test_a_certificate_that_nobody_trusts(server, tmp_path, monkeypatch):
    address = server.address.replace("http:", "https:")
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path, server=address)))
    told = fault(Cluster(connect(None)).version)
    assert told.code == "PLN914"
    assert address in told.message


def test_no_kubeconfig(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nowhere"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    told = fault(lambda: connect(None))
    assert told.code == "PLN912"
    assert str(tmp_path / "nowhere") in told.message


def test_no_such_context_names_those_there_are(server, tmp_path, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path)))
    told = fault(lambda: connect("lob"))
    assert told.code == "PLN912"
    assert "`lob`" in told.message
    assert "lab" in told.help


@pytest.mark.parametrize("text", ["", "[]", "{:", "clusters: {}", "contexts: 3", "\0"])
def test_a_broken_kubeconfig_is_told_and_not_quoted(tmp_path, monkeypatch, text):
    path = tmp_path / "kubeconfig"
    path.write_text(f"{text}\n# token: {TOKEN}\n")
    monkeypatch.setenv("KUBECONFIG", str(path))
    told = fault(lambda: connect(None))
    assert told.code == "PLN912"
    assert TOKEN not in told.message


def test_the_first_of_several_kubeconfigs_may_be_missing(server, tmp_path, monkeypatch):
    path = server.kubeconfig(tmp_path)
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'nowhere'}:{path}")
    assert Cluster(connect("lab")).version() == "v1.36.3"


def plug_in(tmp_path, server, script):
    program = tmp_path / "sign-in"
    program.write_text(f"#!{sys.executable}\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    path = server.kubeconfig(tmp_path)
    content = yaml.safe_load(path.read_text())
    content["users"][0]["user"] = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": str(program),
            "interactiveMode": "Never",
        }
    }
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_plug_in_gives_the_token(server, tmp_path, monkeypatch):
    script = (
        "import json\nprint(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', "
        f"'kind': 'ExecCredential', 'status': {{'token': {TOKEN!r}}}}}))"
    )
    monkeypatch.setenv("KUBECONFIG", str(plug_in(tmp_path, server, script)))
    assert Cluster(connect(None)).version() == "v1.36.3"


def test_a_plug_in_that_fails_is_told(server, tmp_path, monkeypatch, capfd):
    script = "import sys\nsys.exit('please sign in first')"
    monkeypatch.setenv("KUBECONFIG", str(plug_in(tmp_path, server, script)))
    told = fault(lambda: connect(None))
    assert told.code == "PLN915"
    assert "gives no credentials" in told.message
    assert capfd.readouterr().out == ""


def test_a_kubeconfig_whose_token_was_fetched_anew_is_not_written(server, tmp_path, monkeypatch):
    program = tmp_path / "token"
    answer = json.dumps({"credential": {"access_token": TOKEN, "token_expiry": "2999-01-01T00:00:00Z"}})
    program.write_text(f"#!{sys.executable}\nprint({answer!r})\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    path = server.kubeconfig(tmp_path)
    content = yaml.safe_load(path.read_text())
    config = {
        "cmd-path": str(program),
        "token-key": "{.token}",
        "expiry-key": "{.expiry}",
        "expiry": "2000-01-01T00:00:00Z",
        "access-token": "old",
    }
    content["users"][0]["user"] = {"auth-provider": {"name": "gcp", "config": config}}
    path.write_text(yaml.safe_dump(content))
    before = path.read_bytes()
    monkeypatch.setenv("KUBECONFIG", str(path))
    assert Cluster(connect(None)).version() == "v1.36.3"
    assert path.read_bytes() == before
