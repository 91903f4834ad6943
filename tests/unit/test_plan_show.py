"""A diff as text and as Markdown: what is folded, what is cut, what can do no harm."""

from __future__ import annotations

import pytest

from plinth.plan import ABSENT, Change, Diff, FieldChange, SpecChange
from plinth.plan.resources import Identity
from plinth.plan.show import LONGEST_COMMENT, Places, as_markdown, as_text

PLACES = Places(file="platform.yaml", base="main", documents=(None, None))


def change(address="Deployment.apps/a/b", *, env="dev", action="update", fields=(), origins=("because so",)):
    return Change(
        identity=Identity(layer="manifest", env=env, home="app", address=address),
        action=action,
        cause="spec",
        fields=tuple(FieldChange(way, before, after, "", "") for way, before, after in fields),
        origins=origins,
    )


def text(*changes, spec=(), width=100, colour=False):
    return as_text(Diff(spec=tuple(spec), changes=changes), PLACES, width=width, colour=colour)


def test_alike_changes_of_several_environments_are_one_entry():
    fields = [(("spec", "replicas"), 1, 2)]
    one = text(change(fields=fields), change(env="prod", fields=fields))
    assert one.count("~ Deployment.apps/a/b") == 1
    assert "(dev, prod: app)" in one
    two = text(change(fields=fields), change(env="prod", fields=[(("spec", "replicas"), 1, 3)]))
    assert two.count("~ Deployment.apps/a/b") == 2


def test_many_fields_are_counted():
    fields = [(("spec", f"f{n:02}"), n, n + 1) for n in range(40)]
    assert "    and 28 more fields\n" in text(change(fields=fields))


def test_of_two_texts_the_lines_that_differ_are_shown():
    shown = text(change(fields=[(("data", "x"), "a\nb\nc\n", "a\nB\nc\n")]))
    assert "    /data/x:\n      - b\n      + B\n" in shown
    assert "a\n" not in shown


def test_hidden_values_that_differ_are_said_to():
    assert "/data/x: (hidden), changed\n" in text(change(fields=[(("data", "x"), "(hidden)", "(hidden)")]))


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_value_is_cut_to_the_terminal(width):
    shown = text(change(fields=[(("x",), "a" * 500, "b" * 500)]), width=width)
    assert max(map(len, shown.splitlines())) <= max(width, 60)


def test_a_terminal_is_sent_no_control_character_of_a_value():
    shown = text(change("X/a\x1b[31m", fields=[(("\x1b]0;x\x07",), "\x1b[2J", "\u202e")]))
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[2J -> \\u202e" in shown


def test_colour_is_for_terminals():
    assert "\x1b[33m~ Deployment" in text(change(fields=[(("a",), 1, 2)]), colour=True)
    assert "\x1b" not in text(change(fields=[(("a",), 1, 2)]))


def test_what_comes_and_goes_in_the_spec_is_told():
    spec = [
        SpecChange(path=("spec", "a"), before=ABSENT, after={"b": 1}),
        SpecChange(path=("spec", "c.d"), before=[1], after=ABSENT),
    ]
    shown = text(spec=spec)
    assert '+ spec.a: (none) -> {"b": 1}  spec.a\n' in shown
    assert '- spec["c.d"]: [1] -> (none)  spec["c.d"]\n' in shown
    assert shown.endswith("the spec changes, and nothing that it compiles to does\n")


def test_a_comment_is_never_too_long_and_closes_what_it_opens():
    many = [change(f"ConfigMap/a/{n}", fields=[(("data", "x"), "y" * 60, "z" * 60)]) for n in range(5000)]
    shown = as_markdown(Diff(spec=(), changes=tuple(many)), PLACES)
    assert LONGEST_COMMENT - 500 < len(shown) <= LONGEST_COMMENT
    assert [line for line in shown.splitlines() if line.startswith("```")] == ["```diff", "```"]
    assert shown.count("<details") == shown.count("</details>") == 1
    assert shown.endswith("There is more: `plinth compile --diff` shows all of it.\n")


@pytest.mark.parametrize("value", ["```", "`````\n# Approved", "</details><img src=x>", "@everyone"])
def test_a_value_cannot_leave_its_fence(value):
    changed = change(fields=[(("data", "x"), value, f"{value}\nmore")])
    lines = as_markdown(Diff(spec=(), changes=(changed,)), PLACES).splitlines()
    fence = next(line for line in lines if line.endswith("diff")).removesuffix("diff")
    opened, closed = lines.index(f"{fence}diff"), lines.index(fence)
    assert all(fence not in line for line in lines[opened + 1 : closed])
    outside = [*lines[:opened], *lines[closed + 1 :]]
    assert not any(value.splitlines()[0] in line.replace("</details>", "") for line in outside)
