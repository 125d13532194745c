"""The floor's promises under any commands in any order, beside a naive floor that must agree at every step."""

from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from acd import model as m
from acd.floor import Floor
from acd.records import Seat, Waiting
from acd.state import State
from hotline.ids import CountedIds
from tests.unit.acd.naive_floor import NaiveFloor

pytestmark = pytest.mark.unit

SEATS = ("s1", "s2", "s3", "s4")
PHONES = ("p1", "p2", "p3", "p4", "p5")
CALLS = tuple(f"c{number}" for number in range(1, 9))

seats = st.sampled_from(SEATS)
calls = st.sampled_from(CALLS)
levels = st.integers(1, 3)
skills: st.SearchStrategy[dict[str, int]] = st.one_of(
    st.fixed_dictionaries({"a": levels, "b": levels}),
    st.fixed_dictionaries({"a": levels}),
    st.fixed_dictionaries({"b": levels}),
    st.just({}),
)
needs = st.one_of(
    st.tuples(st.builds(m.Need, st.just("b"), levels), st.builds(m.Need, st.just("a"), levels)),
    st.tuples(st.builds(m.Need, st.sampled_from("ab"), levels)),
    st.tuples(st.builds(m.Need, st.just("a"), levels), st.builds(m.Need, st.just("a"), levels)),
    st.just(()),
)
after = st.sampled_from((0.0, 5.0, 20.0))
steps = st.one_of(
    st.builds(m.Step, after_s=after, needs=needs),
    st.builds(m.Step, after_s=after, does=st.just(m.StepKind.RAISE), by_s=st.sampled_from((0, 30))),
    st.builds(m.Step, after_s=after, does=st.just(m.StepKind.OVERFLOW), to=st.just("elsewhere")),
    st.builds(m.Step, after_s=after, does=st.sampled_from(list(m.StepKind)[3:]), prompt=st.sampled_from(("", "x"))),
)
callers = st.sampled_from(("", "", "n1", "n2", "n3"))
queues = st.sampled_from(("q", "q", "narrow"))
pauses = st.sampled_from(("meal", "rest"))
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def can_take(seat: Seat, call: Waiting) -> bool:
    has = {} if seat.guest else {**seat.skills, "@" + seat.agent: 1}
    has |= {f"guest:{queue}": 1 for queue in seat.guest_of}
    options = [needs for needs in call.options if needs or not seat.guest]
    return any(all(has.get(n.skill, 0) >= n.level for n in needs) for needs in options)


class FloorMachine(RuleBasedStateMachine):
    @initialize(
        wrap_up=st.sampled_from((0, 30)),
        limit=st.integers(1, 2),
        crew=st.lists(skills, min_size=len(SEATS), max_size=len(SEATS)),
        choice=st.sampled_from(list(m.SeatChoice)),
        other=st.sampled_from((None, *m.SeatChoice)),
        redial=st.sampled_from((0, 12)),
    )
    def open(self, wrap_up, limit, crew, choice, other, redial) -> None:  # type: ignore[no-untyped-def]
        house = m.Rules(
            wrap_up=timedelta(seconds=wrap_up),
            unanswered_limit=limit,
            choice=choice,
            choices={} if other is None else {"narrow": other},
            redial=timedelta(seconds=redial),
            capacities={"narrow": 2},
            wrap_up_extensions=1,
            cool_down=timedelta(seconds=40),
        )
        self.floor, self.replica, self.naive = Floor(house), Floor(), NaiveFloor(house)
        self.said: list[str] = []
        self.ids = CountedIds()
        self.now = START
        self.joined: dict[str, int] = {}
        self.left: list[tuple[str, str]] = []
        for seat, phone, skill in zip(SEATS[:3], PHONES[:3], crew, strict=False):
            self.do(m.SignIn(seat=seat, agent=seat, phone=phone, skills=skill))

    def do(self, command: m.AnyCommand, naively: m.AnyCommand | None = None, *, once: bool = False) -> None:
        before = self.floor.dump()
        facts = self.floor.decide(command, self.now, self.ids.new)
        assert self.floor.dump() == before, "deciding changes nothing"
        for fact in facts:
            self.check(fact)
            self.floor.apply(fact)
            self.replica.apply(msgspec.json.decode(msgspec.json.encode(fact), type=m.AnyFloorFact))
        again = self.floor.decide(command, self.now, self.ids.new)
        joined = isinstance(command, m.Join) and command.call
        is_gone = joined and self.floor.call(joined) is None  # turned away, or sent on at once
        assert once or is_gone or again == (), "a repeated command leads to nothing"
        self.naive.do(naively or command, self.now)

    def check(self, fact: m.AnyFloorFact) -> None:
        match fact:
            case m.Joined():
                self.joined[fact.call] = self.joined.get(fact.call, 0) + 1
            case m.LeftQueue():
                self.left.append((fact.call, fact.reason.value))
            case m.Offered():
                self.check_order(fact)
            case m.SeatChanged():
                seat = self.floor.seat(fact.seat)
                assert seat is not None
                assert seat.state is fact.previous, "a seat leaves the state it is in"
            case m.Prompted():
                self.said.append(f"{fact.call} {fact.kind.value} {fact.prompt}")
            case _:
                pass

    def check_order(self, fact: m.Offered) -> None:
        seat, call = self.floor.seat(fact.seat), self.floor.call(fact.call)
        assert seat is not None
        assert call is not None
        assert seat.idle, "only an idle seat is offered a call"
        assert can_take(seat, call)
        assert seat.seat not in call.refused
        assert seat.phone == fact.phone
        effective = call.arrived_at - timedelta(seconds=call.priority)
        for other in self.floor.waiting():
            passed_over = other.waits and can_take(seat, other) and seat.seat not in other.refused
            if passed_over:
                assert other.arrived_at - timedelta(seconds=other.priority) >= effective, "order is kept"

    # --- what may happen -------------------------------------------------------------------------------------------

    @rule(
        seat=seats,
        phone=st.sampled_from(PHONES),
        skills=skills,
        reachable=st.sampled_from((True, True, False)),
        guest=st.sampled_from((False, False, True)),
    )
    def sign_in(self, seat: str, phone: str, skills: dict[str, int], reachable: bool, guest: bool) -> None:
        self.do(m.SignIn(seat=seat, agent=seat, phone=phone, skills=skills, reachable=reachable, guest=guest))

    @rule(seat=seats, queues=st.sampled_from(((), (), ("q",), ("narrow", "q"))))
    def a_window_begins_or_ends(self, seat: str, queues: tuple[str, ...]) -> None:
        self.do(m.Invite(seat=seat, queues=queues))

    @rule(call=calls, queue=queues, needs=needs, recipe=st.lists(steps, max_size=1))
    def join_where_a_guest_may_answer(self, call, queue, needs, recipe) -> None:  # type: ignore[no-untyped-def]
        guests = (m.Need(f"guest:{queue}"),)
        self.do(m.Join(call=call, queue=queue, needs=guests, also=(needs,), recipe=tuple(recipe)))

    @rule(seat=seats)
    def sign_out(self, seat: str) -> None:
        self.do(m.SignOut(seat=seat))

    @rule(seat=seats, reason=pauses)
    def pause(self, seat: str, reason: str) -> None:
        self.do(m.Pause(seat=seat, reason=reason))

    @rule(seat=seats)
    def resume(self, seat: str) -> None:
        self.do(m.Resume(seat=seat))

    @rule(phone=st.sampled_from(PHONES), reachable=st.booleans())
    def phone_changes(self, phone: str, reachable: bool) -> None:
        self.do(m.Reachability(phone=phone, reachable=reachable))

    @rule(
        call=calls,
        needs=needs,
        also=st.lists(needs, max_size=1).map(tuple),
        priority=st.sampled_from((0, 0, 10, 60)),
        earlier=st.sampled_from((None, None, 0, 15, -5)),
        exclude=st.lists(seats, max_size=2, unique=True).map(tuple),
        recipe=st.lists(steps, max_size=2, unique=True).map(tuple),
        ring=st.sampled_from((1, 1, 2, 3)),
        caller=callers,
        queue=queues,
    )
    def join(self, call, needs, also, priority, earlier, exclude, recipe, ring, caller, queue) -> None:  # type: ignore[no-untyped-def]
        arrived = None if earlier is None else self.now - timedelta(seconds=earlier)
        self.do(
            m.Join(
                call=call,
                queue=queue,
                needs=needs,
                also=also,
                priority=priority,
                arrived_at=arrived,
                exclude=exclude,
                recipe=recipe,
                ring=ring,
                caller=caller,
            )
        )

    @rule(call=calls, needs=needs, prefer=seats, prefer_s=st.sampled_from((0, 8)), recipe=st.lists(steps, max_size=1))
    def join_for_an_agent(self, call, needs, prefer, prefer_s, recipe) -> None:  # type: ignore[no-untyped-def]
        self.do(m.Join(call=call, queue="q", needs=needs, prefer=(prefer,), prefer_s=prefer_s, recipe=tuple(recipe)))

    @rule(
        call=calls,
        queue=queues,
        caller=callers,
        later=st.sampled_from((None, -3, 7)),
        recipe=st.lists(steps, max_size=2, unique=True).map(tuple),
    )
    def join_to_be_called_back(self, call, queue, caller, later, recipe) -> None:  # type: ignore[no-untyped-def]
        moment = None if later is None else self.now + timedelta(seconds=later)
        self.do(m.Join(call=call, queue=queue, caller=caller, call_back=True, not_before=moment, recipe=recipe))

    @rule(call=calls, later=st.sampled_from((None, -3, 7)), caller=callers)
    def promise_call_back(self, call: str, later: int | None, caller: str) -> None:
        moment = None if later is None else self.now + timedelta(seconds=later)
        self.do(m.PromiseCallBack(call=call, not_before=moment, caller=caller))

    @rule(
        call=calls,
        queue=st.sampled_from((None, "q", "narrow")),
        needs=st.one_of(st.none(), needs),
        priority=st.sampled_from((None, 0, 90)),
    )
    def reroute(self, call, queue, needs, priority) -> None:  # type: ignore[no-untyped-def]
        self.do(m.Reroute(call=call, queue=queue, needs=needs, priority=priority))

    @rule(seat=seats, by_s=st.sampled_from((0, 25)))
    def extend_wrap_up(self, seat: str, by_s: int) -> None:
        self.do(m.ExtendWrapUp(seat=seat, by_s=by_s), once=True)

    @rule(seat=seats, step=st.sampled_from(list(m.AbuseStep)))
    def report_abuse(self, seat: str, step: m.AbuseStep) -> None:
        self.do(m.ReportAbuse(seat=seat, step=step))

    @rule(seat=seats, kinds=st.lists(st.sampled_from(list(m.StrainKind)), max_size=2, unique=True).map(tuple))
    def report_strain(self, seat: str, kinds: tuple[m.StrainKind, ...]) -> None:
        self.do(m.ReportStrain(seat=seat, kinds=kinds))

    @rule(call=calls, caller=callers, queue=queues)
    def ring_again(self, call: str, caller: str, queue: str) -> None:
        self.do(m.Join(call=call, queue=queue, caller=caller))

    @rule(call=calls, needs=needs)
    def join_plainly(self, call: str, needs: tuple[m.Need, ...]) -> None:
        self.do(m.Join(call=call, queue="q", needs=needs))

    @rule(call=calls, reason=st.sampled_from((m.LeaveReason.ABANDONED, m.LeaveReason.OVERFLOWED)))
    def abandon(self, call: str, reason: m.LeaveReason) -> None:
        self.do(m.Abandon(call=call, reason=reason))

    @precondition(lambda self: any(self.floor.offers()))
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        offer = data.draw(st.sampled_from(sorted(self.floor.offers(), key=lambda offer: offer.offer)))
        self.do(m.Answer(offer=offer.offer), m.Answer(offer=f"{offer.call}|{offer.seat}"))

    @precondition(lambda self: any(self.floor.offers()))
    @rule(data=st.data(), by_s=st.sampled_from((5, 45)))
    def extend_offer(self, data: st.DataObject, by_s: int) -> None:
        offer = data.draw(st.sampled_from(sorted(self.floor.offers(), key=lambda offer: offer.offer)))
        naively = m.ExtendOffer(offer=f"{offer.call}|{offer.seat}", by_s=by_s)
        self.do(m.ExtendOffer(offer=offer.offer, by_s=by_s), naively)

    @rule(call=calls, later=st.sampled_from((-3, 7, 20)))
    def put_off_call_back(self, call: str, later: int) -> None:
        self.do(m.PutOffCallBack(call=call, not_before=self.now + timedelta(seconds=later)))

    @precondition(lambda self: any(self.floor.offers()))
    @rule(data=st.data(), reason=st.sampled_from(list(m.RefuseReason)))
    def refuse(self, data: st.DataObject, reason: m.RefuseReason) -> None:
        offer = data.draw(st.sampled_from(sorted(self.floor.offers(), key=lambda offer: offer.offer)))
        naively = m.Refuse(offer=f"{offer.call}|{offer.seat}", reason=reason)
        self.do(m.Refuse(offer=offer.offer, reason=reason), naively)

    @rule(number=st.integers(0, 30), reason=st.sampled_from(list(m.RefuseReason)))
    def answers_and_refusals_come_too_late(self, number: int, reason: m.RefuseReason) -> None:
        offer = f"offer_{number}"
        if self.floor.offer(offer) is None:
            self.do(m.Answer(offer=offer), m.Answer(offer=""))
            self.do(m.Refuse(offer=offer, reason=reason), m.Refuse(offer="", reason=reason))

    @rule(data=st.data(), everybody=st.booleans())
    def finish(self, data: st.DataObject, everybody: bool) -> None:
        talking = {seat.call: seat.seat for seat in self.floor.seats() if seat.call}
        call = data.draw(st.sampled_from(sorted(talking) or ["c1"]))
        self.do(m.Finish(call=call, seat="" if everybody else talking.get(call, "s1")))

    @rule(seat=seats)
    def end_wrap_up(self, seat: str) -> None:
        self.do(m.EndWrapUp(seat=seat))

    @rule(seat=seats, call=calls)
    def adopt(self, seat: str, call: str) -> None:
        self.do(m.Adopt(seat=seat, call=call))

    @rule(seconds=st.sampled_from((0.5, 1, 4, 9)))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def tick_when_due(self) -> None:
        due = self.floor.next_due()
        if due is not None:
            self.now = max(self.now, due)
            self.do(m.Tick())
            again = self.floor.next_due()
            assert again is None or again > self.now, "a tick does all that is due"

    @rule()
    def tick_any_time(self) -> None:
        self.do(m.Tick())

    # --- what is promised --------------------------------------------------------------------------------------------

    @invariant()
    def agrees_with_the_naive_floor(self) -> None:
        ours = {
            s.seat: (
                *(s.agent, s.phone, s.state.value, s.reason, s.until, s.call, s.pause_asked, s.leaving, s.unanswered),
                *(s.answered, s.extended, 0 if s.abuse is None else list(m.AbuseStep).index(s.abuse) + 1, s.strain),
            )
            for s in self.floor.seats()
        }
        theirs = {
            s.name: (
                *(s.agent, s.phone, s.state, s.reason, s.until, s.talks, s.asked, s.leaving, s.missed),
                *(s.answered, s.extended, s.abuse, s.strain),
            )
            for s in self.naive.seats
        }
        assert ours == theirs
        turns = {s.name: s.idle_since for s in self.naive.seats if s.is_idle()}
        assert {s.seat: s.idle_since for s in self.floor.seats() if s.idle} == turns
        rings = {s.name: s.rings for s in self.naive.seats if s.rings}
        assert {offer.seat: offer.call for offer in self.floor.offers()} == rings
        assert [
            (w.call, w.queue, len(w.options), len(w.recipe), set(w.refused), w.priority, w.call_back, w.not_before)
            for w in self.floor.waiting()
        ] == [
            (c.name, c.queue, len(c.options), len(c.recipe), set(c.refused), c.head_start, c.back, c.not_before)
            for c in self.naive.in_order()
        ]
        assert self.left == self.naive.left
        assert sorted(self.said) == sorted(self.naive.said)
        assert self.floor.next_due() == self.naive.next_due()

    @invariant()
    def no_caller_waits_beside_an_idle_seat_that_can_take_the_call(self) -> None:
        for call in self.floor.waiting():
            if not call.waits:
                continue
            for seat in self.floor.seats():
                idle = seat.state is m.SeatState.READY and seat.reachable
                assert not (idle and can_take(seat, call) and seat.seat not in call.refused)

    @invariant()
    def a_seat_has_one_live_offer_or_call(self) -> None:
        offers = list(self.floor.offers())
        assert len({offer.seat for offer in offers}) == len(offers)
        ringing = {offer.seat: offer.offer for offer in offers}
        for seat in self.floor.seats():
            assert seat.offer == ringing.get(seat.seat, "")
            assert bool(seat.offer) == (seat.state is m.SeatState.OFFERED)
            assert bool(seat.call) == (seat.state is m.SeatState.TALKING)
        for offer in offers:
            call = self.floor.call(offer.call)
            assert call is not None
            assert offer.offer in call.offers
            assert len(call.offers) <= call.ring

    @invariant()
    def a_phone_belongs_to_one_seat(self) -> None:
        phones = [seat.phone for seat in self.floor.seats()]
        assert len(set(phones)) == len(phones)
        assert all(self.floor.seat_at(seat.phone) == seat for seat in self.floor.seats())

    @invariant()
    def every_call_leaves_exactly_once(self) -> None:
        inside = {call.call for call in self.floor.waiting()}
        gone = [call for call, _ in self.left]
        assert all(gone.count(call) + (call in inside) == times for call, times in self.joined.items())

    @invariant()
    def replaying_the_facts_gives_the_same_floor(self) -> None:
        assert self.replica.dump() == self.floor.dump()
        assert Floor.load(self.floor.dump()).dump() == self.floor.dump()

    @invariant()
    def indices_follow_from_the_records(self) -> None:
        state = self.floor._state
        fresh = State.of(state.stored(), *self.floor.rules.choices_in_use)
        assert fresh.seats.index_entries() == state.seats.index_entries()
        assert list(fresh.agenda) == list(state.agenda)
        lines = {needs: list(line) for needs, line in state.waiting.demands()}
        assert lines == {needs: list(line) for needs, line in fresh.waiting.demands()}
        assert fresh.waiting.heads() == state.waiting.heads()
        for name in ("q", "narrow"):
            assert fresh.waiting.on_the_line(name) == state.waiting.on_the_line(name)
        for caller in ("", "n1", "n2", "n3"):
            assert fresh.waiting.call_back_for(caller) == state.waiting.call_back_for(caller)
        for seat in state.seats:
            assert (seat.seat in state.seats.talking_with(seat.call)) == bool(seat.call)


TestFloor = FloorMachine.TestCase
TestFloor.settings = settings(
    max_examples=100, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
