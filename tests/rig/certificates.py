"""Certificates that nobody outside the rig trusts, made by openssl.

authority = new_authority(folder)
context = authority.server_context("webhook.cert-manager.svc")
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .faults import RigFault

if TYPE_CHECKING:
    from pathlib import Path

_NEW_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")
_DAYS: Final = "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Who signs, and for as long as a rig runs."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """The certificate that clients have to trust, in PEM."""
        return self.folder / "authority.crt"

    def server_context(self, host: str) -> ssl.SSLContext:
        """For a server that is called by a DNS name, or by an address of IPv4."""
        kind = "IP" if host.replace(".", "").isdecimal() else "DNS"
        signed_by = ("-CA", str(self.certificate), "-CAkey", str(self.folder / "authority.key"))
        certificate, key = _new(
            self.folder,
            host,
            *signed_by,
            *("-addext", f"subjectAltName={kind}:{host}", "-addext", "basicConstraints=CA:FALSE"),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context


def missing_openssl() -> str | None:
    """Why there can be no certificates here; None where there can."""
    return None if shutil.which("openssl") else "there is no `openssl` on PATH"


def new_authority(folder: Path) -> Authority:
    """A new authority whose files are kept in a new folder.

    Raises:
        RigFault: openssl is not there, or too old: `req -CA` came with 3.0.
    """
    folder.mkdir(parents=True)
    # The machine's own settings would add extensions that ours then contradict.
    (folder / "openssl.cnf").write_text("[req]\ndistinguished_name = name\n[name]\n", encoding="utf-8")
    _new(folder, "authority", "-addext", "basicConstraints=critical,CA:TRUE")
    return Authority(folder=folder)


def _new(folder: Path, name: str, *words: str) -> tuple[Path, Path]:
    lacking = missing_openssl()
    if lacking:
        raise RigFault(lacking)
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    # A common name has 64 characters at most; what counts is the alternative name.
    made = ("-days", _DAYS, "-subj", f"/CN={name[:64]}", "-out", str(certificate), "-keyout", str(key))
    command = ["openssl", "req", "-x509", "-config", str(folder / "openssl.cnf"), *_NEW_KEY, *made, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RigFault(f"openssl made no certificate for {name}: {done.stderr.strip()}")
    return certificate, key
