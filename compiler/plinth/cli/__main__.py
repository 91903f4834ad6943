"""`python -m plinth.cli`."""

from plinth.cli import entry

entry()
