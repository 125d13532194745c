"""The thread that writes an SQLite file: groups, savepoints, patience, and a connection that went bad."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from hotline.errors import NotAllowed, Unavailable
from hotline.sqlite_thread import SqliteThread

pytestmark = pytest.mark.contract

SCHEMA = ("CREATE TABLE IF NOT EXISTS words (word TEXT)",)


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[SqliteThread]:
    opened = SqliteThread(tmp_path / "words.db", SCHEMA, timeout_s=0.5)
    yield opened
    await opened.close()


class Blocked:
    """Keeps the writing thread busy, so that what is asked meanwhile becomes one group."""

    def __init__(self) -> None:
        self.has_begun = threading.Event()
        self.may_end = threading.Event()

    def __call__(self, _: sqlite3.Connection) -> None:
        self.has_begun.set()
        self.may_end.wait(10)


def _insert(word: str, error: Exception | None = None) -> Callable[[sqlite3.Connection], str]:
    def insert(connection: sqlite3.Connection) -> str:
        connection.execute("INSERT INTO words VALUES (?)", (word,))
        if error is not None:
            raise error
        return word

    return insert


def _words(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT word FROM words ORDER BY rowid")]


async def _grouped(file: SqliteThread, *asked: Awaitable[object]) -> list[object]:
    blocked = Blocked()
    first = asyncio.create_task(file.write(blocked))
    await asyncio.to_thread(blocked.has_begun.wait, 10)
    waiting = [asyncio.ensure_future(one) for one in asked]
    await asyncio.sleep(0)
    blocked.may_end.set()
    await first
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_one_that_fails_in_a_group_leaves_no_trace_and_the_others_stay(file: SqliteThread) -> None:
    asked = [file.write(_insert("a")), file.write(_insert("bad", NotAllowed("No."))), file.write(_insert("b"))]
    outcomes = await _grouped(file, *asked)
    assert [outcomes[0], type(outcomes[1]), outcomes[2]] == ["a", NotAllowed, "b"]
    assert await file.read(_words) == ["a", "b"]


async def test_an_outage_in_a_group_concerns_everybody_in_it(file: SqliteThread) -> None:
    asked = [file.write(_insert("a")), file.write(_insert("b", sqlite3.OperationalError("disk is full")))]
    outcomes = await _grouped(file, *asked)
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]
    assert "disk is full" in str(outcomes[0])
    assert await file.read(_words) == []
    assert await file.write(_insert("c")) == "c"


async def test_a_connection_that_went_bad_is_replaced(file: SqliteThread) -> None:
    await file.write(_insert("a"))
    with pytest.raises(Unavailable):
        await file.write(lambda connection: connection.close())
    assert await file.write(_insert("b")) == "b"
    with pytest.raises(Unavailable):
        await file.read(lambda connection: connection.execute("SELECT nothing FROM nowhere"))
    assert await file.read(_words) == ["a", "b"]


async def test_what_did_not_begin_in_time_is_not_done_later(file: SqliteThread) -> None:
    blocked = Blocked()
    first = asyncio.create_task(file.write(blocked))
    await asyncio.to_thread(blocked.has_begun.wait, 10)
    with pytest.raises(Unavailable, match=r"did not answer within 0\.5 s"):
        await file.write(_insert("late"))
    blocked.may_end.set()
    await first
    await file.write(_insert("after"))
    assert await file.read(_words) == ["after"]


async def test_a_caller_who_leaves_while_it_waits_takes_it_along(file: SqliteThread) -> None:
    blocked = Blocked()
    first = asyncio.create_task(file.write(blocked))
    await asyncio.to_thread(blocked.has_begun.wait, 10)
    leaving = asyncio.create_task(file.write(_insert("left")))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    blocked.may_end.set()
    await first
    assert await file.read(_words) == []


async def test_the_write_ahead_log_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotline.sqlite_thread.CHECKPOINT_EVERY", 20)
    monkeypatch.setattr("hotline.sqlite_thread.LARGE_LOG", 300_000)
    file = SqliteThread(tmp_path / "words.db", SCHEMA)
    log = tmp_path / "words.db-wal"

    async def grows() -> bool:
        before = log.stat().st_size if log.exists() else 0
        for _ in range(200):
            await file.write(_insert("x" * 3000))
        return log.stat().st_size > before

    async with asyncio.timeout(30):  # a slow disk may need its time to sync
        while await grows():
            pass
    await file.close()


async def test_a_closed_file_is_unavailable(tmp_path: Path) -> None:
    file = SqliteThread(tmp_path / "words.db", SCHEMA)
    await file.write(_insert("a"))
    await file.close()
    with pytest.raises(Unavailable, match="closed"):
        await file.write(_insert("b"))


# Small writes on the spot ----------------------------------------------------------------------------------------


@pytest.fixture
async def used(file: SqliteThread) -> SqliteThread:
    """The thread has made the file: from now on small writes need it no more."""
    await file.write_small(_insert("first"))
    return file


def _here(_: sqlite3.Connection) -> str:
    return threading.current_thread().name


async def test_a_small_write_runs_on_the_spot_and_is_seen(used: SqliteThread) -> None:
    assert await used.write_small(_here) == threading.current_thread().name
    assert await used.write_small(_insert("second")) == "second"
    assert await used.read(_words) == ["first", "second"]


async def test_the_file_is_made_by_the_thread(file: SqliteThread) -> None:
    assert await file.write_small(_here) == "write words.db"


async def test_a_small_write_that_fails_leaves_no_trace(used: SqliteThread) -> None:
    with pytest.raises(NotAllowed):
        await used.write_small(_insert("bad", NotAllowed("No.")))
    await used.write_small(_insert("good"))
    assert await used.read(_words) == ["first", "good"]


async def test_small_writes_do_not_overtake_what_the_thread_has_to_do(used: SqliteThread) -> None:
    outcomes = await _grouped(used, used.write(_insert("a")), used.write_small(_insert("b")), used.write(_insert("c")))
    assert outcomes == ["a", "b", "c"]
    assert await used.read(_words) == ["first", "a", "b", "c"]


async def test_a_small_write_waits_on_the_thread_while_somebody_else_holds_the_file(
    used: SqliteThread, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "words.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = asyncio.create_task(used.write_small(_here))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()
    assert await waiting == "write words.db"
    assert await used.write_small(_here) == threading.current_thread().name


async def test_after_an_outage_on_the_spot_the_thread_says_what_is_wrong(used: SqliteThread) -> None:
    with pytest.raises(Unavailable, match="disk is full"):
        await used.write_small(_insert("a", sqlite3.OperationalError("disk is full")))
    await used.write_small(_insert("b"))
    assert await used.read(_words) == ["first", "b"]


async def test_a_slow_disk_is_left_to_the_thread_for_a_while(used: SqliteThread) -> None:
    def slow(connection: sqlite3.Connection) -> str:
        threading.Event().wait(0.03)
        return _here(connection)

    assert await used.write_small(slow) == threading.current_thread().name
    assert await used.write_small(_here) == "write words.db"


async def test_the_log_begins_anew_on_the_thread(used: SqliteThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hotline.sqlite_thread.CHECKPOINT_EVERY", 5)
    names: set[str] = set()
    async with asyncio.timeout(10):
        while len(names) < 2:
            names.add(await used.write_small(_here))
            await asyncio.sleep(0)
    assert names == {threading.current_thread().name, "write words.db"}


async def test_a_closed_file_takes_no_small_write(used: SqliteThread) -> None:
    await used.close()
    with pytest.raises(Unavailable, match="closed"):
        await used.write_small(_insert("late"))
