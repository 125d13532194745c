"""What telephony remembers of lines and offers, and how each change of it is told as facts, once. Pure.

Events (`telephony.translate`) and snapshots (`telephony.reconcile`) both end here, so that what one of them told the
other does not tell again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from telephony.model import (
    Arrived,
    Bridged,
    LegAnswered,
    LegFailed,
    LegRang,
    LineGone,
    LineId,
    OfferEnded,
    OfferEndReason,
    PhoneId,
    Rang,
    ReturnedLine,
    SeatAnswered,
    SwitchFact,
    TrackStarted,
    TrackStopped,
    Unbridged,
)

K = TypeVar("K")
V = TypeVar("V")
Facts = list[SwitchFact]
NO_PHONE = PhoneId("")
NO_LINE = LineId("")

MEMORY = 4096
"""How many lines and offers that are over are remembered, so that late events of theirs tell nothing new."""
CLOSING = timedelta(seconds=1)
"""How long a withdrawn offer may wait for its phone's last event before it is over anyway."""
DIALLING = timedelta(seconds=2)
"""How long somebody called into a room may have no channel yet."""

CARRIER = PhoneId("carrier")
"""What stands for the phone of somebody outside, who was called through the carrier."""

_SEAT = re.compile(r"PJSIP/(?:seat(\d+)|carrier)")


class Line(msgspec.Struct, frozen=True):
    """What is known of one living line."""

    line: LineId
    since: datetime
    phone: PhoneId = NO_PHONE
    """Its seat's phone; empty for a citizen's line."""
    told: bool = False
    """Whether a fact has named it: a citizen's line by `Arrived`, before which nothing is told of it."""
    offer: str = ""
    """The newest offer made to this citizen's line; of a seat's line, the offer that it was made for."""
    sent: str = ""
    """The place we sent it to last."""
    returned: str = ""
    """The place from which it was last told as ours again."""
    moved_at: datetime | None = None
    """When it was last sent or told as returned."""
    bridge: str = ""
    bridged_at: datetime | None = None
    """When its bridge last changed."""
    left: str = ""
    """The bridge it left last."""
    left_early: bool = False
    """That leaving was heard before the entering."""
    recording: bool = False


class Gone(msgspec.Struct, frozen=True):
    """A line that has hung up."""

    cause: int
    told: bool


class Offer(msgspec.Struct, frozen=True):
    """What is known of one open offer."""

    offer: str
    line: LineId
    phone: PhoneId
    begun_at: datetime
    seat_line: LineId = NO_LINE
    rang: bool = False
    answered: bool = False
    withdrawn_at: datetime | None = None
    alone: bool = True
    """False: other phones ring for the same line at the same time."""
    status: str = ""
    """Dial's word of this phone among several; empty until it came."""
    all_over: bool = False
    """The dialplan is done with all of the several."""
    code: int = 0
    """The SIP status with which this phone among several refused."""


class Leg(msgspec.Struct, frozen=True):
    """What is known of somebody called into a room who has not answered yet."""

    leg: LineId
    begun_at: datetime
    rang: bool = False
    cancelled: bool = False
    over: str = ""
    """Reason of Asterisk's last word on the call; empty until that came."""
    cause: int = 0
    tech: str = ""
    """The phone's SIP status, when Asterisk told it."""


@dataclass(slots=True)
class Known:
    """Everything the translation remembers; made fresh at the start of a process."""

    lines: dict[LineId, Line] = field(default_factory=dict[LineId, Line])
    gone: dict[LineId, Gone] = field(default_factory=dict[LineId, Gone])
    offers: dict[str, Offer] = field(default_factory=dict[str, Offer])
    legs: dict[LineId, Leg] = field(default_factory=dict[LineId, Leg])
    ended: dict[str, OfferEndReason] = field(default_factory=dict[str, OfferEndReason])
    phones: dict[PhoneId, bool] = field(default_factory=dict[PhoneId, bool])
    phones_at: dict[PhoneId, datetime] = field(default_factory=dict[PhoneId, datetime])
    """When each phone's reachability changed last."""
    contacts: dict[PhoneId, frozenset[str]] = field(default_factory=dict[PhoneId, frozenset[str]])
    """Where each phone is registered, of what was heard; nothing heard yet: not there."""
    unseen: frozenset[LineId] = frozenset()
    """Living lines that no fact has named at the last reconciliation: told at the next one."""


# ---- what we do ourselves, so that its echo is understood -----------------------------------------------------------


def sent(known: Known, line: LineId, place: str, at: datetime) -> None:
    """We are about to move a line; an offer that is open for it is withdrawn by that."""
    state = known.lines.get(line)
    if state is not None:
        known.lines[line] = replace(state, sent=place, returned="", moved_at=at)
    withdraw(known, line, at)


def withdraw(known: Known, line: LineId, at: datetime) -> None:
    """Open offers of this line are being taken back."""
    for offer in offers_of(known, line):
        if offer.withdrawn_at is None:
            known.offers[offer.offer] = replace(offer, withdrawn_at=at)


def begin_offer(known: Known, offer: str, line: LineId, phone: PhoneId, at: datetime) -> None:
    """We are about to ring `phone` for `line`."""
    begin_offers(known, {offer: phone}, line, at)


def begin_offers(known: Known, offers: Mapping[str, PhoneId], line: LineId, at: datetime) -> None:
    """We are about to ring the phone of each offer for `line`, all at once."""
    sent(known, line, "connect", at)
    known.lines[line] = replace(known.lines.get(line) or Line(line, at, told=True), offer=bundle(offers))
    for offer, phone in offers.items():
        known.offers[offer] = Offer(offer, line, phone, at, alone=len(offers) == 1)


def bundle(offers: Mapping[str, PhoneId]) -> str:
    """How a line names its offers: one by its name, several each with its phone, `OFFER.PHONE-OFFER.PHONE`."""
    return next(iter(offers)) if len(offers) == 1 else "-".join(f"{offer}.{phone}" for offer, phone in offers.items())


def unbundle(named: str) -> dict[str, PhoneId]:
    """Offers and their phones (empty for one alone) by what `bundle` made."""
    pairs = (one.partition(".") for one in named.split("-"))
    return {offer: PhoneId(phone) for offer, _, phone in pairs if offer}


def leave_talk(known: Known, line: LineId, place: str, at: datetime) -> None:
    """We are about to take a citizen's line out of its talk into a room: the offer that led to it is over, silently."""
    for offer in offers_of(known, line):
        known.offers.pop(offer.offer)
        remember(known.ended, offer.offer, OfferEndReason.TALKED)
    sent(known, line, place, at)


def drop_leg(known: Known, leg: LineId) -> None:
    """It could not be called: an error has told it, no fact follows."""
    known.legs.pop(leg, None)


def drop_offer(known: Known, offer: str) -> None:
    """The offer could not be made: whoever asked for it has been told by an error, no fact follows."""
    known.offers.pop(offer, None)


def expire(known: Known, at: datetime) -> Facts:
    """End withdrawn offers whose phone was never heard of, or no more."""
    facts: Facts = []
    for offer in tuple(known.offers.values()):
        silent = offer.withdrawn_at is not None and at - offer.withdrawn_at > CLOSING
        if silent and offer.seat_line not in known.lines:
            facts += end_offer(known, offer, unheard(offer), at)
    return facts


# ---- lines ----------------------------------------------------------------------------------------------------------


def arrive(known: Known, line: LineId, arrived: Arrived, at: datetime) -> Facts:
    """Tell a citizen's line once; of one that is gone already, that it came and that it went."""
    gone = known.gone.get(line)
    if gone is not None:
        known.gone[line] = replace(gone, told=True)
        return [] if gone.told else [arrived, LineGone(at=at, line=line, cause=gone.cause)]
    state = known.lines.get(line) or Line(line, at)
    known.lines[line] = replace(state, told=True)
    if state.told:
        return []
    facts: Facts = [arrived]
    facts += [TrackStarted(at=at, line=line)] if state.recording else []
    return facts + ([Bridged(at=at, bridge=state.bridge, line=line)] if state.bridge else [])


def audible(state: Line) -> bool:
    """Whether facts may name this line: a seat's always, a citizen's once it has arrived."""
    return state.told or bool(state.phone)


def come_back(known: Known, line: LineId, place: str, at: datetime) -> Facts:
    """Tell that a line is ours again, unless it came because we sent for it or has just arrived."""
    state = known.lines.get(line)
    expected = place == "arrive" or (state is not None and place in (state.sent, state.returned))
    if state is not None and expected:
        known.lines[line] = replace(state, sent="", returned=place)
    if state is None or expected or not state.told:
        return []
    facts: Facts = []
    for offer in offers_of(known, line):
        talked = place == "after" and (offer.alone or offer.answered)
        reason = OfferEndReason.TALKED if talked else unheard(offer)
        facts += end_offer(known, offer, reason, at)
    known.lines[line] = replace(known.lines[line], sent="", returned=place, moved_at=at)
    return [*facts, ReturnedLine(at=at, line=line, place=place)]


def hang_up(known: Known, line: LineId, cause: int, at: datetime) -> Facts:
    """End everything that the line was part of, then the line."""
    if line in known.gone:
        return []
    state = known.lines.pop(line, None)
    remember(known.gone, line, Gone(cause, state is not None and state.told))
    if state is None:
        return []
    heard = audible(state)
    facts: Facts = [Unbridged(at=at, bridge=state.bridge, line=line)] if heard and state.bridge else []
    facts += [TrackStopped(at=at, line=line)] if heard and state.recording else []
    facts += _offers_ended_by(known, line, at)
    return [*facts, LineGone(at=at, line=line, cause=cause)] if state.told else facts


def _offers_ended_by(known: Known, line: LineId, at: datetime) -> Facts:
    """A citizen who leaves ends the offer; a seat that leaves ends it only when we had taken it back, for otherwise
    the dialplan tells how it ended within the same millisecond."""
    facts: Facts = []
    for offer in tuple(known.offers.values()):
        if offer.line == line or (offer.seat_line == line and offer.withdrawn_at is not None):
            facts += end_offer(known, offer, unheard(offer), at)
    return facts


def meet(known: Known, unique: str, channel: str, at: datetime) -> Line | None:
    """The line of an event, made known when it is new; None for a line that is gone or none of ours."""
    line = LineId(unique)
    if not line or line in known.gone or not channel.startswith("PJSIP/"):
        return known.lines.get(line)
    if line not in known.lines:
        known.lines[line] = Line(line, at, phone_of(channel))
    return known.lines[line]


def tell(known: Known, line: LineId, at: datetime) -> Facts:
    """Mark a line as named by a fact; when it is gone already, say so right after."""
    state, gone = known.lines.get(line), known.gone.get(line)
    if state is not None:
        known.lines[line] = replace(state, told=True)
    if gone is None or gone.told:
        return []
    known.gone[line] = replace(gone, told=True)
    return [LineGone(at=at, line=line, cause=gone.cause)]


def enter(known: Known, state: Line, bridge: str, at: datetime) -> Facts:
    """The line is in this bridge now, and in no other."""
    facts = leave(known, state, state.bridge, at) if state.bridge else []
    heard = audible(state)
    known.lines[state.line] = replace(known.lines[state.line], bridge=bridge, bridged_at=at, told=heard)
    return [*facts, Bridged(at=at, bridge=bridge, line=state.line)] if heard else []


def leave(known: Known, state: Line, bridge: str, at: datetime) -> Facts:
    """The line is in no bridge any more."""
    known.lines[state.line] = replace(state, bridge="", left=bridge, left_early=False, bridged_at=at)
    return [Unbridged(at=at, bridge=bridge, line=state.line)] if audible(state) else []


# ---- offers and phones ----------------------------------------------------------------------------------------------


def ring(known: Known, offer: Offer, at: datetime) -> Facts:
    """The phone rings; told once, and not after it was answered."""
    if offer.rang or offer.answered:
        return []
    known.offers[offer.offer] = replace(offer, rang=True)
    return [Rang(at=at, offer=offer.offer, seat_line=offer.seat_line), *tell(known, offer.seat_line, at)]


def answer(known: Known, offer: Offer, at: datetime) -> Facts:
    """The seat picked up; told once."""
    if offer.answered or not offer.seat_line:
        return []
    known.offers[offer.offer] = replace(offer, answered=True)
    told = SeatAnswered(at=at, offer=offer.offer, line=offer.line, seat_line=offer.seat_line)
    return [told, *tell(known, offer.seat_line, at)]


def end_offer(known: Known, offer: Offer, reason: OfferEndReason, at: datetime, cause: int = 0) -> Facts:
    """Close an offer; told once."""
    known.offers.pop(offer.offer, None)
    if offer.offer in known.ended:
        return []
    remember(known.ended, offer.offer, reason)
    return [OfferEnded(at=at, offer=offer.offer, line=offer.line, reason=reason, cause=cause)]


def unheard(offer: Offer) -> OfferEndReason:
    """The reason when the dialplan's own word is not to come: the citizen left, or we took it back."""
    return OfferEndReason.TALKED if offer.answered else OfferEndReason.CANCELLED


def offers_of(known: Known, line: LineId) -> list[Offer]:
    return [offer for offer in known.offers.values() if offer.line == line]


def is_ours(line: LineId) -> bool:
    """Whether we named this line when we called it (`ChannelId`); a name of Asterisk's own has a point."""
    return "." not in line


def leg_rings(known: Known, leg: Leg, at: datetime) -> Facts:
    """Told once."""
    known.legs[leg.leg] = replace(leg, rang=True)
    return [] if leg.rang else [LegRang(at=at, leg=leg.leg)]


def leg_answers(known: Known, leg: Leg, at: datetime) -> Facts:
    """From now on it is an ordinary line; told once."""
    known.legs.pop(leg.leg)
    state = known.lines.get(leg.leg)
    is_recorded = state is not None and state.recording and not audible(state)
    late: Facts = [TrackStarted(at=at, line=leg.leg)] if is_recorded else []
    return [LegAnswered(at=at, leg=leg.leg), *late, *tell(known, leg.leg, at)]


def leg_fails(known: Known, leg: Leg, reason: OfferEndReason, at: datetime) -> Facts:
    """Told once; nobody hears of its line."""
    known.legs.pop(leg.leg)
    return [LegFailed(at=at, leg=leg.leg, reason=OfferEndReason.CANCELLED if leg.cancelled else reason)]


def phone_of(channel: str) -> PhoneId:
    """`PJSIP/seat8001-00000003` → `8001`; `carrier` for somebody outside; empty for any other channel."""
    found = _SEAT.fullmatch(channel.rpartition("-")[0])
    return PhoneId(found.group(1) or CARRIER) if found else NO_PHONE


def remember(memory: dict[K, V], key: K, value: V) -> None:
    memory[key] = value
    while len(memory) > MEMORY:
        del memory[next(iter(memory))]
