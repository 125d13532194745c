"""A backup taken while a citizen talks comes back as a hotline with the same people, numbers, tickets and sound."""

import json
from pathlib import Path

import pytest

from hotline.backup import FILES, LEFT_OUT
from tests.house import Server
from tests.phones import ended, eventually, wait_hears

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def sealed_ticket(hotline: Server) -> dict[str, object]:
    """A call, its ticket and its sealed recording."""
    known = {one["id"] for one in hotline.tickets()}
    with hotline.seat("8001") as seat, hotline.citizen() as citizen:
        call = citizen.talk("12329")
        seat.wait_talks(40)
        wait_hears(seat.call.ear, 600)
        call.hang_up()
        ended(seat.call)
    eventually(lambda: any(one["id"] not in known and one["recording"] for one in hotline.tickets()), "a ticket", 20)
    ticket = next(one for one in hotline.tickets() if one["id"] not in known)
    path = f"/api/v1/recordings/{ticket['recording']}"
    eventually(lambda: hotline.get(path, role="qa")["state"] == "closed", "the recording is closed", 30)
    return ticket


def test_a_backup_of_a_busy_hotline_starts_again_elsewhere_with_everything_in_it(
    fresh_hotline: Server, tmp_path: Path
) -> None:
    old = fresh_hotline
    old.command("people", "add", "wang.fang", "--role", "operator", "--name", "王芳")
    ticket = sealed_ticket(old)
    sound = old.ask("GET", f"/api/v1/recordings/{ticket['recording']}/audio", role="qa").content
    with old.seat("8001") as seat, old.citizen() as citizen:
        call = citizen.talk("12345")
        seat.wait_talks(20)
        old.command("backup", str(tmp_path / "backup.tar.gz"))
        wait_hears(seat.call.ear, 600)
        wait_hears(call.ear, 1300)
        call.hang_up()
        ended(seat.call)
    there = {one.name for one in old.data.iterdir() if not one.name.endswith((".db", ".db-wal", ".db-shm"))}
    assert there - {name.partition("/")[0] for name in FILES} - set(LEFT_OUT) == {"recordings"}, "new kinds of data"

    new = Server(tmp_path / "again")
    new.command("restore", str(tmp_path / "backup.tar.gz"))
    with new:
        assert "wang.fang" in people(new)
        assert numbers(new) == numbers(old)
        assert ticket["id"] in {one["id"] for one in new.tickets()}
        again = new.ask("GET", f"/api/v1/recordings/{ticket['recording']}/audio", role="qa").content
        assert again == sound
        assert json.loads(new.command("recordings", "verify", "--json").stdout)["ok"]
        assert new.get("/api/v1/audit/health", role="auditor")["is_intact"]
        sealed_ticket(new)


def people(hotline: Server) -> set[str]:
    return {one["login"] for one in json.loads(hotline.command("people", "list", "--json").stdout)}


def numbers(hotline: Server) -> object:
    return json.loads(hotline.command("numbers", "list", "--json").stdout)


def test_the_doctor_knows_the_running_hotline_as_its_own(hotline: Server) -> None:
    shown = hotline.command("doctor", "--json", check=False)
    told = json.loads(shown.stdout)
    assert told["ok"], told
    found = {one["name"]: one["found"] for one in told["findings"]}
    assert found["hotline"] == "it runs"
    for name in ("http port", "sip port"):
        assert found[name].endswith("used by our own instance")
