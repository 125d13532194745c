"""What the administration's pages are shown of flows, prompts and calendars."""

from datetime import date, datetime, time

import msgspec
from pydantic import BaseModel

from ivr import drawing
from ivr.calendar import Calendar, DayKind
from ivr.flow import Flow
from ivr.model import DayWindow, HoursProfile


class NodeView(BaseModel):
    """One node of a flow."""

    name: str
    kind: str
    line: int
    prompts: list[str]
    detail: str
    owner_first: bool


class WayView(BaseModel):
    """A way from one node to another."""

    source: str
    target: str
    label: str


class FlowView(BaseModel):
    """A flow as a graph."""

    flow: str
    version: str
    start: str
    human: str
    """The node that errors, silence and the key 0 lead to."""
    nodes: list[NodeView]
    ways: list[WayView]
    numbers: list[str]
    """Numbers whose callers run through it today."""

    @classmethod
    def of(cls, flow: Flow, numbers: list[str]) -> "FlowView":
        return cls(
            flow=flow.name,
            version=flow.version,
            start=flow.start,
            human=flow.human,
            nodes=[NodeView.model_validate(msgspec.to_builtins(node)) for node in drawing.nodes(flow)],
            ways=[WayView.model_validate(msgspec.to_builtins(way)) for way in drawing.ways(flow)],
            numbers=numbers,
        )


class PromptView(BaseModel):
    """A prompt that can be played."""

    name: str
    text: str
    """Empty: only its recording is known."""
    seconds: float
    studio: bool
    flows: list[str]
    """Flows that play it."""


class WindowView(BaseModel):
    """Open from `start` to just before `end` (null: midnight)."""

    days: list[str]
    start: time
    end: time | None
    season: str

    @classmethod
    def of(cls, window: DayWindow) -> "WindowView":
        season = "" if window.season is None else "{}-{} … {}-{}".format(*window.season[0], *window.season[1])
        return cls(days=sorted(window.days), start=window.start, end=window.end, season=season)


class ProfileView(BaseModel):
    """Office hours of somebody's seats."""

    name: str
    windows: list[WindowView]
    open_now: bool
    numbers: list[str]

    @classmethod
    def of(cls, profile: HoursProfile, calendar: Calendar, now: datetime, numbers: list[str]) -> "ProfileView":
        windows = [WindowView.of(window) for window in profile.windows]
        is_open = calendar.hours(profile.name, now).is_open
        return cls(name=profile.name, windows=windows, open_now=is_open, numbers=numbers)


class DayView(BaseModel):
    """A date as the calendars know it."""

    day: date
    kind: DayKind
    name: str
    own: bool
    """It is in the tenant's own table."""
    warning: str


class CalendarView(BaseModel):
    """Days in order, and every profile of hours."""

    days: list[DayView]
    profiles: list[ProfileView]
