"""The system calls that write, in one place, so that a test can fail or end each of them.

Every name is one part of a path, relative to an open folder: nothing here can be led astray by
a link that is planted higher up.
"""

from __future__ import annotations

import os
from typing import Final

# Fixed, whatever the umask of whoever compiles: git would otherwise be the only one to agree.
FILE_MODE: Final = 0o644
FOLDER_MODE: Final = 0o755


class FileCalls:
    """What a workspace writes with. `folder` is an open folder's descriptor."""

    def mkdir(self, name: str, folder: int) -> None:
        """Make a folder that everybody may read."""
        os.mkdir(name, dir_fd=folder)
        made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.fchmod(made, FOLDER_MODE)
        finally:
            os.close(made)

    def create(self, name: str, folder: int) -> int:
        """A descriptor of a new, empty file that everybody may read."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(name, flags, 0o666, dir_fd=folder)
        os.fchmod(file, FILE_MODE)
        return file

    def write(self, file: int, content: memoryview) -> int:
        """How many bytes were written, from the first on."""
        return os.write(file, content)

    def open_lock(self, name: str, folder: int) -> int:
        """A descriptor of a file to lock, made where it is missing."""
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=folder)

    def rename(self, name: str, folder: int, new_name: str, new_folder: int) -> None:
        """Give a file another name, in place of a file that has it."""
        os.rename(name, new_name, src_dir_fd=folder, dst_dir_fd=new_folder)

    def unlink(self, name: str, folder: int) -> None:
        """Remove a file."""
        os.unlink(name, dir_fd=folder)

    def rmdir(self, name: str, folder: int) -> None:
        """Remove an empty folder."""
        os.rmdir(name, dir_fd=folder)
