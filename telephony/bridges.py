"""Talks of more than two on Asterisk: lines moved into rooms (ConfBridge), phones called into them, supervisors' ears.

A room is a name that the dialplan's contexts `room`, `room-citizen`, `parked`, `parked-seat` and `spy` understand. Who
belongs where is decided elsewhere; what a move does to the offer that a talk began with is noted in `Known`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from hotline.clock import Clock
from hotline.errors import BadInput
from telephony.ami import AmiLink
from telephony.amiproto import Ask
from telephony.amiwire import Value
from telephony.errors import ActionRefused, LineGoneError
from telephony.known import CARRIER, Known, Leg, drop_leg, leave_talk
from telephony.model import Admitted, LineId, PhoneId, Placed
from telephony.provisioning import account_of

CITIZEN = "citizen"
"""The endpoint by which citizens are called: its lines are no seat's, so they are treated as if they had come in."""
SETTLING_S = 1.0
"""How long a line may be "not up" because it is just being moved."""
SETTLING_PAUSE_S = 0.01
_MEANINGFUL = frozenset(',"\\&;|${}()')


@dataclass(frozen=True, slots=True)
class Target:
    """Where a line is sent in the dialplan."""

    line: LineId
    context: str
    extension: str


def set_all(line: LineId, variables: Mapping[str, str]) -> Ask:
    """Set a channel's variables by one action. No value may contain a comma (`check_words`)."""
    names, values = ",".join(variables), ",".join(variables.values())
    return Ask("Setvar", {"Channel": line, "Variable": f"ARRAY({names})", "Value": values})


async def redirect(link: AmiLink, clock: Clock, first: Sequence[Ask], targets: Sequence[Target]) -> None:
    """Move one line or two, with the actions of `first` written just before in the same packet. While a line is being
    moved Asterisk says "channel not up" of it for some milliseconds: try again.

    Raises:
        LineGoneError: a line hung up; then neither was moved.
    """
    move = Ask("Redirect", _headers(targets))
    until = clock.monotonic() + SETTLING_S
    while True:
        try:
            await link.pipeline((*first, move))
        except ActionRefused as refused:
            if "not up" not in str(refused).lower():
                raise
            if clock.monotonic() > until:
                raise LineGoneError("The line is hanging up.") from refused
            await asyncio.sleep(SETTLING_PAUSE_S)
        else:
            return


def _headers(targets: Sequence[Target]) -> dict[str, Value]:
    headers: dict[str, Value] = {}
    for prefix, target in zip(("", "Extra"), targets, strict=False):
        channel = f"{prefix}Channel"
        headers |= {channel: target.line, f"{prefix}Context": target.context, f"{prefix}Exten": target.extension}
        headers[f"{prefix}Priority"] = 1
    return headers


class AsteriskRooms:
    """`telephony.ports.Rooms` on one Asterisk; a part of its switch."""

    def __init__(
        self,
        link: AmiLink,
        clock: Clock,
        *,
        known: Callable[[], Known],
        must_live: Callable[[LineId], None],
        leaving: Callable[[LineId], None],
    ) -> None:
        self._link, self._clock, self._known = link, clock, known
        self._must_live, self._leaving = must_live, leaving

    async def place(self, room: str, placed: Sequence[Placed], *, track_folder: str = "") -> None:
        if not 1 <= len(placed) <= 2 or not _is_room(room):
            raise BadInput("One line or two can be moved at once, into a room whose name begins with `room_`.")
        if track_folder:
            check_words("room", PhoneId("0"), track_folder)
        first = [set_all(one.line, {"__TRACKS": track_folder}) for one in placed if track_folder]
        targets = [Target(one.line, _context(one), room) for one in placed]
        for one in placed:
            self._must_live(one.line)
        for target in targets:
            self._leaving(target.line)
            leave_talk(self._known(), target.line, target.context, self._clock.now())
        await redirect(self._link, self._clock, first, targets)

    async def arrive(self, line: LineId) -> None:
        until = self._clock.monotonic() + SETTLING_S
        while (state := self._known().lines.get(line)) is not None and not state.bridge:
            if self._clock.monotonic() > until:
                return
            await asyncio.sleep(SETTLING_PAUSE_S)

    async def invite(self, room: str, leg: LineId, *, phone: PhoneId, ring: timedelta, track_folder: str) -> None:
        check_words(leg, phone, track_folder)
        if not _is_room(room):
            raise BadInput("A room's name begins with `room_`.")
        await self._call(leg, f"PJSIP/{account_of(phone)}", ring, ("room", room), {"TRACKS": track_folder})

    async def dial_out(self, room: str, leg: LineId, *, number: Admitted, ring: timedelta, track_folder: str) -> None:
        await self._dial(leg, number, CARRIER, ring, ("room", room), {"TRACKS": track_folder})

    async def call_citizen(
        self, room: str, leg: LineId, *, number: Admitted, ring: timedelta, track_folder: str
    ) -> None:
        variables = {"TRACKS": track_folder, "__CITIZEN": leg}
        await self._dial(leg, number, CITIZEN, ring, ("room-citizen", room), variables)

    async def _dial(
        self, leg: LineId, number: Admitted, endpoint: str, ring: timedelta, where: tuple[str, str],
        variables: dict[str, str],
    ) -> None:  # fmt: skip
        check_words(leg, PhoneId(number.digits), variables["TRACKS"])
        if not _is_room(where[1]):
            raise BadInput("A room's name begins with `room_`.")
        longest = str(round(number.longest.total_seconds()))
        await self._call(leg, f"PJSIP/{number.digits}@{endpoint}", ring, where, {**variables, "LONGEST": longest})

    async def announce(self, room: str, leg: LineId, *, prompt: str, track_folder: str) -> None:
        check_words(leg, PhoneId("0"), track_folder)
        check_words(leg, PhoneId("0"), prompt)
        if not _is_room(room):
            raise BadInput("A room's name begins with `room_`.")
        headers: dict[str, Value] = {
            "Channel": "Local/s@announce/n",
            "ChannelId": leg,
            "OtherChannelId": f"{leg}p",
            "Context": "room-announce",
            "Exten": room,
            "Priority": 1,
            "Timeout": 5000,
            "Variable": f"TRACKS={track_folder},PROMPT={prompt}",
            "Async": "true",
        }
        await self._link.act("Originate", headers)

    async def listen(self, leg: LineId, *, phone: PhoneId, target: LineId, ring: timedelta, track_folder: str) -> None:
        check_words(leg, phone, track_folder)
        self._must_live(target)
        variables = {"TRACKS": track_folder, "TARGET": target}
        await self._call(leg, f"PJSIP/{account_of(phone)}", ring, ("spy", "listen"), variables)

    async def whisper(self, leg: LineId, *, on: bool) -> None:
        self._must_live(leg)
        await redirect(self._link, self._clock, (), [Target(leg, "spy", "whisper" if on else "listen")])

    async def cancel(self, leg: LineId) -> None:
        state = self._known().legs.get(leg)
        if state is not None:
            self._known().legs[leg] = replace(state, cancelled=True)
        with contextlib.suppress(LineGoneError):
            await self._link.act("Hangup", {"Channel": leg, "Cause": 16})

    async def _call(
        self, leg: LineId, channel: str, ring: timedelta, where: tuple[str, str], variables: dict[str, str]
    ) -> None:
        self._known().legs[leg] = Leg(leg, self._clock.now())
        headers: dict[str, Value] = {
            "Channel": channel,
            "ChannelId": leg,
            "Context": where[0],
            "Exten": where[1],
            "Priority": 1,
            "Timeout": max(1000, round(ring.total_seconds() * 1000)),
            "Variable": ",".join(f"{name}={value}" for name, value in variables.items()),
            "Async": "true",
        }
        try:
            await self._link.act("Originate", headers)
        except Exception:
            drop_leg(self._known(), leg)
            raise


def _context(one: Placed) -> str:
    if one.citizen:
        return "parked" if one.held else "room-citizen"
    return "parked-seat" if one.held else "room"


def _is_room(name: str) -> bool:
    return name.startswith("room_") and name.isascii() and name.replace("_", "").isalnum() and name == name.lower()


def check_words(named: str, phone: PhoneId, track_folder: str) -> None:
    """What is written into an action must mean nothing to Asterisk.

    Raises:
        BadInput: with every problem.
    """
    problems = []
    if not (phone.isascii() and phone.isdigit()):
        problems.append("a phone is named by digits")
    if not named or not named.isascii() or not named.replace("_", "").isalnum():
        problems.append("an offer's or leg's id is letters, digits and _")
    if not Path(track_folder).is_absolute() or _MEANINGFUL & set(track_folder):
        problems.append("the folder of the tracks must be absolute and without characters that mean something")
    if problems:
        raise BadInput("This phone cannot be called: " + "; ".join(problems) + ".", tuple(problems))
