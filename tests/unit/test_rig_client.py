"""The rig's client asks again where that does no harm, and never for long."""

from __future__ import annotations

import pytest

from rig import client as rig_client
from rig.certificates import missing_openssl, new_authority
from rig.client import ApiError, Client
from support.scripted import Answer, scripted

pytestmark = pytest.mark.skipif(bool(missing_openssl()), reason=str(missing_openssl()))

PATH = "/api/v1/namespaces/default/configmaps/settings"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"

CUT_OFF = Answer(status=None)
BROKEN_OFF = Answer(lines=({"data": {}},), missing=100)
DONE = Answer(lines=({"kind": "ConfigMap"},))


def refusal(status, **fields):
    return Answer(status=status, lines=({"message": f"said with {status}"},), **fields)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return new_authority(tmp_path_factory.mktemp("client") / "authority")


@pytest.fixture(scope="module")
def context(authority):
    return authority.server_context("127.0.0.1")


@pytest.fixture
def asked(authority, context, monkeypatch):
    """What one call gets from a server with a script, and what the server was asked for it."""
    monkeypatch.setattr(rig_client, "_PAUSES_S", (0.0,) * 4)

    def answer(answers, method="GET", content_type="application/json", patience_s=30.0):
        with scripted(context, answers) as server:
            client = Client(
                server=server.address, authority=authority.certificate, token="", patience_s=patience_s
            )
            try:
                found = client.call(
                    method, PATH, None if method == "GET" else {"data": {}}, content_type=content_type
                )
            except (ApiError, OSError) as error:
                found = error
        return found, server.asked

    return answer


TROUBLES = [CUT_OFF, BROKEN_OFF, refusal(500), refusal(503), refusal(504)]


@pytest.mark.parametrize(
    ("method", "content_type"), [("GET", "application/json"), ("PATCH", APPLY), ("PATCH", MERGE)]
)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_may_be_done_twice_is_asked_again(trouble, method, content_type, asked):
    found, requests = asked([trouble, trouble, DONE], method, content_type)
    assert found == {"kind": "ConfigMap"}
    assert requests == [f"{method} {PATH}"] * 3


@pytest.mark.parametrize(
    ("method", "content_type"),
    [("POST", "application/json"), ("DELETE", "application/json"), ("PATCH", "application/json-patch+json")],
)
@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_may_not_be_done_twice_is_asked_once(trouble, method, content_type, asked):
    found, requests = asked([trouble, DONE], method, content_type)
    assert isinstance(found, ApiError | OSError)
    assert requests == [f"{method} {PATH}"]


def test_the_last_error_is_raised_when_nothing_helps(asked):
    found, requests = asked([*[CUT_OFF] * 4, refusal(503)])
    assert (str(found), len(requests)) == ("503: said with 503", 5)


def test_an_answer_that_breaks_off_for_ever_is_told_as_no_answer(asked):
    found, requests = asked([BROKEN_OFF] * 5)
    assert isinstance(found, ConnectionError)
    assert (str(found).partition(":")[0], len(requests)) == ("the answer broke off", 5)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 422])
def test_a_refusal_is_told_at_once(status, asked):
    found, requests = asked([refusal(status), DONE])
    assert (str(found), len(requests)) == (f"{status}: said with {status}", 1)


def test_who_has_no_patience_is_told_at_once(asked):
    found, requests = asked([refusal(503), DONE], patience_s=0.0)
    assert (str(found), len(requests)) == ("503: said with 503", 1)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_is_told_to_come_back_later_does_whatever_was_asked(method, asked):
    found, requests = asked([*[refusal(429, retry_after="0")] * 7, DONE], method)
    assert (found, len(requests)) == ({"kind": "ConfigMap"}, 8)


def test_who_is_told_to_come_back_after_their_patience_does_not(asked):
    found, requests = asked([refusal(429, retry_after="31"), DONE])
    assert (str(found), len(requests)) == ("429: said with 429", 1)
