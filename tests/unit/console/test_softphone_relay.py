"""What a browser may send to Asterisk: only what a seat's own account says."""

import pytest

from console.softphone import may_pass

pytestmark = pytest.mark.unit


def request(*headers: str, body: str = "") -> str:
    return "\r\n".join(("INVITE sip:12345@hotline SIP/2.0", *headers)) + "\r\n\r\n" + body


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        (request("From: <sip:seat8001@hotline>;tag=1"), True),
        (request('From: "seat" <sip:seat8001@hotline>;tag=1'), True),
        (request("from : sip:seat8001@hotline;tag=1"), True),
        ("SIP/2.0 200 OK\r\nFrom: <sip:12345@hotline>\r\n\r\n", True),
        ("\r\n\r\n", True),
        (request("From: <sip:13900001111@hotline>;tag=1"), False),
        (request("From: <sip:trunk@hotline>;tag=1"), False),
        (request("From: <sip:seat8001x@hotline>;tag=1"), False),
        (request('From: "sip:seat8001@hotline" <sip:trunk@hotline>;tag=1'), False),
        (request("From: <sip:seat8001@hotline>", "f: <sip:trunk@hotline>"), False),
        (request("f: <sip:trunk@hotline>"), False),
        (request("From:\r\n <sip:trunk@hotline>"), False),
        (request("To: <sip:12345@hotline>"), False),
        (request("To: <sip:12345@hotline>", body="From: <sip:seat8001@hotline>"), False),
    ],
)
def test_only_a_seats_own_account_may_speak(message: str, passes: bool) -> None:
    assert may_pass(message) is passes
