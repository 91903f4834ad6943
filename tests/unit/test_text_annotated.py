"""Text for people: comments stay comments, values stay values, and both stand where a reader looks."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from plinth.text.annotated import Line, Noted, annotated_yaml
from plinth.text.nodes import plain, read_yaml

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20) | st.text(
    alphabet=" \n\t\r:#-?|>'\"\\abyno0179_.e~=<&*!%@`{}[],/$\x00\x85\u2028\ufeffé", max_size=12
)
SCALARS = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | TEXTS


def wrapped(values):
    notes = st.builds(Noted, value=values, above=TEXTS, gap=st.booleans())
    return values | notes


def parts(inner):
    inner = wrapped(inner)
    plain_parts = st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
    return plain_parts | st.builds(Line, plain_parts)


VALUES = st.recursive(SCALARS, parts, max_leaves=15)


def bare(value):
    """The value without what is only for people."""
    match value:
        case Noted() | Line():
            return bare(value.value)
        case dict():
            return {key: bare(child) for key, child in value.items()}
        case list():
            return [bare(item) for item in value]
        case _:
            return value


def test_keys_keep_their_order_and_comments_stand_above_what_they_speak_of():
    text = annotated_yaml(
        {
            "kind": "Platform",
            "spec": {
                "cloud": Line({"provider": "gcp", "zones": ["a", "b"]}),
                "pools": Noted(value=[Noted(value=Line({"name": "t4"}), above="One.\nTwo.")], above="Pools."),
                "jobs": {
                    "b": {"uses": Noted(value="x/y@0123", beside="v1")},
                    "a": Noted(value={"run": "echo 1\necho 2\n"}, gap=True),
                },
            },
        },
        head="For people.\n\nAnd more.",
    )
    assert text == (
        "# For people.\n#\n# And more.\n"
        "kind: Platform\n"
        "spec:\n"
        "  cloud: {provider: gcp, zones: [a, b]}\n"
        "  # Pools.\n"
        "  pools:\n"
        "    # One.\n"
        "    # Two.\n"
        "    - {name: t4}\n"
        "  jobs:\n"
        "    b:\n"
        "      uses: x/y@0123 # v1\n"
        "\n"
        "    a:\n"
        "      run: |\n"
        "        echo 1\n"
        "        echo 2\n"
    )


def test_what_is_too_long_for_one_line_takes_several():
    long = {"a": "x" * 60, "b": {"c": "y" * 60}}
    assert annotated_yaml([Line(long)]) == f"- a: {'x' * 60}\n  b: {{c: {'y' * 60}}}\n"


def test_a_comment_above_the_first_key_of_an_item_stands_above_its_dash():
    text = annotated_yaml({"steps": [{"uses": Noted(value="x", above="why"), "with": Line({"a": 1})}]})
    assert text == "steps:\n  # why\n  - uses: x\n    with: {a: 1}\n"


@pytest.mark.parametrize("said", ["a\nb: c", "a\rb: c", "a\x85b: c", "a\u2028b: c", "a\x0bb: c", "a\x00b"])
def test_a_comment_cannot_end_and_become_something_else(said):
    text = annotated_yaml({"k": Noted(value="v", above=said)}, head=said)
    assert yaml.safe_load(text) == {"k": "v"}
    node, faults = read_yaml(text.encode(), "x.yaml")
    assert faults == ()
    assert plain(node) == {"k": "v"}


def test_a_comment_beside_several_lines_is_refused():
    with pytest.raises(TypeError):
        annotated_yaml({"k": Noted(value={"a": 1}, beside="no")})
    with pytest.raises(TypeError):
        annotated_yaml({"k": Noted(value="a\nb\n", beside="no")})


@given(VALUES, TEXTS)
def test_any_value_is_read_back_whatever_is_said_about_it(value, head):
    text = annotated_yaml(value, head=head)
    assert yaml.safe_load(text) == bare(value)
    node, faults = read_yaml(text.encode(), "x.yaml")
    assert faults == ()
    assert plain(node) == bare(value)
