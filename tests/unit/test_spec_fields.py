"""The types of single values."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import TypeAdapter, ValidationError

from plinth.spec import fields
from plinth.spec.fields import name_fault, to_bytes, to_seconds
from plinth.spec.platform import parse_window
from plinth.spec.pools import memory_gib

GOOD = {
    "Name": ["a", "t4", "gpu-a100", "a" * 40],
    "Domain": ["ml.acme.com", "a.b", "xn--bcher-kva.example", "1.example.com"],
    "Email": ["a@b.co", "First.Last+tag@ml.acme.com"],
    "Cidr": ["10.0.0.0/16", "0.0.0.0/0", "203.0.113.7/32"],
    "Memory": ["16Gi", "512Mi", "1.5Gi", "0.25Ti"],
    "Duration": ["90s", "30m", "2h", "7d"],
    "Branch": ["main", "env/prod", "release-1.2", "_x"],
    "RelativePath": [".", "infra", "patches/a.yaml", ".github/x"],
    "GitUrl": [
        "https://github.com/acme/ml.git",
        "ssh://git@git.acme.com:2222/acme/ml.git",
        "git@github.com:acme/ml.git",
    ],
    "SecretName": ["a", "google-sign-in"],
    "BucketUrl": ["gs://acme-ml", "s3://acme.ml/folder", "abfss://a@acme.dfs.core.windows.net"],
    "Version": ["1.7.0", "26.03", "v1.2.3-rc.1+build"],
    "Count": [0, 10_000],
}

BAD = {
    "Name": ["", "-a", "a-", "A", "1a", "a_b", "a.b", "a" * 41, "a\n", "\u0430", "\uff41"],
    "Domain": [
        "",
        "acme",
        "Acme.com",
        "acme.com.",
        "a..b",
        "-a.b",
        "a.b-",
        "a." * 120 + "b",
        "a.b\n",
        "acme.c\u043em",
    ],
    "Email": ["", "a", "@b.co", "a@", "a@b", "a b@c.de", "a@b.co\n", "<a@b.co>", "a@b@c.de"],
    "Cidr": [
        "",
        "10.0.0.0",
        "10.0.0.1/16",
        "10.0.0.0/33",
        "10.0/16",
        "10.0.0.0/255.255.0.0",
        "fd00::/8",
        "10.0.0.0/16 ",
    ],
    "Memory": [
        "",
        "16",
        "16GB",
        "16G",
        "-1Gi",
        "0Gi",
        "0.0Mi",
        "1e3Gi",
        "1Gi\n",
        "9" * 400 + "Gi",
        ".5Gi",
        "1.Gi",
    ],
    "Duration": ["", "2", "0h", "1.5h", "2h30m", "2H", "1w", "9" * 7 + "s", "2h\n"],
    "Branch": [
        "",
        "HEAD",
        "a..b",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a/.b",
        "a.lock",
        "a.",
        "a b",
        "-a",
        "a~1",
        "a@{1}",
        "a\n",
    ],
    "RelativePath": ["", "/a", "../a", "a/../b", "a/./b", "a//b", "a/", "a b", "a\\b", "a\n", "./a"],
    "GitUrl": [
        "",
        "http://a.b/c",
        "https://a.b",
        "file:///a",
        "https://a.b/c d",
        "git@a.b",
        "https://a.b/c\n",
        "/a/b",
        "https://a.b/c?x=1",
    ],
    "SecretName": ["", "A", "a_b", "a" * 64, "a/b", "projects/1/secrets/a", "a\n"],
    "BucketUrl": ["", "acme", "gs://", "https://a.b", "gs://Acme", "gs://a b"],
    "Version": ["", "-1", "1 2", "a" * 42, "1.0\n"],
    "Count": [-1, 10_001, 1.0, "1", True, None],
}


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind in GOOD for value in GOOD[kind]])
def test_what_a_field_takes_it_takes_as_it_is(kind, value):
    assert TypeAdapter(getattr(fields, kind)).validate_python(value, strict=True) == value


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind in BAD for value in BAD[kind]])
def test_what_a_field_cannot_take_is_refused(kind, value):
    with pytest.raises(ValidationError):
        TypeAdapter(getattr(fields, kind)).validate_python(value, strict=True)


def test_every_type_is_tried():
    kinds = {name for name in fields.__all__ if name[0].isupper()} - {"Field"}
    assert kinds == set(GOOD) == set(BAD)


@pytest.mark.parametrize(
    ("value", "way_out"),
    [
        pytest.param("10.0.0.1/16", "write `10.0.0.0/16`", id="not the first address"),
        pytest.param("10.0.0.0", "write `10.0.0.0/32`", id="no length"),
        pytest.param("10.0.0.0/255.255.0.0", "write `10.0.0.0/16`", id="a mask"),
        pytest.param("fd00::/8", "write a range such as `10.0.0.0/16`", id="IPv6"),
    ],
)
def test_a_wrong_range_gets_the_right_one(value, way_out):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(fields.Cidr).validate_python(value)
    assert caught.value.errors()[0]["ctx"]["help"] == way_out


def test_templates_of_pydantic_do_not_read_what_was_typed():
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(fields.Name).validate_python("{help}{x}")
    assert caught.value.errors()[0]["ctx"]["text"] == "`{help}{x}` is not a name"


@pytest.mark.parametrize(
    ("text", "size"),
    [("1Ki", 1024), ("512Mi", 512 * 2**20), ("1.5Gi", 3 * 2**29), ("2Ti", 2**41), ("1Pi", 2**50)],
)
def test_memory_in_bytes(text, size):
    assert to_bytes(text) == size


def test_quantities_in_other_units():
    assert memory_gib("512Mi") == Decimal("0.5")
    assert [to_seconds(text) for text in ("90s", "30m", "2h", "7d")] == [90, 1800, 7200, 604800]
    assert parse_window("sat 22:30-24:00") == ("sat", 22 * 60 + 30, 24 * 60)


def test_a_name_is_judged_without_a_model():
    assert name_fault("dev") is None
    message, way_out = name_fault("Dev") or ("", "")
    assert message == "`Dev` is not a name"
    assert "a letter first" in way_out
