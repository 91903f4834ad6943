"""What a network of ours has beside its routes: AWS's services inside it, and a record of its traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds.aws.names import Names, letter, reference, tagged
from plinth.clouds.aws.policies import allow, inline, key, policy, role, service_trust, used_by_logs
from plinth.ir.said import said, text, why
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.ir.said import Origin
    from plinth.spec import platform as spec

SERVICES: Final = ("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "logs", "secretsmanager", "sts")
"""What nodes and pods call all the time: reached without the way out, and without its price for traffic."""

KEPT_DAYS: Final = 365


def endpoints(network: spec.Network, names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    """AWS's services as addresses of the network's own."""
    tables = [reference(f"aws_route_table.private-{letter(zone)}", "id") for zone in names.zones]
    objects = TerraformResource(
        layer="network",
        type="aws_vpc_endpoint",
        name="s3",
        arguments={
            "vpc_id": reference("aws_vpc.platform", "id"),
            "service_name": text("com.amazonaws.", names.region, ".s3"),
            "vpc_endpoint_type": "Gateway",
            "route_table_ids": tables,
            "tags": tagged(text(names.platform, "-s3")),
        },
        origins=origins,
    )
    return [
        objects,
        *_group(network, names, origins),
        *(_endpoint(service, names, origins) for service in SERVICES),
    ]


def _endpoint(service: str, names: Names, origins: tuple[Origin, ...]) -> TerraformResource:
    name = service.replace(".", "-")
    return TerraformResource(
        layer="network",
        type="aws_vpc_endpoint",
        name=name,
        arguments={
            "vpc_id": reference("aws_vpc.platform", "id"),
            "service_name": text("com.amazonaws.", names.region, ".", service),
            "vpc_endpoint_type": "Interface",
            "private_dns_enabled": True,
            "security_group_ids": [reference("aws_security_group.endpoints", "id")],
            "subnet_ids": [reference(f"aws_subnet.nodes-{letter(zone)}", "id") for zone in names.zones],
            "tags": tagged(text(names.platform, "-", name)),
        },
        origins=origins,
    )


def _group(network: spec.Network, names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    group = TerraformResource(
        layer="network",
        type="aws_security_group",
        name="endpoints",
        arguments={
            "name": text(names.platform, "-endpoints"),
            "description": "Services of AWS inside the network",
            "vpc_id": reference("aws_vpc.platform", "id"),
            "tags": tagged(text(names.platform, "-endpoints")),
        },
        origins=origins,
    )
    rules = [
        TerraformResource(
            layer="network",
            type="aws_vpc_security_group_ingress_rule",
            name=f"endpoints-{who}",
            arguments={
                "security_group_id": reference("aws_security_group.endpoints", "id"),
                "description": f"HTTPS from {who}",
                "cidr_ipv4": said(network, who),
                "from_port": 443,
                "to_port": 443,
                "ip_protocol": "tcp",
            },
            origins=origins,
        )
        for who in ("nodes", "pods")
    ]
    return [group, *rules]


def flow_logs(names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    """Who spoke to whom in the network, kept for a year, encrypted with a key of ours."""
    because = why("a network that keeps no record of its traffic cannot be asked what happened")
    group = TerraformResource(
        layer="network",
        type="aws_cloudwatch_log_group",
        name="flow-logs",
        arguments={
            "name": names.flow_logs,
            "retention_in_days": KEPT_DAYS,
            "kms_key_id": reference("aws_kms_key.network", "arn"),
        },
        origins=because,
    )
    writes = allow(
        ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
        names.arn("logs", "log-group:", names.flow_logs, ":*"),
    )
    flows = TerraformResource(
        layer="network",
        type="aws_flow_log",
        name="platform",
        arguments={
            "vpc_id": reference("aws_vpc.platform", "id"),
            "traffic_type": "ALL",
            "log_destination_type": "cloud-watch-logs",
            "log_destination": reference("aws_cloudwatch_log_group.flow-logs", "arn"),
            "iam_role_arn": reference("aws_iam_role.flow-logs", "arn"),
            "max_aggregation_interval": 600,
            "tags": tagged(names.platform),
        },
        origins=(*origins, *because),
    )
    trusted = service_trust(names, "vpc-flow-logs.amazonaws.com")
    return [
        *key(
            "network",
            "network",
            "The network's flow logs",
            [used_by_logs(names, names.flow_logs)],
            names,
            because,
        ),
        group,
        role("network", "flow-logs", names.role("flow-logs"), trusted, "Writes the flow logs", because),
        inline("network", "flow-logs", "write", policy(writes), because),
        flows,
    ]
