"""The hash chain over recordings: each link carries the hash of the one before, so that none can be changed,
removed or put in between without every later link showing it.

Pure. A cut at the chain's very end shows only against a head that was written down elsewhere (`expected`).
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from recordings.model import Recording

GENESIS = "0" * 64
"""What the first link carries as the one before."""


class Deed(StrEnum):
    """What a link testifies."""

    CLOSED = "closed"
    PURGED = "purged"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the chain."""

    seq: int
    """From 1, without gaps."""
    recording: str
    deed: Deed
    at: datetime
    body: str
    """Canonical JSON of what is sealed."""
    previous: str
    hash: str


class Head(msgspec.Struct, frozen=True):
    """The newest link, to be written down where nobody of this installation can change it."""

    seq: int
    hash: str


def sealed(recording: Recording, deed: Deed, at: datetime) -> str:
    """What a link says about a recording, as canonical JSON. No personal data."""
    return json.dumps(
        {
            "recording": recording.id,
            "call": recording.call,
            "deed": deed,
            "at": at.astimezone(UTC).isoformat(),
            "answered_at": recording.answered_at.astimezone(UTC).isoformat(),
            "length_ms": recording.length_ms,
            "size_bytes": recording.size_bytes,
            "sha256": recording.sha256,
            "truncated": recording.truncated,
        },
        sort_keys=True,
        separators=(",", ":"),
    )


def link_hash(previous: str, seq: int, body: str) -> str:
    """SHA-256 over the hash before, the position and the body, hexadecimal."""
    return hashlib.sha256(f"{previous}\n{seq}\n{body}".encode()).hexdigest()


def next_link(head: Head | None, recording: Recording, deed: Deed, at: datetime) -> Link:
    """The link that follows `head` (nothing: the first one)."""
    seq, previous = (head.seq + 1, head.hash) if head else (1, GENESIS)
    body = sealed(recording, deed, at)
    return Link(
        seq=seq,
        recording=recording.id,
        deed=deed,
        at=at,
        body=body,
        previous=previous,
        hash=link_hash(previous, seq, body),
    )


def broken(links: Sequence[Link], before: Head | None = None) -> Iterator[tuple[Link, str]]:
    """Links of a run of the chain, oldest first after `before`, that do not fit, each with a sentence."""
    head = before or Head(0, GENESIS)
    for link in links:
        if link.seq != head.seq + 1:
            yield link, f"link {head.seq + 1} is missing before link {link.seq}"
        elif link.previous != head.hash:
            yield link, f"link {link.seq} does not follow link {head.seq}"
        elif link.hash != link_hash(link.previous, link.seq, link.body):
            yield link, f"link {link.seq} was changed"
        elif json.loads(link.body)["recording"] != link.recording:
            yield link, f"link {link.seq} names another recording than it seals"
        head = Head(link.seq, link.hash)


def differences(link: Link, recording: Recording) -> list[str]:
    """Names of fields in which a row differs from what was sealed."""
    body: Mapping[str, object] = json.loads(link.body)
    now: Mapping[str, object] = json.loads(sealed(recording, link.deed, link.at))
    return [name for name in now if now[name] != body.get(name)]
