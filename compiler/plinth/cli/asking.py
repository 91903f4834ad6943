"""Questions on a terminal, one at a time; a wrong answer is said to be wrong at once and asked again."""

from __future__ import annotations

import io
import os
import select
import shutil
import signal
import sys
import textwrap
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.starter.questions import Answers, Slot

WIDEST = 88


def is_terminal() -> bool:
    """Whether there is a person to ask."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask_all(
    answers: Answers,
    wanted: Iterable[Slot],
    offers: Callable[[Answers, Slot], str | None],
    faults: Callable[[Answers, Slot], tuple[Diagnostic, ...]],
) -> Answers:
    """The answers with those of a person.

    Args:
        answers: What is known.
        wanted: What to ask, in this order.
        offers: What an empty answer takes, None where there is nothing to offer.
        faults: What is wrong with the answer to one question, given all so far.

    Raises:
        KeyboardInterrupt: the person has had enough.
    """
    for slot in wanted:
        offer = offers(answers, slot)
        while True:
            text = ask(slot, offer)
            if not text or (slot.question.choices and text not in slot.question.choices):
                continue
            key = (slot.question.flag, slot.environment)
            tried = replace(answers, given={**answers.given, key: text})
            wrong = faults(tried, slot)
            if not wrong:
                answers = tried
                break
            for each in wrong:
                _say(f"{each.message}: {each.help}")
    return answers


def ask(slot: Slot, offer: str | None) -> str:
    """One answer, or the offer where nothing was typed."""
    question = slot.question
    also = " Several, with commas between." if question.is_list else ""
    _say(f"{question.text}{also}", gap=True)
    of = f" for {slot.environment}" if slot.environment else ""
    choice = f" ({', '.join(question.choices)})" if question.choices else ""
    return prompt(f"{question.flag.lstrip('-')}{of}{choice}", offer)


def choose(what: str, text: str, choices: Mapping[str, str] | Iterable[str]) -> str:
    """One of several words."""
    words = tuple(choices)
    _say(text, gap=True)
    while True:
        found = prompt(f"{what} ({', '.join(words)})", None)
        if found in words:
            return found


def prompt(what: str, offer: str | None) -> str:
    """A line that somebody types. The prompt goes to stderr, like everything that is no data."""
    sys.stderr.write(f"{what}{f' [{offer}]' if offer else ''}: ")
    sys.stderr.flush()
    _wait()
    line = sys.stdin.readline()
    if not line:  # Ctrl-D: nobody is there any more
        raise KeyboardInterrupt
    return line.strip() or (offer or "")


def _wait() -> None:
    """Until a line or a signal comes: Python would not hear one that comes just before it begins to read."""
    try:
        typed = sys.stdin.fileno()
    except io.UnsupportedOperation:  # not a file: there is nothing to wait for
        return
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    before = signal.set_wakeup_fd(wakes)
    try:
        select.select([typed, woken], [], [])
    finally:
        signal.set_wakeup_fd(before)
        os.close(woken)
        os.close(wakes)


def _say(text: str, *, gap: bool = False) -> None:
    width = min(WIDEST, shutil.get_terminal_size().columns)
    lines = textwrap.fill(text, max(width - 1, 20), break_on_hyphens=False)
    sys.stderr.write(("\n" if gap else "") + f"{lines}\n")
