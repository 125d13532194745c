"""Seats' SIP accounts: rows that Asterisk reads at every REGISTER and INVITE, effective at once and without reload.

Knows nothing of agents: a phone is digits and a secret. The file is the node's own SQLite (WAL: Asterisk reads while
we write), so that no database outage silences a seat. A seat is a member of the fallback queue by the same rows, so
that the fallback rings whoever is registered even though nobody of ours is there to say so.
"""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from hotline.errors import BadInput, Unavailable
from telephony.model import PhoneId

T = TypeVar("T")

_BUSY_S = 5.0
_PHONE = re.compile(r"[0-9]{2,12}")
_SECRET = re.compile(r"[\x21-\x7e]{8,128}")


class Transport(StrEnum):
    """How a phone speaks SIP."""

    UDP = "udp"  # desk phones, softphones
    WS = "ws"  # browsers: SIP over WebSocket, DTLS-SRTP


_TABLES = """
create table if not exists ps_endpoints (
    id text primary key, aors text, auth text, context text, disallow text, allow text, direct_media text,
    dtmf_mode text, rtp_symmetric text, force_rport text, rewrite_contact text, rtp_timeout text, rtp_timeout_hold text,
    device_state_busy_at text, language text, callerid text, allow_transfer text, allow_subscribe text,
    identify_by text, webrtc text, dtls_auto_generate_cert text);
create table if not exists ps_auths (id text primary key, auth_type text, username text, password text, realm text);
create table if not exists ps_aors (
    id text primary key, max_contacts text, remove_existing text, qualify_frequency text, qualify_timeout text,
    minimum_expiration text, default_expiration text, maximum_expiration text);
create table if not exists queue_members (
    uniqueid text primary key, queue_name text, interface text, membername text, state_interface text,
    penalty integer, paused integer, reason_paused text);
"""

_ENDPOINT: Mapping[str, str] = {
    "context": "from-seat",
    "disallow": "all",
    "allow": "alaw,ulaw",
    "direct_media": "no",
    "dtmf_mode": "rfc4733",
    "rtp_symmetric": "yes",
    "force_rport": "yes",
    "rewrite_contact": "yes",  # phones behind NAT name an address that nobody can reach
    "rtp_timeout": "30",  # a phone that died without BYE
    "rtp_timeout_hold": "300",
    "device_state_busy_at": "1",  # the fallback queue must not ring who talks
    "language": "zh",
    "allow_transfer": "no",  # transfers go through the floor, never through REFER
    "allow_subscribe": "no",
    "identify_by": "username,auth_username",
}
_BROWSER: Mapping[str, str] = {"webrtc": "yes", "dtls_auto_generate_cert": "yes"}
_AOR: Mapping[str, str] = {
    "max_contacts": "1",
    "remove_existing": "yes",  # a phone that moved or restarted replaces its old address
    "qualify_timeout": "3",
    "minimum_expiration": "30",
    "default_expiration": "120",
    "maximum_expiration": "600",
}


def account_of(phone: PhoneId) -> str:
    """The SIP account of a seat's phone."""
    return f"seat{phone}"


def create_tables(file: Path) -> None:
    """Make the file and its tables when they are missing.

    Raises:
        Unavailable: the file cannot be written or is no database.
    """
    try:
        with closing(sqlite3.connect(file, timeout=_BUSY_S)) as connection:
            connection.execute("pragma journal_mode = wal")
            connection.executescript(_TABLES)
        file.chmod(0o600)
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"The seats' accounts in {file} cannot be used: {error}.") from error


class Provisioning:
    """The SIP accounts of one node, in `Places.seats`."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def add(
        self, phone: PhoneId, secret: str, *, transport: Transport | str = Transport.UDP, qualify_s: int = 30
    ) -> str:
        """Create or replace the account of a phone; it can log in at once. Returns the account's name.

        `qualify_s`: seconds between questions whether the phone is there; 0 never asks (then a dead phone is noticed
        only when its registration ends).

        Raises:
            BadInput: the phone, secret or transport cannot be used; every mistake is listed.
            Unavailable: the file cannot be written now.
        """
        _check(phone, secret, transport)
        account = account_of(phone)
        browser = _BROWSER if Transport(transport) is Transport.WS else {}
        rows: dict[str, dict[str, str | int]] = {
            "ps_endpoints": {
                "id": account, "aors": account, "auth": account, "callerid": f'"{phone}" <{phone}>', **_ENDPOINT,
                **browser,
            },
            "ps_auths": {
                "id": account, "auth_type": "userpass", "username": account, "password": secret, "realm": "hotline",
            },
            "ps_aors": {"id": account, "qualify_frequency": str(qualify_s), **_AOR},
            "queue_members": {
                "uniqueid": account, "queue_name": "fallback", "interface": f"PJSIP/{account}", "membername": account,
                "state_interface": f"PJSIP/{account}", "penalty": 0, "paused": 0, "reason_paused": "",
            },
        }  # fmt: skip
        await self._run(lambda connection: _replace(connection, rows))
        return account

    async def remove(self, phone: PhoneId) -> bool:
        """End the account: calls and registrations are refused at once. Says whether there was one."""
        return await self._run(lambda connection: _delete(connection, account_of(phone)))

    async def list(self) -> tuple[PhoneId, ...]:
        """All phones, in order."""
        rows = await self._run(lambda connection: connection.execute("select id from ps_endpoints").fetchall())
        return tuple(sorted(PhoneId(str(row[0]).removeprefix("seat")) for row in rows))

    async def secret_of(self, phone: PhoneId) -> str | None:
        """The phone's secret, for its owner's softphone; none for an unknown phone."""
        query = "select password from ps_auths where id = ?"
        row = await self._run(lambda connection: connection.execute(query, (account_of(phone),)).fetchone())
        return None if row is None else str(row[0])

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.to_thread(self._blocking, work)

    def _blocking(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with closing(sqlite3.connect(self._file, timeout=_BUSY_S)) as connection, connection:
                return work(connection)
        except sqlite3.Error as error:
            raise Unavailable(f"The seats' accounts in {self._file} cannot be used now: {error}.") from error


def _check(phone: str, secret: str, transport: str) -> None:
    problems: list[str] = []
    if not _PHONE.fullmatch(phone):
        problems.append("A phone is 2 to 12 digits.")
    if not _SECRET.fullmatch(secret):
        problems.append("A phone's secret is 8 to 128 visible ASCII characters.")
    if transport not in tuple(Transport):
        problems.append("A phone's transport is udp or ws.")
    if problems:
        raise BadInput("This phone cannot be set up: " + " ".join(problems), tuple(problems))


def _replace(connection: sqlite3.Connection, rows: Mapping[str, Mapping[str, str | int]]) -> None:
    for table, row in rows.items():
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        connection.execute(f"insert or replace into {table} ({names}) values ({marks})", tuple(row.values()))  # noqa: S608 - names are constants


def _delete(connection: sqlite3.Connection, account: str) -> bool:
    connection.execute("delete from queue_members where uniqueid = ?", (account,))
    for table in ("ps_auths", "ps_aors"):
        connection.execute(f"delete from {table} where id = ?", (account,))  # noqa: S608 - names are constants
    return connection.execute("delete from ps_endpoints where id = ?", (account,)).rowcount > 0
