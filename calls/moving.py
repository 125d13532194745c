"""Moves of a talk of several, performed at the switch. A line that hung up meanwhile stops nobody else's move."""

from collections.abc import Callable
from datetime import timedelta

import structlog

from calls.moves import Eavesdrop, Invite, Move, Murmur, Put, Release
from telephony.errors import ActionRefused, AsteriskUnreachable, LineGoneError
from telephony.model import LineId, PhoneId
from telephony.ports import Rooms

log = structlog.get_logger(__name__)


async def perform(move: Move, rooms: Rooms, *, folder: str, ring: timedelta, failed: Callable[[LineId], None]) -> None:
    """Do it. `folder`: of the tracks, absolute; `failed` is told of a phone that could not be rung.

    Raises:
        AsteriskUnreachable: what lives is compared when it is back.
    """
    try:
        await _perform(move, rooms, folder, ring)
    except LineGoneError:
        if isinstance(move, Invite | Eavesdrop):
            failed(move.line)  # otherwise its `LineGone` says how it goes on
    except ActionRefused as error:
        log.warning("move refused by the switch", move=type(move).__name__, why=str(error))
        if isinstance(move, Invite | Eavesdrop):
            failed(move.line)
    except AsteriskUnreachable:
        if isinstance(move, Invite | Eavesdrop):
            failed(move.line)
        raise


async def _perform(move: Move, rooms: Rooms, folder: str, ring: timedelta) -> None:
    match move:
        case Put(room, placed):
            await rooms.place(room, placed)
        case Invite(room, line, phone):
            await rooms.invite(room, line, phone=PhoneId(phone), ring=ring, track_folder=folder)
        case Eavesdrop(line, phone, target):
            await rooms.listen(line, phone=PhoneId(phone), target=target, ring=ring, track_folder=folder)
        case Murmur(line, on):
            await rooms.whisper(line, on=on)
        case Release(line):
            await rooms.cancel(line)
