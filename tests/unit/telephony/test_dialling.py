"""Several phones that ring for one line: Asterisk's events in every order become each offer's own facts, once."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from telephony.known import Known, begin_offers, bundle, expire, sent, unbundle
from telephony.model import (
    Arrived,
    LineId,
    LineSnapshot,
    OfferEnded,
    OfferEndReason,
    PhoneId,
    Rang,
    SeatAnswered,
    Snapshot,
    SwitchFact,
)
from telephony.reconcile import reconcile
from telephony.translate import translate

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 9, tzinfo=UTC)
CITIZEN = LineId("hotline-1.0")
OFFERS = {"o1": PhoneId("8001"), "o2": PhoneId("8002"), "o3": PhoneId("8003")}
NAMED = "o1.8001-o2.8002-o3.8003"
SEATS = {"o1": LineId("hotline-2.1"), "o2": LineId("hotline-2.2"), "o3": LineId("hotline-2.3")}
Event = dict[str, str]


def dial(what: str, offer: str, status: str = "") -> Event:
    channel = f"PJSIP/seat{OFFERS[offer]}-0000000{offer[1]}"
    ends = {"Uniqueid": CITIZEN, "DestUniqueid": SEATS[offer], "DestChannel": channel}
    return {"Event": what, "DialStatus": status, **ends}


def gone(offer: str, tech: str = "", cause: str = "16") -> Event:
    return {"Event": "Hangup", "Uniqueid": SEATS[offer], "Cause": cause, "TechCause": tech}


def all_over(status: str, **more: str) -> Event:
    said = {"Event": "UserEvent", "UserEvent": "OfferEnded", "Offer": NAMED, "Uniqueid": CITIZEN}
    return {**said, "Status": status, **more}


def picked_up(offer: str) -> Event:
    said = {"Event": "UserEvent", "UserEvent": "SeatAnswered", "Offer": NAMED, "Citizen": CITIZEN}
    return {**said, "Uniqueid": SEATS[offer], "Channel": f"PJSIP/seat{OFFERS[offer]}-0000000{offer[1]}"}


class Board:
    """A citizen for whom three phones ring."""

    def __init__(self, rung: tuple[str, ...] = ("o1", "o2", "o3")) -> None:
        self.known = Known()
        self.facts: list[SwitchFact] = []
        arrives = {"Event": "AsyncAGIStart", "Channel": "PJSIP/trunk-1", "Uniqueid": CITIZEN, "Context": "arrive"}
        self.hear({**arrives, "Env": ""})
        begin_offers(self.known, OFFERS, CITIZEN, NOW)
        for offer in rung:
            self.hear(dial("DialBegin", offer), dial("DialState", offer, "RINGING"))
        self.facts.clear()

    def hear(self, *events: Event) -> list[SwitchFact]:
        new = [fact for event in events for fact in translate(self.known, event, NOW)]
        assert {fact.at for fact in new} <= {NOW}
        self.facts += new
        return new

    @property
    def ends(self) -> dict[str, OfferEndReason]:
        return ends(self.facts)


def ends(facts: list[SwitchFact]) -> dict[str, OfferEndReason]:
    """How each offer ended."""
    over = [fact for fact in facts if isinstance(fact, OfferEnded)]
    assert len({fact.offer for fact in over}) == len(over), "each ends once"
    return {fact.offer: fact.reason for fact in over}


def test_offers_are_named_with_their_phones_and_one_alone_by_its_name() -> None:
    assert bundle(OFFERS) == NAMED
    assert unbundle(NAMED) == OFFERS
    assert bundle({"o1": PhoneId("8001")}) == "o1"
    assert unbundle("o1") == {"o1": PhoneId("")}
    assert unbundle("") == {}


def test_each_phone_rings_for_its_own_offer() -> None:
    board = Board(())
    facts = board.hear(*(dial(what, offer, "RINGING") for offer in OFFERS for what in ("DialBegin", "DialState")))
    assert [(fact.offer, fact.seat_line) for fact in facts if isinstance(fact, Rang)] == list(SEATS.items())


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_winner_talks_and_the_losers_were_cancelled_in_any_order(order: tuple[int, ...]) -> None:
    board = Board()
    board.hear(dial("DialEnd", "o2", "ANSWER"), picked_up("o2"))
    losers = [dial("DialEnd", "o1", "CANCEL"), gone("o1", cause="26"), dial("DialEnd", "o3", "CANCEL"), gone("o3")]
    board.hear(*(losers[place] for place in order))
    assert board.ends == dict.fromkeys(("o1", "o3"), OfferEndReason.CANCELLED)
    (answered,) = [fact for fact in board.facts if isinstance(fact, SeatAnswered)]
    assert (answered.offer, answered.seat_line) == ("o2", SEATS["o2"])
    board.hear(all_over("ANSWER"))
    assert board.ends["o2"] is OfferEndReason.TALKED


@pytest.mark.parametrize(
    ("status", "tech", "reason"),
    [
        ("BUSY", "486", OfferEndReason.BUSY),
        ("NOANSWER", "480", OfferEndReason.REJECTED),
        ("NOANSWER", "300", OfferEndReason.REJECTED),
        ("CHANUNAVAIL", "603", OfferEndReason.REJECTED),
        ("CONGESTION", "503", OfferEndReason.UNREACHABLE),
        ("BUSY", "", OfferEndReason.BUSY),
    ],
)
@pytest.mark.parametrize("hung_up_first", [True, False])
def test_who_refuses_is_told_at_once_and_the_others_ring_on(
    status: str, tech: str, reason: OfferEndReason, hung_up_first: bool
) -> None:
    board = Board()
    told, went = dial("DialEnd", "o1", status), gone("o1", tech)
    board.hear(*((went, told) if hung_up_first else (told, went)))
    assert board.ends == {"o1": reason}
    board.hear(went, told)
    assert board.ends == {"o1": reason}
    board.hear(picked_up("o3"))
    assert [fact.offer for fact in board.facts if isinstance(fact, SeatAnswered)] == ["o3"]


def test_a_time_that_is_up_is_told_of_all_and_a_phone_that_was_never_rung_is_unreachable() -> None:
    board = Board(("o1", "o3"))
    board.hear(*(event for offer in ("o1", "o3") for event in (dial("DialEnd", offer, "NOANSWER"), gone(offer))))
    assert board.ends == {}
    board.hear(all_over("NOANSWER"))
    silent = OfferEndReason.NO_ANSWER
    assert board.ends == {"o1": silent, "o2": OfferEndReason.UNREACHABLE, "o3": silent}


def test_the_last_to_refuse_says_why_even_after_the_dialplan_has_gone_on() -> None:
    board = Board()
    for offer in ("o1", "o2"):
        board.hear(dial("DialEnd", offer, "BUSY"), gone(offer, "486"))
    board.hear(dial("DialEnd", "o3", "NOANSWER"), all_over("NOANSWER"))
    assert "o3" not in board.ends
    board.hear(gone("o3", "480"))
    assert board.ends["o3"] is OfferEndReason.REJECTED


def test_all_that_are_taken_back_were_cancelled() -> None:
    board = Board()
    sent(board.known, CITIZEN, "hold", NOW)
    board.hear(*(gone(offer) for offer in OFFERS))
    assert board.ends == dict.fromkeys(OFFERS, OfferEndReason.CANCELLED)
    silent = Board(("o1",))
    sent(silent.known, CITIZEN, "hold", NOW)
    over = expire(silent.known, NOW + timedelta(seconds=5))
    assert {fact.offer for fact in over if isinstance(fact, OfferEnded)} == {"o2", "o3"}


def test_what_was_taken_back_was_cancelled_whatever_the_dialplan_calls_it() -> None:
    board = Board()
    sent(board.known, CITIZEN, "hold", NOW)
    board.hear(all_over("NOANSWER"))
    assert board.ends == dict.fromkeys(OFFERS, OfferEndReason.CANCELLED)


def test_a_phone_that_is_still_there_when_time_is_up_has_not_answered_when_it_goes() -> None:
    board = Board()
    board.hear(*(gone(offer) for offer in ("o1", "o2")), all_over("NOANSWER"))
    assert "o3" not in board.ends
    board.hear(gone("o3"))
    assert board.ends == dict.fromkeys(OFFERS, OfferEndReason.NO_ANSWER)


def test_a_process_that_knows_nothing_learns_from_the_dialplans_words() -> None:
    known = Known()
    (answered,) = [fact for fact in translate(known, picked_up("o2"), NOW) if isinstance(fact, SeatAnswered)]
    assert answered.offer == "o2"
    cancelled, talked = OfferEndReason.CANCELLED, OfferEndReason.TALKED
    assert ends(translate(known, all_over("ANSWER"), NOW)) == {"o1": cancelled, "o2": talked, "o3": cancelled}
    silent = ends(translate(Known(), all_over("NOANSWER"), NOW))
    assert silent == dict.fromkeys(OFFERS, OfferEndReason.NO_ANSWER)
    lost = ends(translate(Known(), all_over("ANSWER", Peer="PJSIP/seat8003-00000009"), NOW))
    assert lost == {"o1": cancelled, "o2": cancelled, "o3": talked}


def test_an_answer_that_only_the_end_tells_of_is_told_with_the_end() -> None:
    board = Board()
    board.hear(all_over("ANSWER", Peer="PJSIP/seat8003-00000009"))
    assert [(fact.offer, fact.seat_line) for fact in board.facts if isinstance(fact, SeatAnswered)] == [
        ("o3", SEATS["o3"])
    ]
    assert board.ends["o3"] is OfferEndReason.TALKED


def snapshot(place: str, *rung: str, up: str = "") -> Snapshot:
    citizen = LineSnapshot(line=CITIZEN, place=place, offer=NAMED)
    seats = [
        LineSnapshot(line=SEATS[offer], place="seat", offer=NAMED, phone=OFFERS[offer], up=offer == up)
        for offer in rung
    ]
    return Snapshot(at=NOW, booted="now", lines=(citizen, *seats))


def test_a_snapshot_tells_which_of_them_ring_and_who_has_answered() -> None:
    known = Known()
    facts = reconcile(known, snapshot("connect", "o1", "o3", up="o3"), NOW, first=True)
    assert any(isinstance(fact, Arrived) for fact in facts)
    assert [fact.offer for fact in facts if isinstance(fact, Rang)] == ["o1"]
    assert [fact.offer for fact in facts if isinstance(fact, SeatAnswered)] == ["o3"]
    assert set(known.offers) == set(OFFERS)


def test_a_snapshot_of_a_line_elsewhere_ends_what_is_open() -> None:
    board = Board()
    later = snapshot("hold")
    board.facts += reconcile(board.known, later, NOW + timedelta(seconds=1))
    assert board.ends == dict.fromkeys(OFFERS, OfferEndReason.NO_ANSWER)
    talked = Board()
    talked.hear(picked_up("o2"))
    talked.facts += reconcile(talked.known, snapshot("after"), NOW + timedelta(seconds=1))
    assert talked.ends["o2"] is OfferEndReason.TALKED
    assert OfferEndReason.TALKED not in (talked.ends["o1"], talked.ends["o3"])
