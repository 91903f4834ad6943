"""What a new platform is begun with in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

SHARED: Final = (
    "--name", "acme-ml", "--repository", "https://github.com/acme/ml-platform.git", "--ci", "github",
    "--domain", "ml.acme.com", "--admin", "platform@acme.com", "--hosted-domain", "acme.com",
)  # fmt: skip
GCP: Final = (
    "--provider", "gcp", "--project", "acme-ml-dev", "--project-number", "123456789012", "--region", "us-central1",
    "--state-bucket", "acme-ml-terraform", *SHARED,
)  # fmt: skip
AWS: Final = (
    "--provider", "aws", "--account-id", "123456789012", "--region", "us-east-1",
    "--admins", "arn:aws:iam::123456789012:role/platform,arn:aws:iam::123456789012:role/on-call",
    "--state-bucket", "acme-ml-terraform", *SHARED,
)  # fmt: skip
AZURE: Final = (
    "--provider", "azure", "--subscription-id", "11111111-2222-3333-4444-555555555555", "--region", "eastus2",
    "--tenant-id", "66666666-7777-8888-9999-000000000000",
    "--admin-groups", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "--state-bucket", "acmemlterraform", *SHARED,
)  # fmt: skip
EXISTING: Final = (
    "--provider", "existing", "--cluster", "lab", "--bucket-url", "s3://acme-artifacts",
    "--database-host", "postgres.acme.com", *SHARED,
)  # fmt: skip
PROD_GCP: Final = (
    "--environment", "dev", "--environment", "prod", "--project", "prod=acme-ml-prod",
    "--project-number", "prod=210987654321",
)  # fmt: skip
PROD_AWS: Final = (
    "--environment", "dev", "--environment", "prod", "--account-id", "prod=210987654321", "--region", "prod=eu-west-1",
)  # fmt: skip
PROD_AZURE: Final = (
    "--environment", "dev", "--environment", "prod",
    "--subscription-id", "prod=11111111-2222-3333-4444-555555555556",
)  # fmt: skip
PROD_EXISTING: Final = (
    "--environment", "dev", "--environment", "prod", "--cluster", "prod=lab-prod",
    "--bucket-url", "prod=s3://acme-prod", "--database-host", "prod=postgres.prod.acme.com",
)  # fmt: skip


def files(folder: Path) -> dict[str, bytes]:
    """Every file but git's own and the cache, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {".git", ".plinth"} & set(path.relative_to(folder).parts)
    }
