"""Events become facts: each once, in order, whatever comes twice, late, or broken."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.known import CLOSING, MEMORY, Known, begin_offer, drop_offer, expire, sent
from telephony.model import (
    Arrived,
    Bridged,
    KeyPressed,
    LineGone,
    LineId,
    OfferEnded,
    OfferEndReason,
    PhoneChanged,
    PhoneId,
    Rang,
    ReturnedLine,
    SeatAnswered,
    SwitchFact,
    TrackStarted,
    TrackStopped,
    Unbridged,
)
from telephony.translate import EVENTS, end_reason, translate, user_of

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 9, tzinfo=UTC)
CITIZEN, SEAT = LineId("hotline-1.0"), LineId("hotline-2.1")
PHONE = PhoneId("8001")
TRUNK, SEAT_CHANNEL = "PJSIP/trunk-00000001", "PJSIP/seat8001-00000002"


HEADERS = [
    "Uniqueid", "DestUniqueid", "Channel", "DestChannel", "BridgeUniqueid", "UserEvent", "Offer", "Status",
    "DialStatus", "Cause", "Tech", "Env", "Device", "State", "Direction", "Citizen",
]  # fmt: skip


class Switchboard:
    """One state of the translation and a clock that the test moves."""

    def __init__(self) -> None:
        self.known = Known()
        self.now = NOW

    def hear(self, name: str, **headers: str) -> list[SwitchFact]:
        return translate(self.known, {"Event": name, **headers}, self.now)

    def arrive(self, place: str = "arrive", **env: str) -> list[SwitchFact]:
        told = {"agi_dnid": "12329", "agi_callerid": "13912345678", "agi_arg_1": place, **env}
        lines = "".join(f"{name}: {value}\n" for name, value in told.items())
        return self.hear("AsyncAGIStart", Channel=TRUNK, Uniqueid=CITIZEN, Context=place, Env=quote(lines, safe=""))

    def offer(self, offer: str = "o1") -> None:
        begin_offer(self.known, offer, CITIZEN, PHONE, self.now)

    def dial(self, what: str, status: str = "", seat: str = SEAT) -> list[SwitchFact]:
        ends = {"Uniqueid": CITIZEN, "DestUniqueid": seat, "DestChannel": SEAT_CHANNEL, "Channel": TRUNK}
        return self.hear(what, DialStatus=status, **ends)

    def answered(self, offer: str = "o1") -> list[SwitchFact]:
        return self.hear(
            "UserEvent", UserEvent="SeatAnswered", Offer=offer, Citizen=CITIZEN, Uniqueid=SEAT, Channel=SEAT_CHANNEL
        )

    def ended(self, status: str, offer: str = "o1", **more: str) -> list[SwitchFact]:
        return self.hear("UserEvent", UserEvent="OfferEnded", Offer=offer, Uniqueid=CITIZEN, Status=status, **more)

    def bridge(self, what: str, line: str = CITIZEN, bridge: str = "b1") -> list[SwitchFact]:
        channel = TRUNK if line == CITIZEN else SEAT_CHANNEL
        return self.hear(what, BridgeUniqueid=bridge, Uniqueid=line, Channel=channel)

    def hang_up(self, line: str = CITIZEN, cause: str = "16") -> list[SwitchFact]:
        return self.hear("Hangup", Uniqueid=line, Cause=cause)

    def ringing(self) -> None:
        self.arrive()
        self.offer()
        self.dial("DialBegin")
        self.dial("DialState", "RINGING")

    def talking(self) -> None:
        self.ringing()
        self.answered()
        self.bridge("BridgeEnter", SEAT)
        self.bridge("BridgeEnter", CITIZEN)


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


def test_an_arriving_call_tells_its_numbers(board: Switchboard) -> None:
    facts = board.arrive(agi_calleridname="张三", agi_arg_2="<sip:12345@10.0.0.1>", agi_arg_3="071712329-12366")
    assert facts == [
        Arrived(
            at=NOW, line=CITIZEN, dialled="12329", caller="13912345678", caller_name="张三", called="12345",
            diverted_from=("071712329", "12366"),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "number"),
    [
        ("<sip:12329@10.0.0.1>", "12329"),
        ("sip:0717-12329;user=phone@10.0.0.1", "071712329"),
        ("<tel:%2B86-71712329;phonecontext+86>", "+8671712329"),
        ("TEL:12329", "12329"),
        ("x<sip:110@y>12<sip:12329@10.0.0.1>", "12329"),
        ("<sip:10.20.30.40:5060>", ""),
        ("<sip:10.20.30.40;tag=7>", ""),
        ("<sip:" + "9" * 40 + "@h>", "9" * 32),
        ("<sip:anonymous@h>", ""),
        ("12329", ""),
        ("", ""),
    ],
)
def test_the_number_of_a_to_header_is_its_address_and_never_its_display_name(header: str, number: str) -> None:
    assert user_of(header) == number


def test_a_withheld_number_is_empty(board: Switchboard) -> None:
    (fact,) = board.arrive(agi_callerid="unknown", agi_calleridname="unknown")
    assert isinstance(fact, Arrived)
    assert (fact.caller, fact.caller_name) == ("", "")


def test_a_hostile_name_is_made_inert_and_cut(board: Switchboard) -> None:
    (fact,) = board.arrive(agi_calleridname="\u202eevil\x00\x1b[2J" + "名" * 100_000)
    assert isinstance(fact, Arrived)
    assert fact.caller_name.startswith("evil[2J名")
    assert len(fact.caller_name) == 80


def test_an_arrival_is_told_once(board: Switchboard) -> None:
    assert board.arrive()
    assert board.arrive() == []


def test_an_arrival_heard_after_its_hangup_is_told_with_its_end(board: Switchboard) -> None:
    assert board.hang_up(cause="127") == []
    facts = board.arrive()
    assert [type(fact) for fact in facts] == [Arrived, LineGone]
    assert facts[1] == LineGone(at=NOW, line=CITIZEN, cause=127)
    assert board.arrive() == []
    assert board.known.lines == {}


def test_an_offer_that_is_answered_and_ends_with_the_seat(board: Switchboard) -> None:
    board.arrive()
    board.offer()
    assert board.dial("DialBegin") == []
    assert board.dial("DialState", "RINGING") == [Rang(at=NOW, offer="o1", seat_line=SEAT)]
    assert board.answered() == [SeatAnswered(at=NOW, offer="o1", line=CITIZEN, seat_line=SEAT)]
    assert board.dial("DialEnd", "ANSWER") == []
    assert board.bridge("BridgeEnter", SEAT) == [Bridged(at=NOW, bridge="b1", line=SEAT)]
    assert board.bridge("BridgeEnter", CITIZEN) == [Bridged(at=NOW, bridge="b1", line=CITIZEN)]
    assert board.bridge("BridgeLeave", SEAT) == [Unbridged(at=NOW, bridge="b1", line=SEAT)]
    assert board.hang_up(SEAT) == [LineGone(at=NOW, line=SEAT, cause=16)]
    assert board.bridge("BridgeLeave", CITIZEN) == [Unbridged(at=NOW, bridge="b1", line=CITIZEN)]
    ended = OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.TALKED, cause=16)
    assert board.ended("ANSWER", Cause="16") == [ended]
    assert board.arrive("after") == [ReturnedLine(at=NOW, line=CITIZEN, place="after")]
    assert board.hang_up() == [LineGone(at=NOW, line=CITIZEN, cause=16)]
    assert board.known.offers == {}


def test_the_answer_is_told_by_whichever_event_comes(board: Switchboard) -> None:
    board.ringing()
    assert board.dial("DialEnd", "ANSWER") == [SeatAnswered(at=NOW, offer="o1", line=CITIZEN, seat_line=SEAT)]
    assert board.answered() == []


def test_a_talk_whose_answer_was_lost_is_told_with_its_end(board: Switchboard) -> None:
    board.ringing()
    assert [type(fact) for fact in board.ended("ANSWER")] == [SeatAnswered, OfferEnded]


def test_ringing_told_late_does_not_undo_the_answer(board: Switchboard) -> None:
    board.arrive()
    board.offer()
    board.dial("DialBegin")
    board.answered()
    assert board.dial("DialState", "RINGING") == []


def test_only_ringing_rings(board: Switchboard) -> None:
    board.arrive()
    board.offer()
    assert board.dial("DialState", "PROGRESS") == []
    assert board.dial("DialState", "RINGING") != []


def test_an_offer_to_an_unregistered_phone_ends_without_any_dial_event(board: Switchboard) -> None:
    board.arrive()
    board.offer()
    assert board.ended("CHANUNAVAIL", Cause="3") == [
        OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.UNREACHABLE, cause=3)
    ]
    assert board.ended("CHANUNAVAIL", Cause="3") == []


def test_a_citizen_who_leaves_while_it_rings_ends_the_offer_before_the_line(board: Switchboard) -> None:
    board.ringing()
    assert board.dial("DialEnd", "CANCEL") == []
    assert board.hang_up() == [
        OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.CANCELLED),
        LineGone(at=NOW, line=CITIZEN, cause=16),
    ]
    assert board.ended("CANCEL") == []


def test_a_citizen_who_leaves_while_talking_ends_the_talk(board: Switchboard) -> None:
    board.talking()
    board.hear("MixMonitorStart", Uniqueid=CITIZEN, Channel=TRUNK)
    assert board.hang_up() == [
        Unbridged(at=NOW, bridge="b1", line=CITIZEN),
        TrackStopped(at=NOW, line=CITIZEN),
        OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.TALKED),
        LineGone(at=NOW, line=CITIZEN, cause=16),
    ]


def test_a_seat_that_hangs_up_ends_no_offer_because_the_dialplan_will_say_how(board: Switchboard) -> None:
    board.talking()
    assert [type(fact) for fact in board.hang_up(SEAT)] == [Unbridged, LineGone]
    assert [type(fact) for fact in board.ended("ANSWER")] == [OfferEnded]


def test_a_withdrawn_offer_ends_when_its_phone_stops(board: Switchboard) -> None:
    board.ringing()
    sent(board.known, CITIZEN, "hold", NOW)
    assert board.dial("DialEnd", "CANCEL") == [
        OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.CANCELLED)
    ]
    assert board.hang_up(SEAT) == [LineGone(at=NOW, line=SEAT, cause=16)]


def test_a_withdrawn_offer_that_was_answered_in_that_moment_ends_as_talked_with_the_seat(board: Switchboard) -> None:
    board.ringing()
    sent(board.known, CITIZEN, "hold", NOW)
    board.dial("DialEnd", "ANSWER")
    assert [type(fact) for fact in board.hang_up(SEAT)] == [OfferEnded, LineGone]
    assert board.known.ended["o1"] is OfferEndReason.TALKED


def test_a_withdrawn_offer_that_ran_out_in_that_moment_counts_as_cancelled(board: Switchboard) -> None:
    board.ringing()
    sent(board.known, CITIZEN, "hold", NOW)
    (fact,) = board.ended("NOANSWER")
    assert isinstance(fact, OfferEnded)
    assert fact.reason is OfferEndReason.CANCELLED


def test_a_withdrawn_offer_whose_phone_was_never_heard_of_is_over_after_a_moment(board: Switchboard) -> None:
    board.arrive()
    board.offer()
    sent(board.known, CITIZEN, "hold", NOW)
    assert expire(board.known, NOW + CLOSING) == []
    later = NOW + CLOSING + timedelta(milliseconds=1)
    assert expire(board.known, later) == [
        OfferEnded(at=later, offer="o1", line=CITIZEN, reason=OfferEndReason.CANCELLED)
    ]
    assert expire(board.known, later) == []


def test_a_withdrawn_offer_whose_phone_still_rings_is_not_over(board: Switchboard) -> None:
    board.ringing()
    sent(board.known, CITIZEN, "hold", NOW)
    assert expire(board.known, NOW + CLOSING * 2) == []


def test_an_offer_that_nobody_took_back_does_not_expire(board: Switchboard) -> None:
    board.arrive()
    board.offer()
    assert expire(board.known, NOW + CLOSING * 10) == []


def test_a_second_offer_takes_the_first_one_back(board: Switchboard) -> None:
    board.ringing()
    board.offer("o2")
    assert board.dial("DialEnd", "CANCEL") == [
        OfferEnded(at=NOW, offer="o1", line=CITIZEN, reason=OfferEndReason.CANCELLED)
    ]
    board.dial("DialBegin", seat="hotline-3.2")
    assert board.known.offers["o2"].seat_line == "hotline-3.2"


def test_dialling_of_the_fallback_is_nobodys_offer(board: Switchboard) -> None:
    board.arrive()
    assert board.dial("DialState", "RINGING") == []
    assert board.dial("DialEnd", "ANSWER") == []


def test_another_phone_than_the_offered_one_is_not_the_offers(board: Switchboard) -> None:
    board.arrive()
    begin_offer(board.known, "o1", CITIZEN, PhoneId("8002"), NOW)
    assert board.dial("DialState", "RINGING") == []


def test_an_offer_that_could_not_be_made_leaves_nothing(board: Switchboard) -> None:
    board.arrive()
    board.offer()
    drop_offer(board.known, "o1")
    assert board.hang_up() == [LineGone(at=NOW, line=CITIZEN, cause=16)]


def test_an_offer_made_by_a_former_process_is_understood(board: Switchboard) -> None:
    assert board.answered("o9") == [SeatAnswered(at=NOW, offer="o9", line=CITIZEN, seat_line=SEAT)]
    assert [type(fact) for fact in board.ended("ANSWER", "o9")] == [OfferEnded]


def test_a_seat_that_answered_and_vanished_before_we_heard_is_told_as_gone(board: Switchboard) -> None:
    board.ringing()
    board.known.lines.pop(SEAT)
    board.hang_up(SEAT)
    assert [type(fact) for fact in board.answered()] == [SeatAnswered, LineGone]


@pytest.mark.parametrize(
    ("status", "tech", "cause", "reason"),
    [
        ("ANSWER", "SIP 200 OK", 16, OfferEndReason.TALKED),
        ("BUSY", "SIP 486 Busy Here", 17, OfferEndReason.BUSY),
        ("BUSY", "SIP 600 Busy Everywhere", 17, OfferEndReason.BUSY),
        ("BUSY", None, 17, OfferEndReason.BUSY),
        ("BUSY", "", 21, OfferEndReason.REJECTED),
        ("BUSY", "SIP 180 Ringing", 0, OfferEndReason.REJECTED),
        ("NOANSWER", "SIP 180 Ringing", 19, OfferEndReason.NO_ANSWER),
        ("NOANSWER", "SIP 480 Temporarily Unavailable", 19, OfferEndReason.REJECTED),
        ("NOANSWER", None, 19, OfferEndReason.NO_ANSWER),
        ("NOANSWER", "", 0, OfferEndReason.NO_ANSWER),
        ("CHANUNAVAIL", "SIP 603 Decline", 21, OfferEndReason.REJECTED),
        ("CHANUNAVAIL", None, 21, OfferEndReason.REJECTED),
        ("CHANUNAVAIL", "SIP 404 Not Found", 1, OfferEndReason.UNREACHABLE),
        ("CHANUNAVAIL", "", 3, OfferEndReason.UNREACHABLE),
        ("CONGESTION", "SIP 503 Service Unavailable", 34, OfferEndReason.UNREACHABLE),
        ("CONGESTION", "SIP 500 Server Error", 34, OfferEndReason.UNREACHABLE),
        ("CHANUNAVAIL", "SIP 408 Request Timeout", 18, OfferEndReason.UNREACHABLE),
        ("BUSY", "SIP 302 Moved Temporarily", 23, OfferEndReason.REJECTED),
        ("CANCEL", "SIP 180 Ringing", 0, OfferEndReason.CANCELLED),
        ("", None, 0, OfferEndReason.UNREACHABLE),
    ],
)
def test_the_reason_of_an_end(status: str, tech: str | None, cause: int, reason: OfferEndReason) -> None:
    assert end_reason(status, tech, cause) is reason


def test_the_reason_travels_from_the_event(board: Switchboard) -> None:
    board.ringing()
    (fact,) = board.ended("NOANSWER", Cause="19", Tech="SIP 480 Temporarily Unavailable")
    assert isinstance(fact, OfferEnded)
    assert (fact.reason, fact.cause) == (OfferEndReason.REJECTED, 19)


def test_a_line_that_we_sent_for_is_no_return(board: Switchboard) -> None:
    board.arrive()
    sent(board.known, CITIZEN, "ivr", NOW)
    assert board.arrive("ivr") == []
    assert board.arrive("ivr") == []


def test_a_line_that_the_fallback_gives_back_is_a_return(board: Switchboard) -> None:
    board.arrive()
    assert board.arrive("ivr") == [ReturnedLine(at=NOW, line=CITIZEN, place="ivr")]
    assert board.arrive("ivr") == []


def test_a_call_that_only_the_fallback_knew_arrives_and_returns(board: Switchboard) -> None:
    assert [type(fact) for fact in board.arrive("after")] == [Arrived, ReturnedLine]


def test_a_return_after_a_talk_ends_an_offer_whose_end_was_lost(board: Switchboard) -> None:
    board.talking()
    facts = board.arrive("after")
    assert [type(fact) for fact in facts] == [OfferEnded, ReturnedLine]
    assert board.known.ended["o1"] is OfferEndReason.TALKED
    assert board.ended("ANSWER") == []


def test_bridge_events_twice_tell_once(board: Switchboard) -> None:
    board.arrive()
    assert len(board.bridge("BridgeEnter") + board.bridge("BridgeEnter")) == 1
    assert len(board.bridge("BridgeLeave") + board.bridge("BridgeLeave")) == 1


def test_an_entering_repeated_after_the_leaving_does_not_bring_the_line_back(board: Switchboard) -> None:
    board.arrive()
    board.bridge("BridgeEnter")
    board.bridge("BridgeLeave")
    board.now += timedelta(milliseconds=200)
    assert board.bridge("BridgeEnter") == []
    board.now += timedelta(milliseconds=1)
    assert [type(fact) for fact in board.bridge("BridgeEnter")] == [Bridged]


def test_a_leaving_heard_before_its_entering_leaves_the_line_alone(board: Switchboard) -> None:
    board.arrive()
    assert board.bridge("BridgeLeave") == []
    assert [type(fact) for fact in board.bridge("BridgeEnter")] == [Bridged, Unbridged]
    assert board.bridge("BridgeEnter") == []
    assert board.known.lines[CITIZEN].bridge == ""


def test_a_line_is_in_one_bridge_only(board: Switchboard) -> None:
    board.arrive()
    board.bridge("BridgeEnter")
    assert board.bridge("BridgeEnter", bridge="b2") == [
        Unbridged(at=NOW, bridge="b1", line=CITIZEN),
        Bridged(at=NOW, bridge="b2", line=CITIZEN),
    ]
    assert board.bridge("BridgeLeave", bridge="b1") == []


def test_a_key_counts_only_while_talking_and_is_not_told(board: Switchboard) -> None:
    board.arrive()
    key = {"Uniqueid": CITIZEN, "Digit": "7", "Direction": "Received"}
    assert board.hear("DTMFBegin", **key) == []
    board.bridge("BridgeEnter")
    assert board.hear("DTMFBegin", **key) == [KeyPressed(at=NOW, line=CITIZEN)]
    assert board.hear("DTMFBegin", **key | {"Direction": "Sent"}) == []


def test_tracks_start_and_stop_once(board: Switchboard) -> None:
    board.arrive()
    line = {"Uniqueid": CITIZEN, "Channel": TRUNK}
    assert board.hear("MixMonitorStart", **line) == [TrackStarted(at=NOW, line=CITIZEN)]
    assert board.hear("MixMonitorStart", **line) == []
    assert board.hear("MixMonitorStop", **line) == [TrackStopped(at=NOW, line=CITIZEN)]
    assert board.hear("MixMonitorStop", **line) == []


def test_a_phones_reachability_is_told_when_it_changes(board: Switchboard) -> None:
    def device(state: str) -> list[SwitchFact]:
        return board.hear("DeviceStateChange", Device="PJSIP/seat8001", State=state)

    assert device("UNAVAILABLE") == [PhoneChanged(at=NOW, phone=PHONE, reachable=False)]
    assert device("NOT_INUSE") == [PhoneChanged(at=NOW, phone=PHONE, reachable=True)]
    assert device("BUSY") == []
    assert device("INVALID") == [PhoneChanged(at=NOW, phone=PHONE, reachable=False)]
    assert board.hear("DeviceStateChange", Device="PJSIP/trunk", State="NOT_INUSE") == []
    assert board.hear("DeviceStateChange", Device="Queue:fallback", State="NOT_INUSE") == []


def test_a_phone_whose_registration_ends_while_it_rings_cannot_be_rung(board: Switchboard) -> None:
    def device(state: str) -> list[SwitchFact]:
        return board.hear("DeviceStateChange", Device="PJSIP/seat8001", State=state)

    def contact(status: str, uri: str = "sip:a@127.0.0.1;transport=ws") -> list[SwitchFact]:
        return board.hear("ContactStatus", AOR="seat8001", ContactStatus=status, URI=uri)

    here, away = (PhoneChanged(at=NOW, phone=PHONE, reachable=there) for there in (True, False))
    assert contact("Created") == [here]
    assert contact("Reachable") + device("NOT_INUSE") + device("RINGING") == []
    assert contact("Removed") == [away]
    assert device("RINGING") == []
    assert contact("Created", "sip:b@127.0.0.1;transport=ws") == [here]
    assert contact("Created", "sip:c@127.0.0.1;transport=ws") + contact("Removed", "sip:b@127.0.0.1;transport=ws") == []
    assert device("UNAVAILABLE") == [away]
    assert device("INUSE") == [here]
    assert board.hear("ContactStatus", AOR="trunk", ContactStatus="Removed", URI="sip:a@b") == []


def test_what_is_no_sip_channel_is_no_line(board: Switchboard) -> None:
    board.hear("Newchannel", Uniqueid="x", Channel="AudioSocket/127.0.0.1:15070-1")
    assert board.known.lines == {}


def test_events_of_a_line_that_is_gone_tell_nothing(board: Switchboard) -> None:
    board.talking()
    board.hang_up()
    board.hang_up(SEAT)
    assert board.hang_up() == []
    assert board.bridge("BridgeEnter") == []
    assert board.bridge("BridgeLeave") == []
    assert board.dial("DialState", "RINGING") == []
    board.hear("Newchannel", Uniqueid=CITIZEN, Channel=TRUNK)
    assert board.known.lines == {}


def test_memory_of_what_is_over_is_bounded(board: Switchboard) -> None:
    for number in range(MEMORY + 10):
        board.hang_up(f"line-{number}")
        board.ended("NOANSWER", f"o{number}")
    assert len(board.known.gone) == MEMORY
    assert len(board.known.ended) == MEMORY
    assert "o9" not in board.known.ended


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*EVENTS, "Nonsense", ""]),
            st.dictionaries(
                st.sampled_from(HEADERS),
                st.one_of(
                    st.text(max_size=12),
                    st.sampled_from(["a", "b", "PJSIP/seat1-0", "PJSIP/seat-", "SeatAnswered", "OfferEnded", "9" * 30]),
                ),
            ),
        ),
        max_size=12,
    )
)
def test_garbage_never_raises(events: list[tuple[str, dict[str, str]]]) -> None:
    known = Known()
    for name, headers in events:
        translate(known, {"Event": name, **headers}, NOW)


def test_nothing_is_told_of_a_citizen_before_the_arrival_and_then_all_of_it(board: Switchboard) -> None:
    line = {"Uniqueid": CITIZEN, "Channel": TRUNK}
    assert board.hear("MixMonitorStart", **line) == []
    assert board.bridge("BridgeEnter") == []
    assert board.bridge("BridgeLeave") == []
    assert board.bridge("BridgeEnter", bridge="b2") == []
    assert [type(fact) for fact in board.arrive()] == [Arrived, TrackStarted, Bridged]


def test_a_citizen_who_never_arrived_leaves_without_a_word(board: Switchboard) -> None:
    line = {"Uniqueid": CITIZEN, "Channel": TRUNK}
    board.hear("MixMonitorStart", **line)
    board.bridge("BridgeEnter")
    assert board.hear("MixMonitorStop", **line) == []
    assert board.hang_up() == []


def test_a_line_that_was_offered_before_it_was_heard_of_is_told_when_it_goes(board: Switchboard) -> None:
    board.offer()
    assert [type(fact) for fact in board.hang_up()] == [OfferEnded, LineGone]
