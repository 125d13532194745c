"""What a desk shows of its talk, and that it offers only what would be granted."""

import pytest

from agents.http import SeatView
from agents.model import AgentKind, SeatState
from calls.legs import Goal
from calls.outcomes import EXPERT, GIVEN, OPERATOR
from console.company import Deed, Found, TalkShown, shown

pytestmark = pytest.mark.unit

SEATS: dict[str, SeatView] = {
    EXPERT: SeatView(
        seat=EXPERT, name="A", kind=AgentKind.EXPERT, units=["Funds"], phone="1", state=SeatState.READY, reachable=True
    )
}


def desk(given: str, seat: str = OPERATOR) -> TalkShown:
    return shown(Found("call_1", GIVEN[given]), seat, SEATS)


def test_parties_have_their_names_and_places_and_who_only_listens_is_not_told() -> None:
    talk = desk("consulting")
    parties = [(one.party.value, one.seat, one.name, one.units, one.place.value) for one in talk.parties]
    assert parties == [
        ("citizen", "", "", [], "held"),
        ("operator", OPERATOR, "", [], "talking"),
        ("expert", EXPERT, "A", ["Funds"], "talking"),
    ]
    assert [one.party.value for one in desk("listened to").parties] == ["citizen", "operator"]


@pytest.mark.parametrize(
    ("given", "may"),
    [
        ("pair", [Deed.CONSULT, Deed.TRANSFER]),
        ("asking", [Deed.RETRIEVE, Deed.CANCEL, Deed.LEAVE]),
        ("consulting", [Deed.MERGE, Deed.SWAP, Deed.RETRIEVE, Deed.CANCEL, Deed.LEAVE]),
        ("three", [Deed.CONSULT, Deed.LEAVE]),
        ("swapped", [Deed.MERGE, Deed.SWAP, Deed.CANCEL, Deed.LEAVE]),
    ],
)
def test_only_what_would_be_granted_is_offered(given: str, may: list[Deed]) -> None:
    assert desk(given).may == may


def test_others_of_three_can_be_held_and_all_but_the_citizen_taken_out() -> None:
    marks = {one.party.value: (one.may_hold, one.may_drop) for one in desk("three").parties}
    assert marks == {"citizen": (True, False), "operator": (False, False), "expert": (True, True)}


def test_who_is_called_sees_what_for_and_may_do_nothing_yet() -> None:
    talk = desk("asking", EXPERT)
    assert (talk.goal, talk.may) == (Goal.CONSULT, [])
    assert desk("asking").goal is None
