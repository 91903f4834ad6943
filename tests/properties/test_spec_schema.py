"""What an editor is told of a spec agrees with what the compiler says of it."""

from __future__ import annotations

import json
import random

import jsonschema
import pytest

from plinth.cli import main
from plinth.text.nodes import plain, read_yaml
from support.mutators import MUTATORS
from support.platforms import FILE, ROOT, compile_bytes, example
from support.spoiling import draw

SCHEMA = ROOT / "platform.schema.json"

DRAWS = 12

REFUSED = [name for name, mutator in MUTATORS.items() if mutator.kind]


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(SCHEMA.read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_committed_schema_is_the_one_that_is_printed(capsys):
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == SCHEMA.read_text(encoding="utf-8"), (
        "run `plinth schema > platform.schema.json`"
    )


def test_the_example_is_valid_and_names_its_schema(validator):
    compile_bytes(example())
    assert list(validator.iter_errors(data_of(example()))) == []
    assert example().decode().startswith(f"# yaml-language-server: $schema=./{SCHEMA.name}\n")


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_compiler_refuses_by_type_the_schema_refuses(validator, name):
    for seed in range(DRAWS):
        chance = random.Random(seed)  # noqa: S311 - repeatable, and no secret
        mutation = draw(example(), MUTATORS[name], chance)
        assert not validator.is_valid(data_of(mutation.data)), f"seed {seed}: {mutation.expected}"


def test_every_kind_of_refusal_is_tried():
    assert {MUTATORS[name].kind for name in REFUSED} == {"unknown key", "wrong type", "missing"}


def test_what_environments_may_say_the_schema_takes(validator):
    """Any part, nothing required, null to take a key out, `remove` to take an item out."""
    for change in (
        "dev: null",
        "dev: {state: null}",
        "dev: {cluster: {maintenance: null}}",
        "dev: {nodePools: [{name: t4, nodes: {max: 1}}, {name: burst, remove: true}]}",
        "dev: {branch: env/dev, upstreams: remote}",
        "dev: {components: {cert-manager: null}}",
    ):
        data = example().replace(b"dev: {}", change.encode())
        assert data != example()
        compile_bytes(data)
        assert list(validator.iter_errors(data_of(data))) == [], change


def data_of(data: bytes) -> object:
    document, faults = read_yaml(data, FILE)
    assert document is not None, faults
    return plain(document)
