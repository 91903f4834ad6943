"""A watch that ends is opened again, and nobody who is told notices: by what a server says, line by line."""

from __future__ import annotations

import queue
import time

import pytest

from rig import watch
from rig.certificates import missing_openssl, new_authority
from rig.client import Client
from rig.watch import Watches
from support.record import Record
from support.scripted import Answer, scripted

pytestmark = pytest.mark.skipif(bool(missing_openssl()), reason=str(missing_openssl()))

DEADLINE_S = 30.0
WHOLE = {
    "type": "BOOKMARK",
    "object": {"metadata": {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}},
}
BOOKMARK = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "10"}}}
GONE = {"type": "ERROR", "object": {"kind": "Status", "code": 410}}


def event(kind, name, version, uid="u", **fields):
    metadata = {"name": name, "namespace": "n", "uid": uid, "resourceVersion": str(version)}
    return {"type": kind, "object": {"metadata": metadata, **fields}}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return new_authority(tmp_path_factory.mktemp("watch") / "authority")


@pytest.fixture(scope="module")
def context(authority):
    return authority.server_context("127.0.0.1")


@pytest.fixture
def told(authority, context, monkeypatch):
    """What is told, in short, while a server says one answer after the other."""
    monkeypatch.setattr(watch, "RETRY_S", 0.01)

    def tell(*streams, plural="things", tell=None):
        events, answers = queue.SimpleQueue(), [Answer(lines=each) for each in streams]
        with scripted(context, answers) as server:
            client = Client(server=server.address, authority=authority.certificate, token="")
            with Watches(client, [("example.com/v1", plural)], tell or events.put):
                deadline = time.monotonic() + DEADLINE_S
                while len(server.asked) <= len(answers):
                    assert time.monotonic() < deadline
                    time.sleep(0.01)
            assert len(set(server.asked)) == 1
            assert (
                "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
                in (server.asked[0])
            )
        found = [events.get()[1] for _ in range(events.qsize())]
        return [
            (each["type"], each["object"]["metadata"]["name"], each["object"]["metadata"]["resourceVersion"])
            for each in found
        ]

    return tell


def test_what_happens_is_told_as_it_comes(told):
    assert told(
        (event("ADDED", "a", 1), WHOLE, event("MODIFIED", "a", 2), BOOKMARK, event("DELETED", "a", 3))
    ) == [
        ("ADDED", "a", "1"),
        ("MODIFIED", "a", "2"),
        ("DELETED", "a", "3"),
    ]


def test_what_changed_while_there_was_no_watch_is_told_once_and_what_did_not_is_not_told_again(told):
    before = (event("ADDED", "a", 1), event("ADDED", "b", 2), WHOLE)
    assert told(
        before, (event("ADDED", "a", 1), event("ADDED", "b", 5), event("ADDED", "c", 6), WHOLE), ()
    ) == [
        ("ADDED", "a", "1"),
        ("ADDED", "b", "2"),
        ("ADDED", "b", "5"),
        ("ADDED", "c", "6"),
    ]


def test_what_went_while_there_was_no_watch_is_told_when_the_server_has_said_what_is_there(told):
    before = (event("ADDED", "a", 1), event("ADDED", "b", 2), WHOLE)
    assert told(before, (event("ADDED", "b", 2),), (event("ADDED", "b", 2), BOOKMARK, WHOLE)) == [
        ("ADDED", "a", "1"),
        ("ADDED", "b", "2"),
        ("DELETED", "a", "1"),
    ]


def test_what_went_and_came_again_under_its_name_went_first(told):
    before = (event("ADDED", "a", 1), WHOLE)
    assert told(before, (event("ADDED", "a", 7, uid="another"), WHOLE)) == [
        ("ADDED", "a", "1"),
        ("DELETED", "a", "1"),
        ("ADDED", "a", "7"),
    ]


def test_a_version_that_the_server_has_forgotten_begins_the_watch_anew(told):
    before = (event("ADDED", "a", 1), WHOLE, GONE, event("MODIFIED", "a", 2))
    assert told(before, (event("ADDED", "a", 3), WHOLE)) == [("ADDED", "a", "1"), ("ADDED", "a", "3")]


def test_a_line_that_is_cut_off_ends_the_watch_and_nothing_else(told):
    before = (event("ADDED", "a", 1), WHOLE, '{"type":"MODIFIED","object":{"meta')
    assert told(before, (event("ADDED", "a", 3), WHOLE)) == [("ADDED", "a", "1"), ("ADDED", "a", "3")]


def test_of_definitions_only_those_that_convert_by_a_webhook_are_told(told):
    by_webhook = {"spec": {"conversion": {"strategy": "Webhook"}}}
    before = (event("ADDED", "a", 1), event("ADDED", "b", 2, **by_webhook), WHOLE)
    assert told(before, (event("ADDED", "a", 1), WHOLE), plural="customresourcedefinitions") == [
        ("ADDED", "b", "2"),
        ("DELETED", "b", "2"),
    ]


def test_a_record_forgets_what_went_while_there_was_no_watch(told):
    record = Record()
    before = (event("ADDED", "a", 1), event("ADDED", "b", 2), WHOLE)
    told(before, (event("ADDED", "b", 2), WHOLE), tell=record.tell)
    assert set(record.now()) == {"b"}
    assert record.has({"b": event("ADDED", "b", 2)["object"]})
    assert record.order(0, "is_gone") == (("is_gone", "a"),)
