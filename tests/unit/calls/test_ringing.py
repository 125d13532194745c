"""Several seats ring for one call: what each of them and the floor say, and what comes of it."""

from datetime import timedelta

import msgspec
import pytest

from acd.model import (
    Answer,
    Answered,
    Offered,
    OfferRefused,
    OfferWithdrawn,
    Prompted,
    Refuse,
    RefuseReason,
    StepKind,
    TurnedAway,
)
from calls import fold, ringing, rows
from calls.events import Decision, Event, FloorSaid, HangUp, Hold, Listened, Play, Ring, StopRinging, Tell
from calls.model import Announced, AnyCallFact, CallState, OfferMissed, Outcome, Phase, PickedUp, Ringing, TalkStarted
from telephony.model import Collected, Heard, LineGone, LineId, OfferEndReason, SeatAnswered
from tests.unit.calls.phases import ARRIVED, CITIZEN, FIRST, NOW, SEAT, call_in, decided, offer_ended, queued

pytestmark = pytest.mark.unit

PHONES = {"o1": "8001", "o2": "8002", "o3": "8003"}


class Several:
    """A call for which three seats ring, and what was decided for it since."""

    def __init__(self, ring: int = 3) -> None:
        self.call: CallState = call_in(Phase.QUEUED, queued=queued(ring=ring))
        self.row = rows.arrived(FIRST)
        self.facts: list[AnyCallFact] = []

    def tell(self, event: Event) -> Decision:
        decision = decided(self.call, event)
        for fact in decision.facts:
            self.call, self.row = fold.evolve(self.call, fact), rows.fold(self.row, fact)
        self.facts += decision.facts
        return decision

    def offered(self, *offers: str) -> Decision:
        return self.tell(FloorSaid(tuple(offered(offer) for offer in offers), "folder"))

    def picked_up(self, offer: str) -> Decision:
        return self.tell(SeatAnswered(at=ARRIVED, offer=offer, line=CITIZEN, seat_line=SEAT))


def offered(offer: str) -> Offered:
    return Offered(at=ARRIVED, offer=offer, call="c1", seat=PHONES[offer], phone=PHONES[offer], expires_at=ARRIVED)


def withdrawn(offer: str) -> OfferWithdrawn:
    return OfferWithdrawn(at=ARRIVED, offer=offer, call="c1", seat=PHONES[offer])


@pytest.fixture
def several() -> Several:
    made = Several()
    made.offered("o1", "o2", "o3")
    return made


def test_offers_that_come_together_ring_together() -> None:
    several = Several()
    assert several.offered("o1", "o2", "o3").actions == (Ring(tuple(PHONES.items()), "folder"),)
    assert several.call.phase is Phase.RINGING
    assert several.call.offers == ("o1", "o2", "o3")
    assert (several.row.phase, several.row.seat) == ("ringing", "8001")


def test_where_one_rings_a_new_offer_takes_the_place_of_the_old_one() -> None:
    alone = Several(ring=1)
    alone.offered("o1")
    assert alone.offered("o2").actions == (Ring((("o2", "8002"),), "folder"),)
    assert alone.call.offers == ("o2",)


def test_the_first_who_answers_talks_and_the_others_missed_nothing(several: Several) -> None:
    assert several.picked_up("o2").actions == (Tell(Answer(offer="o2")),)
    answered = Answered(at=ARRIVED, offer="o2", call="c1", seat="8002", waited_s=1)
    word = FloorSaid((withdrawn("o1"), withdrawn("o3"), answered), "folder")
    decision = several.tell(word)
    assert [type(fact) for fact in decision.facts] == [TalkStarted]
    assert decision.actions == ()
    assert (several.call.seat, several.call.phone, several.call.seat_line) == ("8002", "8002", SEAT)
    assert several.call.offers == ("o2",)
    assert (several.row.seat, several.row.offers_missed) == ("8002", 0)
    for late in ("o1", "o3"):
        assert several.tell(offer_ended(OfferEndReason.CANCELLED, late)) == Decision()
    assert several.tell(offer_ended(OfferEndReason.TALKED, "o2")).facts != ()


def test_a_second_answer_in_the_same_instant_is_the_floors_to_judge_and_talks_with_nobody(several: Several) -> None:
    several.picked_up("o2")
    late = SeatAnswered(at=ARRIVED, offer="o3", line=CITIZEN, seat_line=LineId("h-9.9"))
    assert several.tell(late).actions == (Tell(Answer(offer="o3")),)
    answered = Answered(at=ARRIVED, offer="o2", call="c1", seat="8002", waited_s=1)
    several.tell(FloorSaid((withdrawn("o1"), withdrawn("o3"), answered), "folder"))
    assert (several.call.seat, several.call.phase) == ("8002", Phase.TALKING)


def test_who_refuses_is_told_to_the_floor_while_the_others_ring_on(several: Several) -> None:
    decision = several.tell(offer_ended(OfferEndReason.BUSY, "o1"))
    assert decision.actions == (Tell(Refuse(offer="o1", reason=RefuseReason.BUSY)),)
    assert decision.facts == (
        OfferMissed(call="c1", at=NOW, offer="o1", seat="8001", reason=RefuseReason.BUSY, others=2),
    )
    assert (several.call.phase, several.call.offers) == (Phase.RINGING, ("o2", "o3"))
    assert (several.row.phase, several.row.offers_missed) == ("ringing", 1)
    refused = OfferRefused(at=ARRIVED, offer="o1", call="c1", seat="8001", reason=RefuseReason.BUSY)
    assert several.tell(FloorSaid((refused,))) == Decision()


def test_when_the_last_has_refused_the_call_waits(several: Several) -> None:
    for offer in PHONES:
        several.tell(offer_ended(OfferEndReason.REJECTED, offer))
    assert (several.call.phase, several.call.offers, several.row.phase) == (Phase.QUEUED, (), "queued")
    assert several.row.offers_missed == 3


def test_one_that_is_taken_back_stops_alone_and_all_of_them_mean_music(several: Several) -> None:
    assert several.tell(FloorSaid((withdrawn("o1"),))).actions == (StopRinging("o1"),)
    assert several.call.offers == ("o2", "o3")
    assert several.tell(FloorSaid((withdrawn("o2"), withdrawn("o3")))).actions == (Hold(),)
    assert several.call.phase is Phase.QUEUED


def test_a_phone_that_answers_although_it_was_taken_back_makes_the_others_ring_anew(several: Several) -> None:
    several.tell(FloorSaid((withdrawn("o1"),)))
    assert several.picked_up("o1") == Decision(actions=(Ring((("o2", "8002"), ("o3", "8003"))),))


def test_an_answer_whose_news_was_lost_counts_for_the_seat_that_gave_it(several: Several) -> None:
    several.tell(offer_ended(OfferEndReason.TALKED, "o3"))
    (started,) = [fact for fact in several.facts if isinstance(fact, TalkStarted)]
    assert (started.seat, started.offer) == ("8003", "o3")


def test_the_citizen_who_leaves_ends_it(several: Several) -> None:
    several.tell(LineGone(at=ARRIVED, line=CITIZEN))
    assert several.call.phase is Phase.ENDED


def test_which_seat_was_picked_up_outlives_a_restart(several: Several) -> None:
    several.picked_up("o3")
    kept = msgspec.json.decode(msgspec.json.encode(several.call), type=CallState)
    assert (kept.offer, kept.offers, kept.seat_line) == ("o3", ("o3", "o1", "o2"), SEAT)


def test_facts_of_before_there_were_several_are_read_as_they_were_meant() -> None:
    old = b'{"fact":"offer_missed","call":"c1","at":"2026-02-14T12:00:00Z","offer":"o1","seat":"8001","reason":"busy"}'
    fact = msgspec.json.decode(old, type=OfferMissed)
    ringing = fold.evolve(call_in(Phase.QUEUED), Ringing(call="c1", at=NOW, offer="o1", seat="8001", phone="p1"))
    assert fold.evolve(ringing, fact).phase is Phase.QUEUED


# What is said ------------------------------------------------------------------------------------------------

PLACE = Prompted(at=ARRIVED, call="c1", kind=StepKind.POSITION, prompt="", ahead=2, estimate_s=120)


def test_the_place_is_said_and_music_goes_on_afterwards() -> None:
    several = Several()
    assert several.tell(FloorSaid((PLACE,))).actions == (Play(("position_3", "wait_about", "number_pair", "minutes")),)
    assert several.tell(Listened(Collected(Heard.SILENCE))).actions == (Hold(),)


def test_what_was_said_is_kept_as_it_was() -> None:
    several = Several()
    several.tell(FloorSaid((msgspec.structs.replace(PLACE, prompt="crisis"),)))
    said = Announced(call="c1", at=NOW, kind=StepKind.POSITION, prompt="crisis", ahead=2, estimate_s=120)
    assert several.facts == [said]


def test_news_that_change_nothing_are_answered_with_nothing() -> None:
    several = Several()
    assert several.tell(FloorSaid((withdrawn("o1"),))) == Decision()


def test_an_offer_that_nobody_noted_is_missed_by_the_calls_own_seat() -> None:
    missing = call_in(Phase.RINGING, seat="8007")
    fact = ringing.missed(missing, "o9", "busy", NOW)
    assert (fact.seat, fact.others) == ("8007", 0)


@pytest.mark.parametrize(("ring", "offers"), [(1, ("o2",)), (2, ("o1", "o2"))])
def test_a_second_offer_rings_beside_the_first_where_two_may(ring: int, offers: tuple[str, ...]) -> None:
    several = Several(ring=ring)
    several.offered("o1")
    several.offered("o2")
    assert several.call.offers == offers


def test_an_offer_that_is_none_of_the_calls_leaves_nobody_ringing(several: Several) -> None:
    unknown = OfferMissed(call="c1", at=NOW, offer="o9", seat="8009", reason="busy")
    after = fold.evolve(several.call, unknown)
    assert (after.phase, after.offers) == (Phase.QUEUED, ())


def test_a_seat_that_rings_comes_before_what_could_be_said() -> None:
    several = Several(ring=1)
    assert several.tell(FloorSaid((PLACE, offered("o1")), "folder")).actions == (Ring((("o1", "8001"),), "folder"),)
    assert several.tell(Listened(Collected(Heard.SILENCE))) == Decision()
    assert several.tell(FloorSaid((PLACE,))) == Decision()


def test_a_call_that_finds_the_queue_full_hears_so_and_ends_as_turned_away() -> None:
    several = Several()
    full = TurnedAway(at=ARRIVED, call="c1", queue="general", limit=3)
    assert several.tell(FloorSaid((full,))).actions == (Play(("queue_full",)),)
    assert several.tell(Listened(Collected(Heard.SILENCE))).actions == (HangUp(CITIZEN),)
    several.tell(LineGone(at=ARRIVED + timedelta(seconds=5), line=CITIZEN))
    assert several.row.outcome == Outcome.TURNED_AWAY


def test_a_picked_up_phone_is_noted_once(several: Several) -> None:
    several.picked_up("o1")
    assert several.picked_up("o1") == Decision()
    assert sum(isinstance(fact, PickedUp) for fact in several.facts) == 1
