"""What is wrong gets one clear sentence, and a call that talks meanwhile hears nothing of it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from hotline.data_lock import locked
from telephony.softphone import Call, CallState, Ear, IncomingCall, OutgoingCall
from tests.asterisk_node import AsteriskNode
from tests.house import Server
from tests.phones import CITIZEN_TONE, HEARD, SEAT_TONE, ended, eventually, wait_hears

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

LONGEST_GAP_S = 1.5
"""Between two packets; a busy machine may hold a test's thread that long."""
SECRET = "a-wrong-secret"


@dataclass
class Talk:
    """A call in which both sides hear each other's tone."""

    citizen: OutgoingCall
    seat: IncomingCall
    since: float

    def is_untouched(self) -> None:
        """Both still talk, and neither tone was away for longer than a moment."""
        eventually(lambda: time.monotonic() > self.since + 2, "two seconds of listening", 5)
        until = time.monotonic()
        for call, frequency in ((self.citizen, SEAT_TONE), (self.seat, CITIZEN_TONE)):
            assert call.state is CallState.TALKING
            assert longest_gap(call, self.since, until) < LONGEST_GAP_S
            wait_hears(call.ear, frequency)
            assert heard_share(call.ear, frequency, self.since, until) > 0.9


def longest_gap(call: Call, since: float, until: float) -> float:
    moments = [since, *(at for at, _ in call.ear.frames(since, until)), until]
    return max(after - before for before, after in pairwise(moments))


def heard_share(ear: Ear, frequency: float, since: float, until: float) -> float:
    """The share of the seconds in which a tone was heard."""
    seconds = [since + number for number in range(int(until - since))] or [since]
    return sum(ear.tone(frequency, at, at + 1) > HEARD / 2 for at in seconds) / len(seconds)


@contextmanager
def talking(hotline: Server, number: str = "12345") -> Iterator[Talk]:
    """Untouched when the block is left, and completed after it."""
    with hotline.seat("8001") as seat, hotline.citizen() as citizen:
        call = citizen.talk(number)
        seat.wait_talks(30)
        wait_hears(call.ear, SEAT_TONE)
        wait_hears(seat.call.ear, CITIZEN_TONE)
        talk = Talk(call, seat.call, time.monotonic())
        yield talk
        talk.is_untouched()
        call.hang_up()
        ended(seat.call)
    eventually(lambda: hotline.calls()[0]["outcome"] == "completed", "the call completed", 20)


def said(hotline: Server, words: str, since: int = 0) -> list[str]:
    """Lines of its output with these words."""
    return [line for line in hotline.lines[since:] if words in line]


def no_traceback(hotline: Server) -> None:
    assert not said(hotline, "Traceback")


def failed(hotline: Server, *words: str) -> str:
    """What a command that must fail says on standard error."""
    done = hotline.command(*words, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def begin(data: Path, hotline: Server, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Another `hotline serve` that is expected to give up by itself."""
    other = Server(data, environment)
    other.sip, other.http_port = hotline.sip, hotline.http_port
    return other.command("serve", check=False)


# Files ---------------------------------------------------------------------------------------------------------

OVERLAP = """numbers:
  - {number: 12388, name: 甲, owner_unit: 甲局, mode: dual, valid_to: 2026-06-30}
  - {number: 12388, name: 甲, owner_unit: 乙局, mode: whole, valid_from: 2026-03-01}
"""
BROKEN = {
    "broken.yaml": ("numbers:\n  - {number: 12388, name: [unfinished\n", "broken.yaml:"),
    "wrong.yaml": ("numbers:\n  - {number: abc, name: 甲, mode: nowhere}\n  - {name: 乙}\n", "wrong.yaml:2:"),
    "wrong.csv": ("number,name,owner_unit,mode\nabc,甲,甲局,whole\n12388,乙,乙局,nowhere\n", "wrong.csv:3:"),
    "no-utf8.csv": ("number,name\n12388,\udcff\udcfe\n", "no-utf8.csv"),
    "overlap.yaml": (OVERLAP, "overlap.yaml:3:"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_catalogue_with_mistakes_is_refused_with_file_and_line_and_changes_nothing(
    hotline: Server, tmp_path: Path, name: str
) -> None:
    content, where = BROKEN[name]
    file = tmp_path / name
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    before = hotline.get("/api/v1/flows")["catalogue_revision"]
    with talking(hotline, "12329"):
        said_to_us = failed(hotline, "numbers", "import", str(file))
        assert where in said_to_us
        answer = hotline.ask(
            "POST", f"/api/v1/numbers/import?file={name}", role="administrator", content=file.read_bytes()
        )
        assert answer.status_code == 400, answer.text
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert where in answer.text
    assert hotline.get("/api/v1/flows")["catalogue_revision"] == before
    no_traceback(hotline)


def test_every_mistake_of_a_catalogue_is_told_at_once(hotline: Server, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(BROKEN["wrong.yaml"][0])
    lines = failed(hotline, "numbers", "import", str(file)).splitlines()
    assert len([line for line in lines if "wrong.yaml:2:" in line]) >= 2
    assert len([line for line in lines if "wrong.yaml:3:" in line]) >= 1


def test_a_flow_that_is_broken_while_it_runs_stays_in_force_as_it_was(hotline: Server) -> None:
    folder = hotline.data / "flows"
    folder.mkdir(exist_ok=True)
    shipped = hotline.get("/api/v1/flows")["flows"]["self"]
    try:
        (folder / "self.yaml").write_text(
            "flow: self\nstart: seats\nhuman: seats\nnodes:\n  seats: {queue: general}\n", "utf-8"
        )
        eventually(lambda: hotline.get("/api/v1/flows")["flows"]["self"] != shipped, "the own flow is in force", 20)
        own, began = hotline.get("/api/v1/flows")["flows"]["self"], len(hotline.lines)
        with talking(hotline):
            (folder / "self.yaml").write_text("flow: self\nstart: nowhere\nnodes: [\n", "utf-8")
            eventually(lambda: bool(hotline.get("/api/v1/flows")["problems"]), "the problem is shown", 20)
            assert hotline.get("/api/v1/flows")["flows"]["self"] == own
            assert "self.yaml:" in hotline.get("/api/v1/flows")["problems"][0]
            assert len(said(hotline, "flow file not taken", began)) == 1
        with talking(hotline):
            pass  # new callers still go through the version that works
    finally:
        shutil.rmtree(folder)
    eventually(lambda: hotline.get("/api/v1/flows")["flows"]["self"] == shipped, "the shipped flow is back", 20)
    no_traceback(hotline)


def test_a_missing_sound_file_is_told_and_the_call_goes_on(fresh_hotline: Server) -> None:
    hotline = fresh_hotline
    sound = hotline.data / "prompts" / "recording_notice.wav"
    sound.unlink()
    with talking(hotline):
        (told,) = said(hotline, "recording_notice")
    assert "prompt missing" in told
    assert "start again to render it" in told
    no_traceback(hotline)


# Settings ------------------------------------------------------------------------------------------------------


def test_a_wrong_model_folder_is_told_at_the_start_and_on_the_ticket(tmp_path: Path) -> None:
    wrong = tmp_path / "no-model"
    wrong.mkdir()
    with Server(tmp_path / "data", {"HOTLINE_VOSK_MODEL": str(wrong)}) as hotline:
        (told,) = said(hotline, "no transcripts will be made")
        assert f"{wrong} is not a Vosk model" in told
        assert any(str(wrong) in one for one in hotline.get("/api/v1/system", role="administrator")["problems"])
        with talking(hotline, "12329"):
            pass
        eventually(lambda: hotline.tickets()[0]["transcript_state"] == "no_model", "the ticket says so", 40)
        assert hotline.ask("GET", "/readyz").status_code == 200
        no_traceback(hotline)


def test_a_busy_http_port_ends_a_start_in_one_sentence_and_touches_no_call(hotline: Server, tmp_path: Path) -> None:
    with talking(hotline):
        done = begin(tmp_path / "other", hotline, HOTLINE_HTTP_PORT=str(hotline.http_port))
    assert done.returncode == 1
    assert (done.stdout, len(done.stderr.splitlines())) == ("", 1)
    assert f"TCP port {hotline.http_port}" in done.stderr
    assert "HOTLINE_HTTP_PORT" in done.stderr


def test_a_busy_sip_port_ends_a_start_in_one_sentence_and_touches_no_call(hotline: Server, tmp_path: Path) -> None:
    with talking(hotline):
        done = begin(tmp_path / "other", hotline, HOTLINE_SIP_PORT=str(hotline.sip[1]))
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert f"UDP port {hotline.sip[1]}" in last
    assert "HOTLINE_SIP_PORT" in last
    assert "Traceback" not in done.stderr
    assert "Accounts" not in done.stdout, "passwords are not made before somebody can see them"


def test_a_second_hotline_on_the_same_folder_is_refused_and_touches_no_call(hotline: Server) -> None:
    with talking(hotline):
        done = begin(hotline.data, hotline)
    assert done.returncode == 1
    (told,) = done.stderr.splitlines()
    assert "Another hotline already runs on the data folder" in told
    assert f"(process {hotline.process.pid} since " in told


def test_a_folder_that_somebody_has_is_left_as_it_is(tmp_path: Path, hotline: Server) -> None:
    """Whatever else would be made at a start, database and log included, is not."""
    data = tmp_path / "data"
    (data / "spool").mkdir(parents=True)
    with locked(data, datetime(2026, 11, 23, tzinfo=UTC)):
        done = begin(data, hotline, HOTLINE_AMI_URL="ami://a:b@127.0.0.1:9")
        assert sorted(one.name for one in data.rglob("*")) == ["hotline.lock", "spool"]
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)


def test_a_start_that_fails_leaves_the_calls_of_the_one_before_alone(fresh_hotline: Server) -> None:
    """Killed while a citizen talks; somebody else has taken the port; then it is free again."""
    hotline = fresh_hotline
    with talking(hotline):
        hotline.kill()
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind(("127.0.0.1", hotline.http_port))
            thief.listen()
            done = hotline.command("serve", check=False)
            assert done.returncode == 1
            assert "HOTLINE_HTTP_PORT" in done.stderr
        hotline.start()
    no_traceback(hotline)


def test_a_wrong_ami_secret_is_told_in_health_and_log_and_shown_nowhere(tmp_path: Path) -> None:
    node = AsteriskNode(tmp_path / "theirs").start()
    url = f"ami://{node.ami.user}:{SECRET}@127.0.0.1:{node.ami.port}"
    try:
        with Server(tmp_path / "data", {"HOTLINE_AMI_URL": url}) as hotline:
            eventually(lambda: bool(said(hotline, "refuses the account")), "the log says so", 20)
            answer = hotline.ask("GET", "/readyz")
            assert answer.status_code == 503
            assert "refuses the account" in answer.json()["checks"]["asterisk"]
            assert hotline.ask("GET", "/healthz").status_code == 200
            hotline.stop()
            assert not said(hotline, SECRET)
            assert SECRET not in answer.text
            no_traceback(hotline)
    finally:
        node.stop()


# The disk ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MiB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "hotline-test", str(place)]
    if os.getuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield place
    eventually(lambda: subprocess.run(["umount", str(place)], check=False).returncode == 0, "the disk is away", 20)


def fill(folder: Path) -> Path:
    """A file that takes all the room that is left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return filler


def test_a_full_disk_lets_calls_go_on_and_tickets_are_complete_after_room_was_made(small_disk: Path) -> None:
    """One call talks while the disk fills up, another one begins while it is full."""
    with Server(small_disk / "data", {"HOTLINE_DISK_FLOOR_MIB": "4"}) as hotline:
        tokens = hotline.token("supervisor"), hotline.token("qa")
        assert all(tokens), "made while there is room"
        with hotline.seat("8001") as seat, hotline.citizen() as citizen:
            call = citizen.talk("12345")
            first = spoken_for(call, seat.wait_talks(30), 3.0)
            filler = fill(small_disk)
            eventually(lambda: bool(said(hotline, "disk nearly full")), "the log says that the disk is full", 30)
            ready = hotline.ask("GET", "/readyz")
            assert ready.status_code == 503
            assert "free some room" in ready.json()["checks"]["disk"]
            first.is_untouched()
            call.hang_up()
            ended(seat.call)
            call = citizen.talk("12345")
            seat.wait_rings(2, 30)
            second = spoken_for(call, seat.call, 2.0)
            filler.unlink()
            spoken_for(call, seat.call, 2.0)
            second.is_untouched()
            call.hang_up()
            ended(seat.call)
        eventually(lambda: hotline.ask("GET", "/readyz").status_code == 200, "all is well again", 30)
        tickets = hotline.wait_ticket(count=2)
        # The tracks of the first, once composed, may give the second the room that it needs.
        assert [sealed(hotline, str(one["recording"]))["truncated"] for one in tickets][-1]
        assert {one["outcome"] for one in hotline.calls()} == {"completed"}
        assert len(said(hotline, "kept in memory")) == len(said(hotline, "stored again"))
        no_traceback(hotline)


def spoken_for(citizen: OutgoingCall, seat: IncomingCall, seconds: float) -> Talk:
    """The call after both have heard each other for a while."""
    wait_hears(citizen.ear, SEAT_TONE, 10)
    wait_hears(seat.ear, CITIZEN_TONE, 10)
    since = time.monotonic()
    eventually(lambda: time.monotonic() > since + seconds, "they talk", seconds + 5)
    return Talk(citizen, seat, since)


def sealed(hotline: Server, recording: str) -> dict[str, object]:
    """A recording when it is sealed."""
    path = f"/api/v1/recordings/{recording}"
    eventually(lambda: hotline.get(path, role="qa")["state"] == "closed", "the recording is sealed", 60)
    found: dict[str, object] = hotline.get(path, role="qa")
    return found


def test_ctrl_c_ends_everything_without_a_traceback(tmp_path: Path) -> None:
    with Server(tmp_path / "data", {"HOTLINE_DEMO_SEAT": "1"}) as hotline:
        eventually(lambda: hotline.seat_state("8001") == "ready", "the demonstration seat", 30)
        assert processes_of(hotline.data)
        hotline.process.send_signal(signal.SIGINT)
        assert hotline.process.wait(30) == 0
        eventually(lambda: not processes_of(hotline.data), "nothing is left", 5)
        assert not [line for line in hotline.lines if "warning" in line or "error" in line]
        no_traceback(hotline)


def test_the_demonstration_seat_does_not_outlive_a_killed_hotline(tmp_path: Path) -> None:
    with Server(tmp_path / "data", {"HOTLINE_DEMO_SEAT": "1"}) as hotline:
        eventually(lambda: hotline.seat_state("8001") == "ready", "the demonstration seat", 30)
        assert any("demo-seat" in line for line in processes_of(hotline.data))
        hotline.kill()
        eventually(lambda: not any("-m app" in line for line in processes_of(hotline.data)), "it is gone", 10)
        assert any("asterisk.conf" in line for line in processes_of(hotline.data)), "calls live on"


def processes_of(data: Path) -> list[str]:
    """Command lines of what runs for this data folder."""
    return [line for one in Path("/proc").iterdir() if one.name.isdigit() and (line := _line_of(one, data))]


def _line_of(process: Path, data: Path) -> str:
    try:
        line = (process / "cmdline").read_bytes()
        is_ours = f"HOTLINE_DATA={data}\0".encode() in (process / "environ").read_bytes() or str(data).encode() in line
    except OSError:
        return ""
    return line.replace(b"\0", b" ").decode() if is_ours else ""
