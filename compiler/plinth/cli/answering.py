"""From options, guesses and a person's words to complete answers, every one of them checked.

A value is checked by reading the platform that it makes: there is no second opinion of what a good
one is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from plinth import registry
from plinth.cli.asking import ask_all, choose, is_terminal
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError, SpecError
from plinth.pipeline import Inputs, compile_spec
from plinth.spec.fields import name_fault
from plinth.spec.read import read_spec
from plinth.starter.platform import FILE, platform_text
from plinth.starter.questions import (
    CI_KINDS,
    FIRST_ENVIRONMENT,
    Answers,
    Slot,
    environment_fault,
    every_question,
    questions,
    slot_at,
    slots,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from plinth.cli.console import Console
    from plinth.cli.place import Place

_HOST: Final = re.compile(r"(?:[a-z]+://)?(?:[^@/]*@)?(?P<host>[^/:]+)")


def answered(options: argparse.Namespace, place: Place, console: Console) -> Answers:
    """Complete answers that compile.

    Raises:
        PlinthError: options contradict each other, or something was not said and there is nobody to ask.
        SpecError: every answer that is wrong, each with the option that it belongs to.
        KeyboardInterrupt: the person has had enough.
    """
    environments = _environments(options.environments)
    provider = options.provider
    if provider is None:
        if not is_terminal():
            raise _missing(["--provider", *_missing_everywhere(options, environments, place)])
        provider = choose("provider", "Which cloud it is.", registry.names("clouds"))
    given = _given(options, provider, environments)
    answers = Answers(provider=provider, environments=environments, given=given)
    guessed = _guessed(answers, place)
    answers = replace(answers, given={**guessed, **given})
    if not answers.missing():
        taken = [f"{flag} {value}" for (flag, _), value in guessed.items() if (flag, "") not in given]
        if taken:
            console.say(f"from the folder and its remote: {' '.join(taken)}")
        _check(answers, place)
        return answers
    if not is_terminal():
        raise _missing([_label(slot) for slot in answers.missing()])
    return _asked(replace(answers, given=given), guessed, place, console)


def _asked(
    answers: Answers, guessed: Mapping[tuple[str, str], str], place: Place, console: Console
) -> Answers:
    """What a person says, until it compiles."""
    wanted: Sequence[Slot] = [
        each
        for each in slots(answers.provider, answers.environments)
        if (each.question.flag, each.environment) not in answers.given and len(each.question.choices) != 1
    ]

    def offers(known: Answers, slot: Slot) -> str | None:
        key = (slot.question.flag, slot.environment)
        return _offer(known, slot) or guessed.get(key) or known.get(*key)

    def faults(known: Answers, slot: Slot) -> tuple[Diagnostic, ...]:
        return tuple(each for each in _read_faults(known, place) if slot_at(each.path, known) == slot)

    while True:
        answers = ask_all(answers, wanted, offers, faults)
        try:
            _check(answers, place)
        except SpecError as error:
            # What only shows in the whole: a GPU that is not sold, two environments in one cluster.
            wrong = {slot_at(each.path, answers) for each in _compile_faults(answers, place)}
            wanted = [slot for slot in slots(answers.provider, answers.environments) if slot in wrong]
            if not wanted:
                raise
            console.warn(error.diagnostics)
            continue
        return answers


def _environments(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        fault = environment_fault(name)
        if fault:
            raise _mistyped(f"`--environment`: {fault[0]}", fault[1])
    if len(set(names)) < len(names):
        raise _mistyped("two environments have one name", "give each `--environment` a name of its own")
    return tuple(names) or (FIRST_ENVIRONMENT,)


def _given(
    options: argparse.Namespace, provider: str, environments: Sequence[str]
) -> dict[tuple[str, str], str]:
    """What the options say, `NAME=` taken from the front of an answer for a later environment."""
    known = {each.flag: each for each in questions(provider)}
    found: dict[tuple[str, str], list[str]] = {}
    for question in every_question():
        for text in getattr(options, question.flag.lstrip("-").replace("-", "_")) or ():
            if question.flag not in known:
                raise _mistyped(
                    f"`{question.flag}` has no use with `--provider {provider}`",
                    f"leave it out; `{provider}` asks for {', '.join(known)}",
                )
            environment, value = "", text
            name, equals, rest = text.partition("=")
            if known[question.flag].is_own and equals and name in environments:
                environment, value = ("" if name == environments[0] else name), rest
            _must_be_text(question.flag, value)
            found.setdefault((question.flag, environment), []).append(value)
    for (flag, _), values in found.items():
        if len(values) > 1 and not known[flag].is_list and set(values) != {values[0]}:
            raise _mistyped(
                f"`{flag}` is given twice", "say it once, or with `NAME=` for a later environment"
            )
    return {key: ",".join(values) for key, values in found.items()}


def _must_be_text(flag: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _mistyped(f"what `{flag}` says is not UTF-8", "type it again") from None


def _guessed(answers: Answers, place: Place) -> dict[tuple[str, str], str]:
    """What the folder and the clone say; a person may say otherwise."""
    name = re.sub(r"[^a-z0-9]+", "-", place.directory.resolve().name.lower()).strip("-")
    found = {"--name": name} if name_fault(name) is None else {}
    if place.clone:
        found |= {"--repository": place.clone.origin} if place.clone.origin else {}
        found |= {"--branch": place.clone.branch} if place.clone.branch else {}
    kind = _ci_of(answers.get("--repository") or found.get("--repository", ""))
    found |= {"--ci": kind} if kind else {}
    return {(flag, ""): value for flag, value in found.items()}


def _offer(answers: Answers, slot: Slot) -> str | None:
    """A likely answer that only a person may give: who gets in, and what costs money."""
    match slot.question.flag:
        case "--hosted-domain":
            return (answers.get("--admin") or "").partition(",")[0].rpartition("@")[2] or None
        case "--state-bucket":
            return f"{answers.get('--name')}-terraform"
        case "--ci":
            return _ci_of(answers.get("--repository") or "") or CI_KINDS[-1]
        case _:
            return None


def _ci_of(url: str) -> str | None:
    """Whose workflows a repository at this URL runs, by the name of its host."""
    host = _HOST.match(url)
    return next((kind for kind in CI_KINDS if host and kind in host["host"]), None)


def _check(answers: Answers, place: Place) -> None:
    wrong = _compile_faults(answers, place)
    if wrong:
        raise SpecError(tuple(_with_its_option(each, answers) for each in wrong))


def _compile_faults(answers: Answers, place: Place) -> tuple[Diagnostic, ...]:
    text = platform_text(answers, place.folder).encode()
    inputs = Inputs(patch=lambda _path: None, vendored=lambda _name, _version: ())
    try:
        compile_spec(text, FILE, inputs, as_files=False)
    except SpecError as error:
        return error.diagnostics
    return ()


def _read_faults(answers: Answers, place: Place) -> tuple[Diagnostic, ...]:
    try:
        read_spec(platform_text(answers, place.folder).encode(), FILE)
    except SpecError as error:
        return error.diagnostics
    return ()


def _with_its_option(fault: Diagnostic, answers: Answers) -> Diagnostic:
    """A fault at the option that it comes from: there is no file yet that it could point into."""
    slot = slot_at(fault.path, answers)
    if slot is None:
        return replace(fault, span=None, related=())
    return replace(
        fault,
        message=f"`{_label(slot)}`: {fault.message}",
        path=(),
        span=None,
        related=(),
        environments=(),
    )


def _label(slot: Slot) -> str:
    return slot.label.strip()


def _missing_everywhere(options: argparse.Namespace, environments: Sequence[str], place: Place) -> list[str]:
    """What no cloud does without and nobody has said."""
    found: list[list[str]] = []
    for name in registry.names("clouds"):
        answers = Answers(provider=name, environments=tuple(environments), given={})
        said = {
            (each.flag, ""): "said"
            for each in every_question()
            if getattr(options, each.flag.lstrip("-").replace("-", "_"))
        }
        answers = replace(answers, given={**_guessed(answers, place), **said})
        found.append([_label(slot) for slot in answers.missing()])
    return [label for label in found[0] if all(label in other for other in found)]


def _missing(labels: Sequence[str]) -> PlinthError:
    listed = ", ".join(f"`{label}`" for label in labels)
    return _mistyped(
        f"not said, and nobody is there to ask: {listed}",
        "give these options, or run `plinth init` on a terminal",
    )


def _mistyped(message: str, help_: str) -> PlinthError:
    return PlinthError(Diagnostic(code="PLN909", message=message, help=help_))
