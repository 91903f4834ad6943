"""The stages of a compile, for one environment each, and what environments share.

`draft` has the stages in order, `bases` what is made once for all of them, `inputs` what is read
beside the spec.
"""

from __future__ import annotations

from plinth.compilation.bases import Bases
from plinth.compilation.draft import Compilation, Draft
from plinth.compilation.inputs import Inputs

__all__ = ["Bases", "Compilation", "Draft", "Inputs"]
