"""What is secret is hidden, and that two hidden values differ is not."""

import base64

import pytest

from plinth.drift import Refusal
from plinth.drift.masking import is_secret_name
from support.drifted import INVALID, config_map, deployment, entry, fields_v1, judged, owned, thing

HIDDEN, DIFFERS = "(secret)", "(secret, differs)"
KEY = "hf_aBcDeFgHiJkLmNoPqRsTuVwXyZ012345"


def secret(**data):
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return thing("v1", "Secret", data=encoded)


def with_env(*env):
    return deployment(pod={"containers": [{"name": "c", "image": "app:1", "env": list(env)}]})


def values(verdict):
    return [(field.desired, field.live) for field in verdict.fields]


@pytest.mark.parametrize(
    ("live", "shown"),
    [
        (secret(p="hunter3"), [(HIDDEN, DIFFERS)]),
        (secret(p="hunter2", q="hunter3"), [(None, HIDDEN)]),
        (thing("v1", "Secret", data={}), [(HIDDEN, None)]),
        ({**secret(p="hunter2"), "type": "hunter3"}, [(None, HIDDEN)]),
        (
            thing("v1", "Secret", {"annotations": {"note": "hunter3"}}, data=secret(p="hunter2")["data"]),
            [(None, {"note": HIDDEN})],
        ),
    ],
)
def test_no_value_of_a_secret_is_shown(live, shown):
    desired = thing("v1", "Secret", stringData={"p": "hunter2"})
    verdict = judged(desired, live, apply=secret(p="hunter2"), create=secret(p="hunter2"))
    assert values(verdict) == shown


def test_the_labels_of_a_secret_are_shown():
    labelled = thing("v1", "Secret", {"labels": {"app": "y"}})
    assert values(judged(thing("v1", "Secret", {"labels": {"app": "x"}}), labelled)) == [("x", "y")]


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD", "dbPassword", "API_KEY", "aws-secret-access-key", "token", "PGPASS", "x/auth-token"],
)
def test_a_value_with_the_name_of_a_secret_is_hidden(name):
    desired, live = with_env({"name": name, "value": "hunter2"}), with_env({"name": name, "value": "hunter3"})
    assert values(judged(desired, live, apply=desired)) == [(HIDDEN, DIFFERS)]
    desired, live = config_map(**{name: "hunter2"}), config_map(**{name: "hunter3"})
    assert values(judged(desired, live, apply=desired)) == [(HIDDEN, DIFFERS)]
    live = thing("v1", "ConfigMap", {"annotations": {name: "hunter3"}}, data={})
    assert "hunter" not in repr(judged(config_map(), live))
    live = thing(
        "x.example.com/v1", "Thing", spec={"list": [{"name": name, "value": "hunter3"}, {name: ["hunter4"]}]}
    )
    assert "hunter" not in repr(judged(thing("x.example.com/v1", "Thing", spec={}), live))


@pytest.mark.parametrize(
    "name",
    [
        "secretName",
        "tokenTtl",
        "passwordRef",
        "key",
        "topologyKey",
        "LOG_LEVEL",
        "imagePullPolicy",
        "bypass",
        "keyAlgorithm",
        "tokens_path",
    ],
)
def test_what_only_tells_about_a_secret_is_shown(name):
    assert not is_secret_name(name)


def test_what_looks_like_a_secret_is_hidden_under_any_name():
    live = with_env({"name": "A", "value": KEY})
    assert KEY not in repr(judged(with_env(), live))
    assert KEY not in repr(judged(config_map(a="1"), config_map(a=KEY), apply=config_map(a="1")))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("level: info\npassword: correct horse\nport: 80", "level: info\npassword: (secret)\nport: 80"),
        ('{"user": "a", "password": "x y", "port": 1}', '{"user": "a", "password": (secret), "port": 1}'),
        ("user=a;password=hunter2;port=1", "user=a;password=(secret);port=1"),
        ("run --token hunter2 --verbose", "run --token (secret) --verbose"),
        ("Authorization: Bearer hunter2", "Authorization: (secret)"),
        ("password: |\n  hunter2\n", "(secret)"),
        ("the token has expired", "the token has expired"),
        ("env: password: hunter2", "env: password: (secret)"),
    ],
)
def test_a_secret_within_a_text_is_hidden_and_the_rest_is_shown(text, shown):
    verdict = judged(config_map(), config_map(conf=text))
    assert values(verdict) == [(None, {"conf": shown})] or values(verdict) == [(None, shown)]


def test_texts_that_differ_only_in_what_is_hidden_say_so():
    desired, live = config_map(conf="a: 1\npassword: x"), config_map(conf="a: 1\npassword: y")
    assert values(judged(desired, live, apply=desired)) == [
        ("a: 1\npassword: (secret)", "a: 1\npassword: (secret, differs)")
    ]


def test_what_follows_a_flag_in_a_list_is_hidden():
    desired = deployment(
        pod={
            "containers": [{"name": "c", "image": "app:1", "args": ["--password", "hunter2", "--port", "80"]}]
        }
    )
    live = deployment(
        pod={
            "containers": [{"name": "c", "image": "app:1", "args": ["--password", "hunter3", "--port", "80"]}]
        }
    )
    assert values(judged(desired, live, apply=desired)) == [
        (["--password", HIDDEN, "--port", "80"], ["--password", DIFFERS, "--port", "80"])
    ]


def test_the_annotation_of_the_last_apply_is_neither_compared_nor_shown():
    last = {"kubectl.kubernetes.io/last-applied-configuration": '{"data":{"p":"hunter2"}}', "b": "c"}
    live = thing("v1", "ConfigMap", {"annotations": last}, data={})
    verdict = judged(config_map(), live)
    assert "hunter" not in repr(verdict)
    assert "last-applied" not in repr(verdict)
    assert (
        judged(
            config_map(), thing("v1", "ConfigMap", {"annotations": {**last, "b": "c"}}, data={}), create=live
        ).name
        == "clean"
    )


@pytest.mark.parametrize(
    "message",
    [
        'spec.x: Invalid value: "hunter2": must be a number',
        'spec.x: Invalid value: core.Spec{A:"hunter2", B:1}: must be shorter',
        'Unsupported value: "hunter2": supported values: "a", "b"',
        "denied: the password is hunter2",
        "denied: aHVudGVyMg== is known",
    ],
)
def test_a_refusal_does_not_quote_a_secret(message):
    live = with_env({"name": "PASSWORD", "value": "hunter2"})
    refusal = Refusal(status=INVALID, reason="Invalid", message=message, causes=("spec.x",))
    verdict = judged(with_env({"name": "PASSWORD", "value": "other"}), live, apply=refusal, create=refusal)
    assert verdict.name == "error"
    assert "hunter" not in repr(verdict)
    assert "aHVudGVyMg" not in repr(verdict)
    assert "spec.x" in verdict.reason


def test_a_last_apply_that_is_nested_beyond_measure_is_left_alone():
    nested = '{"a":' * 600 + "1" + "}" * 600
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": nested}
    assert (
        judged(config_map(), thing("v1", "ConfigMap", {"annotations": annotations}, data={})).name == "clean"
    )


def test_no_value_that_a_refusal_quotes_is_shown():
    message = 'spec.x: Invalid value: "c0ffee": no; spec.y: Unsupported value: {"a": 5}: no'
    refusal = Refusal(status=INVALID, reason="Invalid", message=message)
    reason = judged(config_map(), config_map(), apply=refusal, create=refusal).reason
    assert "c0ffee" not in reason
    assert '"a"' not in reason
    assert "spec.y: Unsupported value: (not shown)" in reason


def test_the_last_apply_of_an_object_within_another_is_not_shown():
    last = {"kubectl.kubernetes.io/last-applied-configuration": "hunter2", "a": "b"}
    desired = thing("lab.example.com/v1", "Gadget", spec={"tpl": {"metadata": {"annotations": {"a": "b"}}}})
    live = thing("lab.example.com/v1", "Gadget", spec={"tpl": {"metadata": {"annotations": last}}})
    assert "hunter" not in repr(judged(desired, live))
    assert "hunter" not in repr(judged(thing("lab.example.com/v1", "Gadget"), live))


def test_nothing_of_what_is_said_of_a_secret_is_shown_but_where():
    refusal = Refusal(
        status=INVALID, reason="Invalid", message="data[p]: hunter2 is bad", causes=("data[p]",)
    )
    verdict = judged(secret(p="a"), secret(p="b"), apply=refusal, create=refusal)
    assert "hunter" not in verdict.reason
    assert "data[p]" in verdict.reason


def test_a_record_of_owners_shows_no_secret():
    live = owned(config_map(a="1", z="2"), entry(KEY, fields_v1("f:data", "f:z")))
    verdict = judged(config_map(a="1"), live)
    assert KEY not in repr(verdict)
    assert verdict.actors


def test_a_hidden_value_tells_nothing_of_its_length():
    short, long = (
        judged(secret(p="a"), secret(p="a", q=text), create=secret(p="a")) for text in ("b", "b" * 99)
    )
    assert short == long
