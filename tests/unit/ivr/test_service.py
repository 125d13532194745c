"""The service: fresh without waiting, alive without a database, callers on the version they began with."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotline.clock import ManualClock
from hotline.errors import BadInput, Conflict, Unavailable
from hotline.tasks import Tasks
from ivr.flow import ClosedWay, EnterQueue, Play, Silence, Started
from ivr.interpreter import step
from ivr.service import IvrService
from tests.unit.ivr.conftest import MemoryStore, ToneVoice

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
OWN = """flow: whole
start: hello
human: seats
nodes:
  hello: {play: [bye], next: seats}
  seats: {queue: first}
"""


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the service polls as well
            await asyncio.sleep(0.005)


@pytest.fixture
async def service(tmp_path: Path, store: MemoryStore, voice: ToneVoice) -> IvrService:
    """A service that is not started."""
    return IvrService(store, ManualClock(NOON), tmp_path, home="0717", voice=voice, poll_s=0.01)


Begun = Callable[[], Awaitable[IvrService]]


@pytest.fixture
async def started(service: IvrService) -> AsyncIterator[Begun]:
    """Start it with the demonstration data."""
    async with Tasks("test") as tasks:

        async def begin() -> IvrService:
            await service.seed("test", demo=True)
            await service.start(tasks)
            return service

        yield begin


async def test_call_is_identified_and_begun_and_reaches_its_queue(started: Begun) -> None:
    service = await started()
    dialled = service.identify("12345", "12345", ["12336"], NOON)
    run, action = step(service.begin(dialled, NOON), Started())
    assert (dialled.number, run.flow.name, action) == ("12336", "whole", Play(("recording_notice",)))
    run, action = step(run, Silence())
    assert isinstance(action, Play)
    assert service.prompts.path(action.prompts[0]).name == "merged_12336"


async def test_undeclared_calls_are_counted_but_questions_are_not(started: Begun) -> None:
    service = await started()
    service.identify("12399", "", [], NOON)
    service.simulate("12399", NOON)
    service.identify("12345", "", [], NOON)
    assert service.state().undeclared == 1


async def test_the_unit_of_a_number_is_told_and_undeclared_ones_are_the_houses(started: Begun) -> None:
    service = await started()
    owners = {one.number: one.owner_unit for one in service.catalogue.entries}
    assert service.unit_of("12336", NOON) == owners["12336"] != ""
    assert (service.unit_of("12399", NOON), service.unit_of("", NOON)) == (owners["12345"], "")
    assert service.state().undeclared == 0


async def test_changed_flow_is_taken_over_and_callers_finish_on_their_version(
    started: Begun, flow_file: Callable[..., Path]
) -> None:
    service = await started()
    caller = service.begin(service.identify("12336", "", [], NOON), NOON)
    before = service.state().flows["whole"]
    flow_file(OWN)
    await until(lambda: service.state().flows["whole"] != before)
    caller, action = step(caller, Started())
    assert (caller.version, action) == (before, Play(("recording_notice",)))
    newcomer = service.begin(service.identify("12336", "", [], NOON), NOON)
    newcomer, action = step(newcomer, Started())
    assert action == Play(("bye",))
    assert step(newcomer, Silence())[1] == EnterQueue("first")


async def test_two_hundred_callers_inside_finish_on_their_version(
    started: Begun, flow_file: Callable[..., Path]
) -> None:
    service = await started()
    path = flow_file(OWN)
    await until(lambda: service.shelf.flows["whole"].file == str(path))
    inside = [step(service.begin(service.identify("12336", "", [], NOON), NOON), Started())[0] for _ in range(200)]
    path.write_text(OWN.replace("first", "second"))
    await until(lambda: service.shelf.flows["whole"].version != inside[0].version)
    assert {step(run, Silence())[1] for run in inside} == {EnterQueue("first")}


async def test_broken_flow_file_leaves_the_old_version_live_and_is_reported(
    started: Begun, flow_file: Callable[..., Path]
) -> None:
    service = await started()
    path = flow_file(OWN)
    await until(lambda: service.shelf.flows["whole"].file == str(path))
    good = service.state().flows["whole"]
    path.write_text(OWN.replace("next: seats", "next: nowhere"))
    await until(lambda: bool(service.state().problems))
    assert service.state().problems == (f"{path}:5:1: the node hello leads to 'nowhere', which is no node",)
    assert service.state().flows["whole"] == good
    path.write_text(OWN)
    await until(lambda: not service.state().problems)
    path.unlink()
    await until(lambda: service.shelf.flows["whole"].file != str(path))
    assert "seats" in service.shelf.flows["whole"].nodes


async def test_change_that_keeps_the_files_time_and_size_is_seen_when_the_file_was_replaced(
    started: Begun, flow_file: Callable[..., Path], tmp_path: Path
) -> None:
    service = await started()
    path = flow_file(OWN)
    await until(lambda: service.shelf.flows["whole"].file == str(path))
    before, known = service.state().flows["whole"], path.stat()
    other = tmp_path / "other"
    other.write_text(OWN.replace("first", "third"))
    os.utime(other, ns=(known.st_atime_ns, known.st_mtime_ns))
    other.replace(path)
    await until(lambda: service.state().flows["whole"] != before)


async def test_without_any_usable_flow_callers_still_reach_a_person(service: IvrService) -> None:
    run = service.begin(service.identify("12336", "", [], NOON), NOON)
    assert step(run, Started())[1] == EnterQueue("general")


async def test_import_is_in_force_at_once_and_the_same_again_changes_nothing(started: Begun) -> None:
    service = await started()
    text = b"numbers:\n  - {number: 12399, name: x, owner_unit: u, mode: whole}\n"
    done = await service.import_catalogue(text, "n.yaml", "someone")
    assert (done.changed, done.revision) == (1, service.state().revision)
    assert service.identify("12399", "", [], NOON).declared
    assert service.prompts.path("merged_12399")
    assert "12399: no end of the transition prompt" in " ".join(done.warnings)
    again = await service.import_catalogue(text, "n.yaml", "someone")
    assert (again.changed, again.revision) == (0, done.revision)


async def test_checking_an_import_changes_nothing(started: Begun) -> None:
    service = await started()
    before = service.state().revision
    text = b"numbers:\n  - {number: 12399, name: x, owner_unit: u, mode: whole}\n"
    assert (await service.import_catalogue(text, "n.yaml", "someone", check_only=True)).changed == 1
    assert service.state().revision == before
    assert not service.identify("12399", "", [], NOON).declared


async def test_wrong_import_changes_nothing_and_tells_every_mistake(started: Begun) -> None:
    service = await started()
    before = service.catalogue
    text = b"numbers:\n  - {number: 12399, name: x, mode: whole}\n  - {number: x}\n"
    with pytest.raises(BadInput) as caught:
        await service.import_catalogue(text, "n.yaml", "someone")
    assert len(caught.value.problems) == 4
    assert service.catalogue == before


async def test_import_that_names_a_flow_that_is_not_there_is_refused(started: Begun) -> None:
    service = await started()
    text = b"numbers:\n  - {number: 12399, name: x, owner_unit: u, mode: whole, flow: nothing}\n"
    with pytest.raises(BadInput) as caught:
        await service.import_catalogue(text, "n.yaml", "someone")
    assert caught.value.problems == ("n.yaml:2:14: the flow 'nothing' of 12399 does not exist",)


async def test_import_decides_again_when_somebody_was_faster_and_gives_up_after_three_times(
    started: Begun, store: MemoryStore
) -> None:
    service = await started()
    text = b"numbers:\n  - {number: 12399, name: x, owner_unit: u, mode: whole}\n"
    store.intruders = 2
    assert (await service.import_catalogue(text, "n.yaml", "someone")).changed == 1
    store.intruders = 3
    with pytest.raises(Conflict):
        await service.import_catalogue(text.replace(b"x,", b"y,"), "n.yaml", "someone")


async def test_catalogue_that_another_process_stored_is_taken_over(started: Begun, store: MemoryStore) -> None:
    service = await started()
    store.catalogue, store.at = type(store.catalogue)(home="0717"), store.at + 1
    await until(lambda: service.state().entries == 0)


async def test_last_catalogue_is_used_while_the_database_is_down_even_after_a_restart(
    started: Begun, store: MemoryStore, tmp_path: Path, voice: ToneVoice
) -> None:
    service = await started()
    store.is_down = True
    await until(lambda: bool(service.state().problems))
    assert service.identify("12336", "", [], NOON).declared
    again = IvrService(store, ManualClock(NOON), tmp_path, home="0717", voice=voice, poll_s=0.01)
    async with Tasks("again") as tasks:
        await again.start(tasks)
        assert (again.state().source, again.catalogue) == ("snapshot", service.catalogue)
        assert again.state().problems == (
            "The catalogue in force is the last known one: The database does not answer.",
        )
        with pytest.raises(Unavailable):
            await again.import_catalogue(b"numbers: []\n", "n.yaml", "someone")
        store.is_down = False
        await until(lambda: again.state().source == "database" and not again.state().problems)


async def test_start_without_database_and_without_snapshot_serves_12345(
    service: IvrService, store: MemoryStore
) -> None:
    store.is_down = True
    async with Tasks("alone") as tasks:
        await service.start(tasks)
        run = service.begin(service.identify("12336", "", [], NOON), NOON)
        assert (service.state().source, run.flow.name) == ("nothing", "self")


async def test_broken_snapshot_is_as_good_as_none(service: IvrService, store: MemoryStore, tmp_path: Path) -> None:
    (tmp_path / "catalogue.json").write_text('{"revision": "x"')
    store.is_down = True
    async with Tasks("alone") as tasks:
        await service.start(tasks)
        assert service.state().source == "nothing"


async def test_only_an_empty_database_is_seeded(service: IvrService, store: MemoryStore) -> None:
    assert await service.seed("test", demo=False)
    numbers = {entry.number for entry in store.catalogue.entries}
    assert {"12345", "110", "12366"} <= numbers
    assert "12336" not in numbers
    assert not await service.seed("test", demo=True)
    assert {entry.number for entry in store.catalogue.entries} == numbers


async def test_new_studio_recording_is_taken_over_without_a_restart(started: Begun, tmp_path: Path) -> None:
    service = await started()
    studio = tmp_path / "prompts" / "studio"
    studio.mkdir()
    (studio / "bye.wav").write_bytes((tmp_path / "prompts" / "waiting.wav").read_bytes())
    await until(lambda: service.prompts.path("bye").parent == studio)


async def test_prompts_folder_that_cannot_be_made_is_a_problem_not_a_crash(service: IvrService, tmp_path: Path) -> None:
    (tmp_path / "prompts").write_text("a file where a folder should be")
    async with Tasks("alone") as tasks:
        await service.start(tasks)
        assert any("folder" in problem for problem in service.state().problems)
        assert service.identify("12345", "", [], NOON).number == "12345"


async def test_a_day_is_simulated_with_the_hours_of_units_and_queues(started: Begun) -> None:
    service = await started()
    hours = """
hours:
  - name: justice
    units: [司法局]
    windows: [{days: [workdays], times: ["09:00-17:00"]}]
"""
    await service.import_catalogue(hours.encode(), "hours.yaml", "admin")
    service.queues = lambda: {"general": ClosedWay("workdays 08:00-20:00", "night", "out_of_hours")}
    make_up, holiday = (
        service.simulate("12348", datetime.fromisoformat(f"{day}+08:00"))
        for day in ("2026-02-14T10:00", "2026-02-17T10:00")
    )
    assert (make_up.open, make_up.day.split()[0], make_up.queue) == (True, "make_up", "general")
    assert (holiday.open, holiday.day.split()[0], holiday.queue) == (False, "holiday", "night")
    assert (
        holiday.moments[-1].words == "waits in the queue night for any seat, instead of general, which is closed then"
    )
    assert [one.prompts for one in holiday.moments].count(("out_of_hours",)) == 1
