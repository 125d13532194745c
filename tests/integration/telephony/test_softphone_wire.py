"""The softphone against a scripted other end: what Asterisk rarely does, but networks do."""

import re
import socket
import struct
import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest

from telephony.softphone import CallState, EndedBy, IncomingCall, Softphone
from telephony.softphone.compose import response
from telephony.softphone.message import Message
from telephony.softphone.model import Codec
from telephony.softphone.sdp import Description, render
from tests.phones import ended, eventually

pytestmark = pytest.mark.integration


class Peer:
    """A SIP server of one socket that does what the test says."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(5)
        self.address: tuple[str, int] = self.socket.getsockname()
        self.phone: tuple[str, int] = ("", 0)

    def take(self, method: str) -> Message:
        """The next message, which must be this method or code."""
        data, self.phone = self.socket.recvfrom(65535)
        message = Message(data)
        assert method in (message.method, str(message.code)), message.heading
        return message

    def answer(self, request: Message, code: int, *, body: str = "") -> None:
        data = response(request, code, tag="peer", contact="sip:peer@127.0.0.1", body=body)
        self.socket.sendto(data, self.phone)

    def send(self, data: bytes) -> None:
        self.socket.sendto(data, self.phone)

    def invite(self, call_id: str, *, branch: str, method: str = "INVITE", tag: str = "", body: str = "") -> None:
        host, port = self.address
        to = f";tag={tag}" if tag else ""
        content = "Content-Type: application/sdp\r\n" if body else ""
        self.send(
            f"{method} sip:seat@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch={branch};rport\r\n"
            f"From: <sip:139@h>;tag=them\r\nTo: <sip:seat@h>{to}\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n"
            f"Contact: <sip:them@{host}:{port}>\r\n{content}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )


@pytest.fixture
def peer() -> Iterator[Peer]:
    made = Peer()
    yield made
    made.socket.close()


@pytest.fixture
def rung() -> list[IncomingCall]:
    return []


@pytest.fixture
def phone(peer: Peer, rung: list[IncomingCall]) -> Iterator[Softphone]:
    with Softphone(peer.address, on_call=rung.append) as started:
        peer.phone = ("127.0.0.1", started.sip_port)
        yield started


def _sdp(port: int = 40000) -> str:
    return render(Description("127.0.0.1", port, (Codec.PCMA,)), 1, 1)


def test_repeated_answer_is_acknowledged_with_the_tag_of_the_answer(peer: Peer, phone: Softphone) -> None:
    call = phone.call("12345", caller="139")
    invite = peer.take("INVITE")
    for _ in range(3):
        peer.answer(invite, 200, body=_sdp())
        ack = peer.take("ACK")
        assert (ack.to_tag, ack.cseq, ack.call_id) == ("peer", invite.cseq, invite.call_id)
        assert ack.uri == "sip:peer@127.0.0.1"
    assert call.state is CallState.TALKING
    call.hang_up()
    assert peer.take("BYE").cseq == invite.cseq + 1


def test_lost_invitation_is_sent_again_unchanged(peer: Peer, phone: Softphone) -> None:
    phone.call("12345", caller="139")
    assert peer.take("INVITE").raw == peer.take("INVITE").raw


def test_answer_that_crosses_the_cancel_is_ended_by_a_bye(peer: Peer, phone: Softphone) -> None:
    call = phone.call("12345", caller="139")
    invite = peer.take("INVITE")
    peer.answer(invite, 180)
    assert call.wait_until(CallState.RINGING, 2)
    call.hang_up()
    peer.answer(peer.take("CANCEL"), 200)
    peer.answer(invite, 200, body=_sdp())
    assert peer.take("ACK").cseq == invite.cseq
    peer.answer(peer.take("BYE"), 200)
    assert ended(call).ending is not None
    assert call.ending is not None
    assert call.ending.by is EndedBy.US
    assert not call.was_answered


def test_hang_up_waits_for_the_first_sign_of_the_other_end(peer: Peer, phone: Softphone) -> None:
    """CANCEL before any provisional answer is forbidden: it could overtake its INVITE."""
    call = phone.call("12345", caller="139")
    invite = peer.take("INVITE")
    call.hang_up()
    assert peer.take("INVITE").raw == invite.raw
    peer.answer(invite, 100)
    peer.answer(peer.take("CANCEL"), 200)
    peer.answer(invite, 487)
    peer.take("ACK")
    assert ended(call).ending is not None


def test_redirection_is_reported_and_not_followed(peer: Peer, phone: Softphone) -> None:
    call = phone.call("12345", caller="139")
    invite = peer.take("INVITE")
    data = response(invite, 302, tag="peer", contact="", extra=[("Contact", "<sip:premium@127.0.0.1>")])
    peer.send(data)
    peer.take("ACK")
    ending = ended(call).ending
    assert ending is not None
    assert (ending.status, ending.contact) == (302, "sip:premium@127.0.0.1")
    peer.socket.settimeout(0.7)
    with pytest.raises(TimeoutError):
        peer.take("INVITE")


def test_answer_without_usable_audio_ends_the_call(peer: Peer, phone: Softphone) -> None:
    call = phone.call("12345", caller="139")
    peer.answer(peer.take("INVITE"), 200, body=_sdp().replace("RTP/AVP 8", "RTP/AVP 18"))
    peer.take("ACK")
    peer.take("BYE")
    ended(call)


def test_repeated_invitation_rings_once(peer: Peer, phone: Softphone, rung: list[IncomingCall]) -> None:
    for _ in range(3):
        peer.invite("one", branch="z9hG4bKone", body=_sdp())
        tag = peer.take("180").to_tag
        assert tag == _own_tag(rung)
    assert len(phone.calls) == 1


def test_caller_who_gives_up_while_it_rings_is_told_so(peer: Peer, phone: Softphone, rung: list[IncomingCall]) -> None:
    peer.invite("one", branch="z9hG4bKone", body=_sdp())
    peer.take("180")
    eventually(lambda: bool(rung), "the phone rings", 2)
    peer.invite("one", branch="z9hG4bKone", method="CANCEL")
    peer.take("200")
    peer.take("487")
    assert ended(rung[0]).ending is not None
    assert not phone.calls
    peer.invite("one", branch="z9hG4bKother", method="CANCEL")
    peer.take("481")


@pytest.mark.usefixtures("phone")
def test_late_offer_takes_the_answer_from_the_acknowledgement(peer: Peer, rung: list[IncomingCall]) -> None:
    peer.invite("late", branch="z9hG4bKlate")
    peer.take("180")
    eventually(lambda: bool(rung), "the phone rings", 2)
    rung[0].answer()
    answer = peer.take("200")
    assert "m=audio" in answer.payload
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    listener.settimeout(2)
    peer.invite("late", branch="z9hG4bKack", method="ACK", tag=answer.to_tag, body=_sdp(listener.getsockname()[1]))
    assert listener.recv(2048)[1] & 0x7F == 8
    listener.close()


@pytest.mark.usefixtures("phone")
def test_call_without_usable_audio_is_refused_when_it_is_answered(peer: Peer, rung: list[IncomingCall]) -> None:
    peer.invite("odd", branch="z9hG4bKodd", body=_sdp().replace("RTP/AVP 8", "RTP/AVP 18"))
    peer.take("180")
    eventually(lambda: bool(rung), "the phone rings", 2)
    rung[0].answer()
    peer.take("488")
    assert ended(rung[0]).ending is not None


@pytest.mark.parametrize(
    ("method", "code"), [("BYE", "481"), ("INFO", "481"), ("OPTIONS", "200"), ("NOTIFY", "200"), ("REFER", "405")]
)
def test_request_outside_a_call_gets_its_answer(peer: Peer, phone: Softphone, method: str, code: str) -> None:
    assert not phone.calls
    peer.invite("none", branch="z9hG4bKn", method=method, tag="x")
    peer.take(code)


def test_rubbish_does_not_disturb_the_phone(peer: Peer, phone: Softphone) -> None:
    for data in (b"\r\n\r\n", b"\0\0\0\0", b"hello", b"INVITE\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"\xff" * 2000):
        peer.send(data)
    peer.invite("after", branch="z9hG4bKafter", method="OPTIONS")
    peer.take("200")
    assert len(phone.sip.unreadable) == 4


def test_port_that_closes_under_a_call_ends_it(peer: Peer, phone: Softphone) -> None:
    """An Asterisk that was killed sends no BYE; its closed port tells."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    call = phone.call("12345", caller="139")
    peer.answer(peer.take("INVITE"), 200, body=_sdp(listener.getsockname()[1]))
    peer.take("ACK")
    threading.Event().wait(0.2)  # audio flows
    assert call.state is CallState.TALKING
    listener.close()
    ending = ended(call, 4).ending
    assert ending is not None
    assert ending.by is EndedBy.NETWORK


def test_two_phones_never_use_the_same_identifiers(peer: Peer) -> None:
    seen: set[str] = set()
    for _ in range(3):
        with Softphone(peer.address) as phone:
            for _ in range(3):
                phone.call("12345", caller="139")
                invite = peer.take("INVITE")
                peer.answer(invite, 486)
                peer.take("ACK")
                seen |= {invite.call_id, invite.branch, invite.from_tag}
    assert len(seen) == 27


def _own_tag(rung: list[IncomingCall]) -> str:
    eventually(lambda: bool(rung), "the phone rings", 2)
    found = re.search(r"tag=(\w+)", rung[0].dialog.local)
    assert found
    return found[1]


def test_audio_is_a_stream_of_even_steps(peer: Peer, phone: Softphone) -> None:
    """RFC 3550 §5.1: sequence numbers rise by one, time stamps by the samples of a packet, one source, marked once."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    listener.settimeout(2)
    phone.call("12345", caller="139")
    peer.answer(peer.take("INVITE"), 200, body=_sdp(listener.getsockname()[1]))
    peer.take("ACK")
    packets = [struct.unpack("!BBHLL", listener.recv(2048)[:12]) for _ in range(40)]
    listener.close()
    assert {packet[0] for packet in packets} == {0x80}
    assert [packet[1] >> 7 for packet in packets] == [1] + [0] * 39
    assert {packet[1] & 0x7F for packet in packets} == {8}
    assert {(b[2] - a[2]) % 2**16 for a, b in pairwise(packets)} == {1}
    assert {(b[3] - a[3]) % 2**32 for a, b in pairwise(packets)} == {160}
    assert len({packet[4] for packet in packets}) == 1


@pytest.mark.parametrize(("wish", "answer"), [("sendonly", "recvonly"), ("inactive", "inactive")])
def test_phone_that_is_put_on_hold_stops_sending_until_it_is_taken_back(
    peer: Peer, phone: Softphone, wish: str, answer: str
) -> None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))
    listener.settimeout(2)
    offer = _sdp(listener.getsockname()[1])
    call = phone.call("12345", caller="139")
    invite = peer.take("INVITE")
    peer.answer(invite, 200, body=offer)
    peer.take("ACK")
    listener.recv(2048)
    peer.invite(call.call_id, branch="z9hG4bKhold", tag=invite.from_tag, body=offer.replace("sendrecv", wish))
    assert f"a={answer}" in peer.take("200").payload
    assert call.held
    _drain(listener)
    listener.settimeout(0.3)
    with pytest.raises(TimeoutError):
        listener.recv(2048)
    peer.invite(call.call_id, branch="z9hG4bKback", tag=invite.from_tag, body=offer)
    assert "a=sendrecv" in peer.take("200").payload
    assert listener.recv(2048)
    assert not call.held
    listener.close()


def _drain(listener: socket.socket) -> None:
    """Forget what came before now."""
    listener.setblocking(False)
    try:
        while listener.recv(2048):
            pass
    except BlockingIOError:
        return


def test_late_packets_leave_no_gap_and_left_out_ones_do(peer: Peer, phone: Softphone) -> None:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.bind(("127.0.0.1", 0))
    call = phone.call("12345", caller="139")
    peer.answer(peer.take("INVITE"), 200, body=_sdp(sender.getsockname()[1]))
    peer.take("ACK")
    assert call.wait_until(CallState.TALKING, 2)

    def send(number: int, timestamp: int, source: int = 7) -> None:
        packet = struct.pack("!BBHLL", 0x80, 8, number, timestamp % 2**32, source) + b"\xd5" * 160
        sender.sendto(packet, ("127.0.0.1", call.media.inPort))
        eventually(lambda: call.figures.received == number, "the packet came", 2)

    wrap = 2**32 - 160
    send(1, wrap)
    threading.Event().wait(0.3)  # late
    send(2, wrap + 160)
    send(3, wrap + 320 + 1600)  # 200 ms left out
    assert len(call.ear.pcm(on_time=True)) == 3 * 320 + 3200
    threading.Event().wait(0.1)
    send(4, 99, source=8)  # another stream: only our clock can tell
    assert 3 * 320 + 3200 + 1200 < len(call.ear.pcm(on_time=True)) < 3 * 320 + 3200 + 4800
    sender.close()
