"""The stand-ins go on where the API server has trouble, and say so where they cannot do their part."""

from __future__ import annotations

import contextlib
import queue
import socket
import time
from types import SimpleNamespace
from urllib.error import URLError

import pytest

from rig import standins
from rig.certificates import missing_openssl, new_authority
from rig.client import ApiError, UnknownKind
from rig.standins import StandInFault, StandIns, stand_ins

DEADLINE_S = 30.0
HOST = "127.0.0.1"

needs_openssl = pytest.mark.skipif(bool(missing_openssl()), reason=str(missing_openssl()))


def balancer(name="web", **fields):
    metadata = {"name": name, "namespace": "n", **fields}
    return "services", {"type": "ADDED", "object": {"metadata": metadata, "spec": {"type": "LoadBalancer"}}}


def service(port):
    metadata = {"name": "hook", "namespace": "n"}
    configuration = {
        "metadata": {"name": "hooks"},
        "webhooks": [{"clientConfig": {"service": {"name": "hook", "namespace": "n", "port": port}}}],
    }
    slices = {
        "metadata": {"name": "hook-1", "namespace": "n", "labels": {"kubernetes.io/service-name": "hook"}},
        "endpoints": [{"conditions": {"ready": True}}],
    }
    return [
        ("services", {"type": "ADDED", "object": {"metadata": metadata, "spec": {"clusterIP": HOST}}}),
        ("validatingwebhookconfigurations", {"type": "ADDED", "object": configuration}),
        ("endpointslices", {"type": "ADDED", "object": slices}),
    ]


class Client:
    """It answers with one trouble after the other, and then does what it is asked."""

    def __init__(self, troubles=()):
        self.troubles, self.done = list(troubles), []

    def merge(self, _api_version, _kind, name, *_words, **_options):
        if self.troubles:
            raise self.troubles.pop(0)
        self.done.append(name)

    def call(self, *_words, **_options):
        return self.merge("", "", "caBundle")


def acted(events, client, authority=None):
    """Stand-ins that acted on events."""
    given = queue.SimpleQueue()
    for each in (*events, None):
        given.put(each)
    others = StandIns(cluster=SimpleNamespace(client=client), authority=authority)
    with contextlib.closing(others):
        others.act_on(given)
    return others


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(standins, "_PAUSES_S", (0.0,) * 4)


@pytest.mark.parametrize(
    "trouble",
    [
        TimeoutError("timed out"),
        ConnectionResetError("reset"),
        URLError("timed out"),
        UnknownKind("no Service of v1"),
        ApiError(404, "not found"),
        ApiError(409, "changed"),
        ApiError(500, "failed"),
        ApiError(503, "not ready"),
    ],
)
def test_what_may_pass_is_tried_again(trouble):
    client = Client([trouble] * 4)
    acted([balancer()], client).check()
    assert client.done == ["web"]


@pytest.mark.parametrize(
    "trouble", [TimeoutError("timed out"), ApiError(503, "not ready"), UnknownKind("no kind")]
)
def test_what_does_not_pass_is_told_and_the_next_object_gets_its_turn(trouble):
    client = Client([trouble] * 5)
    others = acted([balancer(), balancer("next")], client)
    with pytest.raises(StandInFault, match=r"^a stand-in failed at services n/web: ") as raised:
        others.check()
    assert raised.value.__cause__ is trouble
    assert client.done == ["next"]


@pytest.mark.parametrize("trouble", [ApiError(422, "no such field"), ValueError("anything")])
def test_what_is_wrong_is_told_and_not_tried_again(trouble):
    client = Client([trouble])
    others = acted([balancer()], client)
    with pytest.raises(StandInFault, match=r"no such field|ValueError\('anything'\)"):
        others.check()
    assert client.done == []


@pytest.mark.parametrize("status", [404, 409])
def test_what_stays_gone_or_changed_is_left_to_another_event(status):
    client = Client([ApiError(status, "gone")] * 5)
    acted([balancer()], client).check()
    assert (client.done, client.troubles) == ([], [])


@needs_openssl
def test_a_configuration_that_is_gone_keeps_nobody_from_an_address(tmp_path):
    client, authority = Client(), new_authority(tmp_path / "authority")
    client.call = Client([ApiError(404, "gone")] * 99).call
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    acted([*service(port), balancer()], client, authority).check()
    assert client.done == ["web"]


@needs_openssl
def test_a_port_in_use_is_told_by_its_address(tmp_path):
    authority = new_authority(tmp_path / "authority")
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        others = acted(service(port), Client(), authority)
    said = f"a stand-in failed at endpointslices n/hook-1: the webhooks of n/hook need {HOST}:{port}: Address already in use"
    with pytest.raises(StandInFault) as raised:
        others.check()
    assert str(raised.value) == said


@pytest.fixture
def started(monkeypatch, tmp_path):
    """Stand-ins of a cluster that shows what a test tells them."""
    events = []

    class Watches(contextlib.nullcontext):
        def __init__(self, _client, _kinds, tell):
            super().__init__()
            for each in events:
                tell(each)

    monkeypatch.setattr(standins, "Watches", Watches)
    monkeypatch.setattr(standins, "new_authority", lambda folder: folder.mkdir(parents=True))

    def start(client, *told):
        events[:] = told
        return stand_ins(SimpleNamespace(client=client, programs=SimpleNamespace(folder=tmp_path)))

    return start


def wait_for_fault(others):
    deadline = time.monotonic() + DEADLINE_S
    while not others.faults:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def refused(started, then):
    with started(Client([ApiError(422, "no such field")]), balancer()) as others:
        wait_for_fault(others)
        then(others)


SAID = "a stand-in failed at services n/web: 422: no such field"


def test_who_waits_is_told_at_once(started):
    with pytest.raises(StandInFault) as raised:
        refused(started, StandIns.check)
    assert (str(raised.value), getattr(raised.value, "__notes__", [])) == (SAID, [])


def test_who_does_not_ask_is_told_in_the_end(started):
    with pytest.raises(StandInFault) as raised:
        refused(started, lambda _others: None)
    assert str(raised.value) == SAID


def test_another_error_has_it_as_a_note(started):
    def fail(_others):
        raise AssertionError("not so after 600 s")

    with pytest.raises(AssertionError) as raised:
        refused(started, fail)
    assert raised.value.__notes__ == [SAID]


def test_the_end_waits_for_no_further_try(started, monkeypatch):
    monkeypatch.setattr(standins, "_PAUSES_S", (60.0,))
    client = Client([TimeoutError()] * 9)
    with started(client, balancer(), balancer("next")):
        while len(client.troubles) == 9:
            time.sleep(0.01)
    assert len(client.troubles) == 8


def test_a_cluster_can_have_stand_ins_twice(started):
    for _ in range(2):
        with started(Client()):
            pass
