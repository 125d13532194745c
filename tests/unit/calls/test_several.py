"""A call whose talk becomes one of several: what is stored, ordered, told to the floor, and found again."""

from datetime import timedelta

import msgspec
import pytest

from acd.model import Adopt, Finish, Join
from calls import fold, orders, recover, script, several
from calls.events import (
    CLOSE,
    UNMUTE,
    Action,
    Asked,
    Hold,
    NodeLost,
    PartiesFound,
    Play,
    Tell,
    TrackFound,
    Wake,
    Woke,
)
from calls.legs import Goal, Leg, Party, Place, Talk
from calls.model import CallEnded, CallState, Outcome, Phase, TalkChanged, TalkEnded, TrackOpened
from calls.moves import Invite, Put, Release
from telephony.model import (
    LegAnswered,
    LegFailed,
    LineGone,
    LineId,
    LineSnapshot,
    OfferEndReason,
    PhoneId,
    Placed,
    ReturnedLine,
    Snapshot,
    TrackStarted,
)
from tests.unit.calls.phases import ARRIVED, CITIZEN, HOUSE, NOW, OTHER, SEAT, call_in, decided, offer_ended, queued

pytestmark = pytest.mark.unit

ROOM, FIRST_LEG, SECOND_LEG = "room_c1", LineId("room_c1_1"), LineId("room_c1_2")
CONSULT = Asked(orders.Consult(by="8001", seat="9001", phone="9001"))
RINGS_OUT = LegFailed(at=NOW, leg=FIRST_LEG, reason=OfferEndReason.NO_ANSWER)
HELD = Wake(several.HELD, HOUSE.hold)


def after(call: CallState, *happened: object) -> CallState:
    """The call after events, each decided and folded."""
    for event in happened:
        for fact in decided(call, event).facts:  # type: ignore[arg-type]
            call = fold.evolve(call, fact)
    return call


def asking() -> CallState:
    return after(call_in(Phase.TALKING, phone="p1", queued=queued(), queued_at=ARRIVED), CONSULT)


def consulting() -> CallState:
    return after(asking(), LegAnswered(at=NOW, leg=FIRST_LEG))


def three() -> CallState:
    return after(consulting(), Asked(orders.Merge(by="8001")))


def transferring() -> CallState:
    start = call_in(Phase.TALKING, phone="p1", queued=queued(), queued_at=ARRIVED)
    return after(start, Asked(orders.Transfer(by="8001", seat="9001", phone="9001")))


def gone(line: LineId) -> LineGone:
    return LineGone(at=NOW, line=line)


def talk_of(call: CallState) -> Talk:
    assert call.talk is not None
    return call.talk


def places(call: CallState) -> dict[str, Place]:
    return {str(leg.line): leg.place for leg in talk_of(call).legs}


def orders_of(call: CallState, event: object) -> tuple[Action, ...]:
    return decided(call, event).actions  # type: ignore[arg-type]


def test_a_consultation_is_stored_moves_both_rings_and_has_a_longest_time() -> None:
    decision = decided(call_in(Phase.TALKING, phone="p1"), CONSULT)
    (fact,) = decision.facts
    assert isinstance(fact, TalkChanged)
    assert (fact.what, fact.by, fact.at, fact.talk.owner, fact.talk.owner_phone) == (
        "consult",
        "8001",
        NOW,
        "8001",
        "p1",
    )
    both = Put(ROOM, (Placed(line=CITIZEN, citizen=True, held=True), Placed(line=SEAT)))
    assert decision.actions == (both, Invite(ROOM, FIRST_LEG, "9001"), HELD)


def test_nothing_is_asked_of_a_call_that_nobody_talks_in() -> None:
    for phase in (Phase.ARRIVED, Phase.IN_IVR, Phase.QUEUED, Phase.RINGING, Phase.CLOSING):
        assert decided(call_in(phase), CONSULT) == script.NOTHING, phase
        assert several.talk_of(call_in(phase), HOUSE) is None
    assert decided(call_in(Phase.TALKING, seat_line=LineId("")), CONSULT) == script.NOTHING
    assert decided(call_in(Phase.TALKING), Asked(orders.Merge(by="8001"))) == script.NOTHING


def test_an_expert_who_took_the_call_from_the_queue_is_an_expert() -> None:
    talk = several.talk_of(call_in(Phase.TALKING, seat="9001"), HOUSE)
    assert talk is not None
    assert [leg.party for leg in talk.legs] == [Party.CITIZEN, Party.EXPERT]


def test_who_answers_is_taken_on_the_floor_and_has_a_track_under_his_name() -> None:
    answered = decided(asking(), LegAnswered(at=NOW, leg=FIRST_LEG))
    assert answered.actions == (Tell(Adopt(seat="9001", call="c1")), HELD)
    (opened,) = decided(consulting(), TrackStarted(at=NOW, line=FIRST_LEG)).facts
    assert isinstance(opened, TrackOpened)
    assert (opened.line, opened.party, opened.agent) == (FIRST_LEG, Party.EXPERT, "9001")
    (mine,) = decided(consulting(), TrackStarted(at=NOW, line=SEAT)).facts
    assert isinstance(mine, TrackOpened)
    assert (mine.party, mine.agent) == (Party.OPERATOR, "8001")


def test_a_refusal_brings_citizen_and_operator_together_and_is_nobodys_news_twice() -> None:
    decision = decided(asking(), RINGS_OUT)
    assert decision.actions == (Put(ROOM, (Placed(line=CITIZEN, citizen=True),)),)
    back = after(asking(), RINGS_OUT)
    assert places(back) == {CITIZEN: Place.TALKING, SEAT: Place.TALKING}
    assert decided(back, RINGS_OUT) == script.NOTHING


def test_the_operator_who_leaves_wraps_up_and_the_expert_answers_for_the_call() -> None:
    leave = Asked(orders.Leave(by="8001"))
    assert orders_of(three(), leave) == (Release(SEAT), Tell(Finish(call="c1", seat="8001")))
    left = after(three(), leave)
    assert (left.seat, left.agent, left.seat_line) == ("9001", "9001", FIRST_LEG)
    assert decided(left, gone(SEAT)) == script.NOTHING, "that he hung up then is no news"
    assert decided(transferring(), gone(SEAT)) == script.NOTHING


def test_the_end_of_the_first_offer_does_not_end_a_room_but_a_talk_that_is_only_listened_to() -> None:
    assert decided(three(), offer_ended(OfferEndReason.TALKED)) == script.NOTHING
    listened = after(call_in(Phase.TALKING), Asked(orders.Listen(by="8101", phone="8101")))
    ended = decided(listened, offer_ended(OfferEndReason.TALKED))
    assert [type(fact) for fact in ended.facts] == [TalkEnded]


def test_the_last_seat_that_leaves_ends_the_talk_and_the_citizen_hears_good_bye() -> None:
    alone = after(three(), gone(FIRST_LEG))
    ended = decided(alone, gone(SEAT))
    assert [type(fact) for fact in ended.facts] == [TalkEnded]
    assert ended.actions == (Tell(Finish(call="c1")), Wake(CLOSE, HOUSE.closing))
    closing = after(alone, gone(SEAT))
    assert (closing.phase, closing.talk) == (Phase.CLOSING, None)
    bye = ReturnedLine(at=NOW, line=CITIZEN, place="after")
    assert decided(closing, bye).actions == (Play(("bye",)),)
    assert Play(("bye",)) in decided(alone, bye).actions, "whichever is heard first"


def test_the_citizens_end_hangs_everybody_up() -> None:
    ended = decided(three(), gone(CITIZEN))
    assert [type(fact) for fact in ended.facts] == [TalkEnded, CallEnded]
    assert ended.actions == (Tell(Finish(call="c1")), Release(SEAT), Release(FIRST_LEG))
    lost = decided(three(), NodeLost()).facts[-1]
    assert isinstance(lost, CallEnded)
    assert lost.outcome is Outcome.FAILED


def test_a_transfer_that_fails_twice_puts_the_citizen_first_in_the_queue() -> None:
    recalled = after(transferring(), RINGS_OUT)
    assert [(leg.seat, leg.phone, leg.goal) for leg in talk_of(recalled).called] == [("8001", "p1", Goal.RECALL)]
    failed = LegFailed(at=NOW, leg=SECOND_LEG, reason=OfferEndReason.BUSY)
    decision = decided(recalled, failed)
    assert decision.facts == (queued(),)
    hold, finish, join = decision.actions
    assert (hold, finish) == (Hold(), Tell(Finish(call="c1")))
    assert isinstance(join, Tell)
    assert isinstance(join.command, Join)
    assert join.command.arrived_at == queued().at
    waiting = after(recalled, failed)
    assert (waiting.phase, waiting.talk) == (Phase.QUEUED, None)


def test_a_citizen_who_never_waited_goes_to_the_general_queue() -> None:
    never = msgspec.structs.replace(transferring(), queued=None, queued_at=None)
    again = after(never, RINGS_OUT, LegFailed(at=NOW, leg=SECOND_LEG, reason=OfferEndReason.BUSY))
    assert again.queued is not None
    assert (again.queued.queue, again.queued.needs) == ("general", HOUSE.general)
    assert again.queued.at == ARRIVED


def test_a_hold_that_lasts_too_long_ends_and_nobody_else_hears_the_alarm() -> None:
    too_long = decided(consulting(), Woke(several.HELD))
    put = Put(ROOM, (Placed(line=FIRST_LEG, held=True),)), Put(ROOM, (Placed(line=CITIZEN, citizen=True),))
    assert too_long.actions == (*put, HELD)
    assert decided(three(), Woke(several.HELD)) == script.NOTHING
    assert decided(call_in(Phase.TALKING), Woke(several.HELD)) == script.NOTHING


def test_a_phone_that_answers_after_it_was_taken_back_is_hung_up() -> None:
    cancelled = after(asking(), Asked(orders.Cancel(by="8001")))
    assert decided(cancelled, LegAnswered(at=NOW, leg=FIRST_LEG)).actions == (Release(FIRST_LEG),)


# ---- after we were away ----------------------------------------------------------------------------------------------


def seen(line: LineId, place: str, *, up: bool = True) -> LineSnapshot:
    phone = PhoneId("" if line == CITIZEN else "9001")
    return LineSnapshot(line=line, place=place, bridge="b1" if up else "", phone=phone, up=up)


def found(call: CallState, *lines: LineSnapshot) -> list[object]:
    made = recover.plan({"c1": call}, Snapshot(at=NOW, booted="monday", lines=lines))
    assert not made.strays
    assert not made.adopt
    return [event for _, event in made.events]


IN_PLACE = (seen(CITIZEN, "room-citizen"), seen(SEAT, "room"), seen(FIRST_LEG, "room"))


def test_a_room_that_went_on_is_left_alone_and_its_tracks_are_made_up_for() -> None:
    events = found(three(), *IN_PLACE)
    everybody = frozenset({CITIZEN, SEAT, FIRST_LEG})
    assert events[0] == PartiesFound(orders.Found(up=everybody))
    assert set(events[1:]) == {TrackFound(line) for line in everybody} | {Woke(UNMUTE)}
    assert orders_of(three(), events[0]) == ()


def test_who_stands_elsewhere_than_the_ledger_says_is_put_there() -> None:
    (first, *_) = found(three(), seen(CITIZEN, "parked"), *IN_PLACE[1:])
    assert isinstance(first, PartiesFound)
    assert first.displaced == {CITIZEN}
    assert decided(three(), first).actions == (Put(ROOM, (Placed(line=CITIZEN, citizen=True),)),)


def test_what_a_phone_did_meanwhile_counts() -> None:
    held = seen(CITIZEN, "parked")
    held = msgspec.structs.replace(held, bridge="")
    (rings, *others) = found(asking(), held, seen(SEAT, "room"), seen(FIRST_LEG, "seat", up=False))
    assert not any(isinstance(other, ReturnedLine) for other in others)
    assert orders_of(asking(), rings) == (HELD,), "the longest time begins anew"
    (answered, *_) = found(asking(), held, seen(SEAT, "room"), seen(FIRST_LEG, "room"))
    assert places(after(asking(), answered))[FIRST_LEG] is Place.TALKING
    (failed, *_) = found(asking(), held, seen(SEAT, "room"))
    assert orders_of(asking(), failed) == (Put(ROOM, (Placed(line=CITIZEN, citizen=True),)),)


def test_who_is_on_hold_is_recorded_all_the_same() -> None:
    swapped = after(consulting(), Asked(orders.Swap(by="8001")))
    events = found(swapped, seen(CITIZEN, "room-citizen"), seen(SEAT, "room"), seen(FIRST_LEG, "parked-seat"))
    assert TrackFound(FIRST_LEG) in events
    assert orders_of(swapped, events[0]) == (HELD,)


def test_a_citizen_whom_the_switch_sent_out_goes_back_to_who_was_on_hold() -> None:
    swapped = after(consulting(), Asked(orders.Swap(by="8001")))
    back = decided(swapped, ReturnedLine(at=NOW, line=CITIZEN, place="after"))
    assert Put(ROOM, (Placed(line=CITIZEN, citizen=True),)) in back.actions


def test_a_listener_of_two_changes_nothing_for_them() -> None:
    listened = after(call_in(Phase.TALKING), Asked(orders.Listen(by="8101", phone="8101")))
    listened = after(listened, LegAnswered(at=NOW, leg=FIRST_LEG))
    events = found(listened, seen(CITIZEN, "connect"), seen(SEAT, "seat"), seen(FIRST_LEG, "spy"))
    assert isinstance(events[0], PartiesFound)
    assert not events[0].displaced
    assert TrackFound(FIRST_LEG) not in events


def test_every_line_of_the_call_is_known_once() -> None:
    assert three().party_lines == (CITIZEN, SEAT, FIRST_LEG)
    assert call_in(Phase.QUEUED).party_lines == (CITIZEN,)


def test_words_about_parties_of_a_call_that_has_none_say_nothing() -> None:
    plain = call_in(Phase.TALKING)
    assert decided(plain, LegAnswered(at=NOW, leg=OTHER)).actions == (Release(OTHER),)
    for event in (RINGS_OUT, PartiesFound(orders.Found(up=frozenset()))):
        assert decided(plain, event) == script.NOTHING
    assert decided(three(), gone(OTHER)) == script.NOTHING


def test_the_house_rings_and_holds_for_a_limited_time() -> None:
    assert timedelta() < HOUSE.ring_party < HOUSE.hold


def test_a_leg_may_be_named_by_its_seat_or_line() -> None:
    talk = talk_of(three())
    assert isinstance(talk.of_seat("9001"), Leg)
    assert talk.of_line("nobody") is None


def test_only_a_call_that_comes_for_the_first_time_may_find_the_queue_full() -> None:
    wanted = queued()
    assert not several.join(call_in(Phase.IN_IVR), wanted).returns
    assert several.join(call_in(Phase.QUEUED, queued=wanted), wanted).returns
    assert several.join(call_in(Phase.TALKING), wanted).returns
