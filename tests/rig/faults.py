"""What may be wrong with a machine, in words that say what to do."""

from __future__ import annotations

import errno
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL: Final = "the disk is full: Go's caches and the rig need about 12 GiB on a first build"

_REMEDIES: Final = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), FULL),
    errno.ENOMEM: "no memory is left: 4 GiB have to be free",
    errno.EPIPE: "whoever read what is printed has stopped",
}


class RigFault(Exception):
    """The rig cannot be built or started; the message is for the person who asked for it."""


@contextmanager
def in_words(remedy: str) -> Iterator[None]:
    """Turn what the system or a program refuses into a fault of one line, which ends with what to do about it.

    Raises:
        RigFault: in place of an OSError or a CalledProcessError.
    """
    try:
        yield
    except OSError as error:
        about = f"{error.filename}: " if error.filename else ""
        told = _REMEDIES.get(error.errno or 0, remedy)
        raise RigFault(f"{about}{error.strerror or error}; {told}") from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr or "").strip().splitlines() or [f"it ended with {error.returncode}"]
        words = " ".join(map(str, error.cmd[:2]))
        raise RigFault(f"`{words}` failed: {said[-1]}; {remedy}") from error
