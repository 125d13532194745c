"""What the switch makes of time that passes before it has anything to do."""

from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from hotline.clock import SystemClock
from telephony.endpoint import AmiEndpoint
from telephony.errors import AsteriskUnreachable
from telephony.model import LineId
from telephony.switch import ABSENCE_S, AsteriskSwitch

pytestmark = pytest.mark.unit


class ShiftedClock(SystemClock):
    """As if so many seconds more had passed."""

    later_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.later_s


def nowhere() -> AmiEndpoint:
    raise AsteriskUnreachable("Asterisk has not been started yet.")


async def absences(start_took_s: float, then_passed_s: float) -> int:
    """How often the switch believed to have stood still."""
    clock = ShiftedClock()
    with capture_logs() as said:
        switch = AsteriskSwitch(nowhere, clock)
        clock.later_s += start_took_s
        async with switch:
            clock.later_s += then_passed_s
            with suppress(AsteriskUnreachable):
                await switch.hang_up(LineId("h-1.1"))
    return sum(line["event"] == "we stood still" for line in said)


async def test_a_start_that_takes_its_time_is_no_absence() -> None:
    assert await absences(start_took_s=60, then_passed_s=0) == 0


async def test_standing_still_afterwards_is_one() -> None:
    assert await absences(start_took_s=0, then_passed_s=ABSENCE_S + 1) == 1
