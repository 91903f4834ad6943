"""What a user may write.

`read.read_spec` gives every environment of a `platform.yaml`, or every fault of the first stage
that found one. `section.Section` is what clouds and components build their own part of the spec
from; `fields` has the types of single values. This is the only floor that knows pydantic.
"""

import os

# What happens to be installed beside us must not decide what a spec may hold; and looking for
# plug-ins of pydantic costs as much as reading a platform.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from plinth.spec.section import Section

__all__ = ["Section"]
