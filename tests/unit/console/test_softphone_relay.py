"""What a browser may send to Asterisk: only what a seat's own account says."""

import pytest

from console.softphone import may_pass

pytestmark = pytest.mark.unit


TO = "To: <sip:12345@hotline>"
WITHIN = TO + ";tag=2"


def request(*headers: str, body: str = "", to: str = TO) -> str:
    return "\r\n".join(("INVITE sip:12345@hotline SIP/2.0", to, *headers)) + "\r\n\r\n" + body


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
        (request(), False),
        (request(body="From: <sip:seat8001@hotline>"), False),
        (request("From: <sip:k3j2@127.0.0.1;transport=ws>;tag=1", to=WITHIN), True),
        (request("From: <sip:k3j2@127.0.0.1;transport=ws>;tag=1"), False),
        (request("From: <sip:trunk@hotline>;tag=1", to="To: <sip:12345@hotline;tag=2>"), False),
        (request("From: <sip:trunk@hotline>;tag=1", "t: <sip:12345@hotline>;tag=2"), False),
        (request("From: <sip:trunk@hotline>;tag=1", to='To: ";tag=2" <sip:12345@hotline>'), False),
    ],
)
def test_only_a_seats_own_account_may_speak(message: str, passes: bool) -> None:
    assert may_pass(message) is passes
