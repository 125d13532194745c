"""What a supervisor is told of a live call, step by step."""

from datetime import UTC, datetime, timedelta

import pytest

from calls import model as m
from calls.ledger import Ledger
from calls.timeline import MOST, Timelines
from telephony.model import LineId
from tests.unit.acd.memory_log import MemoryLog

pytestmark = pytest.mark.unit

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def arrived() -> m.CallArrived:
    return m.CallArrived(call="c", at=NINE, line=LineId("l"), dialled="12329", declared=True, flow="dual", caller="139")


async def test_steps_are_told_in_order_and_no_number_of_anybody() -> None:
    ledger = Ledger(MemoryLog(), "main")
    lines = Timelines(ledger)
    await ledger.record((arrived(), m.Stepped(call="c", at=NINE, node="hours", heard="1")))
    await ledger.record((m.Queued(call="c", at=NINE + timedelta(seconds=5), queue="general"),))
    await ledger.record((m.Ringing(call="c", at=NINE, offer="o", seat="8001", phone="8001"),))
    await ledger.record((m.OfferMissed(call="c", at=NINE, offer="o", seat="8001", reason="no_answer"),))
    told = [(step.what, step.seat, step.detail) for step in lines.of("c")]
    assert told == [
        ("arrived", "", "dual"), ("stepped", "", "hours"), ("queued", "", "general"), ("ringing", "8001", ""),
        ("missed", "8001", "no_answer"),
    ]  # fmt: skip
    assert "139" not in str(lines.of("c"))


async def test_what_was_before_this_process_is_told_out_of_the_calls_state() -> None:
    ledger = Ledger(MemoryLog(), "main")
    await ledger.record((arrived(), m.Queued(call="c", at=NINE + timedelta(seconds=5), queue="general")))
    lines = Timelines(ledger)
    await ledger.record((m.Ringing(call="c", at=NINE + timedelta(seconds=9), offer="o", seat="8001", phone="8001"),))
    assert [step.what for step in lines.of("c")] == ["arrived", "queued", "ringing"]


async def test_nothing_is_kept_of_a_call_that_ended_and_not_more_than_can_be_read() -> None:
    ledger = Ledger(MemoryLog(), "main")
    lines = Timelines(ledger)
    await ledger.record((arrived(), *(m.Stepped(call="c", at=NINE, node=str(step)) for step in range(MOST + 50))))
    assert len(lines.of("c")) == MOST
    await ledger.record((m.CallEnded(call="c", at=NINE, outcome=m.Outcome.ABANDONED, phase=m.Phase.IN_IVR),))
    assert lines.of("c") == []
    assert lines.of("stranger") == []
