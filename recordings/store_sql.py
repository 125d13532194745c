"""Recordings in SQL. Every function takes a connection, so that it can share the caller's transaction.

Everything that changes a row may be called again with the same arguments and then changes nothing more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Integer,
    RowMapping,
    String,
    and_,
    bindparam,
    exists,
    false,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.prepared import Prepared, Row
from recordings.chain_sql import append_links
from recordings.integrity import Deed
from recordings.model import Certificate, Muted, Recording, RecordingState, Track, Transcription
from recordings.tables import purge_certificates, recording_agents, recordings
from recordings.visibility import Scope

GROWING = (RecordingState.OPEN, RecordingState.PENDING)

# Statements of every call are made once: making one costs several times what running it does.
_BY_ID = Prepared(select(recordings).where(recordings.c.id == bindparam("key")))
_BY_CALL = Prepared(select(recordings).where(recordings.c.call == bindparam("key")))
_GROWING_OF = Prepared(
    select(recordings.c.id, recordings.c.state, recordings.c.tracks).where(
        recordings.c.call == bindparam("key"), or_(*(recordings.c.state == state.value for state in GROWING))
    )
)
_AGENTS_OF_ONE = Prepared(
    select(recording_agents).where(recording_agents.c.recording == bindparam("key")).order_by(recording_agents.c.agent)
)
_AGENTS_OF = (
    select(recording_agents)
    .where(recording_agents.c.recording.in_(bindparam("keys", expanding=True)))
    .order_by(recording_agents.c.agent)
)
_OF_ID = update(recordings).where(recordings.c.id == bindparam("key"))
_CHANGE = Prepared(_OF_ID)
_SEAL = Prepared(
    _OF_ID.where(recordings.c.state == RecordingState.PENDING.value, recordings.c.ended_at == bindparam("ended"))
)
_NEW = Prepared(insert(recordings))
_NEW_AGENT = Prepared(
    insert(recording_agents).from_select(
        ["recording", "agent"],
        select(bindparam("key", type_=String), bindparam("who", type_=String)).where(
            ~exists().where(
                recording_agents.c.recording == bindparam("key"), recording_agents.c.agent == bindparam("who")
            )
        ),
    )
)
_PENDING = Prepared(
    select(recordings)
    .where(recordings.c.state == RecordingState.PENDING.value, recordings.c.id > bindparam("after"))
    .order_by(recordings.c.id)
    .limit(bindparam("most", type_=Integer))
)
_WANTING = Prepared(
    select(recordings)
    .where(recordings.c.transcription == Transcription.WANTED.value)
    .order_by(recordings.c.answered_at, recordings.c.id)
    .limit(bindparam("most", type_=Integer))
)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which recordings a list shall show; empty fields do not restrict."""

    call: str = ""
    agent: str = ""
    state: RecordingState | None = None
    since: datetime | None = None
    """Answered at or after."""
    until: datetime | None = None
    """Answered before."""


async def get_recordings(connection: AsyncConnection, several: Sequence[str]) -> list[Recording]:
    """Those of `several` that there are."""
    found = [await get_recording(connection, recording) for recording in several]
    return [recording for recording in found if recording is not None]


async def get_recording(connection: AsyncConnection, recording: str) -> Recording | None:
    return await _one(connection, _BY_ID, recording)


async def recording_for_call(connection: AsyncConnection, call: str) -> Recording | None:
    return await _one(connection, _BY_CALL, call)


async def open_recording(connection: AsyncConnection, new: Recording) -> Recording:
    """Add the recording of a call that was answered; returns the one that the call has already, if so.

    A call that is answered a second time before its recording was composed grows again.
    """
    known = await recording_for_call(connection, new.call)
    if known is None:
        await _NEW.run(connection, _columns(new))
        await _add_agents(connection, new.id, new.agents)
        return new
    await _add_agents(connection, known.id, new.agents)
    if known.state is RecordingState.PENDING:
        await _change(connection, known.id, state=RecordingState.OPEN.value, ended_at=None)
    for track in new.tracks:
        await add_track(connection, new.call, track)
    return await _sure(connection, known.id)


async def add_track(connection: AsyncConnection, call: str, track: Track) -> None:
    """Declare whose voice a line's track is. Does nothing for a call without a recording, or a sealed one."""
    known = await _growing(connection, call)
    if known is None or any(track.line == other.line for other in known.tracks):
        return
    await _change(connection, known.id, tracks=msgspec.to_builtins((*known.tracks, track)))
    await _add_agents(connection, known.id, (track.agent,) if track.agent else ())


async def end_track(connection: AsyncConnection, call: str, line: str, at: datetime) -> None:
    """Say when a party left, so that a track that ends earlier is noticed. The first word counts."""
    known = await _growing(connection, call)
    if known is None:
        return
    tracks = tuple(
        msgspec.structs.replace(track, ended_at=at) if track.line == line and track.ended_at is None else track
        for track in known.tracks
    )
    await _change(connection, known.id, tracks=msgspec.to_builtins(tracks))


async def end_recording(
    connection: AsyncConnection, call: str, ended_at: datetime, muted: Sequence[Muted] = ()
) -> None:
    """The call is over: the sound may be composed now (`RecordingService.finish`). Tracks whose end nobody told
    end here. Does nothing for a call without a recording, or one that has ended."""
    known = await _growing(connection, call)
    if known is None or known.state is not RecordingState.OPEN:
        return
    tracks = tuple(
        track if track.ended_at is not None else msgspec.structs.replace(track, ended_at=ended_at)
        for track in known.tracks
    )
    await _change(
        connection,
        known.id,
        state=RecordingState.PENDING.value,
        ended_at=ended_at,
        tracks=msgspec.to_builtins(tracks),
        muted=msgspec.to_builtins(tuple(muted)),
    )


async def close_recording(
    connection: AsyncConnection, call: str, ended_at: datetime, muted: Sequence[Muted] = ()
) -> Recording | None:
    """`end_recording`, and the row afterwards; nothing for a call without a recording."""
    await end_recording(connection, call, ended_at, muted)
    return await recording_for_call(connection, call)


async def seal(connection: AsyncConnection, several: Sequence[Recording], at: datetime) -> list[Recording]:
    """Put composed sound onto its rows and into the chain, where the row still waits for just this sound
    (a call that was taken up again meanwhile ends at another moment). Returns those that were sealed.

    Raises:
        IntegrityError: another writer took the same link of the chain; do the transaction again.
    """
    sealed: list[Recording] = []
    for done in several:
        columns = _columns(done)
        values = {name: columns[name] for name in _SEALED_COLUMNS}
        if await _SEAL.run(connection, {"key": done.id, "ended": done.ended_at, **values}):
            sealed.append(done)
    await append_links(connection, sealed, Deed.CLOSED, at)
    return sealed


_SEALED_COLUMNS = (
    "state", "closed_at", "channels", "length_ms", "size_bytes", "sha256", "truncated", "problem", "transcription"
)  # fmt: skip


async def note_problem(connection: AsyncConnection, recording: str, problem: str) -> None:
    """Keep why closing did not succeed this time."""
    await connection.execute(
        update(recordings)
        .where(recordings.c.id == recording, recordings.c.state == RecordingState.PENDING.value)
        .values(problem=problem, attempts=recordings.c.attempts + 1)
    )


async def classify(connection: AsyncConnection, call: str, retention_class: str) -> None:
    """Say what the call was about; decides how long its sound is kept."""
    await connection.execute(
        update(recordings).where(recordings.c.call == call).values(retention_class=retention_class)
    )


async def set_legal_hold(connection: AsyncConnection, recording: str, *, hold: bool) -> bool:
    """Keep a recording whatever its age, or no longer. False: it is gone, or going, already."""
    gone = (RecordingState.PURGING.value, RecordingState.PURGED.value)
    result = await connection.execute(
        update(recordings).where(recordings.c.id == recording, recordings.c.state.not_in(gone)).values(legal_hold=hold)
    )
    return result.rowcount == 1


async def set_transcriptions(connection: AsyncConnection, outcomes: Mapping[str, Transcription]) -> None:
    """Keep what became of the transcripts of recordings."""
    several = [{"key": recording, "transcription": outcome.value} for recording, outcome in outcomes.items()]
    await _CHANGE.run_all(connection, several)


async def list_recordings(
    connection: AsyncConnection, wanted: Wanted, scope: Scope, limit: int, after: tuple[datetime, str] | None = None
) -> list[Recording]:
    """Newest answer first; `after`: answer time and id of the last one seen."""
    conditions = [*_matches(wanted), *_within(scope)]
    if after is not None:
        at, last = after
        same = and_(recordings.c.answered_at == at, recordings.c.id < last)
        conditions.append(or_(recordings.c.answered_at < at, same))
    query = select(recordings).where(*conditions)
    query = query.order_by(recordings.c.answered_at.desc(), recordings.c.id.desc()).limit(limit)
    return await _many(connection, (await connection.execute(query)).mappings().all())


async def recordings_in(
    connection: AsyncConnection, states: Sequence[RecordingState], limit: int, after: str = ""
) -> list[Recording]:
    """Recordings in these states by id, above `after`."""
    query = select(recordings).where(recordings.c.state.in_([state.value for state in states]), recordings.c.id > after)
    rows = await connection.execute(query.order_by(recordings.c.id).limit(limit))
    return await _many(connection, rows.mappings().all())


async def pending(connection: AsyncConnection, limit: int, after: str = "") -> list[Recording]:
    """Recordings that wait to be closed, by id, above `after`."""
    return await _with_agents(connection, await _PENDING.rows(connection, {"after": after, "most": limit}))


async def wanting_transcription(connection: AsyncConnection, limit: int) -> list[Recording]:
    """Sealed recordings whose transcript is wanted, oldest first."""
    return await _with_agents(connection, await _WANTING.rows(connection, {"most": limit}))


async def ended_before(
    connection: AsyncConnection, moment: datetime, states: Sequence[RecordingState], limit: int, after: str = ""
) -> list[Recording]:
    """Recordings of calls that ended before `moment`, by id above `after`."""
    query = select(recordings).where(
        recordings.c.state.in_([state.value for state in states]),
        recordings.c.ended_at < moment,
        recordings.c.id > after,
    )
    return await _many(
        connection, (await connection.execute(query.order_by(recordings.c.id).limit(limit))).mappings().all()
    )


async def mark_purging(connection: AsyncConnection, recording: str) -> bool:
    """From here on it goes. False when somebody put a hold on it meanwhile."""
    sealed = (RecordingState.CLOSED.value, RecordingState.LOST.value)
    result = await connection.execute(
        update(recordings)
        .where(recordings.c.id == recording, recordings.c.state.in_(sealed), recordings.c.legal_hold.is_(False))
        .values(state=RecordingState.PURGING.value)
    )
    return result.rowcount == 1


async def certify(connection: AsyncConnection, gone: Recording, certificate: Certificate) -> bool:
    """Write the certificate and its link of the chain, once."""
    result = await connection.execute(
        update(recordings)
        .where(recordings.c.id == gone.id, recordings.c.state == RecordingState.PURGING.value)
        .values(state=RecordingState.PURGED.value, transcription=Transcription.NONE.value)
    )
    if result.rowcount == 0:
        return False
    await connection.execute(insert(purge_certificates).values(**msgspec.structs.asdict(certificate)))
    await append_links(connection, [gone], Deed.PURGED, certificate.purged_at)
    return True


async def certificates(connection: AsyncConnection, limit: int = 1000) -> list[Certificate]:
    """Newest first."""
    query = select(purge_certificates).order_by(purge_certificates.c.purged_at.desc()).limit(limit)
    rows = (await connection.execute(query)).mappings().all()
    return [Certificate(**_plain(row)) for row in rows]


def _matches(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.call:
        conditions.append(recordings.c.call == wanted.call)
    if wanted.agent:
        conditions.append(recordings.c.id.in_(_of_agent(wanted.agent)))
    if wanted.state is not None:
        conditions.append(recordings.c.state == wanted.state.value)
    if wanted.since is not None:
        conditions.append(recordings.c.answered_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(recordings.c.answered_at < wanted.until)
    return conditions


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    if scope.everything:
        return []
    if not scope.agent:
        return [false()]
    own: list[ColumnElement[bool]] = [recordings.c.id.in_(_of_agent(scope.agent))]
    if scope.ended_after is not None:
        own.append(or_(recordings.c.ended_at.is_(None), recordings.c.ended_at > scope.ended_after))
    return own


def _of_agent(agent: str) -> Any:
    return select(recording_agents.c.recording).where(recording_agents.c.agent == agent)


class _Growing(msgspec.Struct, frozen=True):
    """What is needed of a recording to which something is added."""

    id: str
    state: RecordingState
    tracks: tuple[Track, ...]


async def _growing(connection: AsyncConnection, call: str) -> _Growing | None:
    """The call's recording while it can grow."""
    row = await _GROWING_OF.row(connection, {"key": call})
    return None if row is None else msgspec.convert(row, _Growing)


async def _one(connection: AsyncConnection, query: Prepared, key: str) -> Recording | None:
    row = await query.row(connection, {"key": key})
    return None if row is None else (await _with_agents(connection, [row]))[0]


async def _sure(connection: AsyncConnection, recording: str) -> Recording:
    found = await get_recording(connection, recording)
    assert found is not None  # noqa: S101 - rows of recordings are never deleted
    return found


async def _many(connection: AsyncConnection, rows: Sequence[RowMapping]) -> list[Recording]:
    agents: dict[str, list[str]] = {}
    ids = {"keys": [row["id"] for row in rows]}
    for row in (await connection.execute(_AGENTS_OF, ids)).all() if rows else ():
        agents.setdefault(row.recording, []).append(row.agent)
    return [msgspec.convert({**_plain(row), "agents": agents.get(row["id"], [])}, Recording) for row in rows]


def _plain(row: RowMapping) -> dict[str, Any]:
    """The row with names that msgspec takes for strings."""
    return {str(name): value for name, value in row.items()}


async def _with_agents(connection: AsyncConnection, rows: Sequence[Row]) -> list[Recording]:
    """As `_many`, one recording after another: for the few of the calls that just ended."""
    recordings: list[Recording] = []
    for row in rows:
        agents = [one["agent"] for one in await _AGENTS_OF_ONE.rows(connection, {"key": row["id"]})]
        recordings.append(msgspec.convert({**row, "agents": agents}, Recording))
    return recordings


async def _change(connection: AsyncConnection, recording: str, **values: Any) -> None:
    await _CHANGE.run(connection, {"key": recording, **values})


async def _add_agents(connection: AsyncConnection, recording: str, agents: Sequence[str]) -> None:
    await _NEW_AGENT.run_all(connection, [{"key": recording, "who": agent} for agent in dict.fromkeys(agents)])


def _columns(recording: Recording) -> dict[str, Any]:
    """Values of the row: moments as they are, everything nested as JSON."""
    values = msgspec.structs.asdict(recording)
    del values["agents"]
    nested = {name: msgspec.to_builtins(values[name]) for name in ("tracks", "channels", "muted")}
    words = {name: str(values[name]) for name in ("state", "transcription")}
    return {**values, **nested, **words}
