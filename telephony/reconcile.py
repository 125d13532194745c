"""Compares what is known with a snapshot and tells what was missed. Pure: no clock, no connection.

What changed after the snapshot was asked for is left alone: its own event tells it.
"""

from datetime import datetime

from msgspec.structs import replace

from telephony.channels import SEATS_PLACES
from telephony.known import (
    DIALLING,
    Facts,
    Known,
    Leg,
    Line,
    Offer,
    answer,
    arrive,
    come_back,
    end_offer,
    enter,
    hang_up,
    is_ours,
    leave,
    leg_answers,
    leg_fails,
    leg_rings,
    ring,
    unbundle,
    unheard,
)
from telephony.model import Arrived, LineId, LineSnapshot, OfferEndReason, Snapshot
from telephony.reach import reach

OURS = frozenset({"arrive", "ivr", "hold", "after", "fallback"})
"""Places where a citizen's line stands outside any offer."""
UNCALLED = frozenset({"after", "fallback"})
"""Places a line goes to without being sent: it is told as returned."""


def reconcile(known: Known, snapshot: Snapshot, asked_at: datetime, *, first: bool = False) -> Facts:
    """Facts that were missed up to `snapshot`, which was asked for at `asked_at`; `known` is brought up to date.

    `first`: the connection is new, so every unknown line was missed. Otherwise a line is told only when two
    snapshots in a row show it, for its own event may be on its way and knows more; in the fallback there is none.
    """
    facts = _vanished(known, snapshot, asked_at)
    citizens_first = sorted(snapshot.lines, key=lambda one: bool(one.phone))
    for line in citizens_first:
        facts += _appeared(known, line, snapshot.at, first=first)
    known.unseen = frozenset(one.line for one in snapshot.lines if not _told(known, one.line))
    living = {one.line: one for one in citizens_first if _comparable(known, one.line, asked_at)}
    for line in living.values():
        facts += _seat_of_offer(known, line, snapshot.at) if line.phone else _adopted(known, line, snapshot.at)
    for line in living.values():
        facts += _bridging(known, line, snapshot.at)
    for line in living.values():
        facts += _returned(known, line, snapshot.at)
    facts += _offers_over(known, living, asked_at, snapshot.at)
    facts += _legs(known, snapshot, asked_at)
    return facts + _phones(known, snapshot, asked_at)


def _vanished(known: Known, snapshot: Snapshot, asked_at: datetime) -> Facts:
    living = {line.line for line in snapshot.lines}
    facts: Facts = []
    for line in tuple(known.lines.values()):
        if line.line not in living and line.since <= asked_at:
            facts += hang_up(known, line.line, 0, snapshot.at)
    return facts


def _appeared(known: Known, seen: LineSnapshot, at: datetime, *, first: bool) -> Facts:
    state = known.lines.get(seen.line)
    due = first or seen.line in known.unseen or seen.place == "fallback"
    if seen.line in known.gone or (state is not None and state.told) or not due:
        return []
    if not seen.phone and seen.line in known.legs:  # a citizen whom we are calling: `_legs` tells of it
        known.lines.setdefault(seen.line, Line(seen.line, at))
        return []
    if seen.phone:
        if first and not (seen.up or seen.offer) and is_ours(seen.line):  # called into a room by a former process
            known.legs.setdefault(seen.line, Leg(seen.line, at))
        known.lines.setdefault(seen.line, Line(seen.line, at, seen.phone, told=seen.place in SEATS_PLACES))
        return []
    return arrive(known, seen.line, Arrived(at=at, line=seen.line, dialled=seen.dialled, caller=seen.caller), at)


def _told(known: Known, line: LineId) -> bool:
    state = known.lines.get(line)
    return state is not None and state.told


def _comparable(known: Known, line: LineId, asked_at: datetime) -> bool:
    """Whether nothing happened to this line since the snapshot was asked for."""
    state = known.lines.get(line)
    if state is None:
        return False
    return all(moment is None or moment <= asked_at for moment in (state.moved_at, state.bridged_at))


def _adopted(known: Known, seen: LineSnapshot, at: datetime) -> Facts:
    """An offer that a former process made becomes known; it is told by its seat's line."""
    offers = unbundle(seen.offer)
    new = {offer: phone for offer, phone in offers.items() if offer not in known.offers and offer not in known.ended}
    if new and seen.place == "connect":
        for offer, phone in new.items():
            known.offers[offer] = Offer(offer, seen.line, phone, at, alone=len(offers) == 1)
        known.lines[seen.line] = replace(known.lines[seen.line], offer=seen.offer, sent="connect")
    return []


def _returned(known: Known, seen: LineSnapshot, at: datetime) -> Facts:
    """A citizen's line that stands alone where nobody sent it."""
    state = known.lines[seen.line]
    unsent = not state.sent and not state.returned
    stray = seen.place in UNCALLED or (unsent and seen.place in ("hold", "ivr"))
    return come_back(known, seen.line, seen.place, at) if stray and not seen.bridge else []


def _seat_of_offer(known: Known, seen: LineSnapshot, at: datetime) -> Facts:
    """A seat's line tells by its state how far its offer is."""
    mine = (name for name, phone in unbundle(seen.offer).items() if phone in (seen.phone, ""))
    offer = known.offers.get(next(mine, ""))
    if offer is None or (offer.seat_line and offer.seat_line != seen.line):
        return []
    offer = replace(offer, seat_line=seen.line, phone=seen.phone)
    known.offers[offer.offer] = offer
    return answer(known, offer, at) if seen.up else ring(known, offer, at)


def _bridging(known: Known, seen: LineSnapshot, at: datetime) -> Facts:
    state = known.lines[seen.line]
    if state.bridge == seen.bridge:
        return []
    return enter(known, state, seen.bridge, at) if seen.bridge else leave(known, state, state.bridge, at)


def _offers_over(known: Known, living: dict[LineId, LineSnapshot], asked_at: datetime, at: datetime) -> Facts:
    facts: Facts = []
    for offer in tuple(known.offers.values()):
        seen = living.get(offer.line)
        if seen is not None and offer.begun_at <= asked_at and _is_over(offer, seen):
            facts += end_offer(known, offer, _reason(offer, seen), at)
    return facts


def _legs(known: Known, snapshot: Snapshot, asked_at: datetime) -> Facts:
    """Who was called into a room: lives and is up, lives and rings, or is no more."""
    facts: Facts = []
    living = {line.line: line for line in snapshot.lines}
    for leg in tuple(known.legs.values()):
        seen = living.get(leg.leg)
        if seen is not None:
            facts += leg_answers(known, leg, snapshot.at) if seen.up else leg_rings(known, leg, snapshot.at)
        elif leg.begun_at + DIALLING <= asked_at:
            facts += leg_fails(known, leg, OfferEndReason.UNREACHABLE, snapshot.at)
    return facts


def _is_over(offer: Offer, seen: LineSnapshot) -> bool:
    return seen.place in OURS or (bool(seen.offer) and offer.offer not in unbundle(seen.offer))


def _reason(offer: Offer, seen: LineSnapshot) -> OfferEndReason:
    if seen.place == "after" and (offer.alone or offer.answered):
        return OfferEndReason.TALKED
    known_reason = offer.answered or offer.withdrawn_at is not None
    return unheard(offer) if known_reason else OfferEndReason.NO_ANSWER


def _phones(known: Known, snapshot: Snapshot, asked_at: datetime) -> Facts:
    facts: Facts = []
    for phone in sorted(snapshot.reachable | known.phones.keys()):
        if known.phones_at.get(phone, asked_at) <= asked_at:
            facts += reach(known, phone, phone in snapshot.reachable, snapshot.at)
    return facts
