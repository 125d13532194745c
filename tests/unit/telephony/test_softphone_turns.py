"""Whose turn it is, with a call that is a list of loud moments and a clock that moves when waited on."""

from datetime import UTC, datetime, timedelta

import pytest

from hotline.clock import ManualClock
from telephony.audio import tone
from telephony.softphone import CallState, Ear
from telephony.softphone.turns import Turns

pytestmark = pytest.mark.unit

LOUD = tone(600, 0.02)


class CallDouble:
    """Talks from second 0 on; is loud in the given spans; ends at `ends`."""

    def __init__(self, *loud: tuple[float, float], ends: float = 1000.0) -> None:
        self.clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.ear = Ear()
        self.times = {CallState.TALKING: 0.0}
        self.said: list[tuple[float, bytes]] = []
        self._loud, self._ends = loud, ends

    def wait_until(self, state: CallState, timeout: float) -> bool:
        assert state is CallState.ENDED
        self.pass_time(timeout)
        return self.clock.monotonic() >= self._ends

    def say(self, pcm: bytes) -> None:
        self.said.append((self.clock.monotonic(), pcm))

    def wait_said(self, timeout: float) -> bool:
        self.pass_time(min(timeout, 2.0))
        return True

    def pass_time(self, duration: float) -> None:
        now = self.clock.monotonic()
        for start, stop in self._loud:
            if start < now + duration and now < stop:
                self.ear.put(min(now + duration, stop), LOUD)
        self.clock.advance(timedelta(seconds=duration))


def _turns(call: CallDouble) -> Turns:
    return Turns(call, call.clock)  # type: ignore[arg-type]  # as much of a call as turns need


def test_turn_comes_when_the_other_side_spoke_and_is_quiet() -> None:
    call = CallDouble((1.0, 3.0))
    assert _turns(call).wait(1.2, 60)
    assert call.clock.monotonic() == pytest.approx(4.2, abs=0.11)


def test_short_pause_is_no_turn() -> None:
    call = CallDouble((1.0, 2.0), (2.8, 4.0))
    assert _turns(call).wait(1.2, 60)
    assert call.clock.monotonic() == pytest.approx(5.2, abs=0.11)


def test_same_words_are_not_answered_twice() -> None:
    call = CallDouble((1.0, 2.0), (10.0, 11.0))
    turns = _turns(call)
    assert turns.wait(1.2, 60)
    assert turns.wait(1.2, 60)
    assert call.clock.monotonic() == pytest.approx(12.2, abs=0.11)


def test_patience_counts_from_the_end_of_our_own_words() -> None:
    call = CallDouble()
    turns = _turns(call)
    turns.say(LOUD, 60)
    assert call.clock.monotonic() == pytest.approx(2.0)
    assert turns.wait(1.0, 60, patience=4.0)
    assert call.clock.monotonic() == pytest.approx(6.0, abs=0.11)


def test_nobody_speaks_into_a_call_that_ended_or_after_the_time() -> None:
    ended = CallDouble((1.0, 50.0), ends=5.0)
    assert not _turns(ended).wait(1.0, 60)
    assert ended.clock.monotonic() < 5.2
    busy = CallDouble((1.0, 50.0))
    assert not _turns(busy).wait(1.0, 10)
    assert busy.clock.monotonic() == pytest.approx(10.0, abs=0.11)


def test_pause_ends_at_its_moment_or_with_the_call() -> None:
    call = CallDouble(ends=3.0)
    turns = _turns(call)
    assert turns.pause(2.0)
    assert not turns.pause(5.0)
