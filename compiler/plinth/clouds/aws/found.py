"""How the roots name what AWS gave its own name: the network and its subnets.

Each root of its own finds them by name and tag. In one single root they are named directly, for what is
made in the same apply cannot be looked up before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.aws.names import Names, letter
from plinth.ir.said import Expression, why
from plinth.ir.targets import Layer, TerraformResource

if TYPE_CHECKING:
    from plinth.ir.said import Said

SUBNET_TAG: Final = "plinth.dev/subnet"
"""What a subnet of ours is for: `nodes`, `pods`, `data` or `public`."""

INTERNAL: Final = "kubernetes.io/role/internal-elb"
"""Marks private subnets, ours and those of other people's networks. Source: EKS, "VPC requirements"."""

DISCOVERY: Final = "karpenter.sh/discovery"
"""Marks the subnets in which Karpenter puts nodes; its value is the cluster's name."""


class Found:
    """Expressions for the network of one environment."""

    def __init__(self, names: Names, *, is_single: bool) -> None:
        self._names = names
        self._is_existing = names.existing_network is not None
        self._is_direct = is_single and not self._is_existing
        self._is_single = is_single

    @property
    def vpc(self) -> Expression:
        """The network's id."""
        return Expression(self._vpc)

    @property
    def vpc_range(self) -> Expression:
        """The first range of addresses of a network that is not ours."""
        return Expression("data.aws_vpc.platform.cidr_block")

    @property
    def node_subnets(self) -> Any:
        """Ids of the subnets of nodes, one in each zone."""
        return self._subnets("nodes")

    @property
    def one_zone(self) -> Any:
        """The id of one subnet of nodes, for what has to be close together."""
        return (
            Expression("slice(data.aws_subnets.nodes.ids, 0, 1)")
            if self._is_existing
            else self.node_subnets[:1]
        )

    @property
    def data_subnets(self) -> Any:
        """Ids of the subnets of databases; those of nodes in a network that is not ours."""
        return self._subnets("nodes" if self._is_existing else "data")

    def subnet(self, use: str, zone: Said) -> str:
        """The text of an expression for the one subnet of a use in a zone."""
        name = f"{use}-{letter(zone)}"
        return f"aws_subnet.{name}.id" if self._is_direct else f"one(data.aws_subnets.{name}.ids)"

    def sources(self, layer: Layer) -> list[TerraformResource]:
        """The data sources that a root needs for these expressions."""
        if self._is_direct or (self._is_single and layer != "network"):
            return []
        if layer == "network" and not self._is_single:
            return []
        made = [self._source(layer, "aws_vpc", "platform", [_filter("tag:Name", self._names.network)])]
        if self._is_existing:
            return [*made, self._source(layer, "aws_subnets", "nodes", self._filters("nodes"))]
        if layer == "platform":
            return [*made, self._source(layer, "aws_subnets", "data", self._filters("data"))]
        return made + [
            self._source(
                layer,
                "aws_subnets",
                f"{use}-{letter(zone)}",
                [*self._filters(use), _filter("availability-zone", zone)],
            )
            for use in ("nodes", "pods")
            for zone in self._names.zones
        ]

    @property
    def _vpc(self) -> str:
        return "aws_vpc.platform.id" if self._is_direct else "data.aws_vpc.platform.id"

    def _subnets(self, use: str) -> Any:
        if self._is_direct:
            return [Expression(f"aws_subnet.{use}-{letter(zone)}.id") for zone in self._names.zones]
        if use == "nodes" and not self._is_existing:
            return [Expression(self.subnet(use, zone)) for zone in self._names.zones]
        return Expression(f"data.aws_subnets.{use}.ids")

    def _filters(self, use: str) -> list[dict[str, Any]]:
        by_use = _filter(f"tag:{INTERNAL}", "1") if self._is_existing else _filter(f"tag:{SUBNET_TAG}", use)
        return [_filter("vpc-id", self.vpc), by_use]

    def _source(self, layer: Layer, kind: str, name: str, filters: list[dict[str, Any]]) -> TerraformResource:
        return TerraformResource(
            layer=layer,
            block="data",
            type=kind,
            name=name,
            arguments={"filter": filters},
            origins=why("AWS gives ids to networks and subnets, which are found by their names and tags"),
        )


def _filter(name: str, value: Any) -> dict[str, Any]:
    return {"name": name, "values": [value]}
