"""The public names of a platform: their zone, signed and with its questions on record, and a certificate.

Route 53 keeps keys and logs of public zones in one region, whatever that of the platform is. The
certificate is issued once somebody delegates the domain to the zone's name servers, which an output tells;
nothing here waits for that.

Source: Route 53, "Working with customer managed keys for DNSSEC", "Public DNS query logging"; ACM, "DNS
validation".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.aws.names import Names, reference
from plinth.clouds.aws.policies import DELETION_DAYS, Statement, account_owner, policy
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Expression, said, text
from plinth.ir.targets import Target, TerraformBlock, TerraformResource

if TYPE_CHECKING:
    from plinth.ir.needs import Domain
    from plinth.ir.said import Origin, Said

HOME: Final = "us-east-1"
"""Where Route 53 keeps what belongs to public zones."""
HOSTS: Final = ("hub",)
"""Hosts below the domain that components have pages on. A certificate for all that anybody might ever put
there would vouch for too much.
"""
KEPT_DAYS: Final = 365
TTL_S: Final = 300


def answer(need: Domain, names: Names) -> Answer[NoFacts]:
    """The zone of the platform's domain, and the certificate of its hosts."""
    domain = said(need.identity, "domain")
    origins = domain.origins
    zone = _made("aws_route53_zone", "public", {"name": domain, "comment": "The platform's pages"}, origins)
    servers = TerraformBlock(
        layer="platform",
        kind="output",
        name="name_servers",
        arguments={"value": Expression('join(" ", aws_route53_zone.public.name_servers)')},
        origins=origins,
    )
    targets: list[Target] = [zone, servers, *_certificate(domain, origins)]
    if names.partition.value == "aws":  # the other partitions have neither of the two
        targets += [*_signed(names, origins), *_recorded(domain, names, origins)]
    return Answer(targets=tuple(targets), facts=NoFacts())


def _made(kind: str, name: str, arguments: dict[str, Any], origins: tuple[Origin, ...]) -> TerraformResource:
    return TerraformResource(layer="platform", type=kind, name=name, arguments=arguments, origins=origins)


def _certificate(domain: Said, origins: tuple[Origin, ...]) -> list[Target]:
    hosts = {"domain": domain, **{host: text(f"{host}.", domain) for host in HOSTS}}
    certificate = _made(
        "aws_acm_certificate",
        "public",
        {
            "domain_name": domain,
            "subject_alternative_names": [full for host, full in hosts.items() if host != "domain"],
            "validation_method": "DNS",
            "lifecycle": {"create_before_destroy": True},
        },
        origins,
    )
    return [certificate, *(_proof(host, full, origins) for host, full in hosts.items())]


def _proof(host: str, full: Said, origins: tuple[Origin, ...]) -> TerraformResource:
    """The record by which ACM sees that a name is ours."""
    options = "aws_acm_certificate.public.domain_validation_options"
    option = full.map(lambda name: f'one([for each in {options} : each if each.domain_name == "{name}"])')

    def part(attribute: str) -> Said:
        return option.map(lambda found: Expression(f"{found}.resource_record_{attribute}"))

    arguments = {
        "zone_id": reference("aws_route53_zone.public", "zone_id"),
        "name": part("name"),
        "type": part("type"),
        "records": [part("value")],
        "ttl": TTL_S,
        "allow_overwrite": True,
    }
    return _made("aws_route53_record", f"proof-{host}", arguments, origins)


def _key(name: str, more: dict[str, Any], uses: list[Statement], names: Names) -> dict[str, Any]:
    return {
        "region": HOME,
        "description": text(f"{name} of ", names.platform),
        "deletion_window_in_days": DELETION_DAYS,
        "policy": policy(account_owner(names), *uses),
        **more,
    }


def _signed(names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    by = {"Service": "dnssec-route53.amazonaws.com"}
    own = {"StringEquals": {"aws:SourceAccount": names.account}}
    uses: list[Statement] = [
        {
            "Sid": "Sign",
            "Effect": "Allow",
            "Principal": by,
            "Action": ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"],
            "Resource": "*",
            "Condition": own,
        },
        {
            "Sid": "Grant",
            "Effect": "Allow",
            "Principal": by,
            "Action": "kms:CreateGrant",
            "Resource": "*",
            "Condition": {**own, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    ]
    kind = {"customer_master_key_spec": "ECC_NIST_P256", "key_usage": "SIGN_VERIFY"}
    zone = {"hosted_zone_id": reference("aws_route53_zone.public", "zone_id")}
    return [
        _made("aws_kms_key", "dnssec", _key("Signs the public zone", kind, uses, names), origins),
        _made(
            "aws_route53_key_signing_key",
            "public",
            {
                **zone,
                "name": "plinth",
                "key_management_service_arn": reference("aws_kms_key.dnssec", "arn"),
                "status": "ACTIVE",
            },
            origins,
        ),
        _made(
            "aws_route53_hosted_zone_dnssec",
            "public",
            {**zone, "depends_on": ["aws_route53_key_signing_key.public"]},
            origins,
        ),
    ]


def _recorded(domain: Said, names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    group = text("/aws/route53/", domain)
    arn = text("arn:", names.partition, f":logs:{HOME}:", names.account, ":log-group:", group)
    uses: list[Statement] = [
        {
            "Sid": "Logs",
            "Effect": "Allow",
            "Principal": {"Service": f"logs.{HOME}.amazonaws.com"},
            "Action": [
                "kms:Decrypt*",
                "kms:Describe*",
                "kms:Encrypt*",
                "kms:GenerateDataKey*",
                "kms:ReEncrypt*",
            ],
            "Resource": "*",
            "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": arn}},
        }
    ]
    writes = policy(
        {
            "Effect": "Allow",
            "Principal": {"Service": "route53.amazonaws.com"},
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": text(arn, ":*"),
            "Condition": {"StringEquals": {"aws:SourceAccount": names.account}},
        }
    )
    key = _key("Records of the public zone", {"enable_key_rotation": True}, uses, names)
    return [
        _made("aws_kms_key", "questions", key, origins),
        _made(
            "aws_cloudwatch_log_group",
            "questions",
            {
                "region": HOME,
                "name": group,
                "retention_in_days": KEPT_DAYS,
                "kms_key_id": reference("aws_kms_key.questions", "arn"),
            },
            origins,
        ),
        _made(
            "aws_cloudwatch_log_resource_policy",
            "questions",
            {"region": HOME, "policy_name": text(names.platform, "-route53"), "policy_document": writes},
            origins,
        ),
        _made(
            "aws_route53_query_log",
            "public",
            {
                "zone_id": reference("aws_route53_zone.public", "zone_id"),
                "cloudwatch_log_group_arn": reference("aws_cloudwatch_log_group.questions", "arn"),
                "depends_on": ["aws_cloudwatch_log_resource_policy.questions"],
            },
            origins,
        ),
    ]
