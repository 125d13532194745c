"""The AMI connection against a scripted double: what a real Asterisk does too rarely to wait for."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from hotline.clock import SystemClock
from hotline.errors import BadInput
from telephony.ami import AmiLink, AmiTimes, LinkDown, LinkUp
from telephony.amiproto import Ask
from telephony.amiwire import Message
from telephony.errors import ActionRefused, AsteriskUnreachable, LineGoneError
from tests.fake_ami import BOOTED, Action, FakeAmi, error, event, response, success

pytestmark = pytest.mark.integration

TIMES = AmiTimes(answer=1.0, ping_every=0.2, dead_after=0.6, retry_first=0.05, retry_longest=0.2, retry_refused=0.3)


class Listener:
    """Takes note of everything and lets tests wait for it."""

    def __init__(self) -> None:
        self.heard: list[Message | LinkUp | LinkDown] = []
        self.raises: type[Exception] | None = None
        self._came = asyncio.Event()

    def __call__(self, message: Message | LinkUp | LinkDown) -> None:
        self.heard.append(message)
        self._came.set()
        if self.raises and not isinstance(message, LinkUp | LinkDown):
            raise self.raises

    @property
    def events(self) -> list[Message]:
        return [message for message in self.heard if not isinstance(message, LinkUp | LinkDown)]

    def count(self, kind: type[LinkUp] | type[LinkDown]) -> int:
        return sum(isinstance(message, kind) for message in self.heard)

    async def until(self, condition: Callable[[], bool], within: float = 5.0) -> None:
        async with asyncio.timeout(within):
            while not condition():
                self._came.clear()
                await self._came.wait()


@asynccontextmanager
async def linked(
    fake: FakeAmi, listener: Listener, *events: str, times: AmiTimes = TIMES, up: bool = True
) -> AsyncIterator[AmiLink]:
    link = AmiLink(fake.endpoint, SystemClock(), listener, events=events or ("Hangup",), times=times)
    running = asyncio.create_task(link.run())
    try:
        if up:
            await listener.until(lambda: listener.count(LinkUp) > 0)
        yield link
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def fake() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as double:
        yield double


@pytest.fixture
async def listener() -> Listener:
    return Listener()


async def test_a_chinese_name_survives_every_cut(fake: FakeAmi, listener: Listener) -> None:
    data = event("Hangup", CallerIDName="公积金专席")
    async with linked(fake, listener, times=AmiTimes(ping_every=60)) as link:
        await fake.wait_for(lambda: bool(fake.actions("Ping")))
        await link.act("CoreSettings")  # so that no answer is written between the halves
        for cut in range(1, len(data)):
            fake.say(data[:cut])
            await asyncio.sleep(0)
            fake.say(data[cut:])
        await listener.until(lambda: len(listener.events) == len(data) - 1)
    assert {message["CallerIDName"] for message in listener.events} == {"公积金专席"}


async def test_only_wanted_events_are_heard_in_their_order(fake: FakeAmi, listener: Listener) -> None:
    async with linked(fake, listener):
        for number in range(50):
            fake.say(event("VarSet", Value=str(number)) + event("Hangup", N=str(number)))
        await listener.until(lambda: len(listener.events) == 50)
    assert [message["N"] for message in listener.events] == [str(number) for number in range(50)]


async def test_a_hearer_that_raises_costs_neither_the_connection_nor_the_next_event(
    fake: FakeAmi, listener: Listener
) -> None:
    listener.raises = RuntimeError
    async with linked(fake, listener) as link:
        fake.say(event("Hangup", N="1") + event("Hangup", N="2"))
        await listener.until(lambda: len(listener.events) == 2)
        await link.act("Ping")
    assert fake.connections == 1


async def test_an_unanswered_action_times_out_and_a_late_answer_is_ignored(fake: FakeAmi, listener: Listener) -> None:
    asked: list[dict[str, str]] = []
    fake.answers["Redirect"] = lambda action: asked.append(action)
    async with linked(fake, listener) as link:
        with pytest.raises(AsteriskUnreachable):
            await link.act("Redirect", {"Channel": "x"}, within=0.05)
        fake.say(success(asked[0]) + response({"ActionID": "nobody"}, "Success"))
        await link.act("Ping")
        assert link.protocol is not None
        assert link.protocol.responses == {}
    assert fake.connections == 1


async def test_pending_actions_fail_at_once_when_the_connection_goes_and_nothing_is_sent_again(
    fake: FakeAmi, listener: Listener
) -> None:
    fake.answers["Originate"] = lambda _: None
    async with linked(fake, listener) as link:
        pending = asyncio.create_task(link.act("Originate", {"Channel": "PJSIP/seat8001"}))
        await fake.wait_for(lambda: bool(fake.actions("Originate")))
        fake.reset()
        with pytest.raises(AsteriskUnreachable):
            await asyncio.wait_for(pending, 0.5)
        await listener.until(lambda: listener.count(LinkUp) == 2)
        await link.act("CoreSettings")
    assert len(fake.actions("Originate")) == 1


async def test_a_list_cut_in_the_middle_fails_too(fake: FakeAmi, listener: Listener) -> None:
    fake.answers["CoreShowChannels"] = lambda action: (
        response(action, "Success", EventList="start") + event("CoreShowChannel", ActionID=action["ActionID"])
    )
    async with linked(fake, listener) as link:
        pending = asyncio.create_task(link.act("CoreShowChannels"))
        await fake.wait_for(lambda: bool(fake.actions("CoreShowChannels")))
        await link.act("Ping")
        fake.reset()
        with pytest.raises(AsteriskUnreachable):
            await asyncio.wait_for(pending, 0.5)


async def test_without_a_connection_nothing_is_kept_for_later(fake: FakeAmi, listener: Listener) -> None:
    async with linked(fake, listener) as link:
        fake.answers["Login"] = lambda _: None
        fake.reset()
        await listener.until(lambda: listener.count(LinkDown) == 1)
        with pytest.raises(AsteriskUnreachable):
            await link.act("Hangup", {"Channel": "x"})
        link.tell((Ask("Hangup", {"Channel": "x"}),))
        fake.answers["Login"] = lambda action: success(action) + BOOTED
        await listener.until(lambda: listener.count(LinkUp) == 2)
        await link.act("Ping")
    assert fake.actions("Hangup") == []


async def test_a_list_is_collected_though_other_messages_come_between(fake: FakeAmi, listener: Listener) -> None:
    def rows(action: dict[str, str]) -> bytes:
        number = action["ActionID"]
        return (
            response(action, "Success", EventList="start")
            + event("CoreShowChannel", ActionID=number, Uniqueid="1")
            + event("Hangup", Uniqueid="9")
            + event("CoreShowChannel", ActionID=number, Uniqueid="2")
            + event("CoreShowChannelsComplete", ActionID=number, EventList="Complete", ListItems="2")
        )

    fake.answers["CoreShowChannels"] = rows
    async with linked(fake, listener) as link:
        reply = await link.act("CoreShowChannels")
        assert [item["Uniqueid"] for item in reply.items] == ["1", "2"]
        assert [message["Uniqueid"] for message in listener.events] == ["9"]


async def test_an_answer_that_says_queued_is_an_ordinary_answer(fake: FakeAmi, listener: Listener) -> None:
    fake.answers["Originate"] = lambda action: success(action, Message="Originate successfully queued")
    async with linked(fake, listener) as link:
        await link.act("Originate", {"Channel": "x"})
        await link.act("Ping")
    assert fake.connections == 1


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("No such channel", LineGoneError),
        ("Channel does not exist: 1.2", LineGoneError),
        ("Channel 1.2 does not exist.", LineGoneError),
        ("Permission denied", ActionRefused),
        ("", ActionRefused),
    ],
)
async def test_refusals_say_whose_move_it_is(
    fake: FakeAmi, listener: Listener, message: str, expected: type[Exception]
) -> None:
    fake.answers["Redirect"] = lambda action: error(action, message)
    async with linked(fake, listener) as link:
        with pytest.raises(expected):
            await link.act("Redirect", {"Channel": "1.2"})


async def test_a_list_that_is_refused_is_refused_and_does_not_hang(fake: FakeAmi, listener: Listener) -> None:
    fake.answers["CoreShowChannels"] = lambda action: error(action, "Permission denied")
    async with linked(fake, listener) as link:
        with pytest.raises(ActionRefused):
            await link.act("CoreShowChannels")


async def test_actions_of_one_pipeline_arrive_together_and_in_order(fake: FakeAmi, listener: Listener) -> None:
    answered_after: list[int] = []
    fake.answers["Setvar"] = lambda _: None

    def all_at_once(action: Action) -> bytes:
        answered_after.append(len(fake.actions("Setvar")))
        return b"".join(success(earlier) for _, earlier in [*fake.actions("Setvar"), (1, action)])

    fake.answers["Redirect"] = all_at_once
    async with linked(fake, listener) as link:
        asks = [Ask("Setvar", {"Variable": name}) for name in "ABC"]
        replies = await link.pipeline((*asks, Ask("Redirect")))
    assert answered_after == [3]  # the double answered none of the three before it had the fourth
    assert len(replies) == 4


async def test_an_action_that_cannot_be_said_keeps_the_whole_pipeline_back(fake: FakeAmi, listener: Listener) -> None:
    async with linked(fake, listener) as link:
        with pytest.raises(BadInput):
            await link.pipeline(
                (Ask("Setvar", {"Value": "ok"}), Ask("Setvar", {"Value": "a\r\n\r\nAction: Originate"}))
            )
        await link.act("CoreSettings")
    assert fake.actions("Setvar") == []
    assert fake.actions("Originate") == []


async def test_a_wrong_secret_is_a_clear_problem_that_is_not_hammered_and_the_secret_is_nowhere(
    fake: FakeAmi, listener: Listener, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.answers["Login"] = lambda action: error(action, "Authentication failed")
    began = time.monotonic()
    async with linked(fake, listener, up=False) as link:
        await fake.wait_for(lambda: len(fake.actions("Login")) == 3)
        assert time.monotonic() - began > 2 * TIMES.retry_refused * 0.5
        assert "refuses the account hotline" in link.problem
        with pytest.raises(AsteriskUnreachable):
            await link.act("Ping")
    output = capsys.readouterr()
    assert "s3cret" not in caplog.text + output.out + output.err + link.problem + repr(fake.endpoint)
    assert listener.heard == []


async def test_a_peer_that_stops_answering_is_noticed_and_its_actions_fail(fake: FakeAmi, listener: Listener) -> None:
    async with linked(fake, listener, times=AmiTimes(ping_every=0.2, dead_after=0.6, retry_first=0.05)) as link:
        fake.stalled = True
        began = time.monotonic()
        with pytest.raises(AsteriskUnreachable):
            await link.act("Hangup", {"Channel": "x"}, within=30)
        assert time.monotonic() - began < 2
        assert listener.count(LinkDown) == 1
        fake.stalled = False
        await listener.until(lambda: listener.count(LinkUp) == 2)
    assert len(fake.actions("Hangup")) == 0


async def test_our_own_pause_is_not_taken_for_the_peers(fake: FakeAmi, listener: Listener) -> None:
    async with linked(fake, listener) as link:
        await fake.wait_for(lambda: bool(fake.actions("Ping")))
        time.sleep(1.0)  # noqa: ASYNC251 - the whole loop stands still, as in a long garbage collection
        await asyncio.sleep(0.5)
        assert link.up
    assert fake.connections == 1


async def test_reconnecting_starts_quickly_and_slows_down(fake: FakeAmi, listener: Listener) -> None:
    async with linked(fake, listener):
        for number in range(10):
            fake.reset()
            began = time.monotonic()
            await listener.until(lambda wanted=number + 2: listener.count(LinkUp) == wanted)  # type: ignore[misc]
            assert time.monotonic() - began < 1
    kinds = [type(message) for message in listener.heard]
    assert kinds == [LinkUp, *[LinkDown, LinkUp] * 10, LinkDown]


async def test_nobody_listening_is_a_problem_and_not_an_error(listener: Listener) -> None:
    async with FakeAmi() as gone:
        endpoint = gone.endpoint
    link = AmiLink(endpoint, SystemClock(), listener, events=(), times=TIMES)
    running = asyncio.create_task(link.run())
    await asyncio.wait((running,), timeout=0.3)
    assert not link.up
    assert link.problem != "not connected yet"
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_events_before_the_boot_is_over_are_not_heard(fake: FakeAmi, listener: Listener) -> None:
    fake.answers["Login"] = lambda action: success(action) + event("Hangup", N="early") + BOOTED
    async with linked(fake, listener):
        fake.say(event("Hangup", N="late"))
        await listener.until(lambda: bool(listener.events))
    assert [message["N"] for message in listener.events] == ["late"]


async def test_a_shutdown_is_a_disconnect(fake: FakeAmi, listener: Listener) -> None:
    async with linked(fake, listener):
        fake.say(event("Shutdown", Shutdown="Cleanly"))
        await listener.until(lambda: listener.count(LinkDown) == 1)
        await listener.until(lambda: listener.count(LinkUp) == 2)


async def test_a_megabyte_at_once_loses_nothing(fake: FakeAmi, listener: Listener) -> None:
    burst = event("Hangup", Filler="x" * 80) * 10_000
    async with linked(fake, listener):
        fake.say(burst)
        await listener.until(lambda: len(listener.events) == 10_000)


async def test_an_overlong_message_drops_the_connection(fake: FakeAmi, listener: Listener) -> None:
    async with linked(fake, listener):
        fake.say(b"x" * (5 * 1024 * 1024))
        await listener.until(lambda: listener.count(LinkUp) == 2)
