"""Routes for the administration's pages: flows as graphs, a call simulated with its keys, prompts to listen to, and
the calendar. They only look; what changes goes through the import and the flow files."""

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse, Response

from hotline.clock import Clock
from hotline.errors import BadInput, NotFound
from hotline.http import Page
from hotline.security import Permission, Principal, require
from ivr.calendar import Calendar
from ivr.flow import Flow, MenuNode, spoken
from ivr.model import Entry
from ivr.moments import moment
from ivr.numbers import local_day
from ivr.office_views import CalendarView, DayView, FlowView, ProfileView, PromptView
from ivr.prompt_script import load_script
from ivr.service import IvrService
from ivr.views import CallView

Reader = Annotated[Principal, Depends(require(Permission.NUMBERS_READ))]
FlowReader = Annotated[Principal, Depends(require(Permission.FLOWS_READ))]
At = Annotated[str, Query(max_length=40, description="A day, or a moment in ISO 8601")]
MOST_DAYS = 400


def routes(service: IvrService, clock: Clock) -> APIRouter:
    """`…/flows/{flow}`, `…/numbers/{number}/simulate`, `…/prompts` and `…/calendar`, below the room's own prefix."""
    router = APIRouter()

    @router.get("/flows/{flow}")
    async def one_flow(flow: str, _: FlowReader) -> FlowView:
        """A flow in force, as a graph."""
        found = service.shelf.flows.get(flow)
        if found is None:
            raise NotFound("There is no such flow.")
        today = local_day(clock.now())
        entries = [entry for entry in service.catalogue.entries if entry.holds_on(today) and entry.flow_name == flow]
        return FlowView.of(found, [entry.number for entry in entries])

    @router.get("/numbers/{number}/simulate")
    async def simulate(
        number: str, _: Reader, at: At = "", keys: Annotated[str, Query(max_length=20, pattern=r"^[0-9*#]*$")] = ""
    ) -> CallView:
        """What a call at a moment would meet whose caller presses these keys, one at each question."""
        return CallView.of(service.simulate(number, moment(at, clock.now()), tuple(keys)))

    @router.get("/calendar")
    async def calendar(
        _: Reader, since: date | None = None, days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 42
    ) -> CalendarView:
        """Kinds of days from `since` (today) on, and every profile of office hours."""
        return _calendar(service, clock, since, days)

    _add_prompts(router, service)
    return router


def _calendar(service: IvrService, clock: Clock, since: date | None, count: int) -> CalendarView:
    now, catalogue = clock.now(), service.catalogue
    known = Calendar(profiles=catalogue.profiles, days=catalogue.days)
    own = {one.day for one in catalogue.days}
    first = since or local_day(now)
    if not date(2000, 1, 1) <= first <= date(2100, 1, 1):
        raise BadInput("The calendar is told from 2000 to 2100.")
    views: list[DayView] = []
    for on in (first + timedelta(days=number) for number in range(count)):
        day = known.day(on)
        views.append(DayView(day=on, kind=day.kind, name=day.name, own=on in own, warning=day.warning))
    numbers = _by_hours([entry for entry in catalogue.entries if entry.holds_on(local_day(now))], known)
    profiles = [ProfileView.of(one, known, now, numbers.get(one.name, [])) for one in catalogue.profiles]
    return CalendarView(days=views, profiles=profiles)


def _by_hours(entries: list[Entry], known: Calendar) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in entries:
        if profile := known.profile_of(entry):
            found.setdefault(profile, []).append(entry.number)
    return found


def _add_prompts(router: APIRouter, service: IvrService) -> None:
    @router.get("/prompts")
    async def prompts(_: FlowReader) -> Page[PromptView]:
        """Every prompt that can be played, by name."""
        script = await asyncio.to_thread(load_script)
        texts = {name: spoken.text for name, spoken in script.with_numbers(service.catalogue.entries).items()}
        played = {name: _prompts(flow) for name, flow in service.shelf.flows.items()}
        return Page(
            items=[
                PromptView(
                    name=name,
                    text=texts.get(name, ""),
                    seconds=sound.seconds,
                    studio=sound.studio,
                    flows=sorted(flow for flow, used in played.items() if _is_played(name, used)),
                )
                for name, sound in sorted(service.prompts.sounds.items())
            ]
        )

    @router.get("/prompts/{prompt}/audio", response_class=Response)
    async def prompt_audio(prompt: str, _: FlowReader) -> Response:
        """A prompt as callers hear it (WAV)."""
        sound = service.prompts.sounds.get(prompt)
        if sound is None or not await asyncio.to_thread(Path.is_file, sound.file):
            raise NotFound("There is no such prompt.")
        headers = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
        return FileResponse(sound.file, media_type="audio/wav", headers=headers)


def _prompts(flow: Flow) -> frozenset[str]:
    names: set[str] = set()
    for node in flow.nodes.values():
        names.update(spoken(node))
        if isinstance(node, MenuNode):
            names.update(node.again)
    return frozenset(names)


def _is_played(prompt: str, used: frozenset[str]) -> bool:
    """Directly, or as the prompt of a number: `brand_{number}`."""
    return prompt in used or f"{prompt.rpartition('_')[0]}_{{number}}" in used
