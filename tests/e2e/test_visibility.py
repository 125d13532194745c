"""One real call, and what everybody may and may not see of it: API, audit, logs, files, ports."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from telephony.softphone.sources import Feed
from tests.house import Server
from tests.phones import Manners, ended, eventually
from tests.speech import mandarin

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

CALLER = "13987654321"
MASKED = "139****4321"
NAME = "欧阳修竹"
SAID = "你好,我要投诉小区楼下半夜施工噪音扰民"
ROLES = ("operator", "expert", "supervisor", "dispatcher", "unit", "qa", "administrator", "auditor")
NOT_FOUND = 404


@dataclass
class Evidence:
    """A house in which one call was, and what came of it."""

    hotline: Server
    call: str
    ticket: str
    recording: str
    transcript: str
    cookies: dict[str, dict[str, str]]
    sockets: list[tuple[str, str, int]]
    """(kind, address, port) of everything that listened while the call was up."""
    commands: str
    """The command lines of the whole house during the call."""

    def ask(self, who: str, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        """`who`: a login of a person, with a seat where the person has one; or a role, by a token."""
        if who not in self.cookies:
            return self.hotline.ask(method, path, role=who, **options)
        headers = self.cookies[who] | {"origin": self.base} | options.pop("headers", {})
        return httpx.request(method, self.base + path, headers=headers, timeout=10, **options)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.hotline.http_port}"

    def audit(self, **wanted: str) -> list[dict[str, Any]]:
        query = "&".join(f"{name}={value}" for name, value in wanted.items())
        found: list[dict[str, Any]] = self.hotline.get(f"/api/v1/audit?limit=500&{query}", role="auditor")["items"]
        return found


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    with Server(tmp_path_factory.mktemp("hotline") / "data") as hotline:
        yield call_once(hotline)


def call_once(hotline: Server) -> Evidence:
    mouth = Feed()
    with hotline.seat("8001", Manners()) as seat, hotline.citizen(CALLER) as citizen:
        call = citizen.talk("12345", saying=mouth)
        seat.wait_talks(40)
        sockets, commands = listening(family(hotline.process.pid)), command_lines(family(hotline.process.pid))
        mouth.write(mandarin(SAID, "f3"))
        eventually(lambda: not mouth.pending, "the citizen has spoken", 15)
        seat.call.hang_up()
        ended(call, 15)
    ticket = hotline.wait_ticket(transcribed=True, timeout=60)[0]
    found = hotline.get(f"/api/v1/tickets/{ticket['id']}")
    fill_in(hotline, found)
    logins = dict(re.findall(r"^  ([a-z]+) +(\S+)   \(", "\n".join(hotline.lines), re.MULTILINE))
    made = json.loads(
        hotline.command("people", "add", "other", "--role", "operator", "--agent", "8002", "--json").stdout
    )
    wanted = {"operator": logins["operator"], "expert": logins["expert"], "other": made["password"]}
    cookies = {login: log_in(hotline, login, word) for login, word in wanted.items()}
    return Evidence(
        hotline, found["call"], found["id"], found["recording"], found["transcript"], cookies, sockets, commands
    )


def fill_in(hotline: Server, ticket: dict[str, Any]) -> None:
    """What an operator would write: personal data in every field that takes some."""
    body = {"version": ticket["version"], "contact_no": CALLER, "subject_name": NAME, "subject_address": "云集路1号",
            "matter": f"{NAME}({CALLER})投诉施工噪音", "demand": "停止施工"}  # fmt: skip
    answer = hotline.ask("PATCH", f"/api/v1/tickets/{ticket['id']}", json=body)
    assert answer.status_code == 200, answer.text


def log_in(hotline: Server, login: str, password: str) -> dict[str, str]:
    url = f"http://127.0.0.1:{hotline.http_port}/api/v1/login"
    answer = httpx.post(url, json={"login": login, "password": password}, timeout=10)
    assert answer.status_code == 200, answer.text
    return {"cookie": f"hotline_session={answer.cookies['hotline_session']}"}


# What each role sees (domain rules of who may see what) --------------------------------------------------------------

CALLS = {"operator": MASKED, "supervisor": MASKED, "qa": MASKED, "expert": "", "administrator": ""}


@pytest.mark.parametrize("role", ROLES)
def test_the_caller_of_a_call_is_masked_or_hidden(evidence: Evidence, role: str) -> None:
    answer = evidence.ask(role, f"/api/v1/calls/{evidence.call}")
    if role not in CALLS:
        assert answer.status_code == 403
        return
    assert answer.json()["caller"] == CALLS[role]
    assert evidence.ask(role, "/api/v1/calls").json()["items"][0]["caller"] == CALLS[role]


# role → (number, name, matter, recording, transcript) of the ticket
TICKETS: dict[str, tuple[str | None, str | None, bool, bool, bool]] = {
    "operator": (MASKED, NAME, True, True, True),
    "other": (MASKED, None, True, False, False),
    "supervisor": (MASKED, NAME, True, True, True),
    "dispatcher": (MASKED, NAME, True, False, True),
    "qa": (MASKED, NAME[0] + "***", True, True, True),
    "auditor": (None, None, False, False, False),
}


@pytest.mark.parametrize("who", TICKETS)
def test_a_ticket_shows_each_role_what_it_may_see(evidence: Evidence, who: str) -> None:
    ticket = evidence.ask(who, f"/api/v1/tickets/{evidence.ticket}").json()
    number, name, matter, recording, transcript = TICKETS[who]
    assert (ticket["caller"], ticket["contact_no"], ticket["subject_name"]) == (number, number, name)
    assert bool(ticket["matter"]) == matter
    assert (ticket["recording"], ticket["transcript"]) == (
        evidence.recording if recording else None,
        evidence.transcript if transcript else None,
    )


@pytest.mark.parametrize("who", ["expert", "unit"])
def test_a_ticket_of_others_is_not_there_for_experts_and_units(evidence: Evidence, who: str) -> None:
    theirs = evidence.ask(who, f"/api/v1/tickets/{evidence.ticket}")
    missing = evidence.ask(who, "/api/v1/tickets/ticket_00000000000000000000000000")
    assert (theirs.status_code, theirs.json()) == (NOT_FOUND, missing.json())
    assert evidence.ask(who, "/api/v1/tickets").json()["items"] == []


HEARS = {"operator": 200, "supervisor": 200, "qa": 200, "other": 404, "expert": 404, "dispatcher": 403, "unit": 403,
         "administrator": 403, "auditor": 403}  # fmt: skip


@pytest.mark.parametrize("who", HEARS)
def test_a_recording_is_heard_by_whoever_may_and_not_there_for_others(evidence: Evidence, who: str) -> None:
    for path in ("", "/audio"):
        answer = evidence.ask(who, f"/api/v1/recordings/{evidence.recording}{path}")
        assert answer.status_code == HEARS[who]
        if answer.status_code == NOT_FOUND:
            missing = evidence.ask(who, f"/api/v1/recordings/rec_00000000000000000000000000{path}")
            assert answer.json() == missing.json()
    if HEARS[who] == NOT_FOUND:
        assert evidence.ask(who, "/api/v1/recordings").json()["items"] == []


READS = {**HEARS, "dispatcher": 200}


@pytest.mark.parametrize("who", READS)
def test_a_transcript_is_read_by_whoever_may_and_not_there_for_others(evidence: Evidence, who: str) -> None:
    answer = evidence.ask(who, f"/api/v1/transcripts/{evidence.transcript}")
    assert answer.status_code == READS[who]
    if answer.status_code == NOT_FOUND:
        assert answer.json() == evidence.ask(who, "/api/v1/transcripts/transcript_0").json()
        assert evidence.ask(who, f"/api/v1/transcripts?call={evidence.call}").json()["items"] == []


@pytest.mark.parametrize("role", ROLES)
def test_no_answer_to_anybody_holds_the_whole_number_but_the_text_that_a_person_wrote(
    evidence: Evidence, role: str
) -> None:
    document = evidence.hotline.get("/api/openapi.json", role="unit")
    ids = {"call": evidence.call, "ticket": evidence.ticket, "recording": evidence.recording, "seat": "8001",
           "transcript": evidence.transcript, "number": "12345", "queue": "general", "flow": "self",
           "line": "12345", "unit": "none"}  # fmt: skip
    for path, doors in document["paths"].items():
        if "get" not in doors or path.endswith(("/audio", "/feed")):
            continue
        text = evidence.ask(role, re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], "none"), path)).text
        text = re.sub(r'"matter":"[^"]*"', "", text)
        assert CALLER not in text, f"{role} {path}"
        if role in {"expert", "unit", "administrator", "auditor"}:
            assert MASKED not in text, f"{role} {path}"


# Traces --------------------------------------------------------------------------------------------------------------


def test_every_view_and_play_is_in_the_audit_with_its_outcome(evidence: Evidence) -> None:
    for who in ("qa", "other"):
        evidence.ask(who, f"/api/v1/recordings/{evidence.recording}/audio", headers={"range": "bytes=0-99"})
        evidence.ask(who, f"/api/v1/transcripts/{evidence.transcript}")
        evidence.ask(who, f"/api/v1/tickets/{evidence.ticket}")
        evidence.ask(who, f"/api/v1/calls/{evidence.call}")
    me = evidence.ask("other", "/api/v1/me").json()["person"]
    theirs = {(line["action"], line["subject"]): line["result"] for line in evidence.audit(person=me)}
    assert theirs["recording.play", evidence.recording] == "refused"
    assert theirs["transcript.view", evidence.transcript] == "refused"
    assert theirs["ticket.view", evidence.ticket] == "ok"
    assert theirs["call.view", evidence.call] == "ok"
    play = next(line for line in evidence.audit(subject=evidence.recording) if line["roles"] == ["qa"])
    assert (play["action"], play["result"]) == ("recording.play", "ok")
    assert (play["detail"]["first"], play["detail"]["last"]) == (0, 99)


def test_a_hundred_submissions_with_one_key_are_one(evidence: Evidence) -> None:
    ticket = evidence.hotline.get(f"/api/v1/tickets/{evidence.ticket}")
    if ticket["state"] != "draft":
        pytest.skip("submitted before")

    def submit(_: int) -> httpx.Response:
        path = f"/api/v1/tickets/{evidence.ticket}/submit"
        return evidence.ask("operator", path, "POST", json={"version": ticket["version"]},
                            headers={"idempotency-key": "once"})  # fmt: skip

    with ThreadPoolExecutor(25) as threads:
        answers = list(threads.map(submit, range(100)))
    codes = Counter(answer.status_code for answer in answers)
    assert set(codes) <= {200, 409}
    assert codes[200] >= 1
    assert len({answer.text for answer in answers if answer.status_code == 200}) == 1
    history = evidence.hotline.get(f"/api/v1/tickets/{evidence.ticket}")["history"]
    assert [line["to_state"] for line in history].count("registered") == 1


def test_no_log_file_name_or_command_line_tells_who_called_or_what_was_said(evidence: Evidence) -> None:
    data = evidence.hotline.data
    logs = [path for path in data.rglob("*") if path.is_file() and path.suffix in {".log", ".txt", ".csv"}]
    texts = ["\n".join(evidence.hotline.lines), evidence.commands, "\n".join(str(path) for path in data.rglob("*"))]
    texts += [path.read_text("utf-8", "replace") for path in logs]
    for secret in (CALLER, CALLER[-8:], NAME, "噪音", "扰民", "云集路"):
        assert not any(secret in text for text in texts), secret


def test_no_secret_is_in_a_command_line(evidence: Evidence) -> None:
    files = [path for path in (evidence.hotline.data / "secrets").rglob("*") if path.is_file()]
    secrets = [path.read_bytes().strip().decode("utf-8", "surrogateescape") for path in files]
    assert secrets
    assert not any(secret and secret in evidence.commands for secret in secrets)
    assert "hl_" not in evidence.commands


def test_nothing_in_the_data_folder_is_for_other_people_of_the_machine(evidence: Evidence) -> None:
    everything = [evidence.hotline.data, *evidence.hotline.data.rglob("*")]
    assert len(everything) > 20
    assert [str(path) for path in everything if not path.is_symlink() and path.stat().st_mode & 0o077] == []


def test_everything_listens_on_loopback_only(evidence: Evidence) -> None:
    ours = [(kind, address, port) for kind, address, port in evidence.sockets if kind == "tcp"]
    ours += [one for one in evidence.sockets if one[0] == "udp" and one[2] in our_udp_ports(evidence.hotline)]
    assert ("tcp", "127.0.0.1", evidence.hotline.http_port) in ours
    assert ("udp", "127.0.0.1", evidence.hotline.sip[1]) in ours
    assert len([one for one in ours if one[0] == "udp"]) >= 3, "SIP and the media of two lines"
    assert {address for _, address, _ in ours} == {"127.0.0.1"}


def our_udp_ports(hotline: Server) -> set[int]:
    first, _, last = hotline.environment["HOTLINE_RTP_PORTS"].partition("-")
    return {hotline.sip[1], *range(int(first), int(last) + 1)}


# Tampering, at last --------------------------------------------------------------------------------------------------


def test_a_changed_sound_and_a_changed_line_of_the_audit_are_found(evidence: Evidence) -> None:
    hotline = evidence.hotline
    assert hotline.command("recordings", "verify").returncode == 0
    noted = json.loads(hotline.command("audit", "verify", "--json").stdout)
    assert hotline.command("audit", "verify", "--expect", f"{noted['lines']}:{noted['digest']}").returncode == 0
    (sound,) = (hotline.data / "recordings").rglob("*.wav")
    content = bytearray(sound.read_bytes())
    content[len(content) // 2] ^= 1
    sound.write_bytes(content)
    found = hotline.command("recordings", "verify", check=False)
    assert (found.returncode, evidence.recording in found.stdout) == (1, True)
    assert evidence.ask("qa", f"/api/v1/recordings/{evidence.recording}/audio").status_code == 409
    with sqlite3.connect(hotline.data / "hotline.db", timeout=10) as database:
        database.execute("UPDATE audit SET person = 'somebody' WHERE action = 'recording.play' AND seq > 10")
    database.close()
    assert hotline.command("audit", "verify", check=False).returncode == 1
    assert not hotline.get("/api/v1/audit/health", role="auditor")["is_intact"]


# The processes of the house ------------------------------------------------------------------------------------------


def family(pid: int) -> list[int]:
    """A process and everything below it."""
    children = [int(one) for path in Path(f"/proc/{pid}/task").glob("*/children") for one in path.read_text().split()]
    return [pid, *(below for child in children for below in family(child))]


def command_lines(pids: list[int]) -> str:
    return "\n".join(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in pids)


def listening(pids: list[int]) -> list[tuple[str, str, int]]:
    """Every TCP socket that listens and every UDP socket of these processes."""
    inodes = {str(path.readlink()) for pid in pids for path in existing(Path(f"/proc/{pid}/fd"))}
    found: list[tuple[str, str, int]] = []
    for table, kind in (("tcp", "tcp"), ("tcp6", "tcp"), ("udp", "udp"), ("udp6", "udp")):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if f"socket:[{words[9]}]" in inodes and (kind == "udp" or words[3] == "0A"):
                address, _, port = words[1].partition(":")
                found.append((kind, readable(address), int(port, 16)))
    return found


def existing(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_symlink()]


def readable(address: str) -> str:
    return ".".join(str(one) for one in reversed(bytes.fromhex(address))) if len(address) == 8 else address
