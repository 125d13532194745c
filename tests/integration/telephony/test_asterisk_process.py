"""Asterisk as a child of the product that outlives it: starting, adopting, restarting, ending, and clear refusals."""

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from hotline.clock import SystemClock
from hotline.errors import Conflict
from hotline.settings import Settings
from telephony import config
from telephony.asterisk import AsteriskProcess
from telephony.errors import AsteriskMissing, AsteriskUnreachable, AsteriskWontStart
from telephony.find import find_asterisk
from telephony.model import PhoneId
from telephony.provisioning import Provisioning
from telephony.readiness import wait_ready
from telephony.softphone import Account, CallState, Softphone, Tone
from tests.ami_probe import AmiProbe
from tests.asterisk_node import free_rtp_ports, free_udp_port
from tests.phones import SEAT_TONE, Citizen, SeatPhone, wait_hears

pytestmark = pytest.mark.integration

SECRET = "a-secret-of-tests"
Start = Callable[..., Awaitable[AsteriskProcess]]

OWNER = """
import asyncio, sys
from hotline.clock import SystemClock
from hotline.settings import Settings
from telephony import config
from telephony.asterisk import AsteriskProcess

async def main():
    process = AsteriskProcess(Settings(), SystemClock())
    await process.start()
    print("pid", process.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def settings(folder: Path, **chosen: object) -> Settings:
    defaults: dict[str, object] = {"data": folder, "sip_port": free_udp_port(), "rtp_ports": free_rtp_ports()}
    return Settings(**(defaults | chosen))  # type: ignore[arg-type]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start a process; all are stopped in the end."""
    started: list[AsteriskProcess] = []

    async def one(chosen: Settings) -> AsteriskProcess:
        process = AsteriskProcess(chosen, SystemClock())
        started.append(process)
        await process.start()
        return process

    yield one
    for process in started:
        await process.stop()


def alive(pid: int | None) -> bool:
    return pid is not None and Path(f"/proc/{pid}/exe").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text()


async def test_starts_within_a_second_and_ends_without_a_trace(start: Start, tmp_path: Path) -> None:
    began = time.monotonic()
    process = await start(settings(tmp_path / "市民 热线"))
    took = time.monotonic() - began
    pid = process.pid
    assert alive(pid)
    assert process.ready is not None
    assert process.ready.version
    await process.stop()
    assert not alive(pid)
    assert not process.places.process.exists()
    with pytest.raises(AsteriskUnreachable):
        await wait_ready(process.ami, 0.2)
    assert took < 5  # some 0.5 s on a machine that has nothing else to do


async def test_files_are_their_owners_alone(start: Start, tmp_path: Path) -> None:
    process = await start(settings(tmp_path / "data"))
    files = [*process.places.etc.iterdir(), process.places.identity, process.places.seats, process.places.process]
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}
    folders = [process.places.base, process.places.etc, process.places.identity.parent, process.places.run]
    assert {oct(folder.stat().st_mode & 0o777) for folder in folders} == {"0o700"}
    assert process.ami.secret.encode() not in visible_to_others(process.pid)


def visible_to_others(pid: int | None) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()


async def test_killed_asterisk_is_back_within_five_seconds_with_its_registrations(start: Start, tmp_path: Path) -> None:
    process = await start(settings(tmp_path / "data"))
    account = await Provisioning(process.places.seats).add(PhoneId("8001"), SECRET)
    sip = ("127.0.0.1", process_port(process))
    with SeatPhone(sip, Account(account, SECRET)) as seat, Citizen(sip) as citizen:
        first = process.pid
        assert first is not None
        await until(lambda: noted_contacts(process) == 1)  # Asterisk writes them once a second
        os.kill(first, signal.SIGKILL)
        died = time.monotonic()
        await until(lambda: process.pid not in (None, first))
        assert time.monotonic() - died < 5
        with AmiProbe(process.ami) as ami:
            ami.beat()
            call = await asyncio.to_thread(citizen.talk, "12345")
            ami.offer(ami.wait_arrival()["Channel"], "8001", "offer_1")
            await asyncio.to_thread(seat.wait_talks)
            await asyncio.to_thread(wait_hears, call.ear, SEAT_TONE)
    assert process.restarts == 1


def noted_contacts(process: AsteriskProcess) -> int:
    """Registrations that Asterisk has on disk."""
    with closing(sqlite3.connect(process.places.base / "db" / "astdb.sqlite3")) as database:
        return int(database.execute("select count(*) from astdb where key like '/registrar/contact%'").fetchone()[0])


def process_port(process: AsteriskProcess) -> int:
    return int(process.places.etc.joinpath("pjsip.conf").read_text().partition("bind = 127.0.0.1:")[2].split()[0])


async def until(ready: Callable[[], bool], timeout: float = 10) -> None:
    async with asyncio.timeout(timeout):
        while not ready():  # noqa: ASYNC110 - a state of the outside
            await asyncio.sleep(0.02)


async def test_asterisk_that_dies_again_and_again_is_started_again_and_again(start: Start, tmp_path: Path) -> None:
    process = await start(settings(tmp_path / "data"))
    for times in (1, 2, 3):
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        died = time.monotonic()
        await back_after(process, times)
        assert time.monotonic() - died < 5


async def back_after(process: AsteriskProcess, deaths: int) -> None:
    await until(lambda: process.restarts == deaths and process.pid is not None)


async def test_our_death_leaves_calls_alone_and_the_next_of_us_adopts_them(start: Start, tmp_path: Path) -> None:
    chosen = settings(tmp_path / "data")
    owner, pid = own_in_another_process(chosen)
    try:
        with Citizen(("127.0.0.1", chosen.sip_port)) as citizen:
            call = await asyncio.to_thread(citizen.talk, "12345")  # nobody beats: the fallback has it
            owner.kill()
            owner.wait()
            assert alive(pid)
            process = await start(chosen)
            assert process.adopted
            assert process.pid == pid
            assert call.state is CallState.TALKING
            with AmiProbe(process.ami) as ami:
                ami.action("CoreShowChannels")
                assert ami.wait("CoreShowChannel")["Context"] == "fallback"
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close() if owner.stdout else None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: process.pid not in (None, pid))
    assert not process.adopted


def own_in_another_process(chosen: Settings) -> tuple["subprocess.Popen[str]", int]:
    environment = {
        **os.environ, "HOTLINE_DATA": str(chosen.data), "HOTLINE_SIP_PORT": str(chosen.sip_port),
        "HOTLINE_RTP_PORTS": chosen.rtp_ports, "PYTHONPATH": str(Path(__file__).parents[3]),
    }  # fmt: skip
    owner = subprocess.Popen([sys.executable, "-c", OWNER], env=environment, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    for line in owner.stdout:
        if line.startswith("pid "):
            return owner, int(line.split()[1])
    raise AssertionError("the other process did not start Asterisk")


async def test_adopted_asterisk_takes_new_settings_without_touching_a_call(start: Start, tmp_path: Path) -> None:
    chosen = settings(tmp_path / "data")
    first = await start(chosen)
    pid = first.pid
    account = await Provisioning(first.places.seats).add(PhoneId("8001"), SECRET)
    sip = ("127.0.0.1", chosen.sip_port)
    with Softphone(sip, account=Account(account, SECRET)) as phone, AmiProbe(first.ami) as ami:
        ami.action("Setvar", Variable="CTL_BEAT", Value="77")
        echo = phone.call("echo", source=Tone(SEAT_TONE))
        await asyncio.to_thread(wait_hears, echo.ear, SEAT_TONE)
        await first.leave()
        second = await start(chosen.model_copy(update={"trunks": ("127.0.0.7/32",)}))
        assert second.adopted
        assert second.pid == pid
        with Citizen(sip) as citizen:  # 127.0.0.1 is no trunk any more
            await until(lambda: refused(citizen, "12345"))
        await asyncio.to_thread(wait_hears, echo.ear, SEAT_TONE)
        assert ami.action("Getvar", Variable="CTL_BEAT")["Value"] == "77"


def refused(citizen: Citizen, number: str) -> bool:
    call = citizen.dial(number)
    call.wait_until(CallState.TALKING, 2)
    call.hang_up()
    return call.ending is not None and call.ending.status == 401


async def test_two_instances_stand_side_by_side(start: Start, tmp_path: Path) -> None:
    one, two = await start(settings(tmp_path / "one")), await start(settings(tmp_path / "two"))
    assert one.ami.port != two.ami.port
    assert one.ami.secret != two.ami.secret
    lines: set[str] = set()
    for process in (one, two):
        with AmiProbe(process.ami) as ami, Citizen(("127.0.0.1", process_port(process))) as citizen:
            ami.beat()
            await asyncio.to_thread(citizen.talk, "12345")
            lines.add(ami.wait_arrival()["Uniqueid"].rpartition("-")[0])
    assert len(lines) == 2  # each has its own prefix


async def test_second_hotline_on_the_same_folder_refuses_and_the_first_works_on(start: Start, tmp_path: Path) -> None:
    process = await start(settings(tmp_path / "data"))
    with pytest.raises(Conflict, match=r"Another hotline already runs on the data folder .*HOTLINE_DATA"):
        await start(settings(tmp_path / "data"))
    assert alive(process.pid)


async def test_busy_sip_port_gives_one_sentence_with_the_port_and_the_setting(start: Start, tmp_path: Path) -> None:
    one = await start(settings(tmp_path / "one"))
    port = process_port(one)
    with pytest.raises(AsteriskWontStart) as failure:
        await start(settings(tmp_path / "two", sip_port=port))
    assert str(failure.value) == (
        f"UDP port {port} on 127.0.0.1 is taken by another program: end that one, or choose another port with "
        "HOTLINE_SIP_PORT."
    )
    assert alive(one.pid)


@pytest.mark.parametrize(
    ("bind", "sentence"),
    [
        ("192.0.2.55", "192.0.2.55 is no address of this machine: correct HOTLINE_BIND."),
        ("localhost", "SIP cannot be bound to 'localhost': HOTLINE_BIND must be an IPv4 address"),
        ("::1", "HOTLINE_BIND must be an IPv4 address"),
    ],
)
async def test_address_that_cannot_be_bound_is_named(start: Start, tmp_path: Path, bind: str, sentence: str) -> None:
    with pytest.raises(AsteriskWontStart) as failure:
        await start(settings(tmp_path / "data", bind=bind))
    assert sentence in str(failure.value)


@pytest.mark.parametrize(
    ("name", "old", "new", "sentence"),
    [
        (
            "pjsip.conf",
            "direct_media = no",
            "direct_media = no\nnonsense = 1",
            "option suitable for category 'trunk' named 'nonsense'",
        ),
        ("pjsip.conf", "protocol = udp", "protocol = pigeon", "object of type 'transport'"),
        ("modules.conf", "chan_pjsip.so", "chan_telegraph.so", r"lacks chan_telegraph\.so"),
    ],
)
async def test_configuration_that_asterisk_does_not_understand_stops_the_start(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, old: str, new: str, sentence: str
) -> None:
    broken = config.templates()
    assert old in broken[name]
    broken[name] = broken[name].replace(old, new)
    monkeypatch.setattr(config, "templates", lambda: broken)
    chosen = settings(tmp_path / "data")
    with pytest.raises(AsteriskWontStart, match=sentence):
        await start(chosen)
    assert not (chosen.data / "asterisk" / "process.json").exists()


async def test_remembered_ami_port_that_somebody_took_is_replaced(start: Start, tmp_path: Path) -> None:
    chosen = settings(tmp_path / "data")
    process = await start(chosen)
    before = process.ami
    await process.stop()
    with socket.socket() as taker:
        taker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taker.bind(("127.0.0.1", before.port))
        taker.listen()
        again = await start(chosen)
    assert again.ami.port != before.port
    assert (again.ami.user, again.ami.secret) == (before.user, before.secret)


async def test_path_too_long_for_a_socket_gets_a_short_run_folder(start: Start, tmp_path: Path) -> None:
    process = await start(settings(tmp_path / ("long" * 20) / ("longer" * 10)))
    assert not process.places.run.is_relative_to(tmp_path)
    assert process.places.run.joinpath("asterisk.ctl").is_socket()
    await process.stop()
    for left in process.places.run.iterdir():
        left.unlink()
    process.places.run.rmdir()


async def test_asterisk_that_cannot_run_says_why(start: Start, tmp_path: Path) -> None:
    found = find_asterisk("")
    bare = tmp_path / "root" / "usr"
    (bare / "sbin").mkdir(parents=True)
    (bare / "lib" / "asterisk" / "modules").mkdir(parents=True)
    (bare / "lib" / "asterisk" / "modules" / "chan_pjsip.so").touch()
    (bare / "share" / "asterisk").mkdir(parents=True)
    (bare / "share" / "asterisk" / "documentation").symlink_to(found.documentation)
    program = bare / "sbin" / "asterisk"
    program.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Asterisk 20.6.0" && exit\necho "the disk is on fire" >&2\n')
    program.chmod(0o755)
    with pytest.raises(AsteriskWontStart, match=r"lacks res_timing_timerfd.so, .*install its modules"):
        await start(settings(tmp_path / "one", asterisk=str(program)))
    for module in found.modules.iterdir():
        (bare / "lib" / "asterisk" / "modules" / module.name).touch()
    with pytest.raises(AsteriskWontStart, match="Asterisk ended while it started: the disk is on fire"):
        await start(settings(tmp_path / "two", asterisk=str(program)))
    with pytest.raises(AsteriskMissing, match="neither a folder nor a program"):
        await start(settings(tmp_path / "three", asterisk=str(tmp_path / "nothing")))


async def test_read_only_data_folder_and_wrong_secret_are_named(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AsteriskWontStart, match="cannot be written"):
        await start(settings(tmp_path / "file" / "data"))
    process = await start(settings(tmp_path / "data"))
    wrong = type(process.ami)(process.ami.host, process.ami.port, process.ami.user, "guess")
    with pytest.raises(AsteriskWontStart, match="refused the AMI account hotline") as failure:
        await wait_ready(wrong, 3)
    assert "guess" not in str(failure.value)
