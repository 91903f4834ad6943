"""`show_path` and `parse_path` are inverse to each other."""

from hypothesis import given
from hypothesis import strategies as st

from plinth.text.spans import parse_path, show_path

PARTS = st.text() | st.text(alphabet='ab-_.[]"\\0\n', max_size=6)


@given(st.lists(PARTS, max_size=5).map(tuple))
def test_every_path_is_read_back(path):
    assert parse_path(show_path(path)) == path


@given(st.text(alphabet='ab.[]"\\', max_size=12))
def test_a_text_is_a_path_only_as_it_is_written(text):
    try:
        path = parse_path(text)
    except ValueError:
        return
    assert show_path(path) == text
