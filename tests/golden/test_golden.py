"""What small platforms compile to, byte for byte.

`pytest --update-golden tests/golden` writes the trees anew. The diff is the review: a golden file
moves because the compiler is meant to do something else now, and the commit says why.
"""

from __future__ import annotations

import json
import shutil

import pytest

from plinth import registry
from plinth.catalog.facts import digest
from plinth.cli import main
from support import golden, platforms

CASES = golden.cases()
VENDORED = golden.FOLDER / "vendored-example" / "digests.json"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_platform_compiles_to_its_tree(case, update_golden):
    wanted, unwanted = case.patterns()
    files = case.compiled()
    held = golden.matching(files, wanted)

    assert [each for each in wanted if not golden.matching(files, [each])] == []
    assert sorted(golden.matching(files, unwanted)) == []
    if update_golden:
        case.write(held)
    assert case.written() == held


def test_every_plug_in_has_a_case():
    names = {case.name for case in CASES}
    for kind, plug_ins in (("cloud", registry.names("clouds")), ("component", registry.names("components"))):
        for name in plug_ins:
            assert any(case == f"{kind}-{name}" or case.startswith(f"{kind}-{name}-") for case in names), name


def test_the_repository_holds_what_its_platform_compiles_to(tmp_path, capsys):
    """The example is compiled at the root of the repository: whoever clones it sees a whole tree."""
    for name in (platforms.FILE, "plinth.lock.yaml"):
        shutil.copy(platforms.ROOT / name, tmp_path / name)
    for name in ("overlays", "generated"):
        shutil.copytree(platforms.ROOT / name, tmp_path / name)
    assert main(["compile", "--check", "-C", str(tmp_path)]) == 0, capsys.readouterr().out


def test_vendored_objects_are_those_that_were_looked_at(vendored_result, update_golden):
    """A digest for each final object of the example: the text of upstreams is not ours to keep."""
    found = {}
    for compilation in vendored_result.compilations:
        for final in compilation.objects:
            place = found.setdefault(f"{compilation.environment.name}/{final.application.component}", {})
            place[str(final.key)] = digest(final.body)
    if update_golden:
        VENDORED.parent.mkdir(exist_ok=True)
        VENDORED.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    assert json.loads(VENDORED.read_text(encoding="utf-8")) == found
