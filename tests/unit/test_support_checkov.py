import pytest

from support import checkov

FIRST = {"a.json": b'{"made": "2026-01-02T03:04:05Z", "open": false}', "b.json": b"{}"}


def digest(folder, files, asked="terraform_plan"):
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return checkov.digest(asked, folder)


def test_a_plan_made_later_has_the_same_report(tmp_path):
    later = FIRST | {"a.json": FIRST["a.json"].replace(b"2026", b"2027")}
    assert digest(tmp_path / "first", FIRST) == digest(tmp_path / "later", later)


@pytest.mark.parametrize(
    "other",
    [
        FIRST | {"a.json": FIRST["a.json"].replace(b"false", b"true")},
        {"a.json": FIRST["a.json"], "c.json": b"{}"},
        {"a.json": FIRST["a.json"]},
        {"a.json": b"{}", "b.json": FIRST["a.json"]},
    ],
)
def test_other_files_have_another(other, tmp_path):
    assert digest(tmp_path / "first", FIRST) != digest(tmp_path / "other", other)


def test_another_question_has_another(tmp_path):
    assert digest(tmp_path / "first", FIRST) != digest(tmp_path / "other", FIRST, "terraform_json")
