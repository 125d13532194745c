"""The emergency key: asked for twice, for one call, seat and number; who is called when the line does not answer."""

from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec
import pytest

from calls import asks, orders, parties
from calls.emergency import HOLDS, Confirmations, next_ones
from calls.events import Asked
from calls.legs import Party, Talk
from calls.model import Phase, TalkChanged, TrackOpened
from calls.moves import Announce
from calls.outcomes import GIVEN
from hotline.clock import ManualClock
from hotline.errors import Conflict
from telephony.model import LegAnswered, LineId
from tests.unit.calls.phases import ARRIVED, NOW, call_in, decided, queued
from tests.unit.calls.test_several import after

pytestmark = pytest.mark.unit

WISH = orders.Consult(
    by="8001", phone="110", party=Party.OUTSIDE, purpose=orders.Purpose.EMERGENCY, number="110", private=False,
    then=next_ones("110", [("8102", "8102"), ("8101", "8101")]),
)  # fmt: skip


def words() -> tuple[Confirmations, ManualClock]:
    clock, numbers = ManualClock(datetime(2026, 3, 3, tzinfo=UTC)), count()
    return Confirmations(clock, lambda: f"w{next(numbers)}"), clock


def test_a_confirmation_counts_once_and_only_for_what_was_asked() -> None:
    out, _ = words()
    word = out.ask("c1", "8001", "110").word
    out.take(word, "c1", "8001", "110")
    with pytest.raises(Conflict):
        out.take(word, "c1", "8001", "110")
    for wrong in (("c2", "8001", "110"), ("c1", "8002", "110"), ("c1", "8001", "119")):
        word = out.ask("c1", "8001", "110").word
        with pytest.raises(Conflict):
            out.take(word, *wrong)


def test_a_confirmation_grows_old() -> None:
    out, clock = words()
    early, late = out.ask("c1", "8001", "110").word, out.ask("c1", "8001", "119").word
    clock.advance(HOLDS - timedelta(seconds=1))
    out.take(early, "c1", "8001", "110")
    clock.advance(timedelta(seconds=1))
    with pytest.raises(Conflict):
        out.take(late, "c1", "8001", "119")


def test_the_line_is_dialled_again_and_then_one_supervisor_is_called() -> None:
    assert [(one.seat, one.phone, one.party) for one in WISH.then] == [
        ("", "110", Party.OUTSIDE), ("8101", "8101", Party.SUPERVISOR),
    ]  # fmt: skip
    assert [one.phone for one in next_ones("110", [])] == ["110"]


def test_everybody_is_told_once_that_the_line_has_come() -> None:
    call = after(call_in(Phase.TALKING, phone="p1", queued=queued(), queued_at=ARRIVED), Asked(WISH))
    leg = LineId("room_c1_1")
    came = decided(call, LegAnswered(at=NOW, leg=leg))
    assert Announce("room_c1", LineId("room_c1_1a"), "emergency_joined") in came.actions
    assert TrackOpened(call="c1", at=NOW, line=LineId("room_c1_1a"), party=Party.ANNOUNCEMENT) in came.facts
    there = after(call, LegAnswered(at=NOW, leg=leg))
    left = decided(there, Asked(orders.Leave(by="8001")))
    assert not [one for one in left.actions if isinstance(one, Announce)]


def test_a_supervisor_who_comes_instead_is_not_announced_as_the_line() -> None:
    call = after(call_in(Phase.TALKING, phone="p1", queued=queued(), queued_at=ARRIVED), Asked(WISH))
    assert call.talk is not None
    talk = parties.decide(call.talk, orders.Failed(line=LineId("room_c1_1"))).talk
    talk = parties.decide(talk, orders.Failed(line=LineId("room_c1_2"))).talk
    call = msgspec.structs.replace(call, talk=talk)
    came = decided(call, LegAnswered(at=NOW, leg=LineId("room_c1_3")))
    assert not [one for one in came.actions if isinstance(one, Announce)]


def changed(talk: Talk, what: str) -> TalkChanged:
    return TalkChanged(call="c1", at=NOW, what=what, talk=talk)


def test_the_hand_over_is_told_when_the_line_has_the_citizen_alone() -> None:
    outside = GIVEN["handed over outside"]
    warm = msgspec.structs.replace(
        outside, legs=tuple(msgspec.structs.replace(leg, warm=leg.outside, phone="110") for leg in outside.legs)
    )
    assert asks.handed_over(changed(warm, "leave")) == "110"
    assert asks.handed_over(changed(warm, "answered")) == ""
    assert asks.handed_over(changed(outside, "leave")) == "", "any other number is no emergency"
    assert asks.handed_over(changed(GIVEN["three with outside"], "gone")) == ""
