"""The switch when more comes than anybody takes: memory stays bounded and everything is looked at anew."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hotline.clock import SystemClock
from telephony import switch as switch_module
from telephony.ami import AmiTimes
from telephony.model import LineGone, NodeDown, NodeUp, SwitchFact, TrackStarted
from telephony.switch import AsteriskSwitch
from telephony.translate import translate
from tests.fake_ami import Action, FakeAmi, event, response, success

pytestmark = pytest.mark.integration

TIMES = AmiTimes(retry_first=0.05, retry_longest=0.1)


def empty_list(action: Action) -> bytes:
    done = event(f"{action['Action']}Complete", ActionID=action["ActionID"], EventList="Complete", ListItems="0")
    return response(action, "Success", EventList="start") + done


@pytest.fixture
async def fake() -> AsyncIterator[FakeAmi]:
    async with FakeAmi() as double:
        double.answers["CoreShowChannels"] = double.answers["DeviceStateList"] = empty_list
        double.answers["CoreSettings"] = lambda action: success(action, AsteriskVersion="22.10.1")
        yield double


async def take(switch: AsteriskSwitch, until: type[SwitchFact], count: int = 1) -> list[SwitchFact]:
    """Facts up to the `count`-th of a kind."""
    facts: list[SwitchFact] = []
    async with asyncio.timeout(5):
        async for fact in switch.facts():
            facts.append(fact)
            if sum(isinstance(one, until) for one in facts) == count:
                break
    return facts


def tracks(count: int) -> bytes:
    lines = [{"Uniqueid": f"seat-{number}", "Channel": f"PJSIP/seat{number}-{number:08x}"} for number in range(count)]
    return b"".join(event("MixMonitorStart", **line) for line in lines)


async def test_facts_that_nobody_takes_are_dropped_and_the_switch_starts_over(
    fake: FakeAmi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switch_module, "MOST_WAITING", 50)
    async with AsteriskSwitch(fake.endpoint, SystemClock(), times=TIMES) as switch:
        await take(switch, NodeUp)
        fake.say(tracks(40))
        fake.say(tracks(80)[len(tracks(40)) :])
        await fake.wait_for(lambda: fake.connections == 2)
        kinds = [type(fact) for fact in await take(switch, NodeUp, 1)]
    assert NodeDown in kinds
    assert TrackStarted not in kinds
    assert LineGone not in kinds


async def test_facts_up_to_the_limit_wait_for_their_reader_in_order(fake: FakeAmi) -> None:
    async with AsteriskSwitch(fake.endpoint, SystemClock(), times=TIMES) as switch:
        await take(switch, NodeUp)
        fake.say(tracks(2000))
        facts = await take(switch, TrackStarted, 2000)
    lines = [fact.line for fact in facts if isinstance(fact, TrackStarted)]
    assert lines == [f"seat-{number}" for number in range(2000)]


async def test_an_event_that_cannot_be_handled_costs_only_itself(
    fake: FakeAmi, monkeypatch: pytest.MonkeyPatch
) -> None:

    def failing(known: object, heard: dict[str, str], at: object) -> object:
        if heard.get("Uniqueid") == "seat-1":
            raise RuntimeError
        return translate(known, heard, at)  # type: ignore[arg-type]

    monkeypatch.setattr(switch_module, "translate", failing)
    async with AsteriskSwitch(fake.endpoint, SystemClock(), times=TIMES) as switch:
        await take(switch, NodeUp)
        fake.say(tracks(3))
        facts = await take(switch, TrackStarted, 2)
    assert [fact.line for fact in facts if isinstance(fact, TrackStarted)] == ["seat-0", "seat-2"]
    assert fake.connections == 1


async def test_a_connection_that_goes_while_resynchronising_is_tried_again(fake: FakeAmi) -> None:
    answers = iter([False, True, True])

    def once_cut(action: Action) -> bytes | None:
        if next(answers, True):
            return empty_list(action)
        fake.reset()
        return None

    fake.answers["CoreShowChannels"] = once_cut
    async with AsteriskSwitch(fake.endpoint, SystemClock(), times=TIMES) as switch:
        kinds = [type(fact) for fact in await take(switch, NodeUp)]
    assert kinds == [NodeDown, NodeUp]
    assert fake.connections == 2
