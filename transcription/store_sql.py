"""Transcripts in SQL, through `hotline.database`. Used by the service and by worker processes alike."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Integer, Select, bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.database import Database
from hotline.prepared import Prepared, Row
from transcription.engine import Heard
from transcription.model import FINISHED, ModelIdentity, Order, Segment, Speaker, Transcript, TranscriptState
from transcription.ports import Wanted
from transcription.tables import transcripts

T = TypeVar("T")

_columns = transcripts.c
_BATCH = 100

# Statements of every call are made once: making one costs several times what running it does.
_BY_ID = Prepared(select(transcripts).where(_columns.id == bindparam("key")))
_OF_RECORDING = Prepared(select(transcripts).where(_columns.recording == bindparam("key")))
_NEW = Prepared(insert(transcripts))
_NOT_READY = update(transcripts).where(
    _columns.recording == bindparam("key"), _columns.state != TranscriptState.READY.value
)
_CHANGE, _TAKE_BACK = Prepared(_NOT_READY), Prepared(_NOT_READY.values(attempts=_columns.attempts - 1))
_TOLD = Prepared(update(transcripts).where(_columns.id == bindparam("key"), _columns.state == bindparam("known")))
_UNTOLD = Prepared(
    select(transcripts)
    .where(_columns.told.is_(False), or_(*(_columns.state == state.value for state in sorted(FINISHED))))
    .order_by(_columns.finished_at, _columns.id)
    .limit(bindparam("most", type_=Integer))
)


class SqlTranscripts:
    """`TranscriptStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, several: Sequence[Transcript]) -> list[Transcript]:
        async def change(connection: AsyncConnection) -> list[Transcript]:
            return [await _add(connection, transcript) for transcript in several]

        return await self._database.write(change)

    async def get(self, transcript: str) -> Transcript | None:
        return await self._database.read(_finder(_BY_ID, transcript))

    async def of_recording(self, recording: str) -> Transcript | None:
        return await self._database.read(_finder(_OF_RECORDING, recording))

    async def page(self, wanted: Wanted, *, before: str, limit: int) -> list[Transcript]:
        query = select(transcripts).order_by(_columns.id.desc()).limit(limit)
        if wanted.call:
            query = query.where(_columns.call == wanted.call)
        if wanted.agent:
            query = query.where(_columns.agents.contains(f" {wanted.agent} ", autoescape=True))
        if wanted.since is not None:
            query = query.where(_columns.requested_at > wanted.since)
        if before:
            query = query.where(_columns.id < before)
        return await self._all(query)

    async def begin(self, recording: str, at: datetime) -> Transcript | None:
        async def change(connection: AsyncConnection) -> Transcript | None:
            known = await _one(connection, _OF_RECORDING, recording)
            if known is None or known.state in FINISHED:
                return known
            begun = msgspec.structs.replace(known, state=TranscriptState.RUNNING, attempts=known.attempts + 1)
            await _set(connection, recording, at, state=begun.state.value, attempts=begun.attempts)
            return begun

        return await self._database.write(change)

    async def ready(self, recording: str, heard: Heard, model: ModelIdentity, took_ms: int, at: datetime) -> None:
        await self._finish(
            recording,
            at,
            TranscriptState.READY,
            "",
            model=msgspec.to_builtins(model),
            demo_model=model.demonstration,
            segments=msgspec.to_builtins(heard.segments),
            duration_ms=heard.duration_ms,
            took_ms=took_ms,
        )

    async def wait_again(self, recording: str, reason: str, at: datetime, *, counts: bool) -> None:
        values = {"key": recording, "touched_at": at, "state": TranscriptState.WAITING.value, "reason": reason}
        change = _CHANGE if counts else _TAKE_BACK
        await self._database.write(lambda connection: change.run(connection, values))

    async def park(self, recording: str, reason: str, at: datetime) -> None:
        await self._finish(recording, at, TranscriptState.FAILED, reason)

    async def no_model(self, recording: str, reason: str, at: datetime) -> None:
        await self._finish(recording, at, TranscriptState.NO_MODEL, reason)

    async def unfinished(self, *, touched_before: datetime, no_model_since: datetime | None) -> list[Transcript]:
        lost = _columns.state.in_([TranscriptState.WAITING.value, TranscriptState.RUNNING.value])
        wanted: ColumnElement[bool] = lost & (_columns.touched_at < touched_before)
        if no_model_since is not None:
            no_model = _columns.state == TranscriptState.NO_MODEL.value
            wanted = or_(wanted, no_model & (_columns.requested_at >= no_model_since))
        return await self._all(select(transcripts).where(wanted).order_by(_columns.id).limit(_BATCH))

    async def reopen(self, recording: str, at: datetime) -> None:
        values = {"state": TranscriptState.WAITING.value, "attempts": 0, "reason": "", "finished_at": None}
        await self._database.write(lambda connection: _set(connection, recording, at, told=False, **values))

    async def untold(self, limit: int) -> list[Transcript]:
        async def ask(connection: AsyncConnection) -> list[Transcript]:
            return [_transcript(row) for row in await _UNTOLD.rows(connection, {"most": limit})]

        return await self._database.read(ask)

    async def tell(self, several: Sequence[Transcript]) -> None:
        values = [{"key": one.id, "known": one.state.value, "told": True} for one in several]
        await self._database.write(lambda connection: _TOLD.run_all(connection, values))

    async def _finish(
        self, recording: str, at: datetime, state: TranscriptState, reason: str, **values: object
    ) -> None:
        await self._database.write(
            lambda connection: _set(
                connection, recording, at, state=state.value, reason=reason, finished_at=at, told=False, **values
            )
        )

    async def _all(self, query: Select[Any]) -> list[Transcript]:
        async def ask(connection: AsyncConnection) -> list[Transcript]:
            found = (await connection.execute(query)).mappings()
            return [_transcript({str(name): row[name] for name in row}) for row in found]

        return await self._database.read(ask)


def _finder(query: Prepared, key: str) -> Callable[[AsyncConnection], Awaitable[Transcript | None]]:
    return lambda connection: _one(connection, query, key)


async def _one(connection: AsyncConnection, query: Prepared, key: str) -> Transcript | None:
    row = await query.row(connection, {"key": key})
    return None if row is None else _transcript(row)


async def _add(connection: AsyncConnection, transcript: Transcript) -> Transcript:
    known = await _one(connection, _OF_RECORDING, transcript.order.recording)
    if known is None:
        await _NEW.run(connection, _row(transcript))
    return known or transcript


async def _set(connection: AsyncConnection, recording: str, at: datetime, **values: Any) -> None:
    """What is ready stays as it is: a job that runs twice changes nothing the second time."""
    await _CHANGE.run(connection, {"key": recording, "touched_at": at, **values})


def _row(transcript: Transcript) -> dict[str, Any]:
    order = transcript.order
    agents = "".join(f" {speaker.agent} " for speaker in order.channels if speaker.agent)
    return {
        "id": transcript.id,
        "recording": order.recording,
        "call": order.call,
        "path": order.path,
        "channels": msgspec.to_builtins(order.channels),
        "agents": agents,
        "state": transcript.state.value,
        "attempts": transcript.attempts,
        "reason": transcript.reason,
        "model": None if transcript.model is None else msgspec.to_builtins(transcript.model),
        "demo_model": transcript.model is not None and transcript.model.demonstration,
        "segments": msgspec.to_builtins(transcript.segments),
        "duration_ms": transcript.duration_ms,
        "took_ms": transcript.took_ms,
        "requested_at": transcript.requested_at,
        "touched_at": transcript.requested_at,
        "finished_at": transcript.finished_at,
        "told": False,
    }


def _transcript(row: Row) -> Transcript:
    channels = msgspec.convert(row["channels"], tuple[Speaker, ...])
    return Transcript(
        id=row["id"],
        order=Order(recording=row["recording"], call=row["call"], path=row["path"], channels=channels),
        state=TranscriptState(row["state"]),
        attempts=row["attempts"],
        reason=row["reason"],
        model=None if row["model"] is None else msgspec.convert(row["model"], ModelIdentity),
        segments=msgspec.convert(row["segments"], tuple[Segment, ...]),
        duration_ms=row["duration_ms"],
        took_ms=row["took_ms"],
        requested_at=row["requested_at"],
        finished_at=row["finished_at"],
    )
