"""What a seat may do in which state, and for which reasons it may pause. Pure; the reasons are data."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec
from ruamel.yaml import YAML

from agents.model import SeatState

DATA = Path(__file__).with_name("data")


class Action(StrEnum):
    """What a seat can be asked to do."""

    SIGN_OUT = "sign_out"
    PAUSE = "pause"
    RESUME = "resume"
    END_WRAP_UP = "end_wrap_up"


ALLOWED: Mapping[SeatState, tuple[Action, ...]] = {
    SeatState.READY: (Action.PAUSE, Action.SIGN_OUT),
    SeatState.UNREACHABLE: (Action.PAUSE, Action.SIGN_OUT),
    SeatState.OFFERED: (Action.PAUSE, Action.SIGN_OUT),
    SeatState.TALKING: (Action.PAUSE, Action.RESUME, Action.SIGN_OUT),
    SeatState.WRAP_UP: (Action.END_WRAP_UP, Action.RESUME, Action.PAUSE, Action.SIGN_OUT),
    SeatState.PAUSED: (Action.RESUME, Action.PAUSE, Action.SIGN_OUT),
}
"""What makes sense in which state. While talking, a pause and a sign-out wait for the end, and resuming takes a
pause back that was asked for."""


class PauseReason(msgspec.Struct, frozen=True, kw_only=True):
    """Why a seat is not ready, as a person chose it or the floor found it."""

    code: str
    zh: str
    en: str
    chosen: bool = True
    """Agents may choose it; the others are given by the floor."""
    is_break: bool = True
    """Rest that is no working time."""
    limit_minutes: int | None = None
    """Longer than this is shown to the supervisor."""


@cache
def pause_reasons() -> dict[str, PauseReason]:
    """The reasons by their codes, in the order in which they are shown."""
    read = YAML(typ="safe").load((DATA / "pause_reasons.yaml").read_text("utf-8"))
    return {reason.code: reason for reason in msgspec.convert(read, list[PauseReason])}


def may_choose(code: str) -> bool:
    """Whether an agent may pause for this reason."""
    reason = pause_reasons().get(code)
    return reason is not None and reason.chosen
