"""Prompts and keys over a link that answers as the test says. No socket, no Asterisk."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import cast
from urllib.parse import quote

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from hotline.errors import BadInput
from telephony.ami import AmiLink
from telephony.amiproto import Ask, Reply
from telephony.asyncagi import (
    LEASE_S,
    MOST_TYPED,
    PARTING_S,
    AgiResult,
    AsyncAgi,
    announcements,
    check_prompts,
    parse_result,
)
from telephony.errors import ActionRefused, AsteriskUnreachable, LineGoneError
from telephony.model import Collected, Heard, LineId

pytestmark = pytest.mark.unit

LINE = LineId("hotline-1.0")
SECOND = timedelta(seconds=1)


class ScriptedLink:
    """A double of the AMI link: answers AGI commands with the next result of its script."""

    def __init__(self, *results: str | Exception | None, status: str = "SUCCESS") -> None:
        self.results = list(results)
        self.status = status
        self.commands: list[str] = []
        self.ids: list[str] = []
        self.told: list[Ask] = []
        self.agi: AsyncAgi | None = None

    async def act(self, action: str, headers: Mapping[str, str]) -> Reply:
        await asyncio.sleep(0)
        if action == "Getvar":
            return Reply({"Response": "Success", "Value": self.status})
        self.commands.append(headers["Command"])
        self.ids.append(headers["CommandID"])
        result = self.results.pop(0) if self.results else None
        if isinstance(result, Exception):
            raise result
        if result is not None and self.agi is not None:
            asyncio.get_running_loop().call_soon(self.agi.finished, headers["CommandID"], quote(result + "\n"))
        return Reply({"Response": "Success"})

    def tell(self, asks: Sequence[Ask]) -> None:
        self.told.extend(asks)


def desk(*results: str | Exception | None, status: str = "SUCCESS") -> tuple[AsyncAgi, ScriptedLink]:
    link = ScriptedLink(*results, status=status)
    agi = AsyncAgi(cast("AmiLink", link))
    link.agi = agi
    agi.started(LINE)
    return agi, link


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("200 result=12", AgiResult(200, "12")),
        ("200 result= (timeout)", AgiResult(200, "", "timeout")),
        ("200 result=12 (timeout)", AgiResult(200, "12", "timeout")),
        ("200 result=-1", AgiResult(200, "-1")),
        ("511 result=-1 Command Not Permitted", AgiResult(511, "-1 Command Not Permitted")),
        ("520-Invalid command syntax", AgiResult(0, "")),
        ("", AgiResult(0, "")),
    ],
)  # fmt: skip
def test_results_are_taken_apart(text: str, expected: AgiResult) -> None:
    assert parse_result(quote(text)) == expected
    assert parse_result(quote(text)).failed is (expected.code != 200 or expected.result == "-1")


@given(st.text(max_size=60))
def test_no_result_makes_reading_fail(text: str) -> None:
    parse_result(text)


def test_keys_are_not_in_the_representation_that_a_log_would_show() -> None:
    assert "4711" not in repr(parse_result("200 result=4711"))


def test_announcements_are_grouped_below_the_longest_line() -> None:
    names = [f"/prompts/{'x' * 80}{number}" for number in range(20)]
    commands = list(announcements(names))
    assert len(commands) == 3
    assert all(len(command.encode()) < 800 for command in commands)
    assert "&".join(command.split('"')[1] for command in commands).split("&") == names


@pytest.mark.parametrize("name", ["/a,b", '/a"b', "/a&b", "/a\\b", "/a|b", "/a;b", "/a\nb", "/a\x7fb"])
def test_names_that_mean_something_are_refused(name: str) -> None:
    with pytest.raises(BadInput):
        check_prompts(["/fine", name])


def test_chinese_names_and_spaces_are_fine() -> None:
    check_prompts(["/data/欢迎 致电"])


async def test_a_menu_of_three_prompts_waits_only_after_the_last() -> None:
    agi, link = desk("200 result= (timeout)", "200 result= (timeout)", "200 result=5")
    assert await agi.collect(LINE, ["/a", "/b", "/c"], 1, 3 * SECOND) == Collected(Heard.KEYS, "5")
    assert link.commands == ['GET DATA "/a" 1 1', 'GET DATA "/b" 1 1', 'GET DATA "/c" 3000 1']


async def test_a_key_in_the_first_prompt_stops_the_others() -> None:
    agi, link = desk("200 result=7")
    assert await agi.collect(LINE, ["/a", "/b"], 1, SECOND) == Collected(Heard.KEYS, "7")
    assert len(link.commands) == 1


async def test_further_keys_are_waited_for_in_silence_after_a_key_in_an_early_prompt() -> None:
    agi, link = desk("200 result=4 (timeout)", "200 result=711")
    assert await agi.collect(LINE, ["/a", "/b"], 4, 2 * SECOND) == Collected(Heard.KEYS, "4711")
    assert link.commands[1:] == ['GET DATA "" 2000 3']


async def test_too_few_keys_are_silence() -> None:
    agi, _ = desk("200 result=47 (timeout)")
    assert await agi.collect(LINE, ["/a"], 4, SECOND) == Collected(Heard.SILENCE, "47")
    agi, _ = desk("200 result=4 (timeout)", "200 result= (timeout)")
    assert await agi.collect(LINE, ["/a", "/b"], 4, SECOND) == Collected(Heard.SILENCE, "4")


async def test_a_hash_ends_early() -> None:
    agi, _ = desk("200 result=47")
    assert await agi.collect(LINE, ["/a"], 4, SECOND) == Collected(Heard.KEYS, "47")
    agi, link = desk("200 result=")
    assert await agi.collect(LINE, ["/a", "/b"], 4, SECOND) == Collected(Heard.SILENCE)
    assert len(link.commands) == 1


async def test_without_prompts_it_listens_in_silence() -> None:
    agi, link = desk("200 result=1")
    assert await agi.collect(LINE, [], 1, SECOND) == Collected(Heard.KEYS, "1")
    assert link.commands == ['GET DATA "" 1000 1']


async def test_a_timeout_of_nothing_is_not_for_ever() -> None:
    agi, link = desk("200 result= (timeout)")
    await agi.collect(LINE, ["/a"], 1, timedelta())
    assert link.commands == ['GET DATA "/a" 1 1']


async def test_a_missing_prompt_of_two_still_lets_the_other_be_answered() -> None:
    agi, link = desk("200 result=-1", "200 result=0", "200 result=3")
    assert await agi.collect(LINE, ["/missing", "/b"], 1, SECOND) == Collected(Heard.KEYS, "3")
    assert link.commands[1] == "NOOP"


async def test_a_missing_prompt_and_no_key_is_a_failure() -> None:
    agi, _ = desk("200 result=-1", "200 result=0", "200 result= (timeout)")
    assert (await agi.collect(LINE, ["/missing", "/b"], 1, SECOND)).heard is Heard.FAILED


async def test_a_missing_announcement_is_a_failure() -> None:
    agi, _ = desk("200 result=0", status="FAILED")
    with structlog.testing.capture_logs() as logs:
        assert (await agi.play(LINE, ["/missing"])).heard is Heard.FAILED
    assert logs[0]["event"] == "prompt could not be played"
    agi, _ = desk("200 result=0")
    assert (await agi.play(LINE, ["/there"])).heard is Heard.SILENCE


async def test_nothing_to_play_is_played() -> None:
    agi, link = desk()
    assert (await agi.play(LINE, [])).heard is Heard.SILENCE
    assert link.commands == []


async def test_a_key_in_an_announcement_is_told_with_its_end() -> None:
    agi, link = desk(None)
    playing = asyncio.create_task(agi.play(LINE, ["/a"]))
    await asked(link)
    for digit in "1#x":
        agi.key(LINE, digit)
    agi.finished(link.ids[-1], "200%20result=0")
    assert await playing == Collected(Heard.KEYS, "1")
    assert link.commands == ['EXEC Playback "/a"']


async def test_an_announcement_that_may_be_cut_ends_with_the_first_key() -> None:
    agi, link = desk("200 result=4")
    assert await agi.play(LINE, ["/a", "/b"], cut=True) == Collected(Heard.KEYS, "4")
    assert link.commands == ['GET DATA "/a" 1 1']
    agi, link = desk()
    agi.key(LINE, "7")
    assert await agi.play(LINE, ["/a"], cut=True) == Collected(Heard.KEYS, "7")
    assert link.commands == []


async def test_keys_typed_ahead_answer_before_anything_is_played() -> None:
    agi, link = desk("200 result=1")
    for digit in "47":
        agi.key(LINE, digit)
    assert await agi.collect(LINE, ["/a"], 1, SECOND) == Collected(Heard.KEYS, "4")
    assert await agi.collect(LINE, ["/a"], 2, SECOND) == Collected(Heard.KEYS, "71")
    assert link.commands == ['GET DATA "" 1000 1']


async def test_keys_that_a_question_heard_itself_are_not_heard_again() -> None:
    agi, link = desk(None, "200 result= (timeout)")
    asking = asyncio.create_task(agi.collect(LINE, ["/a"], 1, SECOND))
    await asked(link)
    for digit in "12":  # the second one was let go after the question had its answer
        agi.key(LINE, digit)
    agi.finished(link.ids[-1], "200%20result=1")
    assert await asking == Collected(Heard.KEYS, "1")
    assert await agi.collect(LINE, ["/b"], 1, SECOND) == Collected(Heard.KEYS, "2")
    assert (await agi.collect(LINE, ["/c"], 1, SECOND)).heard is Heard.SILENCE


async def test_a_key_let_go_between_two_prompts_counts() -> None:
    agi, link = desk(None)
    asking = asyncio.create_task(agi.collect(LINE, ["/a", "/b"], 1, SECOND))
    await asked(link)
    agi.key(LINE, "5")
    agi.finished(link.ids[-1], "200%20result=%20(timeout)")
    assert await asking == Collected(Heard.KEYS, "5")
    assert len(link.commands) == 1


async def test_keys_of_a_line_that_is_elsewhere_or_gone_are_not_remembered() -> None:
    agi, _ = desk(*["200 result= (timeout)"] * 9)

    def lost(_: LineId) -> None:
        agi.lost()

    for leave in (agi.leaving, agi.ended, agi.gone, lost):
        agi.started(LINE)
        agi.key(LINE, "4")
        leave(LINE)
        agi.key(LINE, "7")  # in a talk it may be a digit of an account
        agi.started(LINE)
        assert (await agi.collect(LINE, ["/a"], 1, SECOND)).keys == ""
    for _ in range(MOST_TYPED + 5):
        agi.key(LINE, "1")
    assert await agi.collect(LINE, ["/a"], MOST_TYPED + 9, SECOND) == Collected(Heard.SILENCE, "1" * MOST_TYPED)


async def asked(link: ScriptedLink) -> None:
    """Wait until a command was sent."""
    while not link.commands:  # noqa: ASYNC110 - the double has no event
        await asyncio.sleep(0)


async def test_keys_are_never_logged() -> None:
    agi, _ = desk("200 result=-1", "200 result=0", "200 result=4711")
    with structlog.testing.capture_logs() as logs:
        await agi.collect(LINE, ["/missing", "/b"], 4, SECOND)
    assert "4711" not in repr(logs)


async def test_a_channel_that_does_not_exist_is_gone() -> None:
    agi, _ = desk(LineGoneError("x"))
    assert (await agi.collect(LINE, ["/a"], 1, SECOND)).heard is Heard.GONE


async def test_a_result_of_minus_one_is_gone_when_the_line_ends_instead_of_answering() -> None:
    agi, link = desk("200 result=-1", None)
    collecting = asyncio.create_task(agi.collect(LINE, ["/a"], 1, SECOND))
    while len(link.commands) < 2:  # noqa: ASYNC110 - the double has no event
        await asyncio.sleep(0)
    agi.ended(LINE)
    agi.gone(LINE)
    assert (await collecting).heard is Heard.GONE


@pytest.mark.parametrize("late", [False, True])
async def test_a_line_that_leaves_and_hangs_up_is_gone_whichever_is_noticed_first(late: bool) -> None:
    agi, link = desk(None)
    collecting = asyncio.create_task(agi.collect(LINE, ["/a"], 1, SECOND))
    while not link.commands:  # noqa: ASYNC110 - the double has no event
        await asyncio.sleep(0)
    agi.ended(LINE)
    if late:
        for _ in range(5):
            await asyncio.sleep(0)
    agi.gone(LINE)
    began = asyncio.get_running_loop().time()
    assert (await collecting).heard is Heard.GONE
    assert asyncio.get_running_loop().time() - began < PARTING_S / 2


async def test_a_line_that_was_moved_away_is_a_failure_and_not_gone() -> None:
    agi, link = desk(None)
    collecting = asyncio.create_task(agi.collect(LINE, ["/a"], 1, SECOND))
    while not link.commands:  # noqa: ASYNC110 - the double has no event
        await asyncio.sleep(0)
    agi.ended(LINE)
    assert (await collecting).heard is Heard.FAILED
    assert not agi.holds(LINE)


async def test_a_line_that_is_not_in_agi_any_more_is_a_failure() -> None:
    agi, _ = desk(ActionRefused("Channel x is not setup for Async AGI."))
    assert (await agi.collect(LINE, ["/a"], 1, SECOND)).heard is Heard.FAILED


async def test_a_lost_connection_is_an_error_and_nothing_is_held_after_it() -> None:
    agi, link = desk(None)
    arrival = agi.arrival(LineId("other"))
    collecting = asyncio.create_task(agi.collect(LINE, ["/a"], 1, SECOND))
    while not link.commands:  # noqa: ASYNC110 - the double has no event
        await asyncio.sleep(0)
    agi.lost()
    with pytest.raises(AsteriskUnreachable):
        await collecting
    with pytest.raises(AsteriskUnreachable):
        await arrival
    assert not agi.holds(LINE)
    agi.resume([LINE])
    assert agi.holds(LINE)


async def test_results_of_nobodys_commands_are_ignored() -> None:
    agi, _ = desk()
    agi.finished("someone-else-1", "200%20result=5")
    agi.ended(LineId("unknown"))
    agi.gone(LineId("unknown"))


async def test_leases_are_extended_for_the_lines_in_agi_and_not_for_one_that_is_leaving() -> None:
    agi, link = desk()
    other = LineId("hotline-2.0")
    agi.started(other)
    agi.leaving(LINE)
    agi.extend_leases()
    assert [(ask.action, dict(ask.headers)) for ask in link.told] == [
        ("AbsoluteTimeout", {"Channel": other, "Timeout": LEASE_S})
    ]


async def test_an_arrival_is_waited_for_and_a_hangup_ends_the_wait() -> None:
    agi, _ = desk()
    assert agi.arrival(LINE).done()
    first, second = LineId("first"), LineId("second")
    coming, leaving = agi.arrival(first), agi.arrival(second)
    agi.started(first)
    agi.gone(second)
    await coming
    with pytest.raises(LineGoneError):
        await leaving
