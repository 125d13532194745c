"""What was missed is told from a snapshot; loss, repetition and disorder of events end in the same state."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.known import Known, Line, begin_offer, sent
from telephony.model import (
    Arrived,
    Bridged,
    LineGone,
    LineId,
    LineSnapshot,
    OfferEnded,
    OfferEndReason,
    PhoneChanged,
    PhoneId,
    Rang,
    ReturnedLine,
    SeatAnswered,
    Snapshot,
    SwitchFact,
    TrackStopped,
    Unbridged,
)
from telephony.reconcile import reconcile
from telephony.translate import translate

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 9, tzinfo=UTC)
LATER = NOW + timedelta(seconds=10)
C, S = LineId("c"), LineId("s")
P = PhoneId("8001")


def shot(*lines: LineSnapshot, reachable: frozenset[PhoneId] = frozenset()) -> Snapshot:
    return Snapshot(at=LATER, booted="b", lines=lines, reachable=reachable)


def citizen(place: str = "hold", **more: object) -> LineSnapshot:
    return LineSnapshot(line=C, place=place, dialled="12329", caller="139", **more)  # type: ignore[arg-type]


def seat(**more: object) -> LineSnapshot:
    return LineSnapshot(line=S, place="seat", phone=P, **more)  # type: ignore[arg-type]


def known_call(**more: object) -> Known:
    known = Known()
    known.lines[C] = Line(C, NOW, told=True, **more)  # type: ignore[arg-type]
    return known


def test_a_line_whose_hangup_was_lost_is_ended_with_all_it_was_part_of() -> None:
    known = known_call(bridge="b1", recording=True)
    begin_offer(known, "o1", C, P, NOW)
    assert reconcile(known, shot(), LATER) == [
        Unbridged(at=LATER, bridge="b1", line=C),
        TrackStopped(at=LATER, line=C),
        OfferEnded(at=LATER, offer="o1", line=C, reason=OfferEndReason.CANCELLED),
        LineGone(at=LATER, line=C, cause=0),
    ]
    assert reconcile(known, shot(), LATER) == []


def test_a_line_younger_than_the_snapshot_is_left_alone() -> None:
    assert reconcile(known_call(), shot(), NOW - timedelta(milliseconds=1)) == []
    assert reconcile(known_call(), shot(), NOW) != []


def test_after_a_new_connection_every_unknown_line_is_told_at_once() -> None:
    known = Known()
    facts = reconcile(known, shot(citizen("fallback")), LATER, first=True)
    assert facts == [
        Arrived(at=LATER, line=C, dialled="12329", caller="139"),
        ReturnedLine(at=LATER, line=C, place="fallback"),
    ]
    assert reconcile(known, shot(citizen("fallback")), LATER) == []


def test_otherwise_an_unknown_line_is_told_by_the_second_snapshot() -> None:
    known = Known()
    assert reconcile(known, shot(citizen("arrive")), LATER) == []
    assert [type(fact) for fact in reconcile(known, shot(citizen("arrive")), LATER)] == [Arrived]
    assert reconcile(known, shot(citizen("arrive")), LATER) == []


def test_its_own_event_in_between_tells_more_and_only_once() -> None:
    known = Known()
    reconcile(known, shot(citizen("arrive")), LATER)
    env = quote("agi_dnid: 12329\nagi_arg_1: arrive\nagi_arg_2: <sip:12345@10.0.0.1>\n", safe="")
    (fact,) = translate(known, {"Event": "AsyncAGIStart", "Uniqueid": C, "Env": env}, LATER)
    assert isinstance(fact, Arrived)
    assert fact.called == "12345"
    assert reconcile(known, shot(citizen("arrive")), LATER) == []


def test_a_line_that_is_gone_does_not_come_back_by_an_old_snapshot() -> None:
    known = known_call()
    translate(known, {"Event": "Hangup", "Uniqueid": C}, LATER)
    assert reconcile(known, shot(citizen()), LATER, first=True) == []


def test_a_restarted_process_learns_of_a_talk() -> None:
    known = Known()
    lines = (seat(bridge="b1", offer="o1"), citizen("connect", bridge="b1", offer="o1"))
    facts = reconcile(known, shot(*lines), LATER, first=True)
    assert [type(fact) for fact in facts] == [Arrived, SeatAnswered, Bridged, Bridged]
    assert SeatAnswered(at=LATER, offer="o1", line=C, seat_line=S) in facts
    assert reconcile(known, shot(*lines), LATER) == []


def test_a_restarted_process_learns_of_an_offer_that_rings() -> None:
    known = Known()
    lines = (citizen("connect", offer="o1"), seat(offer="o1", up=False))
    facts = reconcile(known, shot(*lines), LATER, first=True)
    assert facts[1:] == [Rang(at=LATER, offer="o1", seat_line=S)]
    dial_end = {"Event": "DialEnd", "Uniqueid": C, "DestUniqueid": S, "DialStatus": "ANSWER"}
    assert [type(fact) for fact in translate(known, dial_end, LATER)] == [SeatAnswered]


def test_an_offer_that_ended_before_is_not_adopted_again() -> None:
    known = known_call()
    known.ended["o1"] = OfferEndReason.TALKED
    reconcile(known, shot(citizen("connect", offer="o1")), LATER)
    assert known.offers == {}


@pytest.mark.parametrize(
    ("place", "reason"),
    [("after", OfferEndReason.TALKED), ("hold", OfferEndReason.NO_ANSWER), ("fallback", OfferEndReason.NO_ANSWER)],
)
def test_an_offer_whose_end_was_lost_is_ended_by_where_the_line_stands(place: str, reason: OfferEndReason) -> None:
    known = known_call()
    begin_offer(known, "o1", C, P, NOW)
    facts = reconcile(known, shot(citizen(place, offer="o1")), LATER)
    if place == "hold":
        assert facts == [OfferEnded(at=LATER, offer="o1", line=C, reason=reason)]
    else:
        assert [type(fact) for fact in facts] == [OfferEnded, ReturnedLine]


def test_a_withdrawn_offer_whose_end_was_lost_counts_as_cancelled() -> None:
    known = known_call()
    begin_offer(known, "o1", C, P, NOW)
    sent(known, C, "hold", NOW)
    assert reconcile(known, shot(citizen("hold", offer="o1")), LATER) == [
        OfferEnded(at=LATER, offer="o1", line=C, reason=OfferEndReason.CANCELLED)
    ]


def test_an_offer_that_still_runs_is_left_alone() -> None:
    known = known_call()
    begin_offer(known, "o1", C, P, NOW)
    assert reconcile(known, shot(citizen("connect", offer="o1")), LATER) == []
    assert reconcile(known, shot(citizen("track", offer="o1")), LATER) == []


def test_an_offer_younger_than_the_snapshot_is_left_alone() -> None:
    known = known_call()
    begin_offer(known, "o1", C, P, LATER)
    assert reconcile(known, shot(citizen("hold")), NOW) == []


def test_lost_bridge_events_are_made_up_for() -> None:
    known = known_call()
    assert reconcile(known, shot(citizen("connect", bridge="b1")), LATER) == [Bridged(at=LATER, bridge="b1", line=C)]
    later = LATER + timedelta(seconds=1)
    assert reconcile(known, shot(citizen("connect")), later) == [Unbridged(at=LATER, bridge="b1", line=C)]


def test_a_bridge_that_changed_since_the_snapshot_was_asked_for_is_left_alone() -> None:
    known = known_call(bridge="b1", bridged_at=LATER)
    assert reconcile(known, shot(citizen()), LATER - timedelta(milliseconds=1)) == []


def test_a_line_that_stands_where_we_sent_it_is_no_return() -> None:
    known = known_call()
    sent(known, C, "hold", NOW)
    assert reconcile(known, shot(citizen("hold")), LATER) == []
    assert reconcile(known, shot(citizen("fallback")), LATER) == [ReturnedLine(at=LATER, line=C, place="fallback")]


def test_a_caller_who_talks_in_the_fallback_is_not_ours() -> None:
    assert reconcile(known_call(bridge="b1"), shot(citizen("fallback", bridge="b1")), LATER) == []


def test_phones_are_compared_unless_they_changed_since() -> None:
    known = Known(phones={P: True, PhoneId("8002"): True}, phones_at={PhoneId("8002"): LATER})
    asked = LATER - timedelta(milliseconds=1)
    assert reconcile(known, shot(reachable=frozenset({PhoneId("8003")})), asked) == [
        PhoneChanged(at=LATER, phone=P, reachable=False),
        PhoneChanged(at=LATER, phone=PhoneId("8003"), reachable=True),
    ]


# ---- a small world of calls, its true state, and what a bad wire makes of its events ---------------------------------


@dataclass
class World:
    """Calls as Asterisk lives them: what it emits, and what is true."""

    script: list[tuple[str, dict[str, str] | Callable[[Known, datetime], None]]] = field(default_factory=list)
    lines: dict[LineId, LineSnapshot] = field(default_factory=dict[LineId, LineSnapshot])

    def emit(self, name: str, **headers: str) -> None:
        self.script.append((name, headers))

    def ours(self, note: Callable[[Known, datetime], None]) -> None:
        self.script.append(("", note))

    def set(self, line: LineId, **changes: object) -> None:
        old = self.lines.get(line, LineSnapshot(line=line, place=""))
        fields = {name: getattr(old, name) for name in LineSnapshot.__struct_fields__}
        self.lines[line] = LineSnapshot(**(fields | changes))

    def remove(self, line: LineId) -> None:
        self.lines.pop(line, None)


def live(world: World, number: int, steps: int, ending: str) -> None:
    """One call, cut off after `steps`."""
    line, seat_line, phone = LineId(f"c{number}"), LineId(f"s{number}"), PhoneId(f"80{number}")
    trunk, channel = f"PJSIP/trunk-{number}", f"PJSIP/seat{phone}-{number}"
    dial = {"Uniqueid": line, "Channel": trunk, "DestUniqueid": seat_line, "DestChannel": channel}
    seat_event = {"Uniqueid": seat_line, "Channel": channel}
    offer, bridge = f"o{number}", f"b{number}"

    def arrive() -> None:
        world.emit("Newchannel", Uniqueid=line, Channel=trunk)
        env = quote("agi_dnid: 12329\nagi_arg_1: arrive\n", safe="")
        world.emit("AsyncAGIStart", Uniqueid=line, Channel=trunk, Env=env)
        world.set(line, place="arrive", dialled="12329")

    def begin() -> None:
        world.ours(lambda known, at: begin_offer(known, offer, line, phone, at))
        world.emit("Newchannel", **seat_event)
        world.emit("DialBegin", **dial)
        world.set(line, place="connect", offer=offer)
        world.set(seat_line, place="seat", phone=phone, offer=offer, up=False)

    def ring() -> None:
        world.emit("DialState", DialStatus="RINGING", **dial)

    def pick_up() -> None:
        world.emit("UserEvent", UserEvent="SeatAnswered", Offer=offer, Citizen=line, **seat_event)
        world.emit("DialEnd", DialStatus="ANSWER", **dial)
        world.emit("BridgeEnter", BridgeUniqueid=bridge, **seat_event)
        world.emit("BridgeEnter", BridgeUniqueid=bridge, Uniqueid=line, Channel=trunk)
        world.set(line, bridge=bridge)
        world.set(seat_line, bridge=bridge, up=True)

    def end_seat() -> None:
        world.emit("BridgeLeave", BridgeUniqueid=bridge, **seat_event)
        world.emit("Hangup", **seat_event)
        world.emit("BridgeLeave", BridgeUniqueid=bridge, Uniqueid=line, Channel=trunk)
        world.emit("UserEvent", UserEvent="OfferEnded", Offer=offer, Status="ANSWER", Uniqueid=line)
        env = quote("agi_arg_1: after\n", safe="")
        world.emit("AsyncAGIStart", Uniqueid=line, Channel=trunk, Env=env)
        world.remove(seat_line)
        world.set(line, place="after", bridge="")

    def end_citizen() -> None:
        world.emit("Hangup", **seat_event)
        world.emit("Hangup", Uniqueid=line, Channel=trunk)
        world.remove(seat_line)
        world.remove(line)

    def refuse() -> None:
        world.emit("DialEnd", DialStatus="NOANSWER", **dial)
        world.emit("Hangup", **seat_event)
        world.emit("UserEvent", UserEvent="OfferEnded", Offer=offer, Status="NOANSWER", Uniqueid=line)
        world.remove(seat_line)
        world.set(line, place="hold")

    plans = {
        "seat": (arrive, begin, ring, pick_up, end_seat),
        "citizen": (arrive, begin, ring, pick_up, end_citizen),
        "early": (arrive, begin, ring, end_citizen),
        "refuse": (arrive, begin, ring, refuse, end_citizen),
    }
    for step in plans[ending][:steps]:
        step()


def tell(
    world: World, chance: random.Random, loss: float, twice: float, *, disorder: bool
) -> tuple[Known, list[SwitchFact]]:
    """Pass the events over a bad wire, then reconcile twice."""
    known, at = Known(), NOW
    facts: list[SwitchFact] = []
    pending: list[dict[str, str]] = []

    def flush() -> None:
        nonlocal at
        if disorder:
            chance.shuffle(pending)
        for event in pending:
            at += timedelta(milliseconds=2)
            facts.extend(translate(known, event, at))
        pending.clear()

    for name, what in world.script:
        if callable(what):
            flush()  # what we do ourselves, we do after what we have heard
            at += timedelta(seconds=1)
            what(known, at)
        elif chance.random() >= loss:
            pending.extend([{"Event": name, **what}] * (2 if chance.random() < twice else 1))
    flush()
    for _ in range(2):
        at += timedelta(seconds=10)
        snapshot = Snapshot(at=at, booted="b", lines=tuple(world.lines.values()))
        facts.extend(reconcile(known, snapshot, at))
    return known, facts


def final(known: Known) -> tuple[object, ...]:
    """What the rooms above rely on."""
    lines = {line.line: line.bridge for line in known.lines.values() if line.told or not line.phone}
    return lines, {offer.offer: offer.answered for offer in known.offers.values()}


def truth(world: World) -> tuple[object, ...]:
    lines = {line.line: line.bridge for line in world.lines.values()}
    offers = {line.offer: bool(line.bridge) for line in world.lines.values() if line.place == "connect"}
    return lines, offers


calls = st.lists(
    st.tuples(st.integers(1, 5), st.sampled_from(["seat", "citizen", "early", "refuse"])), min_size=1, max_size=4
)


@settings(max_examples=300, deadline=None)
@given(calls, st.integers(0, 2**32), st.sampled_from([0.0, 0.2, 0.7, 1.0]), st.booleans(), st.booleans())
def test_any_wire_leads_to_the_same_final_state(
    lives: list[tuple[int, str]], seed: int, loss: float, twice: bool, disorder: bool
) -> None:
    world = World()
    for number, (steps, ending) in enumerate(lives):
        live(world, number, steps, ending)
    known, facts = tell(world, random.Random(seed), loss, 1.0 if twice else 0.0, disorder=disorder)
    assert final(known) == truth(world)
    nothing_is_told_twice(facts)


def nothing_is_told_twice(facts: list[SwitchFact]) -> None:
    for kind, name in ((Arrived, "line"), (LineGone, "line"), (OfferEnded, "offer"), (SeatAnswered, "offer")):
        names = [getattr(fact, name) for fact in facts if isinstance(fact, kind)]
        assert len(names) == len(set(names)), (kind, names)


@settings(max_examples=100, deadline=None)
@given(calls, st.integers(0, 2**32))
def test_every_event_twice_tells_exactly_what_once_tells(lives: list[tuple[int, str]], seed: int) -> None:
    world = World()
    for number, (steps, ending) in enumerate(lives):
        live(world, number, steps, ending)
    once = tell(world, random.Random(seed), 0.0, 0.0, disorder=False)[1]
    doubled = tell(world, random.Random(seed), 0.0, 1.0, disorder=False)[1]
    assert [_without_time(fact) for fact in once] == [_without_time(fact) for fact in doubled]


def _without_time(fact: SwitchFact) -> tuple[object, ...]:
    return (type(fact), *(getattr(fact, name) for name in fact.__struct_fields__ if name != "at"))
