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


_COLUMNS: Mapping[str, str] = {
    "ps_endpoints": "id transport aors auth context disallow allow direct_media dtmf_mode rtp_symmetric force_rport"
    " rewrite_contact rtp_timeout rtp_timeout_hold device_state_busy_at language callerid allow_transfer"
    " allow_subscribe identify_by webrtc dtls_auto_generate_cert",
    "ps_auths": "id auth_type username password realm",
    "ps_aors": "id max_contacts remove_existing qualify_frequency qualify_timeout minimum_expiration"
    " default_expiration maximum_expiration",
    "queue_members": "uniqueid queue_name interface membername state_interface penalty paused reason_paused",
}
"""All text, as Asterisk reads them; the first is the key. A name here is a pjsip or app_queue option."""

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
_DESK: Mapping[str, str] = {"transport": "transport-udp"}  # binds the media to SIP's own address
_BROWSER: Mapping[str, str] = {
    "webrtc": "yes",
    "dtls_auto_generate_cert": "yes",
    "rtp_timeout": "8",  # a page sends all the time, muted too: after this it has crashed, or its network has
    "rtp_timeout_hold": "12",  # on hold it sends silence
}
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
            with connection:
                for table, columns in _COLUMNS.items():
                    _create(connection, table, columns.split())
        file.chmod(0o600)
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"The seats' accounts in {file} cannot be used: {error}.") from error


def _create(connection: sqlite3.Connection, table: str, columns: list[str]) -> None:
    """The table, or the columns that an older one lacks."""
    described = ", ".join(f"{name} text{'' if place else ' primary key'}" for place, name in enumerate(columns))
    connection.execute(f"create table if not exists {table} ({described})")
    have = {row[1] for row in connection.execute(f"pragma table_info({table})")}
    for name in columns:
        if name not in have:
            connection.execute(f"alter table {table} add column {name} text")


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
        kind = _BROWSER if Transport(transport) is Transport.WS else _DESK
        rows: dict[str, dict[str, str]] = {
            "ps_endpoints": {
                "id": account, "aors": account, "auth": account, "callerid": f'"{phone}" <{phone}>', **_ENDPOINT,
                **kind,
            },
            "ps_auths": {
                "id": account, "auth_type": "userpass", "username": account, "password": secret, "realm": "hotline",
            },
            "ps_aors": {"id": account, "qualify_frequency": str(qualify_s), **_AOR},
            "queue_members": {
                "uniqueid": account, "queue_name": "fallback", "interface": f"PJSIP/{account}", "membername": account,
                "state_interface": f"PJSIP/{account}", "penalty": "0", "paused": "0", "reason_paused": "",
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

    async def is_for_browser(self, phone: PhoneId) -> bool:
        """Whether the phone's account is one for softphones in a page."""
        query = "select webrtc from ps_endpoints where id = ?"
        row = await self._run(lambda connection: connection.execute(query, (account_of(phone),)).fetchone())
        return row is not None and row[0] == "yes"

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


def _replace(connection: sqlite3.Connection, rows: Mapping[str, Mapping[str, str]]) -> None:
    for table, row in rows.items():
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        connection.execute(f"insert or replace into {table} ({names}) values ({marks})", tuple(row.values()))  # noqa: S608 - names are constants


def _delete(connection: sqlite3.Connection, account: str) -> bool:
    connection.execute("delete from queue_members where uniqueid = ?", (account,))
    for table in ("ps_auths", "ps_aors"):
        connection.execute(f"delete from {table} where id = ?", (account,))  # noqa: S608 - names are constants
    return connection.execute("delete from ps_endpoints where id = ?", (account,)).rowcount > 0
