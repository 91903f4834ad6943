"""A path is written as people say it, and read back exactly."""

import pytest

from plinth.text.spans import parse_path, show_path


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        pytest.param((), "", id="the root"),
        pytest.param(("spec", "nodePools", "t4"), "spec.nodePools.t4", id="names"),
        pytest.param(("spec", "a-b_c", "0"), "spec.a-b_c.0", id="dash, underscore, index"),
        pytest.param(("spec", "a.b", "c"), 'spec["a.b"].c', id="a dot"),
        pytest.param(("a.b", "c"), '["a.b"].c', id="a dot at the root"),
        pytest.param(("", "x"), '[""].x', id="an empty part"),
        pytest.param(('say "]"',), r'["say \"]\""]', id="a quote and a bracket"),
        pytest.param(("é\x1b",), r'["\u00e9\u001b"]', id="nothing that a terminal obeys"),
    ],
)
def test_a_path_is_written_as_people_say_it(path, shown):
    assert show_path(path) == shown
    assert parse_path(shown) == path


@pytest.mark.parametrize(
    "text", [".a", "a.", "a..b", "a b", "[a]", '["a"]', 'a.["b.c"]', '["a.b"', '["\\q"]', '["\n"]', "é"]
)
def test_what_is_never_written_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        parse_path(text)
