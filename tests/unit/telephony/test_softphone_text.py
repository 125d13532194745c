"""The softphone's texts: messages received and sent, session descriptions, credentials. No sockets."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.errors import BadInput
from telephony.softphone import asserted_identity, dialled_as, diversion, history
from telephony.softphone.compose import Request, check_headers, request, response
from telephony.softphone.dialog import address, dialog_of_invitation, dialog_of_outgoing
from telephony.softphone.digest import authorisation, challenge
from telephony.softphone.errors import NotAcceptable
from telephony.softphone.message import Message, tag, uri, user
from telephony.softphone.model import Account, Codec, Direction, check_keys, check_number
from telephony.softphone.pyvoip import SIPParseError, SIPStatus
from telephony.softphone.sdp import Description, common, parse, render

pytestmark = pytest.mark.unit

INVITE = (
    b"INVITE sip:seat8001@127.0.0.1:5062 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKtop\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKbelow\r\n"
    b"record-route: <sip:10.0.0.2;lr>, <sip:10.0.0.3;lr>\r\n"
    b'f: "A: b" <sip:13912345678@127.0.0.1>;tag=caller\r\n'
    b"t: <sip:seat8001@127.0.0.1>\r\n"
    b"i: abc@127.0.0.1\r\n"
    b"CSeq: 7 INVITE\r\n"
    b"m: <sip:asterisk@127.0.0.1:5060>\r\n"
    b'Reason: Q.850;cause=17;text="User: busy"\r\n'
    b"Subject: folded\r\n  over lines\r\n"
    b"X-Empty:\r\n"
    b"l: 0\r\n\r\n"
)
OFFER = (
    "v=0\r\no=- 1 2 IN IP4 10.0.0.9\r\ns=Asterisk\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"
    "m=audio 20002 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
)


def test_compact_folded_repeated_and_empty_headers_are_read() -> None:
    message = Message(INVITE)
    assert (message.method, message.code, message.cseq, message.cseq_method) == ("INVITE", 0, 7, "INVITE")
    assert (message.call_id, message.branch, message.from_tag, message.to_tag) == (
        "abc@127.0.0.1", "z9hG4bKtop", "caller", "",
    )  # fmt: skip
    assert message.routes == ("<sip:10.0.0.2;lr>", "<sip:10.0.0.3;lr>")
    assert message.value("Subject") == "folded over lines"
    assert message.value("X-Empty") == ""
    assert message.values("via")[1].endswith("below")
    assert message.cause == 17


def test_status_unknown_to_the_library_keeps_its_code() -> None:
    data = INVITE.replace(b"INVITE sip:seat8001@127.0.0.1:5062 SIP/2.0", b"SIP/2.0 499 Something Of Its Own")
    message = Message(data)
    assert (message.code, message.phrase, message.method) == (499, "Something Of Its Own", "")
    assert message.status is SIPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"hello",
        b"SIP/2.0 abc Odd\r\n\r\n",
        b"BREW sip:x HTCPCP/1.0\r\n\r\n",
        INVITE.replace(b"CSeq: 7 INVITE", b"CSeq: many INVITE"),
        INVITE.replace(b"CSeq: 7 INVITE\r\n", b""),
        INVITE.replace(b"i: abc@127.0.0.1\r\n", b""),
        INVITE.replace(b"v: SIP", b"w: SIP").replace(b"Via: SIP", b"w: SIP"),
        INVITE.replace(b"t: <sip:seat8001@127.0.0.1>", b"t: somebody"),
    ],
)
def test_broken_message_is_refused_as_such(data: bytes) -> None:
    with pytest.raises(SIPParseError):
        Message(data)


@given(st.binary(max_size=400) | st.binary(max_size=60).map(lambda noise: INVITE[:150] + noise + INVITE[150:]))
def test_any_bytes_are_a_message_or_a_parse_error(data: bytes) -> None:
    try:
        message = Message(data)
    except SIPParseError:
        return
    assert message.call_id


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"王" <sip:8001@host;transport=udp>;tag=x;more=1', ("x", "sip:8001@host;transport=udp", "8001")),
        ("sip:8001@host;tag=y", ("y", "sip:8001@host", "8001")),
        ("<sip:host>", ("", "sip:host", "")),
        ("<tel:+867171234>;tag=z", ("z", "tel:+867171234", "+867171234")),
        ('"odd;tag=no" <sip:a@b>', ("", "sip:a@b", "a")),
    ],
)
def test_parts_of_an_address(value: str, expected: tuple[str, str, str]) -> None:
    assert (tag(value), uri(value), user(value)) == expected


def test_answer_repeats_vias_routes_and_tags_of_the_request() -> None:
    asked = Message(INVITE)
    answer = Message(response(asked, 200, tag="mine", contact="sip:me@1.2.3.4:5", body="v=0\r\n"))
    assert answer.values("Via") == asked.values("Via")
    assert answer.routes == asked.routes
    assert (answer.from_tag, answer.to_tag, answer.cseq, answer.call_id) == ("caller", "mine", 7, asked.call_id)
    assert answer.payload == "v=0\r\n"
    assert answer.value("Content-Length") == "5"


def test_redirection_names_only_the_new_address() -> None:
    answer = Message(response(Message(INVITE), 302, tag="t", contact="sip:me@h", extra=[("Contact", "<sip:other@h>")]))
    assert answer.values("Contact") == ["<sip:other@h>"]


def test_dialog_names_itself_alike_from_both_sides() -> None:
    local = address("139", "h", 'Mr "X"\r\n')
    calling = dialog_of_outgoing("12345", "12329", "10.0.0.1:5060", local=local, contact="sip:c@h")
    sent = Message(request(calling.request("INVITE"), via="1.1.1.1:5", branch="z9hG4bKb"))
    assert sent.value("From").startswith('"Mr X" <sip:139@h>;tag=')
    assert (sent.uri, user(sent.value("To"))) == ("sip:12345@10.0.0.1:5060", "12329")
    called = dialog_of_invitation(sent, tag="callee", contact="sip:d@h", cseq=5)
    calling.established(Message(response(sent, 200, tag="callee", contact="sip:d@h")))
    bye = Message(request(calling.request("BYE"), via="1.1.1.1:5", branch="z9hG4bKc"))
    back = Message(request(called.request("BYE"), via="2.2.2.2:5", branch="z9hG4bKd"))
    assert (bye.uri, back.uri) == ("sip:d@h", "sip:c@h")
    assert (bye.to_tag, bye.from_tag) == (back.from_tag, back.to_tag)
    assert bye.cseq == sent.cseq + 1


def test_acknowledgement_keeps_the_number_of_its_invitation() -> None:
    dialog = dialog_of_outgoing("1", "1", "h", local="<sip:2@h>", contact="sip:c@h")
    invitation = dialog.request("INVITE")
    assert dialog.request("ACK").cseq == invitation.cseq
    assert dialog.request("BYE").cseq == invitation.cseq + 1


def test_route_of_an_answer_is_reversed_for_the_caller() -> None:
    dialog = dialog_of_outgoing("1", "1", "h", local="<sip:2@h>", contact="sip:c@h")
    dialog.established(Message(INVITE.replace(b"INVITE sip:seat8001@127.0.0.1:5062 SIP/2.0", b"SIP/2.0 200 OK")))
    assert dialog.request("BYE").routes == ("<sip:10.0.0.3;lr>", "<sip:10.0.0.2;lr>")


@pytest.mark.parametrize("number", ["", "1 2", "1@x", "1\r\nX: y", "<sip:1>", "一", "1" * 65])
def test_number_that_cannot_be_dialled_is_refused(number: str) -> None:
    with pytest.raises(BadInput):
        check_number(number)


def test_keys_are_checked() -> None:
    assert check_keys("12*#a") == "12*#A"
    with pytest.raises(BadInput, match="Z"):
        check_keys("1Z")


@pytest.mark.parametrize("header", [("X", "a\r\nBye: 1"), ("X: y", "v"), ("", "v"), ("X", "a\nb"), ("X", "a\0b")])
def test_header_that_smuggles_another_is_refused(header: tuple[str, str]) -> None:
    with pytest.raises(BadInput):
        check_headers([header])


def test_headers_of_a_trunk() -> None:
    assert diversion("12366")[1].startswith("<sip:12366@")
    assert asserted_identity("139")[0] == "P-Asserted-Identity"
    assert history("12366", "12345")[1] == ("<sip:12366@trunk.invalid>;index=1, <sip:12345@trunk.invalid>;index=1.1")
    assert dialled_as("12329")[0] == "P-Called-Party-ID"
    with pytest.raises(BadInput):
        diversion("1>,<sip:2")


def test_description_is_read_as_it_is_written() -> None:
    wish = Description("10.0.0.9", 20002, (Codec.PCMU, Codec.PCMA), 96, Direction.SEND)
    assert parse(render(wish, 5, 6)) == wish
    assert "o=hotline 5 6 IN IP4 10.0.0.9" in render(wish, 5, 6)


def test_offer_of_asterisk_is_understood() -> None:
    assert parse(OFFER) == Description("10.0.0.9", 20002, (Codec.PCMA, Codec.PCMU), 101, Direction.BOTH)


def test_address_of_the_stream_wins_over_that_of_the_session() -> None:
    assert parse(OFFER.replace("a=ptime", "c=IN IP4 10.0.0.8\r\na=ptime")).address == "10.0.0.8"


def test_old_hold_by_a_zero_address_stops_the_audio() -> None:
    assert parse(OFFER.replace("c=IN IP4 10.0.0.9", "c=IN IP4 0.0.0.0")).direction is Direction.NONE


@pytest.mark.parametrize(
    "text",
    [
        "",
        OFFER.replace("RTP/AVP", "RTP/SAVP"),
        OFFER.replace("8 0 101", "18 101"),
        OFFER.replace("audio 20002", "audio 0"),
        OFFER.replace("m=audio", "m=video"),
        OFFER.replace("c=IN IP4 10.0.0.9", "c=IN IP6 ::1"),
    ],
)
def test_offer_without_plain_g711_audio_is_not_acceptable(text: str) -> None:
    with pytest.raises(NotAcceptable):
        parse(text)


def test_second_stream_is_taken_when_the_first_is_refused() -> None:
    offer = OFFER.replace("m=audio 20002 RTP/AVP 8", "m=audio 0 RTP/AVP 8\r\nm=audio 20004 RTP/AVP 8")
    assert parse(offer).port == 20004


def test_common_codecs_are_in_the_others_order() -> None:
    assert common((Codec.PCMU, Codec.PCMA), (Codec.PCMA, Codec.PCMU)) == (Codec.PCMA, Codec.PCMU)
    with pytest.raises(NotAcceptable):
        common((Codec.PCMU,), (Codec.PCMA,))


def test_digest_is_that_of_the_standards_example() -> None:
    """RFC 2617 §3.5, with SIP's method and address in place of HTTP's."""
    asked = {"realm": "testrealm@host.com", "nonce": "dcd98b", "qop": "auth", "opaque": "5ccc"}
    account = Account("seat8001", "secret")
    name, value = authorisation(account, asked, code=407, method="INVITE", uri="sip:1@h", cnonce="0a4f")
    ha1, ha2 = _md5("seat8001:testrealm@host.com:secret"), _md5("INVITE:sip:1@h")
    expected = _md5(f"{ha1}:dcd98b:00000001:0a4f:auth:{ha2}")
    assert name == "Proxy-Authorization"
    assert f'response="{expected}"' in value
    assert 'opaque="5ccc"' in value
    assert "secret" not in value


def test_digest_without_quality_of_protection_and_with_sha256() -> None:
    asked = {"realm": "r", "nonce": "n", "algorithm": "SHA-256"}
    name, value = authorisation(Account("u", "p"), asked, code=401, method="REGISTER", uri="sip:h", cnonce="c")
    ha1, ha2 = hashlib.sha256(b"u:r:p").hexdigest(), hashlib.sha256(b"REGISTER:sip:h").hexdigest()
    assert hashlib.sha256(f"{ha1}:n:{ha2}".encode()).hexdigest() in value
    assert name == "Authorization"
    assert "qop" not in value


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('Digest realm="a, b",nonce="n/1",algorithm=md5,qop="auth,auth-int"', True),
        ('Digest realm="a",nonce="n",algorithm=SHA-512-256', False),
        ('Digest realm="a",nonce="n",qop="auth-int"', False),
        ('Basic realm="a"', False),
        ('Digest realm="a"', False),
    ],
)
def test_only_a_challenge_that_can_be_met_is_taken(header: str, found: bool) -> None:
    start = INVITE.replace(b"INVITE sip:seat8001@127.0.0.1:5062 SIP/2.0", b"SIP/2.0 401 Unauthorized")
    message = Message(start.replace(b"l: 0", f"WWW-Authenticate: {header}".encode()))
    asked = challenge(message)
    assert (asked is not None) is found
    if asked and "," in asked["realm"]:
        assert asked["realm"] == "a, b"


def test_password_is_in_no_text_about_an_account() -> None:
    assert "secret" not in repr(Account("seat8001", "secret"))


def test_request_counts_its_body_in_bytes() -> None:
    asked = Request("MESSAGE", "sip:a@b", "<sip:a@b>;tag=1", "<sip:c@d>", "id", 1, "sip:a@b", body="您好")
    sent = request(asked, via="1.1.1.1:1", branch="z9hG4bK1")
    assert b"Content-Length: 6\r\n\r\n" in sent


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
