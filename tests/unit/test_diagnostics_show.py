"""Diagnostics as a person reads them, and as a program does."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

from plinth.diagnostics.diagnostic import Diagnostic, PlinthError, Related, SpecError, has_errors
from plinth.diagnostics.show import LONGEST_LINE, as_json, as_text, printable
from plinth.text.spans import Span

FILE = "platform.yaml"
TOKEN = "gh" + "p_" + "4dKq9" * 8  # made here: no scanner shall find one in our files


def fault(span: Span | None = None, **more: object) -> Diagnostic:
    given = {"code": "PLN304", "message": "the message", "help": "the way out", "span": span} | more
    return Diagnostic(**given)


def at(column: int, end_column: int, line: int = 1, end_line: int | None = None) -> Span:
    return Span(FILE, line, column, end_line or line, end_column)


def shown(diagnostic: Diagnostic, text: str | bytes) -> list[str]:
    data = text.encode() if isinstance(text, str) else text
    return as_text([diagnostic], {FILE: data}).splitlines()


def underlined(text: str | bytes, span: Span) -> tuple[str, str]:
    """The source line as shown, and the line below it."""
    lines = shown(fault(span), text)
    return lines[3].split("| ", 1)[1], lines[4].split("| ", 1)[1]


def test_the_whole_form():
    text = "nodePools:\n" * 9 + "  - {name: t4, nodes: {min: 4, max: 3}}\n"
    diagnostic = fault(
        at(30, 31, line=10),
        message="node pool `t4` has `min` 4 above `max` 3",
        label="never reached",
        related=(
            Related(message="the maximum", span=at(38, 39, line=10)),
            Related(message="a default has no place"),
        ),
        help="raise `max` or lower `min`",
    )
    assert as_text([diagnostic], {FILE: text.encode()}) == dedent(
        """\
        error[PLN304]: node pool `t4` has `min` 4 above `max` 3
          --> platform.yaml:10:30
            |
         10 |   - {name: t4, nodes: {min: 4, max: 3}}
            |                              ^ never reached
          --> platform.yaml:10:38
            |
         10 |   - {name: t4, nodes: {min: 4, max: 3}}
            |                                      - the maximum
           = note: a default has no place
           = help: raise `max` or lower `min`
        """
    )


def test_two_diagnostics_have_a_blank_line_between_them():
    text = as_text([fault(), fault(severity="warning")], {})
    assert text == (
        "error[PLN304]: the message\n   = help: the way out\n"
        "\n"
        "warning[PLN304]: the message\n   = help: the way out\n"
    )


def test_the_environments_that_share_it_are_named():
    assert shown(fault(environments=("dev", "prod")), "")[0].endswith("the message (in dev, prod)")


def test_colour_is_off_unless_asked_for():
    diagnostic = fault(at(1, 2))
    plain = as_text([diagnostic], {FILE: b"a: 1"})
    painted = as_text([diagnostic], {FILE: b"a: 1"}, colour=True)
    assert "\x1b" not in plain
    assert "\x1b[31merror[PLN304]\x1b[0m" in painted
    assert "\x1b[33mwarning[PLN304]\x1b[0m" in as_text([fault(severity="warning")], {}, colour=True)


@pytest.mark.parametrize(
    ("line", "span", "source", "underline"),
    [
        pytest.param("key: value", at(6, 11), "key: value", "     ^^^^^", id="plain"),
        pytest.param("key:", at(5, 5), "key:", "    ^", id="nothing, at the end of the line"),
        pytest.param("key:", at(80, 90), "key:", "    ^", id="beyond the line"),
        pytest.param("\tk:\tv", at(5, 6), " k: v", "    ^", id="a tab is one column"),
        pytest.param("名: 值值 # 注", at(4, 6), "名: 值值 # 注", "    ^^^^", id="wide characters are two"),
        pytest.param("e\u0301: v", at(5, 6), "e\u0301: v", "   ^", id="a combining mark is none"),
        pytest.param("ключ: v", at(7, 8), "ключ: v", "      ^", id="narrow and not ASCII"),
        pytest.param("a\x1b[31m: v", at(9, 10), "a\\x1b[31m: v", "           ^", id="a control character"),
        pytest.param("a\u200b: v", at(5, 6), "a\\u200b: v", "         ^", id="what cannot be seen"),
        pytest.param("a\u202eb: v", at(3, 4), "a\\u202eb: v", "       ^", id="what turns the line around"),
        pytest.param("a: b  ", at(4, 1, end_line=2), "a: b  ".rstrip(), "   ^", id="to the line's end"),
    ],
)
def test_the_underline_is_below_the_text_at_fault(line, span, source, underline):
    assert underlined(line, span) == (source, underline)


def test_lines_are_those_that_spans_count():
    text = b"\xef\xbb\xbfa: 1\r\nb:\x0b\x0c\x1c\xe2\x80\xa8 2\r\nc: 3\r\n"
    assert underlined(text, at(4, 5, line=3)) == ("c: 3", "   ^")
    assert underlined(text, at(1, 2)) == ("a: 1", "^")


def test_bytes_that_are_no_text_are_shown_all_the_same():
    assert underlined(b"a: \xff1", at(4, 5)) == ("a: \ufffd1", "   ^")


def test_a_place_without_its_file_is_a_place_all_the_same():
    assert shown(fault(at(3, 4, line=7), label="here"), "one line") == [
        "error[PLN304]: the message",
        "  --> platform.yaml:7:3",
        "   = note: here",
        "   = help: the way out",
    ]


def test_a_long_line_is_cut_behind_the_fault():
    source, underline = underlined("k: " + "v" * 500, at(1, 2))
    assert source == "k: " + "v" * (LONGEST_LINE - 3) + "…"
    assert underline == "^"


def test_a_fault_far_to_the_right_is_shown_with_what_is_around_it():
    line = "a" * 1000 + "FAULT" + "b" * 1000
    source, underline = underlined(line, at(1001, 1006))
    assert source.startswith("…a")
    assert source.endswith("b…")
    assert source[underline.index("^") : underline.index("^") + 5] == "FAULT"
    assert underline.count("^") == 5
    assert len(source) == LONGEST_LINE + 2


def test_an_underline_ends_where_the_shown_text_does():
    source, underline = underlined("k: " + "v" * 500, at(4, 504))
    assert len(underline) <= len(source)


def test_secrets_are_hidden_in_lines_messages_and_labels():
    diagnostic = fault(
        at(8, 12),
        message=f"unknown key `{TOKEN}`",
        label=TOKEN,
        help=f"not {TOKEN}",
        related=(Related(message=TOKEN),),
    )
    text = as_text([diagnostic], {FILE: f"token: {TOKEN}".encode()})
    assert TOKEN not in text
    assert f"token: {'*' * len(TOKEN)}" in text
    assert TOKEN not in json.dumps(as_json([diagnostic]))


def test_a_secret_that_is_cut_by_the_excerpt_is_hidden_whole():
    line = "x" * 300 + " " + TOKEN
    source, _ = underlined(line, at(335, 336))
    assert TOKEN[-10:] not in source


def test_a_message_may_have_lines_and_commands_no_terminal():
    lines = shown(fault(message="one\ntwo\x1b[2J"), "")
    assert lines[:2] == ["error[PLN304]: one", "two\\x1b[2J"]
    assert printable("a\nb\tc") == "a\\nb\\tc"


def test_json_is_the_contract():
    diagnostic = fault(
        Span(FILE, 3, 5, 4, 1),
        environments=("prod",),
        related=(Related(message="placed", span=at(1, 2)), Related(message="not placed")),
    )
    assert as_json([diagnostic]) == {
        "schema": "plinth.dev/diagnostics/v1",
        "diagnostics": [
            {
                "code": "PLN304",
                "severity": "error",
                "message": "the message",
                "file": FILE,
                "line": 3,
                "column": 5,
                "endLine": 4,
                "endColumn": 1,
                "help": "the way out",
                "environments": ["prod"],
                "related": [
                    {"message": "placed", "file": FILE, "line": 1, "column": 1},
                    {"message": "not placed", "file": None, "line": None, "column": None},
                ],
            }
        ],
    }


def test_json_without_a_place_has_every_key():
    (found,) = as_json([fault()])["diagnostics"]
    assert {key: found[key] for key in ("file", "line", "column", "endLine", "endColumn")} == dict.fromkeys(
        ("file", "line", "column", "endLine", "endColumn")
    )


def test_errors_carry_what_they_say():
    assert str(PlinthError(fault())) == "the message"
    assert PlinthError(fault()).diagnostic == fault()
    assert SpecError((fault(), fault())).diagnostics == (fault(), fault())
    assert has_errors((fault(severity="warning"), fault()))
    assert not has_errors((fault(severity="warning"),))
