"""Who has the data folder: one hotline at a time, because two would write the same files.

The lock is the kernel's (flock), so it ends with its process, however that ends; what stands in the file only says who
has it. It refuses to know what is in the folder.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from hotline.errors import Conflict, Unavailable

NAME = "hotline.lock"


@contextmanager
def locked(data: Path, now: datetime) -> Generator[None]:
    """Have the data folder, which must exist, for oneself.

    Raises:
        Conflict: another process has it; nothing was touched.
        Unavailable: the folder cannot be written, or its file system knows no locks.
    """
    file = data.absolute() / NAME
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"{file} cannot be written ({error.strerror}): correct its owner.") from error
    try:
        _lock(descriptor, file)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} since {now:%Y-%m-%d %H:%M:%S} UTC\n".encode())
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, file: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip()
        raise Conflict(
            f"Another hotline already runs on the data folder {file.parent} ({holder or 'it has just begun'}): stop "
            "it, or choose another HOTLINE_DATA."
        ) from error
    except OSError as error:
        raise Unavailable(
            f"The data folder {file.parent} cannot be locked ({error.strerror}): choose one on a local disk with "
            "HOTLINE_DATA."
        ) from error
