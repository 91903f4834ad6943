"""What a new platform is begun with in tests, and git repositories to begin it in."""

from __future__ import annotations

import subprocess
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
EXISTING: Final = (
    "--provider", "existing", "--cluster", "lab", "--bucket-url", "s3://acme-artifacts",
    "--database-host", "postgres.acme.com", *SHARED,
)  # fmt: skip
PROD_GCP: Final = (
    "--environment", "dev", "--environment", "prod", "--project", "prod=acme-ml-prod",
    "--project-number", "prod=210987654321",
)  # fmt: skip
PROD_EXISTING: Final = (
    "--environment", "dev", "--environment", "prod", "--cluster", "prod=lab-prod",
    "--bucket-url", "prod=s3://acme-prod", "--database-host", "prod=postgres.prod.acme.com",
)  # fmt: skip


def git(folder: Path, *words: str) -> str:
    """What git says, run in a folder as nobody in particular."""
    settings = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    done = subprocess.run(["git", *settings, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def repository(folder: Path, *, origin: str | None = None) -> Path:
    """A new git repository."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    if origin:
        git(folder, "remote", "add", "origin", origin)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    """Every file but git's own and the cache, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {".git", ".plinth"} & set(path.relative_to(folder).parts)
    }
