"""Everything of the console behind one door: pages, their feed, the desk, the softphone's socket, waveforms."""

from typing import Protocol

from fastapi import APIRouter

import quality.http
from acd.service import FloorKeeper
from agents.service import AgentService
from calls.overhearing import Overhearing
from calls.seats import Seats
from calls.service import CallService
from console import brief, desk, http, live, peaks, search, softphone, supplement, words
from console.feed import Audience
from console.quality import Reviewed
from hotline.audit_sql import SqlAudit
from hotline.clock import Clock
from hotline.identity_service import IdentityService
from hotline.ids import UlidIds
from hotline.settings import Settings
from hotline.stores import Stores
from quality.service import QualityService
from quality.store_sql import SqlQuality
from recordings.service import RecordingService
from telephony.places import places_of
from telephony.provisioning import Provisioning
from tickets.service import TicketService


class Parts(Protocol):
    """What the console needs of a process."""

    @property
    def settings(self) -> Settings: ...
    @property
    def stores(self) -> Stores: ...
    @property
    def audit(self) -> SqlAudit: ...
    @property
    def identity(self) -> IdentityService: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def agents(self) -> AgentService: ...
    @property
    def seats(self) -> Seats: ...
    @property
    def provisioning(self) -> Provisioning: ...
    @property
    def recordings(self) -> RecordingService: ...
    @property
    def tickets(self) -> TicketService: ...
    async def changed(self) -> None: ...
    @property
    def floor(self) -> FloorKeeper: ...
    @property
    def calls(self) -> CallService: ...
    @property
    def overhearing(self) -> Overhearing: ...


def routes(parts: Parts) -> APIRouter:
    """All of them."""
    audit, clock = parts.audit, parts.clock
    service = desk.DeskService(
        parts.agents, parts.seats, parts.provisioning, parts.stores.database, clock,
        lambda: sum(not (call.offer or call.call_back) for call in parts.floor.floor.waiting()),
        parts.calls,
    )  # fmt: skip
    briefs = brief.Briefs(service, parts.tickets, parts.recordings, parts.agents, clock)
    identity = places_of(parts.settings.data).identity
    reviewed = Reviewed(parts.recordings, audit, parts.identity, clock)
    reviews = QualityService(SqlQuality(parts.stores.database), reviewed, clock, UlidIds())
    audience = Audience(parts.stores.broadcast)
    router = APIRouter()
    for part in (
        http.routes(audience),
        desk.routes(service, audit, clock),
        brief.routes(briefs, audit, parts.changed),
        supplement.routes(service, parts.tickets, audit, parts.changed),
        words.routes(words.LiveReader(parts.overhearing.live, briefs, parts.tickets, audit, clock)),
        softphone.routes(softphone.socket_of(identity)),
        live.routes(audience),
        peaks.routes(parts.recordings, audit, clock),
        quality.http.routes(reviews, audit),
        search.routes(parts.stores.database, audit),
    ):
        router.include_router(part)
    return router
