"""How tests are handed out to workers: by group, and what has no group by file.

What the tests of a file share is then made once. And what has been handed out is counted whenever a test is done,
which takes long where each test was handed out by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadGroupScheduling

if TYPE_CHECKING:
    import pytest
    from xdist.remote import Producer


class ByFile(LoadGroupScheduling):
    """`--dist loadgroup`, in the order of the collection."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        group = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if group == nodeid else group
