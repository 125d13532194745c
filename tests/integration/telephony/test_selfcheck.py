"""The self-check names what is missing and what is too much, on a real Asterisk."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hotline.clock import SystemClock
from telephony import config
from telephony.ami import AmiLink, LinkUp
from telephony.amiproto import Ask
from telephony.endpoint import AmiEndpoint
from telephony.model import NodeUp, PhoneChanged
from telephony.selfcheck import PROBES, READ, RIGHTS, rights_problems, self_check, version_problems
from tests.asterisk_node import AsteriskNode
from tests.fake_ami import FakeAmi, error, success
from tests.integration.telephony.switch_room import switch_room

pytestmark = pytest.mark.integration


@asynccontextmanager
async def link_to(endpoint: AmiEndpoint) -> AsyncIterator[AmiLink]:
    up = asyncio.Event()
    link = AmiLink(endpoint, SystemClock(), lambda what: up.set() if isinstance(what, LinkUp) else None, events=())
    running = asyncio.create_task(link.run())
    try:
        await asyncio.wait_for(up.wait(), 10)
        yield link
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def changed(
    asterisk_nodes: Callable[[], AsteriskNode], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str, str], AsteriskNode]:
    """Start a node whose configuration differs from ours in one place."""

    def start(file: str, pattern: str, by: str) -> AsteriskNode:
        texts = config.templates()
        text, count = re.subn(pattern, by, texts[file], flags=re.MULTILINE)
        assert count == 1, pattern
        monkeypatch.setattr(config, "templates", lambda: texts | {file: text})
        return asterisk_nodes()

    return start


Changed = Callable[[str, str, str], AsteriskNode]


@pytest.mark.parametrize(
    ("right", "actions"),
    [
        ("call", "AbsoluteTimeout, Hangup, MixMonitorMute, Redirect, Setvar"),
        ("originate", "Originate"),
        ("agi", "AGI"),
        ("reporting", "CoreSettings, CoreShowChannels, CoreStatus"),
    ],
)
async def test_a_missing_right_is_named(changed: Changed, right: str, actions: str) -> None:
    node = changed("manager.conf", rf"^(write = .*?)\b{right}\b", r"\1user")
    async with link_to(node.ami) as link:
        (problem,) = await self_check(link)
    assert f"lacks the right `{right}` (needed for {actions})" in problem


@pytest.mark.parametrize("right", sorted(READ))
async def test_a_class_of_events_that_is_not_told_is_named(changed: Changed, right: str) -> None:
    node = changed("manager.conf", rf"^(read = .*?)\b{right}\b", r"\1reporting")
    async with link_to(node.ami) as link:
        (problem,) = await self_check(link)
    event, fails = READ[right]
    assert f"is not told of {event}, so {fails}: add `{right}` to `read`" in problem


async def test_an_event_that_the_filter_keeps_back_is_named(changed: Changed) -> None:
    node = changed("manager.conf", r"DTMF\(Begin\|End\)", "DTMFBegin")
    async with link_to(node.ami) as link:
        (problem,) = await self_check(link)
    assert "is not told of DTMFEnd" in problem


async def test_the_check_is_nobodys_call_and_leaves_no_line(asterisk_node: AsteriskNode, tmp_path: Path) -> None:
    async with switch_room(asterisk_node, tmp_path / "tracks") as room:
        began = time.monotonic()
        assert await room.switch.check() == ()
        assert time.monotonic() - began < 5
        async with asyncio.timeout(5):
            while (await room.switch.link.pipeline((Ask("CoreShowChannels"),)))[0].items:  # noqa: ASYNC110 - its state
                await asyncio.sleep(0.02)
        assert {type(fact) for fact in room.facts} <= {NodeUp, PhoneChanged}


async def test_an_account_that_may_do_everything_is_refused(changed: Changed) -> None:
    node = changed("manager.conf", r"^write = .*", "write = all")
    async with link_to(node.ami) as link:
        (problem,) = await self_check(link)
    assert "may do Command, ModuleLoad, GetConfig, System" in problem


@pytest.mark.parametrize("module", ["func_hangupcause.so", "func_module.so"])
async def test_a_missing_module_is_named(changed: Changed, module: str) -> None:
    node = changed("modules.conf", rf"^load = {module}.*", "")
    async with link_to(node.ami) as link:
        (problem,) = await self_check(link)
    assert f"module {module} is not loaded" in problem


async def test_an_old_version_is_named() -> None:
    async with FakeAmi() as fake:
        fake.answers["CoreSettings"] = lambda action: success(action, AsteriskVersion="18.26.4")
        fake.answers["Getvar"] = lambda action: success(action, Value="1")
        for name in ("Command", "ModuleLoad", "GetConfig"):
            fake.answers[name] = lambda action: error(action, "Permission denied")
        fake.answers["Originate"] = lambda action: error(action, "Originate Access Forbidden: app or data blacklisted")
        async with link_to(fake.endpoint) as link:
            assert await self_check(link) == ("Asterisk is version 18.26.4: install version 20 or newer.",)


@pytest.mark.parametrize(
    ("version", "right"),
    [
        ("22.10.1+dfsg+~cs6.17.60671434-1", True),
        ("certified/20.7-cert1", True),
        ("20.0.0", True),
        ("19.8.1", False),
        ("certified/18.9-cert5", False),
        ("", False),
    ],
)
def test_versions(version: str, right: bool) -> None:
    assert (version_problems(version) == []) is right


def test_every_probe_has_a_right_and_every_sentence_says_what_to_do() -> None:
    assert set(PROBES) <= set(RIGHTS)
    first, second = rights_problems(["AGI", "Redirect"], ["Command"])[:2]
    assert first == "The AMI account lacks the right `agi` (needed for AGI): add it to `write` in manager.conf."
    assert "`call`" in second
