"""Terraform's JSON: how targets nest, what is a template, and what every origin points at."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.backends.terraform import BACKEND, escape
from plinth.diagnostics.diagnostic import SpecError
from plinth.ir.graph import build
from plinth.ir.ledger import ledger_entries
from plinth.ir.said import Because, Expression, Said
from plinth.ir.targets import TerraformBlock, TerraformResource
from plinth.text.manifests import read_manifests
from support import leaves, platforms

HERE, THERE = ("spec", "network", "nodes"), ("spec", "cloud", "region")
WHY = (Because("a test needs it"),)


def resource(kind="google_a", name="one", block="resource", layer="network", **arguments):
    return TerraformResource(layer=layer, type=kind, name=name, arguments=arguments, origins=WHY, block=block)


def emitted(*targets):
    return {
        path.removeprefix("generated/dev/terraform/"): made
        for path, made in BACKEND.emit(build(targets), "dev").items()
    }


def only(*targets):
    (made,) = emitted(*targets).values()
    return json.loads(made.content)


def test_a_file_for_each_type_and_one_for_the_settings():
    provider = TerraformBlock(
        layer="network", kind="provider", name="google", arguments={"a": 1}, origins=WHY
    )
    settings = TerraformBlock(layer="network", kind="terraform", name="", arguments={"b": 2}, origins=WHY)
    files = emitted(
        provider,
        settings,
        resource(c=3),
        resource(name="two"),
        resource("google_b"),
        resource(block="ephemeral"),
        resource(layer="cluster"),
    )
    assert {path: json.loads(made.content) for path, made in files.items()} == {
        "network/main.tf.json": {"provider": {"google": {"a": 1}}, "terraform": {"b": 2}},
        "network/google_a.tf.json": {
            "resource": {"google_a": {"one": {"c": 3}, "two": {}}},
            "ephemeral": {"google_a": {"one": {}}},
        },
        "network/google_b.tf.json": {"resource": {"google_b": {"one": {}}}},
        "cluster/google_a.tf.json": {"resource": {"google_a": {"one": {}}}},
    }


def test_text_is_escaped_and_an_expression_is_not():
    found = only(
        resource(
            text="${file(1)} %{ if true }",
            expression=Expression("google_b.one.id"),
            said=Said(["${a}", Expression("b.c")], (HERE,)),
            nested=[{"${key}": {"deep": "%{x}"}}],
            depends_on=["google_b.one"],
            lifecycle={"ignore_changes": ['labels["${a}"]']},
            number=1,
            nothing=None,
        )
    )
    assert found["resource"]["google_a"]["one"] == {
        "text": "$${file(1)} %%{ if true }",
        "expression": "${google_b.one.id}",
        "said": ["$${a}", "${b.c}"],
        "nested": [{"$${key}": {"deep": "%%{x}"}}],
        "depends_on": ["google_b.one"],
        "lifecycle": {"ignore_changes": ['labels["${a}"]']},
        "number": 1,
        "nothing": None,
    }


def test_nothing_in_the_settings_is_a_template():
    block = TerraformBlock(layer="network", kind="terraform", name="", arguments={"a": "${b}"}, origins=WHY)
    assert only(block) == {"terraform": {"a": "${b}"}}


def read_back(text):
    """Text as core reads a string of JSON: from left to right, `$${` and `%%{` stand for less."""
    found = ""
    while text:
        if text.startswith(("${", "%{")):
            raise AssertionError(f"a template begins at {text!r}")
        skipped = 1 if text.startswith(("$${", "%%{")) else 0
        taken = 2 if skipped else 1
        found += text[skipped : skipped + taken]
        text = text[skipped + taken :]
    return found


@given(st.text('${%}a\\" \n'))
def test_escaped_text_begins_no_template(text):
    # `real/test_terraform.py` has core's own word on it.
    assert read_back(escape(text)) == text


def test_each_field_knows_where_it_came_from():
    (made,) = emitted(
        resource(
            zone=Said("a", (HERE,)),
            items=[{"x/y": Said(1, (THERE, HERE))}],
            whole=Said({"a": Said("b", (THERE,))}, (HERE,)),
        )
    ).values()
    assert made.origins == {
        "/resource/google_a/one": ("because a test needs it",),
        "/resource/google_a/one/zone": ("spec.network.nodes",),
        "/resource/google_a/one/items/0/x~1y": ("spec.cloud.region", "spec.network.nodes"),
        "/resource/google_a/one/whole": ("spec.network.nodes",),
        "/resource/google_a/one/whole/a": ("spec.cloud.region",),
    }


# All of the example --------------------------------------------------------------------------------

EXAMPLE = platforms.compile_bytes(platforms.example())
FILES = {path: made for group in EXAMPLE.groups.values() for path, made in group.items()}


def at(document, pointer):
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


@pytest.mark.parametrize("name", EXAMPLE.groups)
def test_every_pointer_of_a_ledger_is_a_field_of_its_file(name):
    for entry in ledger_entries(EXAMPLE.groups[name]):
        content = FILES[entry.path].content
        if entry.path.endswith(".json"):
            document = json.loads(content)
        elif content.startswith(b"- "):
            # A patch is a list of operations, and a manifest is a map.
            (document,) = (each["items"] for each in read_manifests(b"items:\n" + content))
        else:
            (document,) = read_manifests(content)
        for pointer, origins in entry.origins.items():
            at(document, pointer)
            assert origins, (entry.path, pointer)


def strings(node):
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)


@pytest.mark.parametrize("name", leaves.leaves(platforms.example()))
def test_no_text_of_the_spec_can_hold_a_template(name):
    """Every value has a grammar, and none lets `${` or `%{` through: what is escaped is never needed."""
    for text in ('"${file(1)}"', '"a%{ if true }"'):
        with pytest.raises(SpecError):
            platforms.compile_bytes(leaves.write(platforms.example(), {name: text}))


def test_only_a_cloud_makes_an_expression():
    """An expression is all of a string; a template inside of one would be text that nobody escaped."""
    for path, made in FILES.items():
        if path.endswith(".tf.json"):
            for text in strings(json.loads(made.content)):
                assert "%{" not in text
                assert text.count("${") == (1 if text.startswith("${") and text.endswith("}") else 0)
