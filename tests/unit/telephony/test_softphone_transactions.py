"""Transactions under loss, in simulated time: what is repeated, when it stops, and that nothing is answered twice."""

from datetime import UTC, datetime, timedelta

import pytest

from hotline.clock import ManualClock
from telephony.softphone.compose import Request, response
from telephony.softphone.loop import Loop
from telephony.softphone.message import Message
from telephony.softphone.model import Account
from telephony.softphone.replies import Replies
from telephony.softphone.transactions import Requests

pytestmark = pytest.mark.unit


class Bench:
    """One phone's transactions, a wire that is a list, and a clock that moves when told to."""

    def __init__(self, account: Account | None = None) -> None:
        self.clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.loop = Loop(self.clock, "test")
        self.wire: list[Message] = []
        self.answers: list[Message] = []
        self.silences: list[str] = []
        self.requests = Requests(self.loop, lambda data: self.wire.append(Message(data)), "1.1.1.1:5", account)
        self.replies = Replies(self.loop, lambda data, _to: self.wire.append(Message(data)), lambda: "sip:me@1.1.1.1:5")

    def send(self, method: str) -> Message:
        request = Request(method, "sip:1@h", "<sip:2@h>;tag=a", "<sip:1@h>", "id", 1, "sip:2@h")
        self.sent = self.requests.send(request, self.answers.append, self.silences.append)
        return self.wire[-1]

    def answer(self, code: int, to: Message | None = None, **extra: str) -> None:
        asked = to or self.wire[-1]
        headers = [(name.replace("_", "-"), value) for name, value in extra.items()]
        self.requests.response(Message(response(asked, code, tag="b", contact="sip:1@h", extra=headers)))

    def wait(self, seconds: float) -> list[str]:
        """Let time pass; what was sent in it, as methods or codes."""
        before = len(self.wire)
        for _ in range(round(seconds * 20)):
            self.clock.advance(timedelta(seconds=0.05))
            self.loop.run_timers()
        return [message.method or str(message.code) for message in self.wire[before:]]


def test_unanswered_invitation_is_repeated_with_doubled_pauses_and_given_up_after_32_seconds() -> None:
    bench = Bench()
    first = bench.send("INVITE")
    assert bench.wait(31.9) == ["INVITE"] * 6
    assert {message.raw for message in bench.wire} == {first.raw}
    assert bench.silences == []
    bench.wait(2)
    assert bench.silences == ["nobody answered in time"]
    assert bench.wait(60) == []
    assert bench.requests.remembered == 0


def test_unanswered_other_request_is_repeated_every_four_seconds_at_last() -> None:
    bench = Bench()
    bench.send("BYE")
    assert bench.wait(31.9) == ["BYE"] * 10
    bench.wait(1)
    assert len(bench.silences) == 1


def test_ringing_stops_the_repetition_and_not_the_call() -> None:
    bench = Bench()
    bench.send("INVITE")
    bench.answer(180)
    assert bench.wait(120) == []
    assert bench.silences == []
    assert [answer.code for answer in bench.answers] == [180]


def test_refusal_is_acknowledged_in_its_transaction_as_often_as_it_comes_but_told_once() -> None:
    bench = Bench()
    invite = bench.send("INVITE")
    for _ in range(3):
        bench.answer(486, invite)
    acks = bench.wire[1:]
    assert [message.method for message in acks] == ["ACK"] * 3
    assert {(ack.branch, ack.cseq, ack.to_tag) for ack in acks} == {(invite.branch, invite.cseq, "b")}
    assert [answer.code for answer in bench.answers] == [486]


def test_answer_that_comes_again_is_acknowledged_again() -> None:
    bench = Bench()
    invite = bench.send("INVITE")
    bench.answer(200, invite)
    ack = Request("ACK", "sip:1@h", "<sip:2@h>;tag=a", "<sip:1@h>;tag=b", "id", 1, "sip:2@h")
    bench.requests.acknowledge(bench.answers[0], ack)
    bench.answer(200, invite)
    bench.answer(200, invite)
    acks = bench.wire[1:]
    assert len(acks) == 3
    assert len({message.raw for message in acks}) == 1
    assert acks[0].branch != invite.branch
    bench.wait(33)
    assert bench.requests.remembered == 0


def test_challenge_is_met_once_and_the_second_one_is_a_refusal() -> None:
    bench = Bench(Account("seat8001", "secret"))
    first = bench.send("INVITE")
    bench.answer(401, first, WWW_Authenticate='Digest realm="r",nonce="n"')
    ack, second = bench.wire[1:]
    assert (ack.method, second.method, second.cseq) == ("ACK", "INVITE", first.cseq + 1)
    assert 'username="seat8001"' in second.value("Authorization")
    assert second.branch != first.branch
    bench.answer(401, first, WWW_Authenticate='Digest realm="r",nonce="n"')
    assert bench.wire[-1].method == "ACK"
    assert bench.answers == []
    bench.answer(401, second, WWW_Authenticate='Digest realm="r",nonce="n2"')
    assert [answer.code for answer in bench.answers] == [401]


def test_challenge_without_an_account_is_a_refusal() -> None:
    bench = Bench()
    bench.answer(407, bench.send("INVITE"), Proxy_Authenticate='Digest realm="r",nonce="n"')
    assert [answer.code for answer in bench.answers] == [407]


def test_cancel_is_repeated_until_the_invitation_is_answered() -> None:
    bench = Bench()
    invite = bench.send("INVITE")
    bench.answer(180)
    bench.requests.cancel(bench.sent)
    assert (bench.wire[-1].method, bench.wire[-1].branch) == ("CANCEL", invite.branch)
    assert bench.wait(3.0) == ["CANCEL"] * 2
    bench.answer(487, invite)
    assert bench.wire[-1].method == "ACK"
    assert bench.wait(40) == []
    assert bench.answers[-1].code == 487


def test_cancel_that_nobody_answers_is_given_up() -> None:
    bench = Bench()
    bench.send("INVITE")
    bench.answer(180)
    bench.requests.cancel(bench.sent)
    bench.wait(33)
    assert len(bench.silences) == 1


def test_answer_to_another_method_or_branch_is_not_ours() -> None:
    bench = Bench()
    invite = bench.send("INVITE")
    bench.requests.response(Message(response(invite, 200, tag="b", contact="x").replace(b"z9hG4bK", b"z9hG4bKother")))
    bench.requests.response(Message(response(invite, 200, tag="b", contact="x").replace(b"1 INVITE", b"1 CANCEL")))
    assert bench.answers == []


def test_closed_port_fails_only_what_has_had_no_answer() -> None:
    bench = Bench()
    bench.answer(180, bench.send("INVITE"))
    bench.send("OPTIONS")
    bench.requests.fail("nobody listens there")
    assert bench.silences == ["nobody listens there"]
    assert bench.requests.busy


def _received(method: str, branch: str = "z9hG4bKx", cseq: int = 4) -> Message:
    text = (
        f"{method} sip:me@1.1.1.1:5 SIP/2.0\r\nVia: SIP/2.0/UDP 2.2.2.2:5;branch={branch}\r\n"
        f"From: <sip:1@h>;tag=a\r\nTo: <sip:2@h>\r\nCall-ID: id\r\nCSeq: {cseq} {method}\r\n\r\n"
    )
    return Message(text.encode())


def test_repeated_request_gets_the_same_answer_again() -> None:
    bench = Bench()
    assert not bench.replies.repeat(_received("BYE"))
    bench.replies.give(_received("BYE"), 200, tag="t")
    assert bench.replies.repeat(_received("BYE"))
    assert [message.code for message in bench.wire] == [200, 200]
    assert not bench.replies.repeat(_received("BYE", branch="z9hG4bKy"))
    bench.wait(40)
    assert not bench.replies.repeat(_received("BYE"))


def test_repeated_invitation_gets_the_latest_answer() -> None:
    bench = Bench()
    invitation = _received("INVITE")
    bench.replies.give(invitation, 180, tag="t")
    bench.replies.give(invitation, 200, tag="t")
    bench.replies.repeat(_received("INVITE"))
    assert [message.code for message in bench.wire] == [180, 200, 200]


def test_answer_to_an_invitation_is_repeated_until_its_acknowledgement() -> None:
    bench = Bench()
    lost: list[str] = []
    bench.replies.give(_received("INVITE"), 200, tag="t", silent=lambda: lost.append("silence"))
    assert bench.wait(4) == ["200"] * 3
    assert not bench.replies.acknowledged(_received("ACK", cseq=5))
    assert bench.replies.acknowledged(_received("ACK"))
    assert not bench.replies.acknowledged(_received("ACK"))
    assert bench.wait(60) == []
    assert lost == []


def test_answer_that_is_never_acknowledged_is_told() -> None:
    bench = Bench()
    lost: list[str] = []
    bench.replies.give(_received("INVITE"), 200, tag="t", silent=lambda: lost.append("silence"))
    assert len(bench.wait(31.5)) == 10
    bench.wait(5)
    assert lost == ["silence"]
    assert bench.wait(60) == []
