"""A call that waits without a line: the promise, the seat, the citizen, and everything that can go wrong with each."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from acd import model as floor
from acd.model import Abandon, Adopt, Answer, ExtendOffer, LeaveReason, PromiseCallBack, PutOffCallBack, Refuse
from acd.plans import QueuePlan
from calls import back_outcomes, fold, recover, script, several
from calls.back import BackRules, Stage
from calls.events import (
    CallOut,
    CitizenUp,
    Collect,
    Decision,
    Event,
    FloorSaid,
    HangUp,
    Hold,
    House,
    Listened,
    NotRung,
    Ordered,
    Play,
    Tell,
    Woke,
)
from calls.model import (
    CallArrived,
    CallEnded,
    CallState,
    CitizenDialled,
    CitizenMissed,
    CitizenReached,
    LineLeft,
    OfferMissed,
    Outcome,
    Phase,
    Queued,
    TalkStarted,
)
from calls.moves import Announce, Invite, Release
from scripts.call_backs import DOCUMENT
from telephony.model import (
    Collected,
    Heard,
    LegAnswered,
    LegFailed,
    LineGone,
    LineId,
    LineSnapshot,
    OfferEndReason,
    PhoneId,
    Snapshot,
)
from tests.unit.calls.phases import dated

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 4, 0, tzinfo=UTC)  # noon in China
LINE, SEAT, LEG = LineId("h-1.1"), LineId("o1_s"), LineId("o1_c")
NUMBER = "13900000001"
RULES = BackRules(
    possible=True, hours=(time(8), time(21)), zone=ZoneInfo("Asia/Shanghai"), tries=2, again=timedelta(minutes=10)
)
HOUSE = House(ring=timedelta(seconds=15), bye="bye", back=RULES, mark=lambda number: f"mark of {number}")


class Evening:
    """Every queue calls citizens back from five to ten in the evening."""

    remembers = False

    def of(self, queue: str) -> QueuePlan:
        return QueuePlan(call_back_hours="17:00-22:00" if queue == "general" else "")


EVENING = msgspec.structs.replace(HOUSE, plans=Evening())
ASK = floor.Prompted(
    at=NOW, call="c1", kind=floor.StepKind.CALL_BACK, prompt="", ahead=3, estimate_s=None
)  # fmt: skip
PROMISE = floor.CallBackPromised(at=NOW, call="c1")
OFFER = floor.Offered(
    at=NOW, offer="o1", call="c1", seat="8001", phone="8001", expires_at=NOW, call_back=True
)  # fmt: skip


class Hand:
    """A call, and everything that was decided about it."""

    def __init__(self, caller: str = NUMBER, house: House = HOUSE) -> None:
        self.house = house
        arrived = CallArrived(call="c1", at=NOW, line=LINE, dialled="12345", declared=True, caller=caller, mark="m")
        self.call = fold.evolve(fold.begin(arrived), Queued(call="c1", at=NOW, queue="general"))

    def hear(self, event: Event) -> Decision:
        decision = dated(self.call, event, script.decide(self.call, None, event, self.house, NOW), NOW)
        for fact in decision.facts:
            self.call = fold.evolve(self.call, fact)
        return decision

    def say(self, *facts: floor.AnyFloorFact) -> Decision:
        return self.hear(FloorSaid(facts, "folder"))

    def press(self, keys: str) -> Decision:
        return self.hear(Listened(Collected(Heard.KEYS, keys)))


def promised() -> Hand:
    hand = Hand()
    hand.say(ASK)
    hand.press("1")
    hand.say(PROMISE)
    hand.hear(Listened(Collected(Heard.SILENCE)))
    hand.hear(LineGone(at=NOW, line=LINE))
    return hand


def dialled() -> Hand:
    hand = promised()
    hand.say(OFFER)
    hand.hear(LegAnswered(at=NOW, leg=SEAT))
    return hand


def told(decision: Decision) -> list[floor.Command]:
    return [action.command for action in decision.actions if isinstance(action, Tell)]


def test_a_key_is_a_yes_and_the_line_is_hung_up_after_a_good_bye() -> None:
    hand = Hand()
    asked = hand.say(ASK)
    assert [type(action) for action in asked.actions] == [Collect]
    assert told(hand.press("1")) == [PromiseCallBack(call="c1")]
    said = hand.say(PROMISE)
    assert isinstance(said.actions[0], Play)
    assert (hand.call.phase, hand.call.waits_for_call) == (Phase.QUEUED, True)
    assert hand.hear(Listened(Collected(Heard.SILENCE))).actions == (HangUp(LINE),)
    assert hand.hear(LineGone(at=NOW, line=LINE)).facts == (LineLeft(call="c1", at=NOW),)
    assert hand.call.party_lines == ()


@pytest.mark.parametrize("keys", ["", "0", "9"])
def test_silence_and_any_other_key_wait_on(keys: str) -> None:
    hand = Hand()
    hand.say(ASK)
    heard = Collected(Heard.KEYS, keys) if keys else Collected(Heard.SILENCE)
    assert hand.hear(Listened(heard)) == Decision(actions=(Hold(),))


def test_without_a_way_out_nothing_is_offered() -> None:
    hand = Hand(house=House(ring=timedelta(seconds=15), bye="bye"))
    assert hand.say(ASK) == Decision()


def test_a_promise_at_night_is_kept_in_the_morning() -> None:
    morning = datetime(2026, 2, 15, 0, 0, tzinfo=UTC)
    assert RULES.not_before(datetime(2026, 2, 14, 14, 0, tzinfo=UTC)) == morning
    assert RULES.not_before(datetime(2026, 2, 14, 23, 0, tzinfo=UTC)) == morning
    assert RULES.not_before(NOW) == NOW
    assert msgspec.structs.replace(RULES, hours=None).not_before(morning - timedelta(hours=3)) < morning


def test_a_queue_may_have_hours_of_its_own_within_those_of_the_house() -> None:
    five = datetime(2026, 2, 14, 9, 0, tzinfo=UTC)
    rules = EVENING.back_of(Hand(house=EVENING).call)
    assert (rules.not_before(NOW), rules.not_before(five)) == (five, five)
    assert rules.not_before(five + timedelta(hours=4)) == five + timedelta(days=1), "nine in the evening"
    hand = Hand(house=EVENING)
    hand.say(ASK)
    assert told(hand.press("1")) == [PromiseCallBack(call="c1", not_before=five)]


def test_hours_that_have_nothing_in_common_offer_nothing() -> None:
    night = msgspec.structs.replace(RULES, queue_hours=(time(22), time(6)))
    assert (night.ever(NOW), RULES.ever(NOW)) == (False, True)
    never = msgspec.structs.replace(EVENING, back=msgspec.structs.replace(RULES, hours=(time(6), time(16))))
    assert Hand(house=never).say(ASK) == Decision()


def test_no_seat_rings_for_a_turn_that_comes_at_night() -> None:
    hand = promised()
    hand.house = EVENING
    later = hand.say(OFFER)
    assert later.facts == ()
    assert told(later) == [PutOffCallBack(call="c1", not_before=datetime(2026, 2, 14, 9, 0, tzinfo=UTC))]
    withdrawn = floor.OfferWithdrawn(at=NOW, offer="o1", call="c1", seat="8001")
    assert (hand.say(withdrawn), hand.call.phase) == (Decision(), Phase.QUEUED)


@pytest.mark.parametrize("caller", ["", "12345", "0044163296", "16899999"])
def test_who_cannot_be_called_at_his_own_number_names_another_which_is_read_out(caller: str) -> None:
    hand = Hand(caller)
    hand.say(ASK)
    assert hand.press("1") == Decision(actions=(Hold(),)), "there is no own number"
    hand.say(ASK)
    hand.press("2")
    assert hand.call.asking is not None
    wrong = hand.press("95588#")
    assert isinstance(wrong.actions[0], Collect)
    assert wrong.actions[0].prompts == ("call_back_wrong",)
    right = hand.press("07176251234#")
    assert isinstance(right.actions[0], Collect)
    assert right.actions[0].prompts[1:4] == ("digit_0", "digit_7", "digit_1")
    assert (hand.call.asking.stage, hand.call.asking.number) == (Stage.CONFIRM, "07176251234")
    mark = "mark of 07176251234"
    assert told(hand.press("1")) == [PromiseCallBack(call="c1", caller=mark)], "one promise to this number"
    hand.say(PROMISE)
    assert hand.call.back is not None
    assert hand.call.back.number == "07176251234"
    assert hand.call.queued is not None
    assert several.join(hand.call, hand.call.queued).caller == mark, "after a restart too"


def test_a_second_promise_is_none_and_music_goes_on() -> None:
    hand = Hand()
    hand.say(ASK)
    hand.press("1")
    assert hand.hear(Woke("promise")) == Decision(actions=(Hold(),))


def test_its_turn_rings_a_seat_and_then_the_citizen_and_they_talk() -> None:
    hand = promised()
    rings = hand.say(OFFER)
    assert rings.actions == (Invite("room_c1", SEAT, "8001", ring=HOUSE.ring),)
    assert (hand.call.phase, SEAT in hand.call.party_lines) == (Phase.RINGING, True)
    came = hand.hear(LegAnswered(at=NOW, leg=SEAT))
    assert isinstance(told(came)[0], ExtendOffer)
    assert came.actions[-1] == Invite("room_c1", LEG, NUMBER, citizen=True, asked_by="8001", ring=RULES.ring)
    assert isinstance(came.facts[-1], CitizenDialled)
    talk = hand.hear(CitizenUp(LEG, "monday"))
    assert told(talk) == [Answer(offer="o1"), Adopt(seat="8001", call="c1")]
    assert any(isinstance(action, Announce) for action in talk.actions)
    assert sum(isinstance(fact, TalkStarted) for fact in talk.facts) == 1
    assert (hand.call.phase, hand.call.line, hand.call.seat_line) == (Phase.TALKING, LEG, SEAT)
    assert not hand.call.waits_for_call
    assert hand.say(floor.Answered(at=NOW, offer="o1", call="c1", seat="8001", waited_s=1)) == Decision()


def test_a_promise_and_its_offer_in_one_word() -> None:
    hand = Hand()
    hand.say(ASK)
    said = hand.say(PROMISE, OFFER)
    assert isinstance(said.actions[0], Play)
    assert isinstance(said.actions[-1], Invite)
    came = hand.hear(LegAnswered(at=NOW, leg=SEAT))
    assert came.actions[0] == HangUp(LINE), "he still hears the good-bye"


@pytest.mark.parametrize(
    ("reason", "refused"), [(OfferEndReason.BUSY, "busy"), (OfferEndReason.NO_ANSWER, "no_answer")]
)
def test_a_seat_that_does_not_come_loses_nothing(reason: OfferEndReason, refused: str) -> None:
    hand = promised()
    hand.say(OFFER)
    missed = hand.hear(LegFailed(at=NOW, leg=SEAT, reason=reason))
    assert [type(fact) for fact in missed.facts] == [OfferMissed]
    assert told(missed) == [Refuse(offer="o1", reason=floor.RefuseReason(refused))]
    assert (hand.call.phase, hand.call.offer) == (Phase.QUEUED, "")


def test_a_seat_that_hangs_up_before_the_citizen_comes_is_followed_by_another() -> None:
    hand = dialled()
    left = hand.hear(LineGone(at=NOW, line=SEAT))
    missed = [fact for fact in left.facts if isinstance(fact, CitizenMissed)]
    assert [(fact.result, fact.counted) for fact in missed] == [("seat_left", False)]
    assert Release(LEG) in left.actions
    assert told(left) == [Refuse(offer="o1", reason=floor.RefuseReason.REJECTED)]
    assert hand.hear(CitizenUp(LEG, "")).actions == (Release(LEG),), "he answered a moment later"


def test_a_citizen_who_does_not_answer_is_called_later_and_then_left_to_people() -> None:
    hand = dialled()
    first = hand.hear(LegFailed(at=NOW, leg=LEG, reason=OfferEndReason.NO_ANSWER))
    assert told(first) == [PutOffCallBack(call="c1", not_before=NOW + RULES.again)]
    assert Release(SEAT) in first.actions
    hand.say(OFFER)
    hand.hear(LegAnswered(at=NOW, leg=SEAT))
    last = hand.hear(LegFailed(at=NOW, leg=LEG, reason=OfferEndReason.BUSY))
    missed, ended = last.facts
    assert isinstance(missed, CitizenMissed)
    assert isinstance(ended, CallEnded)
    assert (missed.number, missed.again_at, ended.outcome) == (NUMBER, None, Outcome.NOT_REACHED)
    assert told(last) == [Abandon(call="c1", reason=LeaveReason.GIVEN_UP)]


@pytest.mark.parametrize(
    ("why", "over"),
    [("off_hours", False), ("lines_busy", False), ("day_full", True), ("ours", True), ("premium", True)],
)
def test_a_guard_that_says_no_for_now_costs_no_try_and_one_that_says_never_ends_it(why: str, over: bool) -> None:
    hand = dialled()
    decision = hand.hear(NotRung(LEG, why))
    missed = decision.facts[0]
    assert isinstance(missed, CitizenMissed)
    assert (missed.counted, missed.again_at is None, hand.call.phase is Phase.ENDED) == (False, over, over)


def test_who_rings_again_ends_it_and_every_telephone_stops() -> None:
    hand = dialled()
    left = floor.LeftQueue(at=NOW, call="c1", reason=LeaveReason.REJOINED, waited_s=9)
    decision = hand.say(left)
    assert [fact.outcome for fact in decision.facts if isinstance(fact, CallEnded)] == [Outcome.REJOINED]
    assert {Release(SEAT), Release(LEG)} <= set(decision.actions)


def test_somebody_with_the_right_ends_it() -> None:
    hand = promised()
    decision = hand.hear(Ordered())
    assert [type(fact) for fact in decision.facts] == [CallEnded]
    assert told(decision) == [Abandon(call="c1", reason=LeaveReason.GIVEN_UP)]


def test_a_task_is_for_the_seat_that_took_it_and_for_one_try() -> None:
    hand = Hand()
    hand.call = fold.begin(msgspec.structs.replace(hand.call.arrived, line=LineId("")))
    taken = hand.hear(CallOut("8001", "c0", NUMBER, "folder"))
    (join,) = told(taken)
    assert isinstance(join, floor.Join)
    assert (join.call_back, [need.skill for need in join.needs]) == (True, ["@8001"])
    hand.say(OFFER)
    hand.hear(LegAnswered(at=NOW, leg=SEAT))
    ended = hand.hear(LegFailed(at=NOW, leg=LEG, reason=OfferEndReason.BUSY))
    missed = ended.facts[0]
    assert isinstance(missed, CitizenMissed)
    assert (missed.owed, missed.number, hand.call.phase) == ("c0", "", Phase.ENDED), "the task is there already"


# After we were away -----------------------------------------------------------------------------------------------


def back_again(call: CallState, *lines: LineSnapshot) -> recover.Plan:
    return recover.plan({"c1": call}, Snapshot(at=NOW, booted="another", lines=lines))


def seen(line: LineId, place: str, *, up: bool = True) -> LineSnapshot:
    return LineSnapshot(line=line, place=place, phone=PhoneId("8001") if line == SEAT else PhoneId(""), up=up)


def test_a_call_without_a_line_needs_none() -> None:
    made = back_again(promised().call)
    assert (made.rejoin, made.events) == (["c1"], []), "though Asterisk is another one"


def test_who_hung_up_meanwhile_is_still_called() -> None:
    hand = Hand()
    hand.say(ASK)
    hand.say(PROMISE)
    assert back_again(hand.call).events == [("c1", LineGone(at=NOW, line=LINE))]
    assert back_again(hand.call, seen(LINE, "ivr")).events == [("c1", Woke("close"))]


def test_telephones_that_rang_meanwhile_are_told_of() -> None:
    ringing = promised()
    ringing.say(OFFER)
    lost = LegFailed(at=NOW, leg=SEAT, reason=OfferEndReason.UNREACHABLE)
    assert back_again(ringing.call).events == [("c1", lost)]
    assert back_again(ringing.call, seen(SEAT, "seat", up=False)).events == [("c1", lost)]
    assert back_again(ringing.call, seen(SEAT, "room")).events == [("c1", LegAnswered(at=NOW, leg=SEAT))]
    call, room = dialled().call, seen(SEAT, "room")
    assert back_again(call).events == [("c1", LineGone(at=NOW, line=SEAT))]
    assert back_again(call, room, seen(LEG, "room-citizen")).events == [("c1", LegAnswered(at=NOW, leg=LEG))]
    again = LegFailed(at=NOW, leg=LEG, reason=OfferEndReason.UNREACHABLE)
    assert back_again(call, room, seen(LEG, "nowhere", up=False)).events == [("c1", again)]


# The table --------------------------------------------------------------------------------------------------------


def test_the_page_says_what_the_table_says() -> None:
    assert DOCUMENT.read_text("utf-8") == back_outcomes.render(), "write it anew: python -m scripts.call_backs"


BUSY = OfferEndReason.BUSY
UP, ROOM = seen(SEAT, "room"), seen(LEG, "room-citizen")
REJOINS = FloorSaid((floor.LeftQueue(at=NOW, call="c1", reason=LeaveReason.REJOINED, waited_s=9),))
LINES: dict[str, tuple[LineSnapshot, ...]] = {
    "our process was away": (seen(SEAT, "seat", up=False), seen(LEG, "nowhere", up=False)),
    "our process was away, the seat answered meanwhile": (UP,),
    "our process was away, the citizen answered meanwhile": (UP, ROOM),
    "our process was away, the seat hung up meanwhile": (ROOM,),
    "Asterisk was started anew": (),
}
EVENTS: dict[str, Event] = {
    "its turn has come": FloorSaid((OFFER,)),
    "the citizen rings again": REJOINS,
    "a supervisor ends it": Ordered(),
    "the seat's telephone is answered": LegAnswered(at=NOW, leg=SEAT),
    "the seat refuses, is busy, unreachable or does not answer": LegFailed(at=NOW, leg=SEAT, reason=BUSY),
    "the citizen answers": CitizenUp(LEG, "monday"),
    "the citizen is busy, unreachable or does not answer": LegFailed(at=NOW, leg=LEG, reason=BUSY),
    "the same for the last time": LegFailed(at=NOW, leg=LEG, reason=BUSY),
    "the guard says: not now": NotRung(LEG, "lines_busy"),
    "the guard says: never": NotRung(LEG, "number_day_full"),
    "the seat hangs up": LineGone(at=NOW, line=SEAT),
}


def given(row: back_outcomes.Row) -> Hand:
    hand = promised()
    if row.when == "the same for the last time":
        assert hand.call.back is not None
        hand.call = msgspec.structs.replace(hand.call, back=msgspec.structs.replace(hand.call.back, tries=1))
    if row.given != back_outcomes.WAITS:
        hand.say(OFFER)
    if row.given == back_outcomes.CITIZEN_RINGS:
        hand.hear(LegAnswered(at=NOW, leg=SEAT))
    return hand


def happens(hand: Hand, row: back_outcomes.Row) -> list[Decision]:
    if row.when not in LINES:
        return [hand.hear(EVENTS[row.when])]
    lines = LINES[row.when]
    if row.when == "our process was away" and row.given == back_outcomes.CITIZEN_RINGS:
        lines = (UP, lines[1])
    made = back_again(hand.call, *lines)
    if not made.events:
        assert made.rejoin == ["c1"]
    events = [event for _, event in made.events]
    up = [CitizenUp(LEG, "") if isinstance(one, LegAnswered) and one.leg == LEG else one for one in events]
    return [hand.hear(event) for event in up]


def picture(hand: Hand, decisions: list[Decision]) -> str:
    """Where the call is, in the table's words."""
    call, commands = hand.call, [command for decision in decisions for command in told(decision)]
    if call.phase is Phase.TALKING:
        return back_outcomes.TALK
    if call.phase is Phase.ENDED:
        facts = [fact for decision in decisions for fact in decision.facts]
        for_people = any(isinstance(fact, CitizenMissed) and fact.number for fact in facts)
        rejoined = any(isinstance(fact, CallEnded) and fact.outcome is Outcome.REJOINED for fact in facts)
        return back_outcomes.TASK if for_people else back_outcomes.REJOINED if rejoined else "over"
    if call.phase is Phase.RINGING:
        return back_outcomes.CITIZEN_RINGS if call.seat_line else back_outcomes.SEAT_RINGS
    later = any(isinstance(command, PutOffCallBack) for command in commands)
    return back_outcomes.LATER if later else back_outcomes.WAITS


@pytest.mark.parametrize("row", back_outcomes.ROWS, ids=lambda row: f"{row.given}: {row.when}")
def test_every_outcome_is_as_stated(row: back_outcomes.Row) -> None:
    hand = given(row)
    assert picture(hand, happens(hand, row)) == row.then


def test_a_citizen_who_was_missed_has_no_line_and_one_who_answered_has() -> None:
    hand = dialled()
    back = hand.call.back
    assert back is not None
    missed = fold.evolve(
        msgspec.structs.replace(hand.call, taken_back=("o0",), saying=True),
        CitizenMissed(call="c1", at=NOW, leg=back.leg, result="busy"),
    )
    assert missed.back == msgspec.structs.replace(back, leg=LineId(""), tries=back.tries + 1)
    assert (missed.taken_back, missed.saying) == ((), False)
    reached = fold.evolve(hand.call, CitizenReached(call="c1", at=NOW, leg=back.leg, booted="monday"))
    assert reached.back == msgspec.structs.replace(back, reached=True)
    assert (reached.line, reached.booted) == (back.leg, "monday")
