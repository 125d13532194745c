"""A seat that falls silent in the middle of a talk, a page that is gone, and a page that is there again."""

from datetime import timedelta

import msgspec
import pytest

from acd.model import EndWrapUp, Finish, Join, Step
from calls import fold, several
from calls.events import Hold, PageBack, PageGone, Play, Tell, Wake, Woke
from calls.model import CallState, Phase, Queued
from calls.moves import Release
from telephony.model import LOST, LineGone, LineId, OfferEnded, OfferEndReason, ReturnedLine, Unbridged
from tests.unit.calls.phases import ARRIVED, CITIZEN, HOUSE, NOW, SEAT, call_in, decided, offer_ended, queued

pytestmark = pytest.mark.unit

ENTERED = queued(at=ARRIVED, recipe=(Step(after_s=60),))


def talking() -> CallState:
    return call_in(Phase.TALKING, phone="p1", queued=ENTERED, queued_at=ARRIVED)


def silent(cause: int = 44) -> LineGone:
    return LineGone(at=NOW, line=SEAT, cause=cause)


def after(call: CallState, *happened: object) -> CallState:
    for event in happened:
        for fact in decided(call, event).facts:  # type: ignore[arg-type]
            call = fold.evolve(call, fact)
    return call


@pytest.mark.parametrize("cause", sorted(LOST))
def test_a_citizen_whose_seat_fell_silent_is_first_in_the_queue(cause: int) -> None:
    decision = decided(talking(), silent(cause))
    assert decision.facts == (ENTERED,)
    assert decision.actions == (Hold(), Tell(Finish(call="c1")), Tell(several.join(talking(), ENTERED)))


def test_a_seat_that_hung_up_ends_the_talk() -> None:
    assert after(talking(), silent(16)).phase is Phase.CLOSING


def test_a_seat_that_fell_silent_is_known_by_its_line_even_when_the_dialplan_was_quicker() -> None:
    closing = after(talking(), ReturnedLine(at=NOW, line=CITIZEN, place="after"))
    assert closing.phase is Phase.CLOSING
    assert after(closing, silent()).phase is Phase.QUEUED
    closing = after(talking(), offer_ended(OfferEndReason.TALKED))
    assert after(closing, silent()).phase is Phase.QUEUED


def test_a_seat_whose_citizen_left_first_is_not_lost() -> None:
    left = fold.left_bridge(talking(), Unbridged(at=NOW, bridge="b", line=CITIZEN))
    assert after(left, silent()).phase is Phase.CLOSING


def test_who_left_first_is_forgotten_with_the_talk() -> None:
    left = fold.left_bridge(talking(), Unbridged(at=NOW, bridge="b", line=SEAT))
    assert after(left, silent()).left_first == ""


def test_a_citizen_who_comes_back_from_the_lost_talk_hears_music_and_no_good_bye() -> None:
    waiting = after(talking(), silent())
    assert decided(waiting, ReturnedLine(at=NOW, line=CITIZEN, place="after")).actions == (Hold(),)
    assert decided(waiting, OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.TALKED)).actions == ()


def test_the_floor_hears_of_the_citizen_of_a_page_that_is_gone_after_a_while() -> None:
    decision = decided(talking(), PageGone("8001"))
    lost = msgspec.structs.replace(ENTERED, back="8001")
    assert decision.facts == (lost,)
    waits = Wake(several.PAGE_BACK, HOUSE.page_back)
    assert decision.actions == (Hold(), Release(SEAT), Tell(Finish(call="c1")), waits)
    gone = after(talking(), PageGone("8001"))
    assert decided(gone, Woke(several.PAGE_BACK)).actions == (Tell(several.join(gone, ENTERED)),)


def test_a_page_that_is_back_is_asked_before_anybody_else() -> None:
    gone = after(talking(), PageGone("8001"))
    wrapped, joined = decided(gone, PageBack("8001")).actions
    assert wrapped == Tell(EndWrapUp(seat="8001"))
    later = (NOW - ARRIVED + HOUSE.page_back).total_seconds()
    plain = several.join(gone, ENTERED)
    again = msgspec.structs.replace(plain, prefer=("8001",), prefer_s=later, recipe=(Step(after_s=60 + later),))
    assert joined == Tell(again)
    assert isinstance(again, Join)
    assert again.arrived_at == ENTERED.at


@pytest.mark.parametrize(
    "call",
    [
        talking(),
        after(talking(), silent()),
        after(talking(), PageGone("8001"), LineGone(at=NOW, line=CITIZEN)),
    ],
)
def test_a_page_that_nobody_waits_for_changes_nothing(call: CallState) -> None:
    assert decided(call, PageBack("8001")).actions == ()
    assert decided(call, Woke(several.PAGE_BACK)).actions == ()


def test_only_the_page_of_that_seat_is_waited_for() -> None:
    assert decided(after(talking(), PageGone("8001")), PageBack("8002")).actions == ()


def test_the_page_of_a_seat_that_does_not_talk_here_changes_nothing() -> None:
    assert decided(talking(), PageGone("8002")).facts == ()
    assert decided(call_in(Phase.QUEUED, queued=ENTERED), PageGone("8001")).facts == ()


def test_a_citizen_whose_page_is_awaited_may_hang_up() -> None:
    assert after(talking(), PageGone("8001"), LineGone(at=NOW, line=CITIZEN)).phase is Phase.ENDED


def test_a_call_that_is_lost_again_later_does_not_wait_for_the_first_page() -> None:
    first = after(talking(), PageGone("8001"))
    again = msgspec.structs.replace(first, phase=Phase.TALKING, seat="8002", seat_line=LineId("s2"), phone="p2")
    decision = decided(again, LineGone(at=NOW + timedelta(seconds=9), line=LineId("s2"), cause=44))
    assert [fact.back for fact in decision.facts if isinstance(fact, Queued)] == [""]
    assert not any(isinstance(action, Play) for action in decision.actions)
