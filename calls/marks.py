"""Callers as opaque marks: the same number gives the same mark, and no mark gives a number.

The floor's facts are kept for long and shown to many, so they name callers by these only: for the place of who rings
again, and for the list of who was missed. The key stays in the installation's secrets, and in its backups.
"""

import hashlib
import secrets
from pathlib import Path

from telephony.identity import write_private

_BYTES = 32


class Marks:
    """`file` holds the key; it is made when there is none."""

    def __init__(self, file: Path) -> None:
        self._key = _read(file)

    def of(self, number: str) -> str:
        """The mark of a number; empty for a withheld one."""
        digest = hashlib.blake2b(number.encode(), key=self._key, digest_size=12)
        return digest.hexdigest() if number else ""


def _read(file: Path) -> bytes:
    try:
        key = file.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) < _BYTES:
        key = secrets.token_bytes(_BYTES)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(file, key)
    return key[:64]
