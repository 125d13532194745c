"""The composition root: settings in, ASGI application and commands out. Plain constructor calls; nobody imports it."""

import asyncio
import contextlib
import gc
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import structlog
import typer
import uvloop
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

import acd.http
import agents.cli
import agents.demo_seat
import agents.http
import calls.http
import console.cli
import console.rooms
import console.system
import hotline.audit_http
import hotline.cli_audit
import hotline.cli_backup
import hotline.cli_people
import hotline.identity_http
import hotline.metrics
import ivr.cli
import ivr.cli_numbers
import ivr.http
import recordings.cli
import recordings.http
import telephony.cli
import tickets.http
import transcription.cli
import transcription.http
from acd import strain_watch
from acd.ledger import Ledger as FloorLedger
from acd.model import Rules
from acd.plan_service import QueuePlans
from acd.recall import recall
from acd.service import FloorKeeper
from acd.strain import Limits
from agents.service import AgentService
from agents.store_sql import SqlAgents
from calls import queue_hours
from calls.directory import Directory
from calls.events import House
from calls.ledger import Ledger
from calls.leftovers import Leftovers
from calls.links import Links
from calls.marks import Marks
from calls.model import AnyCallFact, TalkStarted
from calls.overhearing import Overhearing
from calls.projection import Projection
from calls.seats import Seats
from calls.service import CallService
from calls.trimming import Trimmer
from calls.voice import Voice
from console.gauges import COUNT_EVERY_S, Gauges, phase_of
from console.news import GAP_S, News, of_seat
from console.server import demonstration_seat, greet, quiet_server, take_port
from hotline import schema
from hotline.audit_sql import SqlAudit
from hotline.clock import SystemClock
from hotline.data_lock import locked
from hotline.errors import HotlineError, Unavailable
from hotline.headers import SafeHeaders
from hotline.http import install_problems
from hotline.idempotency import SqlIdempotency
from hotline.identity_service import SYSTEM, IdentityService, first_accounts
from hotline.ids import UlidIds
from hotline.limits import BodyLimit
from hotline.log import set_up
from hotline.security import Role
from hotline.settings import Settings, load_settings
from hotline.stores import Stores, make_data_folder, open_stores
from hotline.tasks import Tasks
from ivr import voices
from ivr.service import IvrService
from ivr.store_sql import SqlNumberStore
from recordings.disk import DiskWatch
from recordings.purging import Purger
from recordings.retention import RetentionPolicy
from recordings.service import RecordingService
from recordings.store_files import RecordingFiles
from recordings.workshop import ChildProcess
from telephony.asterisk import AsteriskProcess
from telephony.endpoint import parse_ami_url
from telephony.places import places_of
from telephony.provisioning import Provisioning
from telephony.selfcheck import self_check
from telephony.switch import AsteriskSwitch
from tickets import classification
from tickets.numbering import NumberFormat
from tickets.service import TicketService
from transcription.model_folder import model_mark, model_problem
from transcription.pool import WorkerPool, run_worker
from transcription.process import open_jobs
from transcription.service import TranscriptService
from transcription.store_sql import SqlTranscripts

log = structlog.get_logger("hotline")
cli = typer.Typer(help="The 12345 hotline.", no_args_is_help=True, pretty_exceptions_enable=False)


class Hotline:
    """Every part of one process, made and joined."""

    def __init__(self, settings: Settings, stores: Stores) -> None:
        self.settings, self.stores = settings, stores
        clock, ids, zone = SystemClock(), UlidIds(), ZoneInfo(settings.timezone)
        database, data = stores.database, settings.data.absolute()
        self.tasks = Tasks("hotline")
        self.news = News(stores.broadcast)
        self._started_at = clock.now().isoformat()
        self.node_problems: list[str] = []
        self.model_problem = ""
        self.registry: CollectorRegistry = hotline.metrics.new_registry()
        self.checks = hotline.metrics.Checks()
        self.audit = SqlAudit(database, clock)
        self.identity = IdentityService(database, clock, ids, self.audit)
        self.idempotency = SqlIdempotency(database, clock)
        self.clock = clock
        self.asterisk = asterisk = None if settings.ami_url else AsteriskProcess(settings, clock)
        self.switch = AsteriskSwitch((lambda: asterisk.ami) if asterisk else parse_ami_url(settings.ami_url), clock)
        self.ivr = IvrService(
            SqlNumberStore(database), clock, data, home=settings.region, voice=voices.choose(settings.piper_voice)
        )
        self.floor = FloorKeeper(stores.log, clock, ids, lease=stores.lease, owner="main", rules=Rules.of(settings))
        self.plans = QueuePlans(database, clock, self.floor, rating=settings.rating)
        queue_hours.tell(self.ivr, self.plans.own)
        self.figures = FloorLedger()
        self.provisioning = Provisioning(places_of(data).seats)
        self.seats = Seats(
            self.floor, self.provisioning, (settings.bind, settings.sip_port), lambda: secrets.token_urlsafe(24)
        )
        self.agents = AgentService(SqlAgents(database), self.seats, clock, ids)
        place, composer = data / "recordings", ChildProcess(data / "recordings", log_json=settings.log_json)
        self.recordings = RecordingService(database, RecordingFiles(place, zone), clock, ids, composer)
        classes = classification.of_folder(data)
        self.tickets = TicketService(database, clock, ids, numbers=NumberFormat(), zone=zone, classes=classes)
        self.jobs = open_jobs(settings, clock)
        self.transcripts = TranscriptService(
            SqlTranscripts(database), self.jobs, clock, ids, lambda: model_mark(settings)
        )
        self.ledger = Ledger(stores.log, node="main")
        self.directory = Directory(settings, clock, database, self.registry, self.seats, self.ivr)
        self.calls = CallService(
            door=self.directory.trunk,
            switch=self.switch,
            floor=self.floor,
            ivr=Voice(self.ivr, Marks(data / "secrets" / "callers.key")),
            ledger=self.ledger,
            clock=clock,
            ids=ids,
            house=House.of(settings, self.seats.experts, self.plans),
            data=data,
            timezone=zone,
            check_node=self._check_node,
            memory=self.tickets.open_agents,
        )
        self.overhearing = Overhearing(settings, clock, ids, database, self.ledger, self.calls, self.news.say)
        self.links = Links(
            recordings=self.recordings,
            tickets=self.tickets,
            transcripts=self.transcripts,
            leftovers=Leftovers(database, self.recordings, places_of(data).tracks),
            changed=self.changed,
        )
        self.disk = DiskWatch(data, lambda _low, _room: self.news.add(), floor=settings.disk_floor_mib << 20)
        self.purger = Purger(database, self.recordings.files, RetentionPolicy(), clock, self.audit)
        trimmed, keep = ("floor", self.ledger.stream), timedelta(days=settings.facts_days)
        self.trimmer = Trimmer(stores.log, database, clock, keep, streams=trimmed, projected=trimmed[1:])
        self.projection = Projection(stores.log, self.ledger.stream, database, self.links.consequence)
        self.gauges = Gauges(
            self.registry,
            database,
            phases=lambda: map(phase_of, self.ledger.live.values()),
            seats=lambda: [seat.state.value for seat in self.seats.seats()],
            undeclared=lambda: self.ivr.state().undeclared,
            degraded=self._is_degraded,
        )
        self.checks.add("database", database.check)
        self.checks.add("asterisk", self._asterisk_answers)
        self.checks.add("disk", self._disk_has_room)
        self.checks.add("event log", self._log_answers)

    async def changed(self) -> None:
        """Tell the pages that there is news of tickets."""
        self.news.add("tickets")

    async def _asterisk_answers(self) -> None:
        if not self.switch.link.up:
            raise Unavailable(self.switch.problem or "Asterisk does not answer.")

    async def _disk_has_room(self) -> None:
        if self.disk.low:
            raise Unavailable("The disk of the data folder is nearly full: free some room, recordings need it.")

    async def _log_answers(self) -> None:
        if self._is_degraded():
            raise Unavailable("The event log cannot be written; calls go on in memory.")

    def _is_degraded(self) -> bool:
        return self.floor.degraded or self.ledger.unsaved > 0

    async def look(self) -> console.system.SystemView:
        """How this process is, for administrators."""
        state = self.ivr.state()
        return console.system.SystemView(
            pid=os.getpid(),
            started_at=self._started_at,
            asterisk=console.system.asterisk_view(self.asterisk, self.node_problems, is_up=self.switch.link.up),
            is_degraded=self._is_degraded(),
            live_calls=len(self.ledger.live),
            undeclared_calls=state.undeclared,
            catalogue=state.source,
            problems=[*state.problems, *([self.model_problem] if self.model_problem else [])],
        )

    async def _check_node(self) -> None:
        """Right after every connect: is this Asterisk, and our account on it, what we need?"""
        self.node_problems = list(await self_check(self.switch.link))
        for problem in self.node_problems:
            log.error("asterisk is not as it must be", problem=problem)

    async def start(self) -> None:
        """Bring everything up, in the order in which the parts need each other."""
        await self.ivr.seed("system", demo=self.settings.demo)
        if self.settings.demo:
            await self.agents.seed()
        await self.ivr.start(self.tasks)
        self.seats.start(self.tasks, await self.agents.all(), self.clock)
        if self.asterisk is not None:
            await self.asterisk.start()
        await self.ledger.load()
        await self.directory.start(self.calls, self.tasks)
        await self.floor.start()
        await self.plans.start(self.tasks)
        self.figures = await recall(self.stores.log, self.floor, self.clock, Limits.of(self.settings))
        strain_watch.start(self.tasks, self.floor, self.figures.strain, self.clock)
        self.ledger.listen(self._call_facts)
        self.floor.subscribe(lambda fact: self.news.add(seats=of_seat(fact, self.floor.seat_at)))
        self.projection.listen(self._rows_changed)
        self.switch.start()
        self.tasks.keep(self.disk.round, "disk", pause_s=5.0)
        self.tasks.keep(self._purge, "retention", pause_s=3600.0)
        self.tasks.keep(self.gauges.count, "figures", pause_s=COUNT_EVERY_S)
        self.tasks.start(self.projection.run(), "projection")
        self.tasks.start(self.links.run(), "links")
        self.tasks.start(self.overhearing.run(), "live transcripts")
        self.tasks.start(self.calls.run(), "calls")
        self.tasks.keep(self.ledger.retry, "facts kept in memory")
        self.tasks.keep(self.news.publish, "news", pause_s=GAP_S)
        self.model_problem = await asyncio.to_thread(model_problem, self.settings)
        if self.model_problem:
            log.error("no transcripts will be made", reason=self.model_problem)
        if self.settings.workers:
            self.tasks.start(WorkerPool(self.settings).run(), "workers")

    async def _purge(self) -> None:
        await self.purger.purge_due()
        await self.trimmer.round()

    def _call_facts(self, facts: Sequence[AnyCallFact]) -> None:
        self.projection.nudge()
        self.news.add(seats=self.calls.seats_of(facts))

    def _rows_changed(self, facts: Sequence[AnyCallFact]) -> None:
        self.links.folded(facts)
        is_new = any(isinstance(fact, TalkStarted) for fact in facts)
        self.news.add("tickets" if is_new else "floor", self.calls.seats_of(facts))

    async def stop(self, *, keep_calls: bool = False) -> None:
        """End everything that `start` began, Asterisk last; with `keep_calls` not one that was there before us."""
        await self.tasks.close()
        await self.recordings.stop()
        with contextlib.suppress(HotlineError):
            await self.ledger.retry()
        await self.floor.close()
        await self.switch.close()
        await self.jobs.close()
        if self.asterisk is not None:
            await (self.asterisk.leave() if keep_calls and self.asterisk.adopted else self.asterisk.stop())


def create_app(parts: Hotline) -> FastAPI:
    """The ASGI application: every room's routes behind one guard, problems as problem+json."""
    app = FastAPI(title="12345 hotline", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.identity, app.state.idempotency = parts.identity, parts.idempotency
    install_problems(app)
    app.add_middleware(BodyLimit, larger={"/api/v1/numbers/import": 16 * 1024 * 1024})
    app.add_middleware(SafeHeaders)
    app.add_middleware(hotline.metrics.CountRequests, registry=parts.registry)
    database, audit, clock = parts.stores.database, parts.audit, parts.clock
    for router in (
        hotline.metrics.routes(parts.registry, parts.checks),
        hotline.identity_http.routes(parts.identity),
        hotline.audit_http.routes(audit),
        ivr.http.routes(parts.ivr, clock, audit),
        console.system.routes(parts.look, app.openapi),
        acd.http.routes(parts.floor, clock, parts.figures, parts.ivr.queue_names, audit, parts.ivr.unit_of),
        acd.http.plan_routes(parts.plans, audit, queue_hours.Words(parts.ivr, parts.directory.trunk)),
        agents.http.routes(parts.agents, audit),
        recordings.http.routes(parts.recordings, audit, clock, RetentionPolicy()),
        transcription.http.routes(parts.transcripts, audit, clock),
        tickets.http.routes(parts.tickets, audit, clock),
        calls.http.routes(parts.calls, database, audit, parts.directory, parts.tickets),
        console.rooms.routes(parts),
    ):
        app.include_router(router)
    return app


async def serve_all(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM."""
    with take_port(settings) as port:
        async with open_stores(settings, SystemClock()) as stores:
            parts = Hotline(settings, stores)
            try:
                await parts.start()
            except BaseException:
                await parts.stop(keep_calls=True)
                raise
            try:
                await _serve(parts, settings, port)
            finally:
                await parts.stop()


async def _serve(parts: Hotline, settings: Settings, port: socket.socket) -> None:
    accounts = await first_accounts(parts.identity, is_demo=settings.demo)
    server = quiet_server(create_app(parts), settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.end)
    parts.tasks.start(greet(settings, server, accounts), "greeting")
    if settings.demo_seat:
        roles, lasts = frozenset({Role.SUPERVISOR}), timedelta(days=1)
        _, token = await parts.identity.add_token(SYSTEM, "demonstration seat", roles, lasts)
        server.companion = parts.tasks.start(demonstration_seat(server, token), "demonstration seat")
    gc.collect()
    gc.freeze()  # what was made for as long as we live is not looked through again and again while calls wait
    gc.set_threshold(10_000, 20, 50)  # a call makes thousands of short-lived values and almost no cycles
    await server.serve(sockets=[port])


@cli.command()
def serve(
    demo: Annotated[bool, typer.Option("--demo", help="Load demonstration data at the first start.")] = False,
    role: Annotated[str, typer.Option(help="all, or worker for transcription alone.")] = "all",
) -> None:
    """Run the hotline in the foreground; Ctrl-C ends it and everything it started."""
    settings = load_settings().model_copy(update={"demo": True} if demo else {})
    set_up(is_json=settings.log_json)
    make_data_folder(settings)
    if role == "worker":
        run_worker(settings)
        return
    with locked(settings.data, SystemClock().now()), contextlib.suppress(KeyboardInterrupt):
        schema.upgrade(settings.sqlalchemy_url)
        sys.setswitchinterval(0.0005)  # the longest that a call waits for a thread which writes rows; Python's is 5 ms
        uvloop.run(serve_all(settings))


ROOMS = {
    "ivr": ivr.cli, "numbers": ivr.cli_numbers, "people": hotline.cli_people, "audit": hotline.cli_audit,
    "model": transcription.cli, "recordings": recordings.cli, "agents": agents.cli,
}  # fmt: skip
COMMANDS: dict[str, Callable[..., None]] = {
    "token": hotline.cli_people.token, "doctor": console.cli.doctor, "backup": hotline.cli_backup.backup,
    "restore": hotline.cli_backup.restore, "dial": telephony.cli.dial, "demo-seat": agents.demo_seat.demo_seat,
}  # fmt: skip
for named, room in ROOMS.items():
    cli.add_typer(room.app, name=named)
for named, command in COMMANDS.items():
    cli.command(named)(command)


def main() -> None:
    """The command `hotline`: an error is one sentence and exit code 1."""
    os.umask(0o077)
    try:
        cli()
    except HotlineError as error:
        typer.echo(f"hotline: {error}", err=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
