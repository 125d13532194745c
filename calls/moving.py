"""Moves of a talk of several, performed at the switch. A line that hung up meanwhile stops nobody else's move."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

import structlog

from calls.moves import Announce, Arrive, Eavesdrop, Invite, Move, Murmur, Put, Release
from hotline.errors import BadInput
from telephony.errors import ActionRefused, AsteriskUnreachable, LineGoneError
from telephony.model import Admitted, LineId, OfferEndReason, PhoneId
from telephony.ports import Rooms

log = structlog.get_logger(__name__)
UNREACHABLE = OfferEndReason.UNREACHABLE.value


class Door(Protocol):
    """Who may be called."""

    def admit(self, invite: Invite) -> Admitted | None:
        """The number to dial, for somebody outside.

        Raises:
            NotCalled: he may not be, or cannot be just now.
        """
        ...


class NotCalled(Exception):
    """Somebody is not called; `why` is a code."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


Failed = Callable[[LineId, str], None]


async def perform(move: Move, rooms: Rooms, door: Door, *, folder: str, ring: timedelta, failed: Failed) -> None:
    """Do it. `folder`: of the tracks, absolute; `failed` is told of a phone that could not be rung, and why.

    Raises:
        AsteriskUnreachable: what lives is compared when it is back.
    """
    try:
        await _perform(move, rooms, door, folder, ring)
    except NotCalled as refused:
        log.info("not called", line=getattr(move, "line", ""), why=refused.why)
        if isinstance(move, Invite):
            failed(move.line, refused.why)
    except LineGoneError:
        if isinstance(move, Invite | Eavesdrop):
            failed(move.line, UNREACHABLE)  # otherwise its `LineGone` says how it goes on
    except ActionRefused as error:
        log.warning("move refused by the switch", move=type(move).__name__, why=str(error))
        if isinstance(move, Invite | Eavesdrop):
            failed(move.line, UNREACHABLE)
    except AsteriskUnreachable:
        if isinstance(move, Invite | Eavesdrop):
            failed(move.line, UNREACHABLE)
        raise


async def announce(move: Announce, rooms: Rooms, files: Sequence[str], folder: str) -> None:
    """Say it; without its prompt, or while Asterisk cannot, the talk goes on without it."""
    if not files:
        return
    try:
        await rooms.announce(move.room, move.line, prompt=files[0], track_folder=folder)
    except (ActionRefused, BadInput) as error:
        log.warning("not announced", prompt=move.prompt, why=str(error))


async def _perform(move: Move, rooms: Rooms, door: Door, folder: str, ring: timedelta) -> None:
    match move:
        case Put(room, placed, fresh):
            await rooms.place(room, placed, track_folder=folder if fresh else "")
        case Arrive(line):
            await rooms.arrive(line)
        case Invite(room, line, phone):
            number, ring = door.admit(move), move.ring or ring
            if number is not None and move.citizen:
                await rooms.call_citizen(room, line, number=number, ring=ring, track_folder=folder)
            elif number is None:
                await rooms.invite(room, line, phone=PhoneId(phone), ring=ring, track_folder=folder)
            else:
                await rooms.dial_out(room, line, number=number, ring=ring, track_folder=folder)
        case Eavesdrop(line, phone, target):
            await rooms.listen(line, phone=PhoneId(phone), target=target, ring=ring, track_folder=folder)
        case Murmur(line, on):
            await rooms.whisper(line, on=on)
        case Release(line):
            await rooms.cancel(line)
        case Announce():
            pass  # `announce` does it
