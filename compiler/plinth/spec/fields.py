"""The types of single values, each refusing what it cannot take with its own code and help.

Every pattern is anchored and in ASCII: a name that looks right in an editor but is not (a
Cyrillic letter, a trailing newline) is refused.
"""

from __future__ import annotations

import ipaddress
import re
from decimal import Decimal
from typing import Annotated, Final, NoReturn

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from plinth.text.source import shown

__all__ = [
    "Branch",
    "BucketUrl",
    "Cidr",
    "Count",
    "Domain",
    "Duration",
    "Email",
    "Field",  # plug-ins describe their fields with it, and know no pydantic beside
    "GitUrl",
    "Memory",
    "Name",
    "RelativePath",
    "SecretName",
    "Version",
    "check_cidr",
    "name_fault",
    "refuse",
    "to_bytes",
    "to_seconds",
]

LONGEST_NAME: Final = 40
"""Leaves room for what is put around a name within the 63 characters of a DNS label."""

_NAME: Final = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?", re.ASCII)
_DOMAIN: Final = re.compile(
    r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+", re.ASCII
)
_EMAIL_USER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", re.ASCII)
_MEMORY: Final = re.compile(r"[0-9]{1,7}(\.[0-9]{1,3})?(Ki|Mi|Gi|Ti|Pi)", re.ASCII)
_DURATION: Final = re.compile(r"[1-9][0-9]{0,5}[smhd]", re.ASCII)
_REF: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}", re.ASCII)
_PATH: Final = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", re.ASCII)
_URL: Final = re.compile(
    r"(https://|ssh://)([A-Za-z0-9_.-]+@)?[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)+"
    r"|git@[A-Za-z0-9.-]+:[A-Za-z0-9._~/-]+",
    re.ASCII,
)
_SECRET: Final = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?", re.ASCII)
_BUCKET_URL: Final = re.compile(r"(gs|s3|abfss)://[a-z0-9][a-z0-9._@-]{1,200}(/[A-Za-z0-9._-]+)*", re.ASCII)

UNITS: Final = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def refuse(code: str, message: str, help_: str) -> NoReturn:
    """Refuse a value inside a validator; `read` turns it into a diagnostic at the value's place."""
    # The message is given as data, for pydantic's own templates must not read what a user typed.
    raise PydanticCustomError(code, "{text}", {"text": message, "help": help_})


def name_fault(text: str) -> tuple[str, str] | None:
    """What is wrong with a name and what to do about it, or None for a good one."""
    if _NAME.fullmatch(text) and len(text) <= LONGEST_NAME:
        return None
    rule = f"use 1 to {LONGEST_NAME} of a-z, 0-9 and `-`, a letter first and no `-` last"
    return f"{shown(text)} is not a name", f"{rule}: it becomes part of names in the cloud and in the cluster"


def _name(text: str) -> str:
    fault = name_fault(text)
    if fault:
        refuse("PLN206", *fault)
    return text


def _domain(text: str) -> str:
    if not _DOMAIN.fullmatch(text) or len(text) > 200:  # noqa: PLR2004 - 253 less room for our own labels
        refuse(
            "PLN204",
            f"{shown(text)} is not a domain name",
            "write a name such as `ml.example.com`, in lower case",
        )
    return text


def _email(text: str) -> str:
    user, _, domain = text.rpartition("@")
    if not _EMAIL_USER.fullmatch(user) or not _DOMAIN.fullmatch(domain):
        refuse(
            "PLN204",
            f"{shown(text)} is not an e-mail address",
            "write the address of one person or group: `ml@example.com`",
        )
    return text


def check_cidr(text: str) -> str:
    """An IPv4 range that begins with its first address, or a refusal."""
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError:
        refuse("PLN301", f"{shown(text)} is not an IPv4 range", "write a range such as `10.0.0.0/16`")
    if str(network) == text:
        return text
    if text.partition("/")[0] == str(network.network_address):
        refuse("PLN301", f"{shown(text)} is not a range with its length in bits", f"write `{network}`")
    refuse(
        "PLN301", f"{shown(text)} does not begin with the first address of its range", f"write `{network}`"
    )


def _memory(text: str) -> str:
    if not _MEMORY.fullmatch(text):
        refuse(
            "PLN204",
            f"{shown(text)} is not an amount of memory",
            "write a number with its binary unit: `16Gi`, `512Mi`",
        )
    if to_bytes(text) == 0:
        refuse("PLN204", f"{shown(text)} is no memory at all", "write an amount above 0: `16Gi`")
    return text


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        refuse(
            "PLN204",
            f"{shown(text)} is not a length of time",
            "write a whole number with its unit: `90s`, `30m`, `2h`, `7d`",
        )
    return text


def _branch(text: str) -> str:
    parts = text.split("/")
    bad = any(
        part in {"", ".", ".."} or part.startswith(".") or part.endswith((".lock", ".")) for part in parts
    )
    if not _REF.fullmatch(text) or bad or ".." in text or text == "HEAD":
        refuse(
            "PLN204",
            f"{shown(text)} is not the name of a git branch",
            "write a branch's name: `main`, `env/prod`",
        )
    return text


def _relative_path(text: str) -> str:
    if text != "." and (not _PATH.fullmatch(text) or any(part in {".", ".."} for part in text.split("/"))):
        refuse(
            "PLN204",
            f"{shown(text)} is not a path inside the repository",
            "write it from the root with `/`, without `..`",
        )
    return text


def _git_url(text: str) -> str:
    if not _URL.fullmatch(text) or len(text) > 400:  # noqa: PLR2004 - far above any real one
        refuse(
            "PLN204",
            f"{shown(text)} is not the URL of a git repository",
            "write `https://host/path.git` or `git@host:path.git`",
        )
    return text


def _secret_name(text: str) -> str:
    if not _SECRET.fullmatch(text) or len(text) > 63:  # noqa: PLR2004 - a DNS label
        refuse(
            "PLN204",
            f"{shown(text)} is not the name of a secret",
            "use 1 to 63 of a-z, 0-9 and `-`, a letter first; the value stays in the store",
        )
    return text


def _bucket_url(text: str) -> str:
    if not _BUCKET_URL.fullmatch(text):
        refuse(
            "PLN204",
            f"{shown(text)} is not the URL of a bucket",
            "write `gs://name`, `s3://name` or `abfss://name`",
        )
    return text


def to_bytes(quantity: str) -> int:
    """The bytes of a checked amount of memory: `"16Gi"` is 16 * 2**30."""
    number, unit = quantity[:-2], quantity[-2:]
    return int(Decimal(number) * UNITS[unit])


def to_seconds(duration: str) -> int:
    """The seconds of a checked length of time: `"2h"` is 7200."""
    return int(duration[:-1]) * SECONDS[duration[-1]]


Name = Annotated[
    str,
    AfterValidator(_name),
    Field(json_schema_extra={"pattern": f"^{_NAME.pattern}$", "maxLength": LONGEST_NAME}),
]
Domain = Annotated[str, AfterValidator(_domain), Field(json_schema_extra={"pattern": f"^{_DOMAIN.pattern}$"})]
Email = Annotated[str, AfterValidator(_email), Field(json_schema_extra={"format": "email"})]
Cidr = Annotated[
    str, AfterValidator(check_cidr), Field(json_schema_extra={"pattern": r"^[0-9]+(\.[0-9]+){3}/[0-9]+$"})
]
Memory = Annotated[str, AfterValidator(_memory), Field(json_schema_extra={"pattern": f"^{_MEMORY.pattern}$"})]
Duration = Annotated[
    str, AfterValidator(_duration), Field(json_schema_extra={"pattern": f"^{_DURATION.pattern}$"})
]
Branch = Annotated[str, AfterValidator(_branch)]
RelativePath = Annotated[str, AfterValidator(_relative_path)]
GitUrl = Annotated[str, AfterValidator(_git_url)]
SecretName = Annotated[
    str, AfterValidator(_secret_name), Field(json_schema_extra={"pattern": f"^{_SECRET.pattern}$"})
]
BucketUrl = Annotated[
    str, AfterValidator(_bucket_url), Field(json_schema_extra={"pattern": f"^{_BUCKET_URL.pattern}$"})
]
Version = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+-]{0,40}$")]
Count = Annotated[int, Field(ge=0, le=10_000)]
