import json

import pytest

from plinth.ir.fileset import File, PathError, check_paths, digest
from plinth.ir.ledger import LedgerError, ledger_text, read_ledger

ORIGINS = {"": ("spec.components.mlflow",), "/spec/replicas": ("because one is enough", "spec.größe")}
FILES = {
    "overlays/dev/mlflow/b.yaml": File(b"b\n", "kustomize", ORIGINS),
    "overlays/dev/mlflow/a.yaml": File(b"a\n", "kustomize"),
}
OURS, THEIRS = FILES["overlays/dev/mlflow/a.yaml"], File(b"other\n", "kustomize")


def line(**changes: object) -> bytes:
    entry = {"backend": "k", "digest": digest(b""), "origins": {}, "path": "overlays/dev/a"}
    return json.dumps(entry | changes).encode()


def test_a_line_per_file_sorted_by_path_compact_and_readable():
    assert ledger_text(FILES).decode().splitlines() == [
        '{"backend":"kustomize","digest":"'
        + digest(b"a\n")
        + '","origins":{},"path":"overlays/dev/mlflow/a.yaml"}',
        '{"backend":"kustomize","digest":"' + digest(b"b\n") + '","origins":{"":["spec.components.mlflow"],'
        '"/spec/replicas":["because one is enough","spec.größe"]},"path":"overlays/dev/mlflow/b.yaml"}',
    ]


def test_what_is_read_is_what_was_written():
    ledger = read_ledger(ledger_text(FILES))
    assert ledger.digests == {path: {digest(file.content)} for path, file in FILES.items()}
    assert ledger.entries[1].origins == ORIGINS
    assert read_ledger(b"").entries == ()


def test_a_merge_conflict_is_both_sides():
    ours, theirs = (ledger_text({"overlays/dev/a": side}) for side in (OURS, THEIRS))
    both = b"<<<<<<< HEAD\n" + ours + b"||||||| 1a2b3c\n=======\n" + theirs + b">>>>>>> branch\n"
    assert read_ledger(both).digests == {"overlays/dev/a": {digest(b"a\n"), digest(b"other\n")}}


def test_line_endings_of_windows_are_read():
    text = ledger_text(FILES)
    assert read_ledger(text.replace(b"\n", b"\r\n")) == read_ledger(text)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"", id="empty line"),
        pytest.param(b"{", id="no JSON"),
        pytest.param(b"\xff", id="no UTF-8"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b"[]", id="no object"),
        pytest.param(line(more=1), id="a key too many"),
        pytest.param(line(digest="sha256:12"), id="short digest"),
        pytest.param(line(digest=digest(b"").upper()), id="digest in capitals"),
        pytest.param(line(origins={"": "spec"}), id="an origin that is no list"),
        pytest.param(line(origins={"": [1]}), id="an origin that is no text"),
        pytest.param(line(path="../etc/passwd"), id="climbs"),
        pytest.param(line(path="/etc/passwd"), id="absolute"),
        pytest.param(line(path=1), id="path is no text"),
        pytest.param(line(path="\ud800"), id="half a surrogate pair"),
    ],
)
def test_any_other_line_is_refused_by_number(bad):
    with pytest.raises(LedgerError) as caught:
        read_ledger(line() + b"\n" + bad + b"\n" + line(path="overlays/dev/b"))
    assert caught.value.line_number == 2


@pytest.mark.parametrize(
    "path",
    [
        *(
            "",
            "/a",
            "a//b",
            "a/",
            "../a",
            "a/../b",
            "a/./b",
            "a\\b",
            "a\nb",
            "a\x7fb",
            "a\u2028b",
            "a.",
            "a ",
            "a./b",
        ),
        *(
            "con",
            "a/NUL.txt",
            "aux.tar.gz",
            "com1",
            "LPT9.x",
            "com¹",
            "CONIN$",
            "nul .txt",
            "x" * 256,
            "ü" * 128,
        ),
        "\udc80",
    ],
)
def test_a_path_that_some_system_refuses_is_our_fault(path):
    with pytest.raises(PathError):
        check_paths([path])


@pytest.mark.parametrize(
    "paths",
    [
        pytest.param(["a/B", "a/b"], id="case"),
        pytest.param(["stra\u00dfe", "STRASSE"], id="case folding"),
        pytest.param(["\u00e9", "e\u0301"], id="NFC"),
        pytest.param(["a/b", "a/b/c/d"], id="file and folder"),
        pytest.param(["A/b/c", "a/B"], id="file and folder, by case"),
    ],
)
def test_two_paths_that_some_system_takes_for_one_are_our_fault(paths):
    with pytest.raises(PathError):
        check_paths(paths)


def test_ordinary_paths_pass():
    check_paths(
        ["plinth.lock.yaml", "a/b.c", "a/b-c", "a/bc/d", "console/null/com10", ".x", "x" * 255, "größe/é"]
    )
