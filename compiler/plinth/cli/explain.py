"""Say what a diagnostic means, why it matters and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth import registry
from plinth.cli import DONE
from plinth.cli.tree_arguments import add_format_argument
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError
from plinth.diagnostics.pages import codes, page
from plinth.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    import argparse

    from plinth.cli.console import Console

EXAMPLES = """\
examples:
  plinth explain PLN305
  plinth explain                 list every code
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `plinth explain`."""
    parser.add_argument(
        "code", metavar="CODE", nargs="?", help="the code of a diagnostic, `PLN305`; all are listed without"
    )
    add_format_argument(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Print a page, or the list of all."""
    pages = {code: page(code) or "" for code in codes()}
    pages |= {check.code: check.page for check in registry.load_all("checks")}
    if options.code is None:
        titles = {code: _title(text) for code, text in sorted(pages.items())}
        console.data({"schema": "plinth.dev/explain/v1", "codes": titles})
        console.text("".join(f"{code}  {title}\n" for code, title in titles.items()))
        return DONE
    code = options.code.upper()
    if code not in pages:
        raise PlinthError(
            Diagnostic(
                code="PLN909",
                message=f"no diagnostic has the code `{options.code}`",
                help=did_you_mean(code, pages, otherwise="list them with `plinth explain`"),
            )
        )
    console.data(
        {"schema": "plinth.dev/explain/v1", "code": code, "title": _title(pages[code]), "page": pages[code]}
    )
    console.text(pages[code].rstrip("\n") + "\n")
    return DONE


def _title(text: str) -> str:
    heading = text.lstrip().partition("\n")[0].lstrip("# ")
    return heading.partition(": ")[2] or heading
