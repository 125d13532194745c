"""What the tests of odd phones share: raw seats, and questions about the newest call."""

import time
from collections.abc import Generator
from contextlib import contextmanager

from calls.model import Stepped
from tests.e2e import invariants
from tests.house import Server
from tests.phones import eventually
from tests.rawsip import RawPhone

WITH_MENU = """\
set: menu
region: "0717"
source: a test
numbers:
  - {number: 12398, name: 有菜单, owner_unit: 单位, mode: dual, needs: [general], flow: menu_12329}
"""


def with_menu(hotline: Server) -> str:
    """A number whose callers are asked at any hour, as 12329's are in its owner's."""
    made = hotline.ask(
        "POST", "/api/v1/numbers/import?file=menu.yaml", role="administrator", content=WITH_MENU.encode()
    )
    assert made.status_code == 200, made.text
    return "12398"


def known_calls(hotline: Server) -> set[str]:
    return {str(call["call"]) for call in hotline.calls()}


def new_call(hotline: Server, known: set[str]) -> dict[str, object]:
    eventually(lambda: bool(known_calls(hotline) - known), "a new call", 10)
    return next(call for call in hotline.calls() if call["call"] not in known)


def outcome(hotline: Server, known: set[str]) -> str:
    eventually(lambda: bool(new_call(hotline, known)["outcome"]), "the call has ended", 20)
    return str(new_call(hotline, known)["outcome"])


@contextmanager
def raw_seat(hotline: Server, number: str = "8001", *, state: str = "ready") -> Generator[RawPhone]:
    """A signed-in seat whose phone answers nothing by itself."""
    sip = hotline.post(f"/api/v1/seats/{number}/sign-in")["sip"]
    with RawPhone(hotline.sip) as phone:
        phone.register(sip["username"], sip["secret"])
        eventually(lambda: hotline.seat_state(number) == state, f"seat {number} is {state}", 10)
        yield phone
        phone.register(sip["username"], sip["secret"], expires=0)
    hotline.post(f"/api/v1/seats/{number}/sign-out")


def nodes(hotline: Server, call: str) -> list[str]:
    """The nodes of its flow that a call has been at."""
    facts = invariants.stored(hotline.data).calls
    return [fact.node for fact in facts if isinstance(fact, Stepped) and fact.call == call]


def hears_since(phone: RawPhone, moment: float) -> bool:
    return bool(phone.media.loud) and phone.media.loud[-1] > moment


def wait(seconds: float) -> None:
    until = time.monotonic() + seconds
    eventually(lambda: time.monotonic() >= until, "time passes", seconds + 1)


def is_ready(hotline: Server, seat: str) -> bool:
    return hotline.seat_state(seat) == "ready"
