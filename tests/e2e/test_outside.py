"""Calls to the outside as people make them: through the API, on a real Asterisk, to a carrier's phone."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from telephony.softphone import CallState, Tone
from tests.asterisk_node import free_udp_port
from tests.e2e import invariants
from tests.e2e.test_three_way import BOSS, EXPERT, OPERATOR, ROLES, Desk, _ticket, log_ins
from tests.e2e.test_whole_call import channels
from tests.house import Server
from tests.phones import CITIZEN_TONE, EXPERT_TONE, SEAT_TONE, Carrier, Manners, ended, eventually, hears, wait_hears

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TRUNK = {
    "HOTLINE_TRUNK_ALLOW": "07176000*",
    "HOTLINE_TRUNK_LINES": "2",
    "HOTLINE_TRUNK_NIGHT": "",
}
OFFICE = "07176000001"


@pytest.fixture(scope="module")
def hotline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running hotline with a way out."""
    server = Server(tmp_path_factory.mktemp("outside") / "data", TRUNK)
    first, last = (int(one) for one in server.environment["HOTLINE_RTP_PORTS"].split("-"))
    port = next(one for one in iter(free_udp_port, 0) if not first <= one <= last)
    server.environment["HOTLINE_TRUNK_HOST"] = f"127.0.0.1:{port}"
    with server:
        yield server


@pytest.fixture(scope="module")
def people(hotline: Server) -> dict[str, dict[str, str]]:
    return log_ins(hotline)


@pytest.fixture
def carrier(hotline: Server) -> Iterator[Carrier]:
    port = int(hotline.environment["HOTLINE_TRUNK_HOST"].rpartition(":")[2])
    with Carrier(hotline.sip, sip_port=port) as phone:
        yield phone


@pytest.fixture
def desk(hotline: Server, people: dict[str, dict[str, str]], carrier: Carrier) -> Iterator[Desk]:
    del carrier  # it is there before anybody calls
    with ExitStack() as stack:
        yield Desk(hotline, people, stack)
    invariants.check(hotline, 40)
    for seat in ROLES:
        hotline.ask("POST", f"/api/v1/seats/{seat}/sign-out")


def test_a_number_outside_is_consulted_merged_and_handed_the_citizen(desk: Desk, carrier: Carrier) -> None:
    desk.do(OPERATOR, "consult", number="0717-6000001")
    outside = carrier.wait_talks(OFFICE)
    wait_hears(outside.ear, SEAT_TONE, 20)
    assert not hears(outside.ear, CITIZEN_TONE)
    desk.wait_talk("answered")
    desk.do(OPERATOR, "merge")
    wait_hears(outside.ear, CITIZEN_TONE, 20)
    wait_hears(desk.citizen.ear, EXPERT_TONE, 20)
    desk.wait_talk("merge")
    desk.do(OPERATOR, "leave")
    ended(desk.phones[OPERATOR].call, 20)
    assert desk.citizen.state is CallState.TALKING
    wait_hears(desk.citizen.ear, EXPERT_TONE, 20)
    outside.hang_up()
    ended(desk.citizen, 30)
    ticket = _ticket(desk)
    assert ticket["agent"] == OPERATOR
    heard = desk.loudest(ticket["recording"])
    assert heard == [("citizen", "", 600), ("operator", OPERATOR, 1300), ("outside", "", 2100)]
    assert "13912345678" not in str(outside.invitation.headers)


def test_who_outside_does_not_come_leaves_citizen_and_operator_together(desk: Desk, carrier: Carrier) -> None:
    carrier.manners[OFFICE] = Manners(refuse=302, contact=f"sip:00441632960000@127.0.0.1:{carrier.phone.sip_port}")
    desk.do(OPERATOR, "consult", number=OFFICE)
    assert desk.wait_talk("failed").talk.citizen is not None
    desk.hear(("citizen", OPERATOR), (OPERATOR, "citizen"))
    carrier.manners[OFFICE] = Manners(answer_after=None)
    desk.do(OPERATOR, "consult", number=OFFICE, private=False)
    rings = carrier.wait_rings(OFFICE, 2)
    desk.do(OPERATOR, "cancel")
    ended(rings, 20)
    assert set(carrier.numbers()) == {OFFICE}, "a redirect is not followed"
    desk.phones[OPERATOR].call.hang_up()
    ended(desk.citizen, 30)


REFUSED = {
    "13912345678": (403, "neither the catalogue nor the roster"),
    "00441632960000": (403, "International"),
    "16812345": (403, "cost extra"),
    "110\r\nAction: Hangup": (400, "no telephone number"),
    "12345": (403, "neither the catalogue nor the roster"),
}


def test_what_the_guard_refuses_is_told_and_audited(desk: Desk, carrier: Carrier) -> None:
    for number, (status, sentence) in REFUSED.items():
        answer = desk.ask(OPERATOR, "consult", {"number": number})
        assert (answer.status_code, sentence in answer.text) == (status, True), answer.text
    assert desk.ask(OPERATOR, "transfer", {"number": "13912345678"}).status_code == 403
    assert desk.ask(OPERATOR, "consult", {"number": OFFICE, "seat": "8011"}).status_code == 400
    audited = desk.hotline.get(f"/api/v1/audit?subject={desk.call}", role="auditor")["items"]
    assert [one["action"] for one in audited if one["result"] == "refused"] == ["call.ask"] * 6
    assert carrier.calls == []
    desk.citizen.hang_up()


def test_the_limit_of_lines_holds_and_is_shown(desk: Desk, carrier: Carrier) -> None:
    other = "07176000002"
    desk.do(OPERATOR, "consult", number=OFFICE, private=False)
    carrier.wait_talks(OFFICE)
    desk.wait_talk("answered")
    desk.do(OPERATOR, "consult", number=other, private=False)
    carrier.wait_talks(other)
    desk.wait_talk("answered")
    refused = desk.ask(OPERATOR, "consult", {"number": "07176000003"})
    assert (refused.status_code, "line to the outside" in refused.text) == (409, True), refused.text
    usage = hotline_usage(desk.hotline)
    assert (usage["lines"], usage["lines_allowed"], usage["trunk"]) == (2, 2, True)
    assert usage["today"] >= 2
    targets = desk.hotline.get("/api/v1/outside/targets")["items"]
    assert {one["number"]: one["refused"] for one in targets}["110"] == "", "an emergency line is never full"
    desk.citizen.hang_up()
    eventually(lambda: hotline_usage(desk.hotline)["lines"] == 0, "both lines are free again", 20)


def hotline_usage(hotline: Server) -> dict[str, Any]:
    usage: dict[str, Any] = hotline.get("/api/v1/outside")
    return usage


OTHER, UNIT = "07176000002", "测试局"
ALWAYS, NEVER = "daily 00:00-24:00", "holidays 00:00-00:01"


def fix(hotline: Server, *places: dict[str, str]) -> None:
    """Who answers for the unit."""
    answer = hotline.ask("PUT", f"/api/v1/roster/{UNIT}", json={"places": list(places)})
    assert answer.status_code == 200, answer.text


def test_the_roster_of_a_unit_is_called_one_after_the_other_until_one_comes(desk: Desk, carrier: Carrier) -> None:
    fix(
        desk.hotline,
        {"person": "甲", "seat": EXPERT, "number": OFFICE, "hours": ALWAYS},
        {"person": "乙", "seat": "8012", "hours": ALWAYS},
        {"person": "丙", "number": "07176000009", "hours": NEVER},
        {"person": "丁", "number": OTHER, "hours": ALWAYS},
    )
    desk.come(EXPERT, Manners(refuse=486))
    now = desk.hotline.get(f"/api/v1/roster/{UNIT}/now")
    assert [(one["rank"], one["seat"], one["number"]) for one in now["candidates"]] == [
        (1, EXPERT, ""), (1, "", OFFICE), (4, "", OTHER),
    ]  # fmt: skip
    carrier.manners[OFFICE] = Manners(refuse=486)
    desk.do(OPERATOR, "consult", unit=UNIT)
    outside = carrier.wait_talks(OTHER)
    wait_hears(outside.ear, SEAT_TONE, 20)
    desk.wait_talk("answered")
    assert carrier.numbers() == [OFFICE, OTHER]
    desk.do(OPERATOR, "merge")
    wait_hears(outside.ear, CITIZEN_TONE, 20)
    desk.citizen.hang_up()
    ended(outside, 20)
    asked = waited_for(desk, lambda items: bool(items) and bool(items[0]["reached_at"]))[0]
    assert [(one["rank"], one["person"], one["how"], one["result"]) for one in asked["tries"]] == [
        (1, "甲", "seat", "busy"), (1, "甲", "phone", "busy"), (4, "丁", "phone", "answered"),
    ]  # fmt: skip
    assert [(one["person"], one["why"]) for one in asked["passed_over"]] == [
        ("乙", "not_signed_in"),
        ("丙", "off_duty"),
    ]
    report = desk.hotline.get("/api/v1/roster/reach")
    assert [(one["asked"], one["reached"], one["rate"]) for one in report["units"] if one["unit"] == UNIT] == [
        (1, 1, 1.0)
    ]


def waited_for(desk: Desk, ready: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """What was asked in the call, as soon as it is so."""
    found: list[dict[str, Any]] = []

    def there() -> bool:
        found[:] = desk.hotline.get(f"/api/v1/calls/{desk.call}/asks")["items"]
        return ready(found)

    eventually(there, "the asking is stored", 20)
    return found


def test_why_nobody_of_a_unit_was_reached_can_be_read(desk: Desk, carrier: Carrier) -> None:
    fix(desk.hotline, {"person": "乙", "seat": "8012", "hours": ALWAYS})
    refused = desk.ask(OPERATOR, "consult", {"unit": UNIT})
    assert (refused.status_code, "place 1 seat: not_signed_in" in refused.text) == (409, True), refused.text
    fix(desk.hotline, {"person": "甲", "number": OFFICE, "hours": ALWAYS})
    carrier.manners[OFFICE] = Manners(answer_after=None)
    desk.do(OPERATOR, "consult", unit=UNIT, private=False)
    rings = carrier.wait_rings(OFFICE)
    desk.citizen.hang_up()
    ended(rings, 20)
    asked = waited_for(desk, lambda items: len(items) == 2 and bool(items[1]["tries"][0]["result"]))
    assert [[one["why"] for one in each["passed_over"]] for each in asked] == [["not_signed_in"], []]
    assert [[one["result"] for one in each["tries"]] for each in asked] == [[], ["cancelled"]]
    assert desk.ask(OPERATOR, "consult", {"unit": "无此单位"}).status_code == 404
    log = desk.hotline.get(f"/api/v1/roster/{UNIT}/asks")["items"]
    assert {one["ask"] for one in asked} <= {one["ask"] for one in log}
    last = next(one for one in desk.hotline.get("/api/v1/roster/reach")["units"] if one["unit"] == UNIT)
    assert last["reached"] == last["asked"] - 2


def confirmed(desk: Desk, number: str, **more: object) -> str:
    """Press the emergency key the first time; the word to confirm with."""
    answer = desk.ask(OPERATOR, "emergency", {"number": number, **more})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["confirm"])


def test_an_emergency_line_is_asked_for_twice_and_takes_the_citizen_from_who_stayed(
    desk: Desk, carrier: Carrier
) -> None:
    word = confirmed(desk, "110")
    assert carrier.calls == [], "nothing is dialled by a slip of the hand"
    for wrong in ({"number": "119", "confirm": word}, {"number": "110", "confirm": "x"}):
        assert desk.ask(OPERATOR, "emergency", wrong).status_code == 409
    assert desk.ask(OPERATOR, "emergency", {"number": OFFICE}).status_code == 409, "no emergency line"
    for action in ("consult", "transfer"):
        refused = desk.ask(OPERATOR, action, {"number": "110"})
        assert (refused.status_code, "emergency" in refused.text) == (409, True)
    carrier.manners["110"] = Manners(answer_after=None)
    desk.do(OPERATOR, "emergency", number="110", confirm=confirmed(desk, "110"))
    rings = carrier.wait_rings("110")
    desk.hear(("citizen", OPERATOR), (OPERATOR, "citizen"))
    stay = desk.ask(OPERATOR, "leave")
    assert (stay.status_code, "Stay until" in stay.text) == (409, True), stay.text
    rings.say(Tone(EXPERT_TONE))
    rings.answer()
    for tone in (CITIZEN_TONE, SEAT_TONE):
        wait_hears(rings.ear, tone, 20)
    wait_hears(desk.citizen.ear, EXPERT_TONE, 20)
    desk.wait_talk("answered")
    desk.do(OPERATOR, "leave")
    ended(desk.phones[OPERATOR].call, 20)
    assert desk.citizen.state is CallState.TALKING
    rings.hang_up()
    ended(desk.citizen, 30)
    ticket = _ticket(desk)
    row = desk.hotline.get(f"/api/v1/recordings/{ticket['recording']}", role="qa")
    parties = [(one["party"], one["flags"]) for one in row["channels"]]
    assert parties == [("citizen", []), ("operator", []), ("outside", []), ("announcement", [])]
    sound = channels(desk.hotline.ask("GET", f"/api/v1/recordings/{ticket['recording']}/audio", role="qa").content)
    assert int(abs(sound[:, 3]).max()) > 1000, "what was said to all is recorded"
    history = desk.hotline.get(f"/api/v1/tickets/{ticket['id']}")["history"]
    told = [(one["action"], one["reason"]) for one in history if one["action"].startswith("emergency")]
    assert told == [("emergency_called", "110 answered"), ("emergency_handed_over", "110")]


def test_an_emergency_line_that_is_busy_is_dialled_again_and_then_a_supervisor_comes(
    desk: Desk, carrier: Carrier
) -> None:
    desk.come(BOSS)
    carrier.manners["120"] = Manners(refuse=486)
    desk.do(OPERATOR, "emergency", number="120", unclear=True, confirm=confirmed(desk, "120", unclear=True))
    desk.phones[BOSS].wait_talks(20)
    desk.hear((BOSS, "citizen"), ("citizen", BOSS), ("citizen", OPERATOR))
    assert carrier.numbers() == ["120", "120"]
    desk.citizen.hang_up()
    asked = waited_for(desk, lambda items: bool(items) and bool(items[0]["reached_at"]))[0]
    assert [(one["how"], one["result"]) for one in asked["tries"]] == [
        ("phone", "busy"), ("phone", "busy"), ("seat", "answered"),
    ]  # fmt: skip
