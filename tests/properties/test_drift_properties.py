"""Laws of the judgement: nothing secret comes out, nothing differs from itself, nothing is overlooked."""

import base64
import copy
import json
import random
import string
from functools import lru_cache

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from plinth.drift import Probes, Refusal
from plinth.drift.judge import judge
from plinth.drift.lists import ListTypes

LISTS = ListTypes()
SILENT = {"clean", "explained"}

NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=6).map(lambda text: f"k{text}")
LEAVES = st.booleans() | st.integers(-3, 3) | st.text(string.ascii_letters, min_size=1, max_size=6)
TREES = st.recursive(
    st.dictionaries(NAMES, LEAVES, min_size=1, max_size=3),
    lambda trees: st.dictionaries(
        NAMES, trees | LEAVES | st.lists(trees | LEAVES, min_size=1, max_size=3), min_size=1, max_size=3
    ),
    max_leaves=10,
)
KINDS = st.sampled_from(
    [
        ("apps/v1", "Deployment"),
        ("v1", "ConfigMap"),
        ("v1", "Pod"),
        ("lab.example.com/v1", "Gadget"),
        ("batch/v1", "Job"),
    ]
)


@st.composite
def objects(draw):
    version, kind = draw(KINDS)
    labels = draw(st.dictionaries(NAMES, st.text(string.ascii_letters, min_size=1, max_size=5), max_size=2))
    metadata = {"name": "x", **({"labels": labels} if labels else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": draw(TREES)}


def maps(body, path=()):
    """Every map outside the identity, by path: where a key can be added."""
    if isinstance(body, dict):
        if path and path != ("metadata",):
            yield path
        for key, child in body.items():
            yield from maps(child, (*path, key))
    elif isinstance(body, list):
        for index, child in enumerate(body):
            yield from maps(child, (*path, index))


def leaves(body, path=()):
    """Every leaf of a map outside the identity, by path: what can be taken away."""
    if isinstance(body, dict):
        for key, child in body.items():
            if path or key not in {"apiVersion", "kind"}:
                yield from leaves(child, (*path, key))
    elif isinstance(body, list):
        for index, child in enumerate(body):
            yield from leaves(child, (*path, index))
    elif path != ("metadata", "name"):
        yield path


def parent(body, path):
    for part in path:
        body = body[part]
    return body


@given(objects())
def test_an_object_is_clean_against_itself(body):
    assert judge(body, copy.deepcopy(body), Probes(apply=body, create=body), LISTS).name == "clean"
    assert judge(body, copy.deepcopy(body), Probes(), LISTS).name == "clean"


@given(objects(), NAMES, LEAVES, st.data())
def test_whatever_is_added_anywhere_is_reported(body, key, value, data):
    path = data.draw(st.sampled_from(sorted(maps(body), key=repr)))
    live = copy.deepcopy(body)
    assume(key not in parent(live, path))
    parent(live, path)[key] = value
    # A server keeps what somebody added when it is asked to apply, but not within a list.
    answered = body if any(isinstance(part, int) for part in path) else live
    verdict = judge(body, live, Probes(apply=answered, create=body), LISTS)
    assert verdict.name not in SILENT
    assert verdict.fields


@given(objects(), st.data())
def test_whatever_is_taken_away_is_reported(body, data):
    *path, key = data.draw(st.sampled_from(sorted(leaves(body), key=repr)))
    live = copy.deepcopy(body)
    del parent(live, path)[key]
    for probes in (Probes(apply=body, create=body), Probes(apply=body), Probes(create=body), Probes()):
        assert judge(body, live, probes, LISTS).name == "drift"


@given(objects(), objects(), objects(), objects())
def test_there_is_a_verdict_on_anything(desired, live, apply, create):
    same = {key: desired[key] for key in ("apiVersion", "kind")}
    answers = Probes(apply={**apply, **same}, create={**create, **same})
    verdict = judge(desired, {**live, **same}, answers, LISTS)
    assert (verdict.name == "clean") <= (not verdict.fields)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=12,
)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "manager": JSON,
        "operation": JSON,
        "time": JSON,
        "fieldsV1": JSON | st.dictionaries(st.text('fkvi:.{}[]"', max_size=6), JSON, max_size=3),
    },
)


@given(objects(), st.lists(ENTRIES | JSON, max_size=3) | JSON, JSON, JSON)
def test_no_record_and_no_content_makes_it_stumble(body, record, content, metadata):
    live = {**body, "spec": content, "metadata": {**body["metadata"], "managedFields": record}}
    judge(body, live, Probes(apply=body, create=body), LISTS)
    judge(body, {**body, "metadata": metadata}, Probes(apply=body, create=body), LISTS)
    judge({**body, "spec": content, "metadata": metadata}, live, Probes(apply=live, create=None), LISTS)


ALPHABET = string.ascii_letters + string.digits + "!$%&/()=?+*#-_.:,; \"'\\äß"


def drawn_secrets(seed, count):
    """Texts that nothing else holds; one seed gives them all, which shrinks better than they would."""
    draw = random.Random(seed)  # noqa: S311 - data of a test
    return [f"Zq{''.join(draw.choices(ALPHABET, k=draw.randint(8, 40)))}zQ" for _ in range(count)]


SECRET_NAMES = (
    "DB_PASSWORD",
    "apiKey",
    "token",
    "aws-secret-access-key",
    "x.example.com/auth-token",
    "credentials",
)


def planted(secrets):
    """Two objects, desired and live, with a secret in every place that could hold one."""
    take = iter(secrets)

    def named():
        return {name: next(take) for name in SECRET_NAMES}

    def secret():
        encoded = {f"d{n}": base64.b64encode(next(take).encode()).decode() for n in range(3)}
        texts = {f"s{n}": next(take) for n in range(3)}
        last = {
            "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"stringData": {"a": next(take)}})
        }
        annotations = {"plain": next(take), **last}
        record = [
            {
                "manager": "m",
                "operation": "Update",
                "time": "t",
                "fieldsV1": {"f:data": {f"v:{json.dumps(next(take))}": {}}},
            }
        ]
        metadata = {"name": "x", "annotations": annotations, "managedFields": record}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": metadata,
            "data": encoded,
            "stringData": texts,
        }

    def workload():
        container = {
            "name": "c",
            "image": "a:1",
            "env": [{"name": name, "value": next(take)} for name in SECRET_NAMES],
            "args": ["--password", next(take)],
        }
        last = {
            "kubectl.kubernetes.io/last-applied-configuration": json.dumps(
                {"env": [{"name": "DB_PASSWORD", "value": next(take)}]}
            )
        }
        template = {"spec": {"containers": [container]}}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "x", "annotations": {**named(), **last}},
            "spec": {"template": template},
        }

    def config():
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": named()}

    def custom():
        spec = {
            **named(),
            "list": [named(), {"name": "DB_PASSWORD", "value": next(take)}],
            "nested": {"token": [next(take)]},
        }
        return {"apiVersion": "lab.example.com/v1", "kind": "Gadget", "metadata": {"name": "x"}, "spec": spec}

    return secret, workload, config, custom


def shown(text, secrets):
    """The secrets that a text shows. Each of their forms begins with `Zq`, or with its base64."""
    if "Zq" not in text and "Wn" not in text:
        return []
    return [secret for secret in secrets if any(form in text for form in forms(secret))]


@lru_cache(maxsize=256)  # those of one run, each looked for in many texts
def forms(secret):
    return {
        secret,
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
        base64.b64encode(secret.encode()).decode(),
    }


# 12 000 secrets: 100 runs, each with four kinds of objects, desired and live.
@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_no_secret_ever_comes_out(seed):
    secrets = drawn_secrets(seed, 120)
    for make in planted(secrets):
        desired, live = make(), make()
        # A record of owners holds no values that a server could quote.
        values = [{**body, "metadata": {**body["metadata"], "managedFields": []}} for body in (desired, live)]
        held = json.dumps(values) + repr(values)
        choose = random.Random(seed).choice  # noqa: S311 - data of a test
        quoted = choose(shown(held, secrets))
        said = [
            f'spec.x: Invalid value: "{quoted}": no',
            f"denied because of {quoted}",
            f"bad {base64.b64encode(quoted.encode()).decode()}",
        ]
        refusal = Refusal(status=422, reason="Invalid", message="; ".join(said), causes=(f"data[{quoted}]",))
        for probes in (
            Probes(apply=desired, create=desired),
            Probes(apply=live, create=desired),
            Probes(apply=refusal, create=desired),
            Probes(apply=refusal, create=refusal),
            Probes(),
        ):
            verdict = judge(desired, live, probes, LISTS)
            assert verdict.name != "clean"
            text = repr(verdict)
            assert shown(text, secrets) == []
