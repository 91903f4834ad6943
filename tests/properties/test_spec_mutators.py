"""Whatever is wrong with a spec is said with its code at its line, and nothing else happens.

Hundreds of mutations are drawn at random. `PLINTH_SEED=<number>` draws those of an earlier run
again; the seed of a run stands at its top.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from plinth.cli import main
from plinth.diagnostics.diagnostic import SpecError
from plinth.diagnostics.show import as_json, as_text
from support.mutators import MUTATORS
from support.platforms import FILE, compile_bytes, example
from support.spoiling import combine, draw

if TYPE_CHECKING:
    from plinth.diagnostics.diagnostic import Diagnostic
    from support.spoiling import Mutation

SEED = int(os.environ["PLINTH_SEED"])  # set and printed by conftest.py

BATCHES = 20
DRAWS = 25
"""Mutations of a batch: 500 in all."""

BY_COMMAND = 2
"""Mutations of a batch that are given to the command, with a folder to write to."""

STAGES = sorted({mutator.stage for mutator in MUTATORS.values()})


@pytest.mark.parametrize("name", MUTATORS)
def test_each_mutator_is_told_by_its_code_at_its_line(name):
    mutation = draw(example(), MUTATORS[name], chance_of(SEED))
    check(mutation, f"{name} of PLINTH_SEED={SEED}")


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_mutations_are_told_and_nothing_is_written(batch, tmp_path, capsys):
    chance = chance_of(SEED * BATCHES + batch)
    for number in range(DRAWS):
        mutation = random_mutation(chance)
        about = f"mutation {number} of batch {batch} of PLINTH_SEED={SEED}"
        check(mutation, about)
        if number < BY_COMMAND:
            check_command(mutation, tmp_path / str(number), capsys, about)


@pytest.mark.parametrize(
    "name", [name for name, each in MUTATORS.items() if "secret" in name or "password" in name]
)
@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("number", range(6))
def test_a_secret_is_never_seen_again(name, form, number, tmp_path, capsys):
    mutation = draw(example(), MUTATORS[name], chance_of(SEED + number))
    check_command(mutation, tmp_path, capsys, f"{name} {number} of PLINTH_SEED={SEED}", "--format", form)


def test_the_example_itself_is_told_nothing():
    assert compile_bytes(example()).diagnostics == ()


def test_a_mutation_that_is_told_elsewhere_is_found():
    mutation = draw(example(), MUTATORS["octal number"], chance_of(SEED))
    ((code, line),) = mutation.expected
    for other in ((code, line + 1), ("PLN105", line)):
        with pytest.raises(AssertionError):
            check_told(told(mutation), (other,), "a wrong expectation")


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - chance that can be repeated, and no secret


def random_mutation(chance: random.Random) -> Mutation:
    """One mutation, or up to three of one stage that hide nothing from each other."""
    stage = chance.choice(STAGES)
    mutators = [each for each in MUTATORS.values() if each.stage == stage]
    if chance.random() < 0.5:
        return draw(example(), chance.choice(mutators), chance)
    together = [each for each in mutators if not each.alone]
    count = min(len(together), chance.randint(2, 3))
    return combine(example(), chance.sample(together, count), chance)


def check(mutation: Mutation, about: str) -> None:
    """A compile raises just what is expected, and no message shows a secret."""
    diagnostics = told(mutation)
    check_told(diagnostics, mutation.expected, about)
    helps = "\n".join(each.help for each in diagnostics)
    assert all(mutator.help in helps for mutator in mutation.mutators), about
    shown = as_text(diagnostics, {FILE: mutation.data}) + str(as_json(diagnostics))
    assert not any(secret in shown for secret in mutation.secrets), about


def check_told(
    diagnostics: tuple[Diagnostic, ...], expected: tuple[tuple[str, int], ...], about: str
) -> None:
    places = [(each.code, each.span.line if each.span else None) for each in diagnostics]
    assert all(each.message and each.help for each in diagnostics), about
    if len(expected) == 1:
        assert places[:1] == list(expected), about
    assert set(expected) <= set(places), about


def check_command(mutation: Mutation, folder, capsys, about: str, *words: str) -> None:
    """The command fails in words, and its folder holds what it held before."""
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_bytes(mutation.data)
    capsys.readouterr()
    assert main(["compile", "-C", str(folder), *words]) == 1, about
    out, err = capsys.readouterr()
    assert "Traceback" not in err, about
    assert (out if "json" in words else err).count(mutation.expected[0][0]) > 0, about
    assert [path.name for path in folder.rglob("*")] == [FILE], about
    assert not any(secret in out + err for secret in mutation.secrets), about


def told(mutation: Mutation) -> tuple[Diagnostic, ...]:
    with pytest.raises(SpecError) as raised:
        compile_bytes(mutation.data)
    return raised.value.diagnostics
