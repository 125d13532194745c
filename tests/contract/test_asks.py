"""What was asked of units, on every database: who was called with what result, and how often each unit was reached; and
the roster and the counts of calls to the outside that are kept there."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncConnection

from agents.roster import RosterPlace
from agents.roster_service import RosterService
from agents.tables import roster
from calls import asks, orders, parties
from calls.legs import Callee, Talk
from calls.model import PartyAsked, TalkChanged
from calls.moves import Invite
from calls.outcomes import GIVEN
from calls.outside import Kind, Rules, Target
from calls.tables import ask_tries, outside_calls
from calls.tables import asks as ask_rows
from calls.trunk import Trunk
from hotline.clock import ManualClock
from hotline.database import metadata
from hotline.security import Principal, Role
from hotline.sql import OpenDatabase
from telephony.model import LineId

pytestmark = pytest.mark.contract

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
OFFICE = "07176251234"
WISH = orders.Consult(
    by="8001", seat="expert", phone="8011", person="p1", rank=1, purpose=orders.Purpose.UNIT, unit="fund",
    then=(Callee(phone=OFFICE, person="p1", rank=1), Callee(seat="third", phone="8013", person="p2", rank=2)),
)  # fmt: skip


@pytest.fixture(autouse=True)
async def _tables(database: OpenDatabase) -> None:
    tables = [ask_rows, ask_tries, outside_calls, roster]
    await database.write(lambda connection: connection.run_sync(metadata.create_all, tables=tables))


class Life:
    """A talk whose changes are folded as they come."""

    def __init__(self, database: OpenDatabase, call: str) -> None:
        self.database, self.call, self.at = database, call, NOW
        room = f"room_{call}"
        self.talk: Talk = msgspec.structs.replace(GIVEN["pair"], room=room)

    async def fold(self, *facts: PartyAsked | TalkChanged) -> None:
        async def write(connection: AsyncConnection) -> None:
            for fact in facts:
                if isinstance(fact, PartyAsked):
                    await asks.asked(connection, fact)
                else:
                    await asks.changed(connection, fact)

        await self.database.write(write)

    async def ask(self) -> None:
        wish = msgspec.structs.replace(WISH, by="operator")
        self.talk = parties.decide(self.talk, wish).talk
        ask = PartyAsked(
            call=self.call, at=self.at, ask=self.talk.legs[-1].ask, by="8001", purpose=wish.purpose, unit="fund",
            callees=3, passed_over=(orders.PassedOver(rank=3, person="p3", how="", why="off_duty"),),
        )  # fmt: skip
        await self.fold(ask, TalkChanged(call=self.call, at=self.at, what="consult", talk=self.talk))

    async def hear(self, news: orders.Answered | orders.Failed) -> None:
        self.at += timedelta(seconds=10)
        self.talk = parties.decide(self.talk, news).talk
        failed = isinstance(news, orders.Failed)
        missed, why = (news.line, news.reason) if isinstance(news, orders.Failed) else (LineId(""), "")
        what = "failed" if failed else "answered"
        await self.fold(TalkChanged(call=self.call, at=self.at, what=what, talk=self.talk, missed=missed, why=why))

    def line(self, number: int) -> LineId:
        return LineId(f"{self.talk.room}_{number}")


async def test_every_attempt_is_kept_with_its_result(database: OpenDatabase) -> None:
    life = Life(database, "c1")
    await life.ask()
    await life.hear(orders.Failed(line=life.line(1), reason="busy"))
    await life.hear(orders.Answered(line=life.line(2)))
    (found,) = await database.read(lambda connection: asks.of_call(connection, "c1"))
    assert [(one.rank, one.how, one.seat, one.result) for one in found.tries] == [
        (1, "seat", "expert", "busy"), (1, "phone", "", "answered"),
    ]  # fmt: skip
    assert found.reached_at == found.tries[1].ended_at == NOW + timedelta(seconds=20)
    assert found.tries[1].began_at == found.tries[0].ended_at == NOW + timedelta(seconds=10)
    assert [one["why"] for one in found.passed_over] == ["off_duty"]


async def test_the_reach_of_a_unit_is_what_was_answered_of_what_was_asked_in_its_hours(database: OpenDatabase) -> None:
    reached, missed = Life(database, "c1"), Life(database, "c2")
    await reached.ask()
    await reached.hear(orders.Answered(line=reached.line(1)))
    await missed.ask()
    for number in (1, 2, 3):
        await missed.hear(orders.Failed(line=missed.line(number), reason="no_answer"))
    off = orders.PassedOver(rank=1, person="p", how="", why="off_duty")
    away = orders.PassedOver(rank=1, person="p", how="seat", why="not_signed_in")
    for name, over in (("late", (off,)), ("away", (off, away))):
        fact = PartyAsked(
            call=name, at=NOW, ask=name, by="8001", purpose=orders.Purpose.UNIT, unit="fund", passed_over=over
        )  # fmt: skip
        await reached.fold(fact)
    other = PartyAsked(call="x", at=NOW, ask="x", by="8001", purpose=orders.Purpose.EMERGENCY, number="110")
    await reached.fold(other)
    until = NOW + timedelta(hours=1)
    (found,) = await database.read(lambda connection: asks.reach(connection, NOW, until, ZONE))
    assert (found.unit, found.asked, found.reached, found.off_hours, found.rate) == ("fund", 3, 1, 1, 1 / 3)
    assert found.by_hour == {10: (3, 1)}
    assert not await database.read(lambda connection: asks.reach(connection, until, until, ZONE))


class Anything:
    """A judge that finds nothing wrong."""

    def hours(self, hours: str) -> str:
        return "" if hours else "hours are needed."

    def number(self, number: str) -> str:
        return "" if number.isdigit() else "no number."


WHO = Principal(person="p1", name="A", roles=frozenset({Role.SUPERVISOR}))


async def test_a_unit_is_replaced_as_a_whole_and_others_stay(database: OpenDatabase) -> None:
    service = RosterService(database, ManualClock(NOW), Anything())
    assert await service.seed() > 8
    units = service.units()
    place = RosterPlace(unit=units[0], rank=1, person="p", number="110", hours="daily 00:00-24:00")
    assert await service.put(units[0], [place], WHO) == [place]
    assert await service.put(units[1], [], WHO) == []
    again = RosterService(database, ManualClock(NOW), Anything())
    await again.load()
    assert again.places == service.places
    assert (again.units(), again.of_unit(units[0])) == ([units[0], *units[2:]], [place])


class NoSeats:
    def is_free(self, seat: str) -> bool:
        return not seat


def trunk(database: OpenDatabase, clock: ManualClock) -> Trunk:
    target = Target(number=OFFICE, dial=OFFICE, kind=Kind.ROSTER)
    rules = Rules(trunk=True, region="0717", daily=3, daily_seat=2)
    registry = CollectorRegistry()
    return Trunk(rules, clock, ZONE, database, registry, targets=lambda _: {OFFICE: target}, seats=NoSeats())


def dial(number: int, seat: str = "8001") -> Invite:
    return Invite("room_x", LineId(f"line_{number}"), OFFICE, outside=True, asked_by=seat)


async def test_a_days_calls_are_counted_over_a_restart_and_anew_each_day(database: OpenDatabase) -> None:
    clock = ManualClock(NOW)
    before = trunk(database, clock)
    await before.load()
    admitted = before.admit(dial(1))
    assert admitted is not None
    assert admitted.digits == OFFICE
    before.admit(dial(2))
    await before.save()
    await before.save()
    after = trunk(database, clock)
    await after.load()
    assert (after.usage("8001").today_of_seat, after.usage("8002").today) == (2, 2)
    assert after.look(OFFICE, "8001") == "seat_day_full"
    after.admit(dial(3, "8002"))
    assert after.look(OFFICE, "8003") == "day_full"
    clock.advance(timedelta(days=1))
    assert after.usage("8001").today == 0


async def test_what_was_chosen_a_while_ago_is_looked_at_again(database: OpenDatabase) -> None:
    door = trunk(database, ManualClock(NOW))
    for refused, why in (
        (Invite("room_x", LineId("l"), "8013", seat="8013"), "seat_busy"),
        (Invite("room_x", LineId("l"), "13912345678", outside=True, asked_by="8001"), "not_listed"),
    ):
        with pytest.raises(Exception, match=why):
            door.admit(refused)
    assert door.admit(Invite("room_x", LineId("l"), "8011")) is None, "a seat that was looked at just now"
