"""What a user may write.

`read.read_spec` gives every environment of a `platform.yaml`, or every fault of the first stage
that found one. `section.Section` is what clouds and components build their own part of the spec
from; `fields` has the types of single values. This is the only floor that knows pydantic.
"""

from plinth.spec.section import Section

__all__ = ["Section"]
