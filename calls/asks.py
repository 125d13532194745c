"""What was asked of units and of lines outside, and what came of it: folded from the facts, read for people.

Who was called, in which order, with what result, and who was not called and why: so that "why was nobody reached" has
an answer, and the share of askings that a unit answered is a figure (三方通话接通率, `REACH_RATE`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import RowMapping, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from calls.legs import Leg, Party, Place
from calls.model import OnwardDialled, OnwardMissed, OnwardReached, PartyAsked, TalkChanged
from calls.orders import Purpose
from calls.tables import ask_tries, asks
from hotline.prepared import Prepared

REACH_RATE = "askings that the unit answered / askings in the hours of at least one of its experts"
"""domain: three-way requests answered by unit ÷ requests, by unit and hour. Askings outside everybody's hours are shown
apart."""
ANSWERED, CANCELLED, RAN_OUT = "answered", "cancelled", "no_answer"

_NEW_ASK = Prepared(insert(asks))
_REACHED = Prepared(update(asks).where(asks.c.ask == bindparam("key"), asks.c.reached_at.is_(None)))
_ASK = Prepared(select(asks).where(asks.c.ask == bindparam("key")))
_TRIES = Prepared(select(ask_tries).where(ask_tries.c.call == bindparam("key")))
_NEW_TRY = Prepared(insert(ask_tries))
_END_TRY = Prepared(update(ask_tries).where(ask_tries.c.line == bindparam("key")))


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was called."""

    line: str
    ask: str
    rank: int
    person: str
    how: str
    """`seat` or `phone`."""
    seat: str
    began_at: datetime
    ended_at: datetime | None
    result: str
    """`answered`, `busy`, `no_answer`, `rejected`, `unreachable`, `cancelled`, or what the guard says; empty: it rings.
    """


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What came of calling somebody."""

    ask: str
    result: str


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """One asking, with everybody who was called for it and everybody who was not."""

    ask: str
    call: str
    at: datetime
    by: str
    purpose: str
    unit: str
    number: str
    callees: int
    passed_over: list[dict[str, Any]]
    reached_at: datetime | None
    tries: list[Try] = msgspec.field(default_factory=list)


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """How often a unit's experts were reached."""

    unit: str
    asked: int
    reached: int
    off_hours: int
    """Asked when nobody of the roster was on duty: not counted in the rate."""
    by_hour: dict[int, tuple[int, int]]
    """Local hour of the day to asked and reached."""

    @property
    def rate(self) -> float | None:
        """`REACH_RATE`; nothing while nothing was asked."""
        return self.reached / self.asked if self.asked else None


# Inside the projection's transaction -----------------------------------------------------------------------------


async def asked(connection: AsyncConnection, fact: PartyAsked) -> None:
    """A new asking."""
    row = {
        "ask": fact.ask,
        "call": fact.call,
        "at": fact.at,
        "by": fact.by,
        "purpose": fact.purpose.value,
        "unit": fact.unit,
        "number": fact.number,
        "callees": fact.callees,
        "passed_over": msgspec.to_builtins(fact.passed_over),
        "reached_at": None,
    }
    await _NEW_ASK.run(connection, row)


async def changed(connection: AsyncConnection, fact: TalkChanged) -> list[Ended]:
    """Who of those called has come, given up or been taken back. Returns what ended so now."""
    known = {str(row["line"]): row for row in await _TRIES.rows(connection, {"key": fact.call})}
    called = {str(leg.line): leg for leg in fact.talk.legs if leg.ask}
    for line, new in called.items():
        if line not in known:
            await _NEW_TRY.run(connection, _new_try(fact, new))
    over: list[Ended] = []
    for line, row in known.items():
        if row["ended_at"] is not None:
            continue
        leg = called.get(line)
        if leg is not None and leg.place is Place.RINGING:
            continue
        result = _result(fact, line) if leg is None else ANSWERED
        await _END_TRY.run(connection, {"key": line, "ended_at": fact.at, "result": result})
        over.append(Ended(ask=str(row["ask"]), result=result))
        if leg is not None:
            await _REACHED.run(connection, {"key": str(row["ask"]), "reached_at": fact.at})
    return over


async def onward(connection: AsyncConnection, fact: OnwardDialled | OnwardMissed | OnwardReached) -> None:
    """A line that was called for the citizen alone: nobody of ours asked for it."""
    line = str(fact.leg)
    match fact:
        case OnwardDialled():
            purpose, row = Purpose.LINE.value, {"call": fact.call, "number": fact.number, "unit": "", "by": ""}
            more = {"ask": line, "at": fact.at, "purpose": purpose, "callees": 1, "passed_over": [], "reached_at": None}
            await _NEW_ASK.run(connection, {**row, **more})
            await _NEW_TRY.run(connection, _new_try(fact, Leg(line=fact.leg, ask=fact.leg, **_ALONE)))
        case OnwardMissed(result=result):
            await _END_TRY.run(connection, {"key": line, "ended_at": fact.at, "result": result})
        case OnwardReached():
            await _END_TRY.run(connection, {"key": line, "ended_at": fact.at, "result": ANSWERED})
            await _REACHED.run(connection, {"key": line, "reached_at": fact.at})


_ALONE: Mapping[str, Any] = {"party": Party.OUTSIDE, "place": Place.RINGING, "outside": True}


async def emergency(connection: AsyncConnection, ask: str) -> str | None:
    """The number of an emergency line that was asked for; nothing of any other asking."""
    row = await _ASK.row(connection, {"key": ask})
    return None if row is None or row["purpose"] != Purpose.EMERGENCY.value else str(row["number"])


def handed_over(fact: TalkChanged) -> str:
    """The emergency line that has the citizen alone from now on; empty when none has."""
    talking = fact.talk.talking
    alone = bool(talking) and all(leg.outside for leg in talking) and fact.what in ("leave", "gone", "drop")
    return next((leg.phone for leg in talking if leg.warm), "") if alone else ""


def _new_try(fact: TalkChanged | OnwardDialled, leg: Leg) -> dict[str, Any]:
    return {
        "line": str(leg.line),
        "ask": str(leg.ask),
        "call": fact.call,
        "rank": leg.rank,
        "person": leg.person,
        "how": "phone" if leg.outside else "seat",
        "seat": "" if leg.outside else leg.seat,
        "began_at": fact.at,
        "ended_at": None,
        "result": "",
    }


def _result(fact: TalkChanged, line: str) -> str:
    if fact.missed == line:
        return fact.why or RAN_OUT
    return RAN_OUT if fact.what in ("found", "toolong") else CANCELLED


# Reading ----------------------------------------------------------------------------------------------------------


async def of_call(connection: AsyncConnection, call: str) -> list[Asking]:
    """What was asked in a call, in order."""
    return await _with_tries(connection, select(asks).where(asks.c.call == call).order_by(asks.c.at, asks.c.ask))


async def of_unit(connection: AsyncConnection, unit: str, limit: int) -> list[Asking]:
    """What was asked of a unit, newest first."""
    query = select(asks).where(asks.c.unit == unit).order_by(asks.c.at.desc(), asks.c.ask.desc()).limit(limit)
    return await _with_tries(connection, query)


async def _with_tries(connection: AsyncConnection, query: Any) -> list[Asking]:
    rows = [dict(row) for row in (await connection.execute(query)).mappings()]
    wanted = [row["ask"] for row in rows]
    found = select(ask_tries).where(ask_tries.c.ask.in_(wanted)).order_by(ask_tries.c.began_at, ask_tries.c.line)
    tries: dict[str, list[Try]] = {}
    for row in (await connection.execute(found)).mappings() if wanted else ():
        fields: Mapping[str, Any] = {name: row[name] for name in Try.__struct_fields__}
        tries.setdefault(row["ask"], []).append(Try(**fields))
    return [Asking(**row, tries=tries.get(row["ask"], [])) for row in rows]


async def reach(connection: AsyncConnection, since: datetime, until: datetime, zone: ZoneInfo) -> list[Reach]:
    """How often each unit was reached between two moments, by unit."""
    query = select(asks.c.unit, asks.c.at, asks.c.callees, asks.c.passed_over, asks.c.reached_at).where(
        asks.c.purpose == Purpose.UNIT.value, asks.c.at >= since, asks.c.at < until
    )
    units: dict[str, list[RowMapping]] = {}
    for row in (await connection.execute(query)).mappings():
        units.setdefault(row["unit"], []).append(row)
    return [_reach(unit, rows, zone) for unit, rows in sorted(units.items())]


def _reach(unit: str, rows: Sequence[RowMapping], zone: ZoneInfo) -> Reach:
    counted = [row for row in rows if not _off_hours(row)]
    hours: dict[int, tuple[int, int]] = {}
    for row in counted:
        hour = row["at"].astimezone(zone).hour
        asked_then, reached_then = hours.get(hour, (0, 0))
        hours[hour] = asked_then + 1, reached_then + (row["reached_at"] is not None)
    return Reach(
        unit=unit,
        asked=len(counted),
        reached=sum(row["reached_at"] is not None for row in counted),
        off_hours=len(rows) - len(counted),
        by_hour=dict(sorted(hours.items())),
    )


def _off_hours(row: RowMapping) -> bool:
    return not row["callees"] and all(one["why"] == "off_duty" for one in row["passed_over"])
