"""Three-way as a transaction: what may never be, for any order of what people do and what fails."""

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls import orders
from calls.legs import Callee, Ending, Goal, Party, Place, Situation, Talk, situation
from calls.moves import Announce, Arrive, Eavesdrop, Invite, Murmur, Put, Release, moves
from calls.outcomes import BOSS, CITIZEN, EXPERT, GIVEN, OPERATOR, leg, talk
from calls.parties import MOST, decide, why_not
from telephony.model import LineId, Placed

pytestmark = pytest.mark.unit

SEATS = ["operator", "expert", "second", "third", "fourth", "supervisor"]
IN = (Place.TALKING, Place.HELD)
CALLEES = [Callee(seat="second", phone="second"), Callee(seat="third", phone="third"), Callee(phone="07176251234")]
"""Who may come in somebody's place."""


@st.composite
def happenings(draw: st.DrawFn) -> orders.Command | orders.News:
    """Anything, whether it makes sense or not."""
    by, seat = draw(st.sampled_from(SEATS)), draw(st.sampled_from(SEATS[1:]))
    line = LineId(draw(st.sampled_from(["citizen", "operator", *(f"room_x_{n}" for n in range(1, 9))])))
    lines = frozenset(LineId(one) for one in draw(st.sets(st.sampled_from(["citizen", "operator", line]))))
    then = tuple(draw(st.lists(st.sampled_from(CALLEES), max_size=3)))
    purpose = draw(st.sampled_from(list(orders.Purpose)))
    choices: list[orders.Command | orders.News] = [
            orders.Consult(by=by, phone="110", purpose=purpose, private=draw(st.booleans()), then=then),
            orders.Consult(by=by, seat=seat, phone=seat, purpose=orders.Purpose.UNIT, then=then),
            orders.Transfer(by=by, phone="12366", purpose=orders.Purpose.LINE, then=then),
            orders.Consult(by=by, seat=seat, phone=seat), orders.Consult(by=by, seat=seat, phone=seat, private=False),
            orders.Transfer(by=by, seat=seat, phone=seat), orders.Merge(by=by), orders.Swap(by=by),
            orders.Retrieve(by=by), orders.Cancel(by=by), orders.Leave(by=by), orders.Drop(by=by, line=line),
            orders.Park(by=by, line=line),
            orders.Listen(by="supervisor", phone="supervisor"), orders.Whisper(by="supervisor"),
            orders.Barge(by="supervisor", phone="supervisor"), orders.TakeOver(by="supervisor", phone="supervisor"),
            orders.Answered(line=line), orders.Answered(line=line), orders.Failed(line=line), orders.Gone(line=line),
            orders.Left(), orders.TooLong(), orders.Found(up=lines),
        ]  # fmt: skip
    return draw(st.sampled_from(choices))


Event = orders.Command | orders.News


def played(happened: list[Event]) -> Iterator[tuple[Talk, Event, orders.Step]]:
    """Each step of a life, with the talk before it; until it ends."""
    now = GIVEN["pair"]
    for one in happened:
        step = decide(now, one)
        yield now, one, step
        if step.ending is not None:
            return
        now = step.talk


lives = st.lists(happenings(), max_size=25)


@settings(max_examples=150, deadline=None)
@given(lives)
def test_the_citizen_is_never_alone_in_silence(happened: list[Event]) -> None:
    for _, _, step in played(happened):
        if step.ending is not None:
            continue
        citizen = step.talk.citizen
        assert citizen is not None
        if citizen.place is Place.TALKING:
            assert step.talk.talking
        else:
            assert citizen.place is Place.HELD
            assert step.talk.called or len(step.talk.talking) > 1, "music has a reason, and the reason an end"
        assert step.talk.talking or not step.talk.held, "nobody is on hold while nobody talks"


@settings(max_examples=150, deadline=None)
@given(lives)
def test_nobodys_end_takes_another_one_with_it(happened: list[Event]) -> None:
    for before, event, step in played(happened):
        if step.ending is None and isinstance(event, orders.Gone | orders.Failed | orders.Answered):
            left = [one for one in before.legs if step.talk.of_line(one.line) is None and one.line != event.line]
            replaced = {before.owner} if isinstance(event, orders.Answered) else set[str]()
            assert all(one.target or one.seat in replaced for one in left), "only its listeners, or who is replaced"


@settings(max_examples=150, deadline=None)
@given(lives)
def test_every_line_is_answered_for_and_told_to_the_switch_once(happened: list[Event]) -> None:
    rang: set[LineId] = set()
    over: set[LineId] = set()
    for before, _, step in played(happened):
        for move in moves(before, step.talk):
            match move:
                case Invite(line=line) | Eavesdrop(line=line):
                    assert line not in rang
                    rang.add(line)
                case Release(line):
                    assert line not in over
                    over.add(line)
                case Put(placed=placed):
                    assert 1 <= len(placed) <= 2
                    assert all(step.talk.of_line(one.line) is not None for one in placed)
                case Murmur() | Announce() | Arrive():
                    pass
        if step.ending is not None:
            assert [one.party for one in step.talk.legs] in ([], [Party.CITIZEN])
            assert rang <= over
    lines = [one.line for one in GIVEN["pair"].legs]
    assert not rang & set(lines)


@settings(max_examples=150, deadline=None)
@given(lives)
def test_parties_are_few_and_each_seat_is_there_once(happened: list[Event]) -> None:
    for _, _, step in played(happened):
        talking = [one for one in step.talk.legs if one.place in IN or one.goal not in (None, Goal.LISTEN)]
        assert len(talking) <= MOST + 1, "a supervisor who listens may speak up"
        seats = [one.seat for one in step.talk.legs if one.seat]
        assert len(seats) == len(set(seats))


@settings(max_examples=150, deadline=None)
@given(lives)
def test_two_on_the_line_need_no_room_and_more_never_do_without(happened: list[Event]) -> None:
    for before, _, step in played(happened):
        if step.ending is None and not step.talk.in_room:
            assert situation(step.talk) is Situation.PAIR
            assert [one.line for one in step.talk.talking] == [OPERATOR]
        assert step.talk.in_room or not before.in_room


@settings(max_examples=150, deadline=None)
@given(lives)
def test_what_is_refused_changes_nothing_and_says_why(happened: list[Event]) -> None:
    for before, _, step in played(happened):
        if step.refused:
            assert step.talk == before
            assert step.refused.endswith(".")


# ---- at the switch -------------------------------------------------------------------------------------------------


def put(*lines: LineId, held: tuple[LineId, ...] = ()) -> Put:
    return Put("room_x", tuple(Placed(line=line, citizen=line == CITIZEN, held=line in held) for line in lines))


def test_the_first_consultation_moves_both_at_once_and_then_rings() -> None:
    before = GIVEN["pair"]
    after = decide(before, orders.Consult(by=OPERATOR, seat="9001", phone="9001")).talk
    both = put(CITIZEN, OPERATOR, held=(CITIZEN,))
    assert moves(before, after) == (both, Invite("room_x", LineId("room_x_1"), "9001"))


def test_merging_moves_only_who_was_on_hold() -> None:
    before = GIVEN["consulting"]
    assert moves(before, decide(before, orders.Merge(by=OPERATOR)).talk) == (put(CITIZEN),)


def test_swapping_holds_first_and_brings_back_then() -> None:
    before = GIVEN["consulting"]
    swapped = decide(before, orders.Swap(by=OPERATOR)).talk
    assert moves(before, swapped) == (put(EXPERT, held=(EXPERT,)), put(CITIZEN))
    back = decide(swapped, orders.Swap(by=OPERATOR)).talk
    assert moves(swapped, back) == (put(CITIZEN, held=(CITIZEN,)), put(EXPERT))


def test_who_leaves_goes_after_the_citizen_has_somebody_to_talk_with() -> None:
    before = GIVEN["consulting"]
    assert moves(before, decide(before, orders.Leave(by=OPERATOR)).talk) == (put(CITIZEN), Release(OPERATOR))


def test_a_blind_transfer_holds_the_citizen_rings_and_lets_the_operator_go() -> None:
    before = GIVEN["pair"]
    after = decide(before, orders.Transfer(by=OPERATOR, seat="9001", phone="9001")).talk
    ring = Invite("room_x", LineId("room_x_1"), "9001")
    assert moves(before, after) == (put(CITIZEN, held=(CITIZEN,)), ring, Release(OPERATOR))


def test_whose_place_is_taken_leaves_when_the_other_is_in_the_room_for_a_room_without_a_seat_ends() -> None:
    asked = decide(GIVEN["pair"], orders.TakeOver(by=BOSS, phone="8101")).talk
    came = decide(asked, orders.Answered(line=LineId("room_x_1"))).talk
    assert moves(asked, came) == (Arrive(LineId("room_x_1")), Release(OPERATOR))


def test_listening_needs_no_room_and_barging_in_makes_one() -> None:
    before = GIVEN["pair"]
    asked = decide(before, orders.Listen(by=BOSS, phone="8101")).talk
    assert moves(before, asked) == (Eavesdrop(LineId("room_x_1"), "8101", OPERATOR),)
    heard = decide(asked, orders.Answered(line=LineId("room_x_1"))).talk
    assert moves(asked, heard) == ()
    soft = decide(heard, orders.Whisper(by=BOSS)).talk
    assert moves(heard, soft) == (Murmur(LineId("room_x_1"), True),)
    mine = decide(soft, orders.TakeOver(by=BOSS, phone="8101")).talk
    there = Arrive(LineId("room_x_1"))
    assert moves(soft, mine) == (put(LineId("room_x_1")), there, put(CITIZEN), Release(OPERATOR))
    loud = decide(soft, orders.Barge(by=BOSS, phone="8101")).talk
    assert moves(soft, loud) == (put(OPERATOR, CITIZEN), put(LineId("room_x_1")))


def test_who_is_not_where_we_believed_is_put_there_again() -> None:
    before = GIVEN["three"]
    assert moves(before, before) == ()
    assert moves(before, before, displaced=frozenset({CITIZEN})) == (put(CITIZEN),)


def test_a_citizen_whom_the_switch_sent_out_goes_back_to_who_was_on_hold() -> None:
    before = GIVEN["swapped"]
    step = decide(before, orders.Left())
    assert step.ending is None
    there = moves(before, step.talk, displaced=frozenset({CITIZEN}))
    assert there == (put(EXPERT), put(CITIZEN), Release(OPERATOR))


# ---- single sentences ----------------------------------------------------------------------------------------------


def test_a_failed_private_question_of_three_brings_the_citizen_back_to_both() -> None:
    asked = decide(GIVEN["three"], orders.Consult(by=OPERATOR, seat="s", phone="1")).talk
    back = decide(asked, orders.Failed(line=LineId("room_x_1"))).talk
    assert [one.line for one in back.legs if one.place is Place.TALKING] == [CITIZEN, OPERATOR, EXPERT]


def test_a_transfer_that_nobody_takes_in_time_calls_the_operator_back_and_then_the_queue() -> None:
    recalled = decide(GIVEN["transferring"], orders.TooLong())
    assert [one.seat for one in recalled.talk.called] == [OPERATOR]
    assert decide(recalled.talk, orders.TooLong()).ending is Ending.TO_QUEUE


def test_one_of_three_is_put_on_hold_and_fetched_back() -> None:
    before = GIVEN["three"]
    for line, then in ((CITIZEN, Situation.CONSULTING), (EXPERT, Situation.SWAPPED)):
        parked = decide(before, orders.Park(by=OPERATOR, line=line)).talk
        assert situation(parked) is then
        assert moves(before, parked) == (put(line, held=(line,)),)
        assert decide(parked, orders.Merge(by=OPERATOR)).talk == before


def test_nobody_puts_himself_or_who_is_not_there_on_hold() -> None:
    for line in (OPERATOR, LineId("nobody")):
        assert why_not(GIVEN["three"], orders.Park(by=OPERATOR, line=line)).startswith("That is none")
    rung = decide(GIVEN["three"], orders.Listen(by=BOSS, phone="8101")).talk
    assert why_not(rung, orders.Park(by=OPERATOR, line=LineId("room_x_1"))).startswith("That is none")


def test_the_sixth_is_refused() -> None:
    full = talk(leg(CITIZEN, Place.TALKING), leg(OPERATOR, Place.TALKING))
    for number in range(3):
        full = decide(full, orders.Consult(by=OPERATOR, seat=f"s{number}", phone="1", private=False)).talk
        full = decide(full, orders.Answered(line=LineId(f"room_x_{number + 1}"))).talk
    assert why_not(full, orders.Consult(by=OPERATOR, seat="s9", phone="1")).startswith(f"There are {MOST}")
    assert why_not(full, orders.Barge(by=BOSS, phone="1")).startswith(f"There are {MOST}")
    assert not why_not(full, orders.Listen(by=BOSS, phone="1"))


def test_the_same_seat_is_not_called_twice_and_nobody_drops_the_citizen_or_himself() -> None:
    three = GIVEN["three"]
    assert why_not(three, orders.Consult(by=OPERATOR, seat=EXPERT, phone="1")).startswith("That seat is in")
    for line in (CITIZEN, OPERATOR, LineId("nobody")):
        assert why_not(three, orders.Drop(by=OPERATOR, line=line)).startswith("That is none")
    assert not why_not(three, orders.Drop(by=OPERATOR, line=EXPERT))


def test_listening_chooses_whom_one_names_and_else_who_answers_for_the_call() -> None:
    asked = decide(GIVEN["three"], orders.Listen(by=BOSS, phone="1", seat=EXPERT)).talk
    assert asked.legs[-1].target == EXPERT
    assert decide(GIVEN["three"], orders.Listen(by=BOSS, phone="1")).talk.legs[-1].target == OPERATOR
    assert why_not(GIVEN["three"], orders.Listen(by=BOSS, phone="1", seat="x")).startswith("That seat does not")


def test_a_listener_ends_with_the_one_whom_he_listens_to() -> None:
    listened = decide(GIVEN["three"], orders.Listen(by=BOSS, phone="1")).talk
    listened = decide(listened, orders.Answered(line=LineId("room_x_1"))).talk
    after = decide(listened, orders.Gone(line=OPERATOR)).talk
    assert [one.line for one in after.legs] == [CITIZEN, EXPERT]


def test_who_takes_the_call_answers_for_it() -> None:
    assert decide(GIVEN["transferring"], orders.Answered(line=EXPERT)).talk.owner == EXPERT
    assert decide(GIVEN["consulting"], orders.Gone(line=OPERATOR)).talk.owner == EXPERT
    assert decide(GIVEN["taken over"], orders.Answered(line=BOSS)).talk.owner == BOSS
    assert decide(GIVEN["consulting"], orders.Gone(line=EXPERT)).talk.owner == OPERATOR


def test_words_of_lines_that_are_no_party_change_nothing() -> None:
    for name, example in GIVEN.items():
        stranger = LineId("stranger")
        for news in (orders.Answered(line=stranger), orders.Failed(line=stranger), orders.Gone(line=stranger)):
            assert decide(example, news).talk == example, name
    three = GIVEN["three"]
    assert decide(three, orders.Answered(line=EXPERT)).talk == three
    assert decide(three, orders.Failed(line=EXPERT)).talk == three


def unit_asked(then: tuple[Callee, ...]) -> Talk:
    """The expert of a unit rings, and `then` who would be called next."""
    wish = orders.Consult(
        by="operator", seat="expert", phone="expert", purpose=orders.Purpose.UNIT, unit="fund", then=then
    )  # fmt: skip
    return decide(GIVEN["pair"], wish).talk


def test_the_next_of_the_roster_is_called_until_one_comes() -> None:
    now = unit_asked((Callee(phone="07176251234", person="Li", rank=1), Callee(seat="third", phone="7003", rank=2)))
    assert [(one.seat, one.phone, one.outside) for one in now.called] == [("expert", "expert", False)]
    now = decide(now, orders.Failed(line=LineId("room_x_1"), reason="busy")).talk
    second = now.called[0]
    assert (second.phone, second.outside, second.person, second.ask) == ("07176251234", True, "Li", "room_x_1")
    now = decide(now, orders.Failed(line=second.line)).talk
    assert [(one.seat, one.phone, one.outside, one.rank) for one in now.called] == [("third", "7003", False, 2)]
    now = decide(now, orders.Failed(line=now.called[0].line)).talk
    assert situation(now) is Situation.PAIR


def test_who_is_in_the_talk_already_is_not_called_in_his_turn() -> None:
    now = unit_asked((Callee(seat="operator", phone="operator"), Callee(phone="07176251234")))
    now = decide(now, orders.Failed(line=LineId("room_x_1"))).talk
    assert [one.phone for one in now.called] == ["07176251234"]


def test_the_longest_hold_ends_the_walk_through_the_roster() -> None:
    now = unit_asked((Callee(phone="07176251234"),))
    assert situation(decide(now, orders.TooLong()).talk) is Situation.PAIR


def test_who_has_come_is_followed_by_nobody() -> None:
    now = decide(unit_asked((Callee(phone="07176251234"),)), orders.Answered(line=LineId("room_x_1"))).talk
    now = decide(now, orders.Gone(line=LineId("room_x_1"))).talk
    assert situation(now) is Situation.PAIR


def test_who_calls_an_emergency_line_stays_until_it_answers() -> None:
    wish = orders.Consult(by="operator", phone="110", party=Party.OUTSIDE, purpose=orders.Purpose.EMERGENCY)
    assert "into the talk" in why_not(GIVEN["pair"], wish)
    warm = msgspec.structs.replace(wish, private=False)
    now = decide(GIVEN["pair"], warm).talk
    assert situation(now) is Situation.INVITING
    assert "Stay" in why_not(now, orders.Leave(by="operator"))
    assert not why_not(now, orders.Cancel(by="operator"))
    there = decide(now, orders.Answered(line=LineId("room_x_1"))).talk
    left = decide(there, orders.Leave(by="operator"))
    assert [one.party for one in left.talk.talking] == [Party.OUTSIDE]
    assert left.talk.owner_phone == "", "nobody of ours is behind that number"
    assert decide(left.talk, orders.Gone(line=LineId("room_x_1"))).ending is Ending.OVER


def test_nobody_outside_is_called_back_when_a_transfer_fails() -> None:
    outside = GIVEN["handed over outside"]
    taken = decide(outside, orders.TakeOver(by="supervisor", phone="8101")).talk
    alone = decide(taken, orders.Gone(line=LineId("office"))).talk
    assert decide(alone, orders.Failed(line=alone.called[0].line)).ending is Ending.TO_QUEUE
