"""Which bytes a player asks for (RFC 9110, section 14). Pure. One stretch at a time; many are refused."""

import re
from dataclasses import dataclass

from hotline.errors import BadInput

_ONE = re.compile(r"bytes=[ \t]*(\d*)-(\d*)[ \t]*", re.ASCII | re.IGNORECASE)
LONGEST = 100
"""Characters of a header that can be meant honestly."""


class Unsatisfiable(BadInput):
    """The stretch lies outside, is written wrongly, or there are several: 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `first` to `last`, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    def content_range(self, size: int) -> str:
        return f"bytes {self.first}-{self.last}/{size}"


def parse_range(value: str | None, size: int) -> ByteRange | None:
    """The stretch that the `Range` header `value` asks for, out of `size` bytes; nothing: the whole.

    A unit other than bytes is ignored, as the standard demands.

    Raises:
        Unsatisfiable
    """
    if value is None or not value[:6].lower().startswith("bytes="):
        return None
    match = _ONE.fullmatch(value) if len(value) <= LONGEST else None
    if match is None:
        raise Unsatisfiable("Ask for one range of bytes, such as bytes=0-65535.")
    found = _stretch(match[1], match[2], size)
    if found is None:
        raise Unsatisfiable(f"The range lies outside of the {size} bytes that there are.")
    return found


def _stretch(first: str, last: str, size: int) -> ByteRange | None:
    if not first:
        count = min(int(last or 0), size)
        return ByteRange(size - count, size - 1) if count else None
    start, end = int(first), min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    return ByteRange(start, end) if start < size else None


def applies(if_range: str | None, etag: str) -> bool:
    """Whether a `Range` header counts under this `If-Range`: only for exactly the sound that we have.

    Dates and weak tags never match: then the whole is sent.
    """
    return if_range is None or if_range.strip() == etag
