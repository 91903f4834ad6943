"""Options that commands share; apart from what they lead to, so that parsing a line stays cheap."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_tree_arguments(parser: argparse.ArgumentParser) -> None:
    """`-C`, `-f` and `--format`."""
    add_directory_arguments(parser)
    add_format_argument(parser)


def add_directory_arguments(parser: argparse.ArgumentParser) -> None:
    """`-C` and `-f`, alike in every command that reads a tree."""
    parser.add_argument(
        "-C", dest="directory", metavar="DIR", default=".", help="the platform's folder (default: here)"
    )
    parser.add_argument(
        "-f",
        dest="file",
        metavar="FILE",
        default="platform.yaml",
        help="the platform file in it (default: %(default)s)",
    )


def add_format_argument(parser: argparse.ArgumentParser, *more: str) -> None:
    """`--format`: text, JSON, and whatever else a command has."""
    parser.add_argument(
        "--format",
        choices=("text", "json", *more),
        default="text",
        help="what stdout gets (default: %(default)s)",
    )


def add_environment_argument(
    parser: argparse.ArgumentParser, help_: str = "only this environment; may be repeated"
) -> None:
    """`--env`: `options.environments`, empty where none is said."""
    parser.add_argument(
        "--env",
        dest="environments",
        metavar="NAME",
        action="append",
        default=[],
        help=help_,
    )
