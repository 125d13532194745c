"""The ledger while neither log nor disk takes facts: calls go on, and what was kept is stored in order, once."""

import asyncio
from datetime import UTC, datetime

import pytest

from calls.ledger import Ledger
from calls.model import CallArrived, CallEnded, Outcome, Phase, Queued
from hotline.errors import Conflict
from telephony.model import LineId
from tests.unit.acd.memory_log import MemoryLog

pytestmark = pytest.mark.unit

NOW = datetime(2026, 2, 14, 12, 0, tzinfo=UTC)


def arrived(call: str) -> CallArrived:
    return CallArrived(call=call, at=NOW, line=LineId(f"h-{call}.1"), dialled="12345", declared=True)


def queued(call: str) -> Queued:
    return Queued(call=call, at=NOW, queue="general")


def ended(call: str) -> CallEnded:
    return CallEnded(call=call, at=NOW, outcome=Outcome.COMPLETED, phase=Phase.TALKING)


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def ledger(log: MemoryLog) -> Ledger:
    return Ledger(log, node="main")


async def facts_in(log: MemoryLog) -> list[str]:
    """Calls and kinds as a ledger that starts later reads them."""
    late = Ledger(log, node="main")
    await late.load()
    return sorted(late.live)


async def test_calls_go_on_while_nothing_can_be_stored(log: MemoryLog, ledger: Ledger) -> None:
    await ledger.record((arrived("c1"),))
    log.is_away = True
    told: list[str] = []
    ledger.listen(lambda facts: told.extend(type(fact).__name__ for fact in facts))
    await ledger.record((queued("c1"),))
    await ledger.record((arrived("c2"),))
    assert (ledger.live["c1"].phase, sorted(ledger.live)) == (Phase.QUEUED, ["c1", "c2"])
    assert told == ["Queued", "CallArrived"]
    assert (ledger.unsaved, ledger.head) == (2, 1)


async def test_what_was_kept_goes_first_with_the_next_fact(log: MemoryLog, ledger: Ledger) -> None:
    log.is_away = True
    await ledger.record((arrived("c1"), queued("c1")))
    log.is_away = False
    await ledger.record((ended("c1"), arrived("c2")))
    assert (ledger.unsaved, ledger.head, len(log.bodies)) == (0, 4, 4)
    assert await facts_in(log) == ["c2"]


async def test_what_was_kept_is_stored_without_another_fact(log: MemoryLog, ledger: Ledger) -> None:
    log.is_away = True
    await ledger.record((arrived("c1"),))
    await ledger.retry()
    assert ledger.unsaved == 1
    log.is_away = False
    await asyncio.gather(ledger.retry(), ledger.record((arrived("c2"),)), ledger.record((arrived("c3"),)))
    assert (ledger.unsaved, await facts_in(log)) == (0, ["c1", "c2", "c3"])
    await ledger.retry()
    assert len(log.bodies) == 3


async def test_a_fact_whose_answer_was_lost_is_not_stored_twice(log: MemoryLog, ledger: Ledger) -> None:
    log.answer_is_lost = True
    await ledger.record((arrived("c1"), queued("c1")))
    assert ledger.unsaved == 2
    log.answer_is_lost = False
    await ledger.record((arrived("c2"),))
    assert (ledger.unsaved, len(log.bodies), ledger.head) == (0, 3, 3)


async def test_another_controller_is_noticed_although_facts_are_kept(log: MemoryLog, ledger: Ledger) -> None:
    log.is_away = True
    await ledger.record((arrived("c1"),))
    log.is_away = False
    await Ledger(log, node="main").record((arrived("c9"),))
    with pytest.raises(Conflict):
        await ledger.record((queued("c1"),))
    with pytest.raises(Conflict):
        await ledger.retry()
    assert await facts_in(log) == ["c9"]


async def test_no_checkpoint_is_made_of_what_the_log_does_not_have(
    log: MemoryLog, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calls.ledger.CHECKPOINT_EVERY", 1)
    await ledger.record((arrived("c1"),))
    assert log.checkpoint is not None
    before = log.checkpoint
    log.is_away = True
    await ledger.record((arrived("c2"), arrived("c3")))
    assert log.checkpoint == before
    log.is_away = False
    await ledger.record((arrived("c4"),))
    assert log.checkpoint[0] == 4


async def test_nobody_waits_for_ever_behind_a_writer_that_failed(log: MemoryLog, ledger: Ledger) -> None:
    await Ledger(log, node="main").record((arrived("c9"),))
    outcomes = await asyncio.wait_for(
        asyncio.gather(*(ledger.record((arrived(f"c{one}"),)) for one in range(3)), return_exceptions=True), 5
    )
    assert [type(one) for one in outcomes] == [Conflict] * 3
