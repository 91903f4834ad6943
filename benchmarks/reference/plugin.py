"""One component of the reference platform. The benchmark lays a copy of this file under each name."""

from reference.component import component_of

COMPONENT = component_of(__name__)
