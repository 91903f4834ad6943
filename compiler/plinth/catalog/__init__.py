"""Dated facts about the outside world, as data: what upstreams hold, what clouds sell.

Nothing here is fetched while compiling and nothing is decided here but the machine that answers
a shape (`machines.choose`), which is a fixed rule over the data.

    objects       ObjectKey: the identity of a Kubernetes object
    components    Upstream: where a version of a component comes from and what it holds
    facts         how those facts are taken from objects; the tools and `plinth vendor` use it
    machines      what each cloud rents, at which price, and the rule that picks one
    regions       the names of regions and zones
    images        the container images that Plinth itself deploys

The data lies beside the code: `components/<name>/<version>.json`, `machines.json`,
`regions.json`, `images.json`. The first two are written by `tools/`, never by hand. A plug-in
folder may bring `components/` of its own; see `plinth.registry.catalog_folders`.
"""

from __future__ import annotations


class CatalogError(Exception):
    """The data is broken; the message names the file and the row. Nobody's spec is at fault."""
