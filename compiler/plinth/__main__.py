"""`python -m plinth`."""

from plinth.cli import entry

entry()
