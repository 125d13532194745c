import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from telephony.child import Child, launch, recognise

pytestmark = pytest.mark.integration


def sleeper(tmp_path: Path, script: str = "exec sleep 60") -> Child:
    return launch(["/bin/sh", "-c", script, "mark-of-ours"], tmp_path / "out.log")


def processes() -> set[int]:
    return {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}


async def until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not ready():  # noqa: ASYNC110 - a state of the outside
            await asyncio.sleep(0.01)


async def test_child_runs_in_a_session_of_its_own_with_its_output_in_a_private_file(tmp_path: Path) -> None:
    child = sleeper(tmp_path, "echo hello; env; exec sleep 60")
    try:
        assert child.alive()
        assert os.getsid(child.pid) == child.pid != os.getsid(0)
        await until(lambda: b"PATH" in (tmp_path / "out.log").read_bytes())
        assert (tmp_path / "out.log").stat().st_mode & 0o777 == 0o600
        assert "HOTLINE" not in (tmp_path / "out.log").read_text()
    finally:
        await child.end(2)
    assert not child.alive()


async def test_child_goes_politely_and_by_force_when_it_must(tmp_path: Path) -> None:
    assert await sleeper(tmp_path).end(2)
    ready = tmp_path / "ready"
    stubborn = sleeper(tmp_path, f"trap '' TERM; touch '{ready}'; while :; do sleep 0.05; done")
    await until(ready.exists)
    assert not await stubborn.end(0.3)
    assert not stubborn.alive()


async def test_recycled_pid_is_never_signalled(tmp_path: Path) -> None:
    child = sleeper(tmp_path)
    try:
        for stranger in (
            msgspec.structs.replace(child, started=child.started + 1),
            msgspec.structs.replace(child, boot="another"),
        ):
            assert not stranger.alive()
            stranger.signal(signal.SIGKILL)
            await stranger.gone()
        assert child.alive()
    finally:
        await child.end(2)


async def test_dead_child_leaves_no_zombie(tmp_path: Path) -> None:
    child = sleeper(tmp_path, "exit 3")
    async with asyncio.timeout(5):
        await child.gone()
    assert child.pid not in processes()


async def test_process_is_recognised_by_a_whole_argument(tmp_path: Path) -> None:
    child = sleeper(tmp_path, "while :; do sleep 0.05; done")
    try:
        await until(lambda: recognise(child.pid, "mark-of-ours") == child)
        assert recognise(child.pid, "mark-of") is None
        assert recognise(2**22 + 1, "mark-of-ours") is None
    finally:
        await child.end(2)


def test_program_that_cannot_be_executed_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        launch([str(tmp_path / "nothing")], tmp_path / "out.log")
