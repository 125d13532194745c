"""A page that is loaded anew, closed or crashes in the middle of a call: the citizen is with somebody again."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Error, expect

from telephony.softphone import OutgoingCall
from tests.browser.chrome import WAIT_MS, Person
from tests.browser.test_desk import hears_speech, ready
from tests.house import Server
from tests.phones import eventually, wait_hears

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

Enter = Callable[[str], Person]


def talking(operator: Person, call: OutgoingCall) -> None:
    operator.sees("call", talk="ringing")
    operator.page.keyboard.press("F2")
    operator.sees("call", talk="talking")
    eventually(lambda: hears_speech(call), "the citizen hears the operator", 15)


def test_a_page_loaded_anew_takes_its_call_up_again(hotline: Server, enter: Enter) -> None:
    operator = enter("operator")
    ready(operator)
    with hotline.citizen("13900003331") as citizen:
        call = citizen.dial("12345")
        talking(operator, call)
        operator.page.reload()
        operator.sees("call", talk="talking")
        eventually(lambda: hears_speech(call), "the citizen hears the operator again", 20)
        assert call.ending is None
        expect(operator.page.get_by_text("已接回刚才的通话")).to_be_visible(timeout=WAIT_MS)
        operator.page.keyboard.press("F4")
        operator.sees("call", talk="none")
    operator.page.keyboard.press("F10")
    operator.page.get_by_test_id("sign-out").click()
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


@pytest.mark.parametrize("how", ["closed", "crashed"])
def test_the_citizen_of_a_page_that_is_gone_is_given_to_the_next_seat(hotline: Server, enter: Enter, how: str) -> None:
    operator = enter("operator")
    ready(operator)
    with hotline.citizen("13900003333") as citizen:
        call = citizen.dial("12345")
        talking(operator, call)
        with hotline.seat("8002") as other:
            if how == "closed":
                operator.page.close()
            else:
                crash(operator)
            other.wait_talks(60)
            wait_hears(call.ear, 1300)
            assert call.ending is None
            call.hang_up()
    hotline.post("/api/v1/seats/8001/sign-out", {"reason": ""})


def crash(operator: Person) -> None:
    """As when the browser kills a page that has no memory left."""
    with pytest.raises(Error):
        operator.page.goto("chrome://crash")
