"""The zone of the platform's public names, and a certificate that Google renews by itself.

Whoever runs the domain above has to delegate to the zone: its name servers are an output.

Source: Google Cloud, "Manage DNS security (DNSSEC)" and "DNS authorizations for Certificate Manager".
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Expression, said, text
from plinth.ir.targets import Target, TerraformBlock, TerraformResource

if TYPE_CHECKING:
    from plinth.clouds.gcp.names import Names
    from plinth.ir.needs import Domain
    from plinth.ir.said import Origin

NAME_SERVERS: Final = "domain_name_servers"
"""The output that says to whom the domain above has to delegate."""

_RECORD: Final = "google_certificate_manager_dns_authorization.platform.dns_resource_record[0]"


def answer(need: Domain, names: Names) -> Answer[NoFacts]:
    """The zone, the proof that it is ours, and the certificate of the domain and all below it."""
    domain = said(need.identity, "domain")
    # A certificate's domains cannot be changed: another set is another certificate, made before the
    # one in use goes, and so under another name.
    mark = domain.map(lambda name: hashlib.sha256(name.encode()).hexdigest()[:8])
    targets: tuple[Target, ...] = (
        _resource(
            "google_dns_managed_zone",
            "public",
            {
                "name": text(names.platform, "-public"),
                "project": names.project,
                "dns_name": text(domain, "."),
                "description": "The platform's public names",
                "visibility": "public",
                "dnssec_config": [{"state": "on", "non_existence": "nsec3"}],
                # Another zone has other name servers, and the domain above still names the old ones.
                "lifecycle": {"prevent_destroy": True},
            },
            domain.origins,
        ),
        _resource(
            "google_certificate_manager_dns_authorization",
            "platform",
            {
                "name": text(names.platform, "-", mark),
                "project": names.project,
                "domain": domain,
                # A record of this project's own: another project may have one, and so may cert-manager.
                "type": "PER_PROJECT_RECORD",
                "lifecycle": {"create_before_destroy": True},
            },
            domain.origins,
        ),
        _resource(
            "google_dns_record_set",
            "certificate",
            {
                "project": names.project,
                "managed_zone": Expression("google_dns_managed_zone.public.name"),
                "name": Expression(f"{_RECORD}.name"),
                "type": Expression(f"{_RECORD}.type"),
                "ttl": 300,
                "rrdatas": [Expression(f"{_RECORD}.data")],
            },
            domain.origins,
        ),
        _resource(
            "google_certificate_manager_certificate",
            "platform",
            {
                "name": text(names.platform, "-", mark),
                "project": names.project,
                "managed": [
                    {
                        "domains": [domain, text("*.", domain)],
                        "dns_authorizations": [
                            Expression("google_certificate_manager_dns_authorization.platform.id")
                        ],
                    }
                ],
                "lifecycle": {"create_before_destroy": True},
            },
            domain.origins,
        ),
        TerraformBlock(
            layer="platform",
            kind="output",
            name=NAME_SERVERS,
            arguments={"value": Expression('join(" ", google_dns_managed_zone.public.name_servers)')},
            origins=domain.origins,
        ),
    )
    return Answer(targets=targets, facts=NoFacts())


def _resource(kind: str, name: str, arguments: dict[str, Any], origins: tuple[Origin, ...]) -> Target:
    return TerraformResource(layer="platform", type=kind, name=name, arguments=arguments, origins=origins)
