"""The hotline's own figures for Prometheus: calls, queue, seats, what still has to be done, what is degraded.

What lives is read when somebody asks; what waits in the database is counted every few seconds, so that a scrape
never waits for it. Only numbers: no figure has a label that is a person's, a call's or a telephone number's.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from acd.views import ShownState
from calls.model import CallState, Phase
from hotline.database import Database
from recordings.model import RecordingState
from recordings.tables import recordings
from tickets.tables import callback_tasks
from transcription.model import TranscriptState
from transcription.tables import transcripts

WITHOUT_LINE = "without_line"
"""Of a call whose citizen hung up and is to be called back: it waits for its turn, and nobody waits on a line."""
LIVE = (*(phase.value for phase in Phase if phase is not Phase.ENDED), WITHOUT_LINE)
SEATS = tuple(state.value for state in ShownState)
COUNT_EVERY_S = 5.0
UNMADE = (RecordingState.OPEN, RecordingState.PENDING)
UNHEARD = (TranscriptState.WAITING, TranscriptState.RUNNING, TranscriptState.NO_MODEL)


def phase_of(call: CallState) -> str:
    """What a live call is counted under."""
    return WITHOUT_LINE if call.waits_for_call else call.phase.value


class Gauges(Collector):
    """Registers itself. `phases`, `seats`: one state per live call and signed-in seat; `undeclared`: calls since the
    start to numbers that nobody declared; `degraded`: facts are kept in memory only."""

    def __init__(
        self,
        registry: CollectorRegistry,
        database: Database,
        *,
        phases: Callable[[], Iterable[str]],
        seats: Callable[[], Iterable[str]],
        undeclared: Callable[[], int],
        degraded: Callable[[], bool],
    ) -> None:
        self._database = database
        self._phases, self._seats, self._undeclared, self._degraded = phases, seats, undeclared, degraded
        self._recordings: Mapping[str, int] = {}
        self._transcripts: Mapping[str, int] = {}
        self._owed = 0
        registry.register(self)

    async def count(self) -> None:
        """Count what waits in the database."""
        self._recordings = await self._counted(recordings, UNMADE)
        self._transcripts = await self._counted(transcripts, UNHEARD)
        self._owed = await self._database.read(_owed)

    def collect(self) -> Iterable[Metric]:
        """What a scrape gets."""
        phases, seats = Counter(self._phases()), Counter(self._seats())
        yield _by("hotline_calls", "Live calls.", "phase", {phase: phases[phase] for phase in LIVE})
        waiting = phases[Phase.QUEUED.value] + phases[Phase.RINGING.value]
        yield GaugeMetricFamily(
            "hotline_calls_waiting", "Citizens on the line who wait for a seat, or ring at one.", waiting
        )
        told = "Citizens who hung up and keep their place until they are called back."
        yield GaugeMetricFamily("hotline_call_backs_promised", told, phases[WITHOUT_LINE])
        yield _by("hotline_seats", "Signed-in seats.", "state", {state: seats[state] for state in SEATS})
        told = "Calls since the start to numbers that nobody declared."
        yield CounterMetricFamily("hotline_undeclared_calls", told, self._undeclared())
        told = "Recordings that run (open) or wait to be sealed (pending)."
        yield _by("hotline_recordings_unsealed", told, "state", self._recordings)
        yield _by("hotline_transcripts_unfinished", "Transcripts to be made.", "state", self._transcripts)
        yield GaugeMetricFamily("hotline_callbacks_owed", "Citizens who are owed a call.", self._owed)
        told = "1 while facts of the floor are kept in memory only, because the event log does not answer."
        yield GaugeMetricFamily("hotline_degraded", told, int(self._degraded()))

    async def _counted(self, table: Table, states: Iterable[str]) -> dict[str, int]:
        wanted = [str(state) for state in states]
        column = table.c.state
        query = select(column, func.count()).where(column.in_(wanted)).group_by(column)

        async def fetch(connection: AsyncConnection) -> dict[str, int]:
            return {str(state): int(number) for state, number in await connection.execute(query)}

        found = await self._database.read(fetch)
        return {state: found.get(state, 0) for state in wanted}


async def _owed(connection: AsyncConnection) -> int:
    owed = select(func.count()).select_from(callback_tasks).where(callback_tasks.c.done_at.is_(None))
    return int((await connection.execute(owed)).scalar_one())


def _by(name: str, told: str, label: str, values: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, told, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
