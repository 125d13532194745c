"""The floor's indices: in order, complete, and empty again when everybody is gone."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from acd.model import Need, SeatState, Step
from acd.ranked import Ranked
from acd.records import Needs, Seat, Waiting, canonical, meets
from acd.seats import Seats, SkillIndex
from acd.values import SeatChoice
from acd.waiting import WaitingCalls

pytestmark = pytest.mark.unit

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOBODY = datetime.min.replace(tzinfo=UTC)


def minute(count: int) -> datetime:
    return NINE + timedelta(minutes=count)


def seat(name: str, since: int = 0, call: str = "", phone: str = "", **skills: int) -> Seat:
    return Seat(
        seat=name,
        agent=name,
        phone=phone or f"p-{name}",
        skills=skills,
        reachable=True,
        since=NINE,
        idle_since=minute(since),
        call=call,
    )


def call(name: str, number: int = 0, *options: Needs, **more: object) -> Waiting:
    plain = Waiting(
        call=name, queue="q", options=options or ((),), priority=0, arrived_at=minute(number), number=number
    )
    return replace(plain, **more)


def needs(**levels: int) -> Needs:
    return tuple(Need(skill, level) for skill, level in levels.items())


def anyone(_seat: str) -> bool:
    return True


# ---- records --------------------------------------------------------------------------------------------------------


def test_equal_demands_are_equal() -> None:
    twice = (Need("b", 2), Need("a", 1), Need("b", 3), Need("b", 1))
    assert canonical(twice) == (Need("a", 1), Need("b", 3))
    assert canonical((Need("b", 0),)) == (Need("b", 0),)
    assert canonical(()) == ()


@pytest.mark.parametrize(
    ("skills", "demand", "met"),
    [
        ({}, needs(), True),
        ({"a": 2}, needs(a=2), True),
        ({"a": 3}, needs(a=2), True),
        ({"a": 1}, needs(a=2), False),
        ({"b": 9}, needs(a=1), False),
        ({}, needs(a=0), True),
        ({"a": 2, "b": 1}, needs(a=2, b=2), False),
        ({"a": 1, "b": 2}, needs(a=2, b=2), False),
    ],
)
def test_a_demand_is_met_by_all_of_it(skills: dict[str, int], demand: Needs, met: bool) -> None:
    assert meets(skills, demand) is met


def test_a_seat_is_idle_when_it_is_ready_and_reachable_and_nothing_rings() -> None:
    idle = seat("a", 3, x=1, y=1)
    assert (idle.idle, idle.turn) == (True, (minute(3), 2, "a"))
    assert not replace(idle, state=SeatState.PAUSED).idle
    assert not replace(idle, reachable=False).idle
    assert not replace(idle, offer="o").idle


def test_a_calls_rank_is_its_arrival_less_its_head_start() -> None:
    waiting = call("c", 2, priority=30, recipe=(Step(after_s=7.5), Step(after_s=9)))
    assert waiting.rank == (minute(2) - timedelta(seconds=30), 2, "c")
    assert waiting.widens_at == minute(2) + timedelta(seconds=7.5)


# ---- ranked ---------------------------------------------------------------------------------------------------------


def test_ranked_values_stand_in_order_and_leave_one_by_one() -> None:
    ranked: Ranked[int] = Ranked()
    assert (ranked.first(), len(ranked), ranked.before(5)) == (None, 0, 0)
    for value in (3, 1, 2):
        ranked.add(value)
    assert (list(ranked), ranked.first(), len(ranked)) == ([1, 2, 3], 1, 3)
    assert [ranked.before(value) for value in (0, 1, 2, 3, 4)] == [0, 0, 1, 2, 3]
    for absent in (0, 4):
        ranked.discard(absent)
    assert list(ranked) == [1, 2, 3]
    for value, left in ((3, [1, 2]), (1, [2]), (1, [2]), (2, [])):
        ranked.discard(value)
        assert list(ranked) == left


# ---- seats ----------------------------------------------------------------------------------------------------------


def index_of(*seats: Seat) -> SkillIndex:
    index = SkillIndex()
    for one in seats:
        index.add(one.seat, one.turn, one.skills)
    return index


def test_the_index_finds_whose_turn_it_is() -> None:
    index = index_of(seat("a", 3, x=1), seat("b", 1, x=2), seat("c", 2, x=3, y=1), seat("d", 0))
    assert index.first((), anyone) == "d"
    assert index.first(needs(x=1), anyone) == "b"
    assert index.first(needs(x=3), anyone) == "c"
    assert index.first(needs(x=4), anyone) is None
    assert index.first(needs(x=1, y=1), anyone) == "c"
    assert index.first(needs(z=1), anyone) is None
    assert index.first(needs(x=1, z=1), anyone) is None
    assert index.first((), lambda name: name == "a") == "a"
    assert index.first(needs(x=1), lambda name: name not in "bc") == "a"
    assert index.first((), lambda _: False) is None


def test_the_index_looks_behind_the_first_of_a_level_and_at_every_level() -> None:
    index = index_of(seat("a", 5, x=1), seat("b", 1, x=2), seat("c", 2, x=2), seat("d", 4, x=3))
    assert index.first(needs(x=1), lambda name: name != "b") == "c"
    assert index.first(needs(x=1), lambda name: name in "ad") == "d"
    late_first = index_of(seat("d", 4, x=3), seat("a", 5, x=1), seat("b", 1, x=2))
    assert late_first.first(needs(x=1), anyone) == "b"


def test_the_index_forgets_a_seat_entirely() -> None:
    one, two = seat("a", 3, x=1, y=2), seat("b", 1, x=1)
    index = index_of(one, two)
    assert index.entries() == {("x", 1, one.turn), ("y", 2, one.turn), ("x", 1, two.turn)}
    index.discard("a", one.turn)
    assert index.entries() == {("x", 1, two.turn)}
    assert index.first(needs(y=1), anyone) is None
    assert index.first((), anyone) == "b"
    index.discard("b", two.turn)
    index.discard("b", two.turn)
    assert (index.entries(), index.first((), anyone)) == (set(), None)


def table(*seats: Seat) -> Seats:
    made = Seats()
    for one in seats:
        made.put(one.seat, one)
    return made


def test_seats_are_found_by_name_phone_and_call() -> None:
    a, b = seat("a", call="c1", phone="p1"), seat("b", call="c1", phone="p2")
    seats = table(b, a)
    assert (seats.get("a"), seats["b"], seats.get("x"), len(seats), list(seats)) == (a, b, None, 2, [b, a])
    assert (seats.on_phone("p1"), seats.on_phone("p2"), seats.on_phone("p3")) == (a, b, None)
    assert (seats.talking_with("c1"), seats.talking_with("c2")) == (("a", "b"), ())
    moved = replace(a, phone="p3", call="c2")
    seats.put("a", moved)
    assert (seats.on_phone("p1"), seats.on_phone("p3")) == (None, moved)
    assert (seats.talking_with("c1"), seats.talking_with("c2")) == (("b",), ("a",))
    seats.put("b", replace(b, call=""))
    assert seats.talking_with("c1") == ()
    seats.put("a", None)
    seats.put("a", None)
    assert (seats.get("a"), seats.on_phone("p3"), seats.talking_with("c2"), len(seats)) == (None, None, (), 1)


def test_a_phone_belongs_to_the_seat_that_took_it_last() -> None:
    seats = table(seat("a", phone="p1"), seat("b", phone="p1"))
    seats.put("a", None)
    assert seats.on_phone("p1") == seat("b", phone="p1")


def test_only_idle_seats_have_a_turn_and_all_count_as_signed_in() -> None:
    a = seat("a", 1, x=1)
    seats = table(a, seat("b", 2, x=1))
    for busy in (replace(a, state=SeatState.TALKING), replace(a, reachable=False), replace(a, offer="o")):
        seats.put("a", busy)
        assert seats.first_idle((needs(x=1),), anyone) == "b"
        seats.put("a", a)
        assert seats.first_idle((needs(x=1),), anyone) == "a"
    seats.put("b", None)
    seats.put("a", replace(a, state=SeatState.PAUSED))
    assert seats.first_idle(((),), anyone) is None
    assert (seats.anyone_signed_in(needs(x=1)), seats.anyone_signed_in(needs(x=2))) == (True, False)
    seats.put("a", None)
    assert not seats.anyone_signed_in(())


def test_the_first_option_that_somebody_meets_decides() -> None:
    seats = table(seat("a", 1, x=1), seat("b", 2, y=1))
    assert seats.first_idle((needs(z=1), needs(y=1), needs(x=1)), anyone) == "b"
    assert seats.first_idle((needs(y=1), ()), lambda name: name == "a") == "a"
    assert seats.first_idle((), anyone) is None


def test_the_indices_follow_every_change_of_skills_and_turn() -> None:
    a = seat("a", 1, x=1)
    seats = table(a)

    def indices(idle: Seat | None, signed_in: Seat | None) -> None:
        turns = {(skill, level, idle.turn) for skill, level in idle.abilities.items()} if idle else set()
        here = (
            {(skill, level, (NOBODY, 0, "a")) for skill, level in signed_in.abilities.items()} if signed_in else set()
        )
        assert seats.index_entries() == (turns, here)

    indices(a, a)
    skilled = replace(a, skills={"y": 2})
    seats.put("a", skilled)
    indices(skilled, skilled)
    later = replace(skilled, idle_since=minute(5))
    seats.put("a", later)
    indices(later, later)
    busy = replace(later, offer="o", skills={"y": 3})
    seats.put("a", busy)
    indices(None, busy)
    seats.put("a", later)
    indices(later, later)
    seats.put("a", None)
    indices(None, None)


# ---- waiting calls --------------------------------------------------------------------------------------------------


def queue(*calls: Waiting) -> WaitingCalls:
    made = WaitingCalls()
    for one in calls:
        made.put(one.call, one)
    return made


def test_calls_are_found_by_name_and_counted() -> None:
    one, two = call("c1", 1), call("c2", 2)
    waiting = queue(one, two)
    assert (waiting.get("c1"), waiting["c2"], waiting.get("x"), len(waiting)) == (one, two, None, 2)
    assert list(waiting) == [one, two]
    waiting.put("c1", None)
    waiting.put("c1", None)
    assert (list(waiting), len(waiting)) == ([two], 1)


def test_a_seat_takes_the_first_call_that_it_can() -> None:
    calls = (
        call("hard", 1, needs(x=3)),
        call("both", 2, needs(x=1, y=1)),
        call("plain", 5, ()),
        call("easy", 3, needs(x=1)),
        call("mine", 4, needs(y=1)),
    )
    waiting = queue(*calls)

    def next_for(**skills: int) -> str:
        found = waiting.next_for(replace(seat("a"), skills=skills))
        return found.call if found else ""

    assert next_for(x=3) == "hard"
    assert next_for(x=2, y=1) == "both"
    assert next_for(x=2) == "easy"
    assert next_for(y=9) == "mine"
    assert next_for() == "plain"
    assert next_for(z=1) == "plain"
    waiting.put("plain", None)
    assert next_for(z=1) == ""


def test_a_call_that_a_seat_refused_is_left_to_others() -> None:
    refused = {"a": minute(9)}
    waiting = queue(
        call("c1", 1, needs(x=1), refused=refused),
        call("c2", 2, needs(x=1), refused=refused),
        call("c3", 3, needs(x=1)),
        call("c4", 4, ()),
    )
    assert waiting.next_for(seat("a", x=1)) == waiting["c3"]
    assert waiting.next_for(seat("b", x=1)) == waiting["c1"]
    waiting.put("c3", None)
    assert waiting.next_for(seat("a", x=1)) == waiting["c4"]
    waiting.put("c4", None)
    assert waiting.next_for(seat("a", x=1)) is None


def test_a_call_that_rings_stands_in_no_line() -> None:
    one, two = call("c1", 1, needs(x=1)), call("c2", 2, needs(x=1))
    waiting = queue(one, two)
    waiting.put("c1", replace(one, offer="o1"))
    assert waiting.next_for(seat("a", x=1)) == two
    assert {demand: list(line) for demand, line in waiting.demands()} == {needs(x=1): [two.rank]}
    assert (waiting.ahead_of("c1"), waiting.ahead_of("c2"), len(waiting)) == (0, 0, 2)
    waiting.put("c1", one)
    assert (waiting.ahead_of("c1"), waiting.ahead_of("c2"), waiting.ahead_of("x")) == (0, 1, 0)
    waiting.put("c1", replace(one, offer="o1"))
    waiting.put("c1", None)
    waiting.put("c2", None)
    assert (waiting.heads(), list(waiting.demands())) == ({}, [])


def test_a_widened_call_stands_in_every_line_of_its_options() -> None:
    one, two = call("c1", 1, needs(x=2, y=5), needs(x=1)), call("c2", 0, needs(x=1))
    waiting = queue(one, two)
    assert {demand: list(line) for demand, line in waiting.demands()} == {
        needs(x=2, y=5): [one.rank],
        needs(x=1): [two.rank, one.rank],
    }
    assert waiting.heads() == {("y", 5): [(one.rank, "x:2,y:5")], ("x", 1): [(two.rank, "x:1")]}
    assert waiting.ahead_of("c1") == 0
    waiting.put("c2", None)
    assert waiting.heads() == {("y", 5): [(one.rank, "x:2,y:5")], ("x", 1): [(one.rank, "x:1")]}
    waiting.put("c1", None)
    assert waiting.heads() == {}
    assert list(waiting.demands()) == []


def test_a_shelf_holds_its_lines_by_their_first_calls() -> None:
    first, second, third = call("c1", 3, needs(x=2)), call("c2", 2, needs(x=2, y=1)), call("c3", 1, needs(x=2))
    waiting = queue(first, second, call("c0", 0, ()))
    heads = [(second.rank, "x:2,y:1"), (first.rank, "x:2")]
    assert waiting.heads() == {("x", 2): heads, ("", 0): [(waiting["c0"].rank, "")]}
    waiting.put("c3", third)
    assert waiting.heads()["x", 2] == [(third.rank, "x:2"), heads[0]]
    waiting.put("c3", None)
    assert waiting.heads()["x", 2] == heads
    waiting.put("c1", None)
    assert waiting.heads()["x", 2] == heads[:1]


def test_lines_for_skills_are_those_whose_whole_demand_they_meet() -> None:
    waiting = queue(
        call("c1", 1, needs(x=2)), call("c2", 2, needs(x=2, y=1)), call("c3", 3, ()), call("c4", 4, needs(x=3))
    )
    assert {demand for demand, _ in waiting.lines_for({"x": 2})} == {(), needs(x=2)}
    assert {demand for demand, _ in waiting.lines_for({"x": 2, "y": 1})} == {(), needs(x=2), needs(x=2, y=1)}
    assert {demand for demand, _ in waiting.lines_for({})} == {()}
    ((_, ranks),) = waiting.lines_for({"z": 1})
    assert list(ranks) == [waiting["c3"].rank]


# ---- on the line and promised ---------------------------------------------------------------------------------------


def test_those_on_the_line_are_counted_by_queue_and_promises_found_by_caller() -> None:
    waiting = WaitingCalls()
    one = call("c1", 1, caller="n1")
    waiting.put("c1", one)
    waiting.put("c2", call("c2", 2, queue="r", caller="n2"))
    assert (waiting.on_the_line("q"), waiting.on_the_line("r"), waiting.on_the_line("x")) == (1, 1, 0)
    assert waiting.call_back_for("n1") is None
    waiting.put("c1", replace(one, offer="o"))
    assert waiting.on_the_line("q") == 1
    promised = replace(one, call_back=True)
    waiting.put("c1", promised)
    assert (waiting.on_the_line("q"), waiting.call_back_for("n1")) == (0, promised)
    waiting.put("c3", call("c3", 3, call_back=True))
    assert waiting.call_back_for("") is None
    waiting.put("c1", replace(promised, queue="r"))
    assert (waiting.on_the_line("q"), waiting.on_the_line("r")) == (0, 1)
    for name in ("c1", "c2", "c3"):
        waiting.put(name, None)
        waiting.put(name, None)
    assert (waiting.on_the_line("q"), waiting.on_the_line("r"), waiting.call_back_for("n1")) == (0, 0, None)


def test_call_back_that_rests_stands_in_no_line() -> None:
    waiting = WaitingCalls()
    resting = call("c1", 1, call_back=True, not_before=minute(9))
    waiting.put("c1", resting)
    assert (waiting.next_for(seat("a")), waiting.heads()) == (None, {})
    waiting.put("c1", replace(resting, not_before=None))
    assert waiting.next_for(seat("a")) == replace(resting, not_before=None)


def test_so_many_seats_at_most_could_take_a_call() -> None:
    seats = table(seat("a", x=1, y=5), seat("b", x=3), seat("c", x=3), seat("d"))
    seats.put("c", replace(seats["c"], state=SeatState.PAUSED))
    assert [seats.signed_in_at_most(demand) for demand in (needs(), needs(x=1), needs(x=2), needs(x=1, y=5))] == [
        *(4, 3, 2, 1)
    ]
    assert [seats.signed_in_at_most(demand) for demand in (needs(y=6), needs(z=1), needs(x=1, z=1))] == [0, 0, 0]


def test_seats_that_became_free_are_told_in_their_turn() -> None:
    busy = replace(seat("busy"), state=SeatState.TALKING)
    seats = table(seat("a", 3), seat("b", 1, x=1), seat("c", 1), busy)
    assert [found.seat for found in seats.in_turn({"a", "b", "c", "busy", "gone"})] == ["c", "b", "a"]
    chosen = Seats(SeatChoice.SPECIALIST_FIRST)
    for one in (seat("a", 3), seat("b", 1, x=1), seat("c", 4)):
        chosen.put(one.seat, one)
    assert [found.seat for found in chosen.in_turn(["b", "a", "c"])] == ["a", "c", "b"]
    assert chosen.first_idle(((),), anyone) == "a"


def test_idle_seats_stand_in_the_order_of_every_choice_in_use_and_of_no_other() -> None:
    seats = Seats(SeatChoice.LONGEST_IDLE, SeatChoice.SPECIALIST_FIRST)
    for one in (seat("a", 1, x=1, y=1), seat("b", 3, x=1)):
        seats.put(one.seat, one)
    own = SeatChoice.SPECIALIST_FIRST
    assert (seats.first_idle(((),), anyone), seats.first_idle(((),), anyone, own)) == ("a", "b")
    seats.put("b", replace(seats["b"], state=SeatState.PAUSED))
    assert seats.first_idle(((),), anyone, own) == "a"
    idle, by_skills, _ = seats.index_entries()
    assert ({turn[2] for *_, turn in idle}, {turn[2] for *_, turn in by_skills}) == ({"a"}, {"a"})
    with pytest.raises(KeyError):
        seats.first_idle(((),), anyone, SeatChoice.FEWEST_CALLS)


def test_every_agent_has_the_skill_of_being_that_agent() -> None:
    one = replace(seat("desk", x=2), agent="1007")
    assert one.abilities == {"x": 2, "@1007": 1}
    seats = table(one)
    assert seats.first_idle(((Need("@1007"),),), anyone) == "desk"
    seats.put("desk", replace(one, agent="1008"))
    assert seats.first_idle(((Need("@1007"),),), anyone) is None
    assert seats.first_idle(((Need("@1008"),),), anyone) == "desk"
    assert not seats.anyone_signed_in((Need("@1007"),))
