"""What ends by itself in a talk of several: a phone that nobody answers, a citizen who is forgotten on hold."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from calls.legs import Place
from telephony.softphone import CallState
from tests.e2e import invariants
from tests.e2e.test_three_way import EXPERT, OPERATOR, ROLES, Desk, log_ins
from tests.house import Server
from tests.phones import Manners, ended

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

SETTINGS = {"HOTLINE_LONGEST_HOLD_SECONDS": "8", "HOTLINE_RING_PARTY_SECONDS": "4"}


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running hotline with little patience."""
    with Server(tmp_path_factory.mktemp("holds") / "data", SETTINGS) as server:
        yield server


@pytest.fixture
def desk(hotline: Server) -> Iterator[Desk]:
    with ExitStack() as stack:
        yield Desk(hotline, log_ins(hotline), stack)
    invariants.check(hotline, 40)
    for seat in ROLES:
        hotline.ask("POST", f"/api/v1/seats/{seat}/sign-out")


def test_an_expert_who_does_not_answer_leaves_citizen_and_operator_together(desk: Desk) -> None:
    desk.come(EXPERT, Manners(answer_after=None))
    desk.do(OPERATOR, "consult", seat=EXPERT)
    rings = desk.phones[EXPERT].wait_rings()
    desk.wait_talk("failed")
    ended(rings)
    desk.hear(("citizen", OPERATOR), (OPERATOR, "citizen"))
    desk.phones[OPERATOR].call.hang_up()
    ended(desk.citizen, 20)


def test_a_citizen_who_is_forgotten_on_hold_is_with_the_operator_again(desk: Desk) -> None:
    desk.come(EXPERT)
    desk.do(OPERATOR, "consult", seat=EXPERT)
    desk.wait_talk("answered")
    talk = desk.wait_talk("toolong").talk
    assert talk.citizen is not None
    assert talk.citizen.place is Place.TALKING
    desk.hear(("citizen", OPERATOR), (OPERATOR, "citizen"))
    assert desk.citizen.state is CallState.TALKING
    desk.citizen.hang_up()
    ended(desk.phones[EXPERT].call)
