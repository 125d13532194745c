"""A page that is loaded anew, closed or crashes in the middle of a call: the citizen is with somebody again. And a page
whose network goes away and comes back: the talk goes on, the page says what is, nothing that was typed is lost."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from telephony.softphone import OutgoingCall
from tests.browser.chrome import WAIT_MS, Person
from tests.browser.test_company import level
from tests.browser.test_desk import hears_speech, ready, ticket_of
from tests.browser.wire import Wire
from tests.house import Server
from tests.phones import Citizen, eventually, wait_hears

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

Enter = Callable[..., Person]


def talking(operator: Person, call: OutgoingCall) -> None:
    operator.sees("call", talk="ringing")
    operator.page.keyboard.press("F2")
    operator.sees("call", talk="talking")
    eventually(lambda: hears_speech(call), "the citizen hears the operator", 15)


def registered(operator: Person) -> None:
    phone = operator.page.get_by_test_id("phone")
    expect(phone).to_have_attribute("data-registration", "registered", timeout=2 * WAIT_MS)


def test_a_page_loaded_anew_goes_on_where_it_was(hotline: Server, enter: Enter) -> None:
    operator = enter("operator")
    page = operator.page
    ready(operator)
    page.reload()
    operator.sees("state", state="ready")
    registered(operator)
    with hotline.citizen("13900003331") as citizen:
        call = citizen.dial("12345")
        operator.sees("call", talk="ringing")
        page.reload()
        talking(operator, call)
        page.reload()
        operator.sees("call", talk="talking")
        eventually(lambda: hears_speech(call), "the citizen hears the operator again", 20)
        assert call.ending is None
        expect(page.get_by_text("已接回刚才的通话")).to_be_visible(timeout=WAIT_MS)
        page.keyboard.press("F7")
        operator.sees("call", talk="held")
        page.reload()
        operator.sees("call", talk="talking")
        eventually(lambda: level(page) > 0.2, "the citizen is heard again", 20)
        page.fill("input[name=matter]", "刷新后登记")
        page.keyboard.press("F4")
        operator.sees("call", talk="none")
    operator.sees("state", state="wrap_up")
    page.reload()
    operator.sees("state", state="wrap_up")
    expect(page.locator("input[name=matter]")).to_have_value("刷新后登记", timeout=WAIT_MS)
    page.keyboard.press("F10")
    page.get_by_test_id("sign-out").click()
    operator.sees("state", state="none")


def test_a_second_tab_leaves_the_call_to_the_first(hotline: Server, enter: Enter) -> None:
    operator = enter("operator")
    ready(operator)
    with hotline.citizen("13900003332") as citizen:
        call = citizen.dial("12345")
        talking(operator, call)
        second = operator.page.context.new_page()
        second.goto(operator.url("/desk"))
        expect(second.get_by_test_id("phone")).to_have_attribute("data-registration", "elsewhere", timeout=WAIT_MS)
        second.close()
        assert hears_speech(call)
        operator.sees("call", talk="talking")
        operator.page.keyboard.press("F4")
        operator.sees("call", talk="none")
    operator.page.keyboard.press("F10")
    operator.page.get_by_test_id("sign-out").click()
    operator.sees("state", state="none")


@pytest.mark.parametrize(
    ("how", "phase", "seat"),
    [
        ("closed", "talking", "8002"),
        ("crashed", "talking", "8003"),
        ("crashed", "ringing", "8004"),
        ("closed", "held", "8101"),
        ("crashed", "held", "8002"),
    ],
)
def test_the_citizen_of_a_page_that_is_gone_is_given_to_the_next_seat(
    hotline: Server, enter: Enter, how: str, phase: str, seat: str
) -> None:
    operator = enter("operator")
    ready(operator)
    hotline.ask("POST", f"/api/v1/seats/{seat}/sign-out", json={"reason": ""})  # out of the wrap-up of the case before
    with hotline.citizen("13900003333") as citizen:
        call = citizen.dial("12345")
        operator.sees("call", talk="ringing")
        if phase != "ringing":
            talking(operator, call)
        if phase == "held":
            operator.page.keyboard.press("F7")
            operator.sees("call", talk="held")
        with hotline.seat(seat) as other:
            if how == "closed":
                operator.page.close()
            else:
                operator.crash()
            other.wait_talks(60)
            wait_hears(call.ear, 1300)
            assert call.ending is None
            call.hang_up()
    hotline.post("/api/v1/seats/8001/sign-out", {"reason": ""})


def test_a_page_that_crashes_between_calls_keeps_its_text_and_holds_up_no_citizen(
    hotline: Server, enter: Enter
) -> None:
    operator = enter("operator")
    ready(operator)
    with hotline.citizen("13900003334") as citizen:
        call = citizen.dial("12345")
        talking(operator, call)
        has_own_ticket(operator, hotline)
        operator.page.keyboard.press("F4")
        operator.sees("call", talk="none")
        operator.sees("state", state="wrap_up")
        operator.page.fill("input[name=matter]", "崩溃后登记")
        operator.sees("ticket", saving="saved")
        operator.crash()
        operator.again()
        operator.sees("state", state="wrap_up")
        expect(operator.page.locator("input[name=matter]")).to_have_value("崩溃后登记", timeout=WAIT_MS)
        registered(operator)
        operator.page.keyboard.press("F10")
        operator.sees("state", state="ready")
        operator.crash()
        eventually(lambda: hotline.seat_state("8001") == "unreachable", "the hotline knows that the page is gone", 40)
        is_answered_elsewhere(hotline, citizen)
    hotline.post("/api/v1/seats/8001/sign-out", {"reason": ""})


def is_answered_elsewhere(hotline: Server, citizen: Citizen) -> None:
    """A call of this citizen is taken by another seat."""
    hotline.ask("POST", "/api/v1/seats/8002/sign-out", json={"reason": ""})
    with hotline.seat("8002") as other:
        call = citizen.dial("12345")
        other.wait_talks(40)
        hotline.wait_call("talking")
        call.hang_up()
        eventually(lambda: not hotline.calls(live=True), "the call is over", 40)


@pytest.fixture
def wire(hotline: Server) -> Iterator[Wire]:
    with Wire(hotline.http_port) as made:
        yield made


@pytest.fixture
def operator(enter: Enter, wire: Wire, hotline: Server) -> Iterator[Person]:
    """At work behind a network that can be cut; signed out afterwards."""
    person = enter("operator", port=wire.port)
    ready(person)
    yield person
    wire.mend()
    hotline.post("/api/v1/seats/8001/sign-out", {"reason": ""})
    person.complaints[:] = [one for one in person.complaints if "net::" not in one and "WebSocket" not in one]


def lost(operator: Person, wire: Wire) -> None:
    """Cut, and wait until the page says so."""
    wire.cut()
    expect(operator.page.get_by_text("连接中断")).to_be_visible(timeout=WAIT_MS)
    operator.sees("phone", registration="lost")


def back(operator: Person, wire: Wire) -> None:
    """Mend, and wait until the page is at the exchange again."""
    wire.mend()
    expect(operator.page.get_by_text("已连接")).to_be_visible(timeout=2 * WAIT_MS)
    registered(operator)


def has_own_ticket(operator: Person, hotline: Server) -> None:
    """Wait until the ticket of the talk is what is written into."""
    call = hotline.wait_call("talking")[0]["call"]
    eventually(lambda: any(one["call"] == call for one in hotline.tickets()), "the talk has its ticket", 40)
    ticket = next(one["id"] for one in hotline.tickets() if one["call"] == call)
    expect(operator.page.get_by_test_id("ticket")).to_have_attribute("data-ticket", ticket, timeout=WAIT_MS)


def test_without_network_the_talk_goes_on_and_what_is_typed_is_saved_afterwards(
    operator: Person, wire: Wire, hotline: Server
) -> None:
    with hotline.citizen("13900004442") as citizen:
        call = citizen.dial("12345")
        talking(operator, call)
        has_own_ticket(operator, hotline)
        lost(operator, wire)
        operator.page.fill("input[name=matter]", "断网期间登记")
        operator.sees("ticket", saving="offline")
        eventually(lambda: hears_speech(call), "the citizen goes on hearing the operator", 20)
        operator.sees("call", talk="talking")
        back(operator, wire)
        operator.sees("ticket", saving="saved")
        assert ticket_of(hotline, operator)["matter"] == "断网期间登记"
        operator.page.keyboard.press("F4")
        operator.sees("call", talk="none")
        eventually(lambda: call.ending is not None, "the citizen's call has ended", 40)


def test_a_citizen_who_hangs_up_while_the_network_is_gone_is_gone_from_the_page_too(
    operator: Person, wire: Wire, hotline: Server
) -> None:
    with hotline.citizen("13900004443") as citizen:
        call = citizen.dial("12345")
        talking(operator, call)
        has_own_ticket(operator, hotline)
        lost(operator, wire)
        call.hang_up()
        eventually(lambda: hotline.seat_state("8001") != "talking", "the hotline knows that the talk is over", 40)
        operator.page.fill("input[name=matter]", "话后断网登记")
        operator.sees("ticket", saving="offline")
        back(operator, wire)
        operator.sees("call", talk="none")
        operator.sees("state", state="wrap_up")
        operator.sees("ticket", saving="saved")
        assert ticket_of(hotline, operator)["matter"] == "话后断网登记"


def test_a_ready_page_without_network_holds_up_no_citizen_and_takes_calls_afterwards(
    operator: Person, wire: Wire, hotline: Server
) -> None:
    lost(operator, wire)
    eventually(lambda: hotline.seat_state("8001") == "unreachable", "the hotline knows that the page is away", 40)
    with hotline.citizen("13900004444") as citizen:
        is_answered_elsewhere(hotline, citizen)
        back(operator, wire)
        operator.sees("state", state="ready")
        call = citizen.dial("12345")
        talking(operator, call)
        operator.page.keyboard.press("F4")
        operator.sees("call", talk="none")
        eventually(lambda: call.ending is not None, "the citizen's call has ended", 40)


def test_a_call_that_rings_while_the_network_goes_away_is_answered_once_it_is_back(
    operator: Person, wire: Wire, hotline: Server
) -> None:
    with hotline.citizen("13900004445") as citizen:
        call = citizen.dial("12345")
        operator.sees("call", talk="ringing")
        lost(operator, wire)
        operator.page.keyboard.press("F2")
        operator.sees("call-lost")
        operator.sees("call", talk="none")
        back(operator, wire)
        talking(operator, call)
        operator.page.keyboard.press("F4")
        operator.sees("call", talk="none")
        eventually(lambda: call.ending is not None, "the citizen's call has ended", 40)


def test_a_citizen_on_hold_stays_there_without_network_and_is_fetched_afterwards(
    operator: Person, wire: Wire, hotline: Server
) -> None:
    with hotline.citizen("13900004446") as citizen:
        call = citizen.dial("12345")
        talking(operator, call)
        has_own_ticket(operator, hotline)
        operator.page.keyboard.press("F7")
        operator.sees("call", talk="held")
        eventually(lambda: level(operator.page) < 0.05, "the citizen is not heard while music plays", 20)
        lost(operator, wire)
        operator.page.keyboard.press("F7")
        operator.sees("late")
        operator.sees("call", talk="held")
        back(operator, wire)
        operator.sees("call", talk="talking")
        eventually(lambda: level(operator.page) > 0.2, "the citizen is heard again", 20)
        lost(operator, wire)
        operator.page.keyboard.press("F4")
        operator.sees("late")
        assert call.ending is None
        back(operator, wire)
        operator.sees("call", talk="none")
        operator.sees("state", state="wrap_up")
        eventually(lambda: call.ending is not None, "the citizen's call has ended", 40)
