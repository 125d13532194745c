import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hotline.errors import BadInput, Unavailable
from telephony.model import PhoneId
from telephony.provisioning import Provisioning, Transport, account_of, create_tables

pytestmark = pytest.mark.unit

SECRET = "a-secret-of-tests"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    create_tables(tmp_path / "seats.db")
    return tmp_path / "seats.db"


def row(file: Path, table: str, key: str, value: str) -> dict[str, object]:
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute(f"select * from {table} where {key} = ?", (value,)).fetchone()  # noqa: S608
        return dict(found) if found else {}


async def test_seat_is_an_account_and_a_member_of_the_fallback(file: Path) -> None:
    seats = Provisioning(file)
    assert await seats.add(PhoneId("8001"), SECRET) == "seat8001" == account_of(PhoneId("8001"))
    endpoint = row(file, "ps_endpoints", "id", "seat8001")
    assert (endpoint["context"], endpoint["webrtc"], endpoint["transport"]) == ("from-seat", None, "transport-udp")
    assert row(file, "ps_auths", "id", "seat8001")["password"] == SECRET
    assert row(file, "queue_members", "uniqueid", "seat8001")["interface"] == "PJSIP/seat8001"
    assert await seats.list() == ("8001",)
    assert await seats.secret_of(PhoneId("8001")) == SECRET


async def test_browser_seat_speaks_webrtc_and_can_become_a_desk_phone_again(file: Path) -> None:
    seats = Provisioning(file)
    await seats.add(PhoneId("8001"), SECRET, transport=Transport.WS)
    assert row(file, "ps_endpoints", "id", "seat8001")["webrtc"] == "yes"
    assert await seats.is_for_browser(PhoneId("8001"))
    await seats.add(PhoneId("8001"), SECRET, transport="udp", qualify_s=0)
    assert row(file, "ps_endpoints", "id", "seat8001")["webrtc"] is None
    assert not await seats.is_for_browser(PhoneId("8001"))
    assert not await seats.is_for_browser(PhoneId("8002"))
    assert row(file, "ps_aors", "id", "seat8001")["qualify_frequency"] == "0"


async def test_removed_seat_leaves_nothing(file: Path) -> None:
    seats = Provisioning(file)
    await seats.add(PhoneId("8001"), SECRET)
    await seats.add(PhoneId("8002"), SECRET)
    assert await seats.remove(PhoneId("8001"))
    assert not await seats.remove(PhoneId("8001"))
    for table, key in (("ps_endpoints", "id"), ("ps_auths", "id"), ("ps_aors", "id"), ("queue_members", "uniqueid")):
        assert row(file, table, key, "seat8001") == {}
        assert row(file, table, key, "seat8002")
    assert await seats.secret_of(PhoneId("8001")) is None


async def test_every_mistake_is_told_at_once_and_nothing_is_written(file: Path) -> None:
    seats = Provisioning(file)
    with pytest.raises(BadInput) as failure:
        await seats.add(PhoneId("80'01"), "short", transport="tls")
    assert len(failure.value.problems) == 3
    assert "short" not in str(failure.value)
    for phone in ("", "8", "8001\n", "１２３４", "8001;", "1234567890123"):
        with pytest.raises(BadInput):
            await seats.add(PhoneId(phone), SECRET)
    for secret in ("with space in", "密码密码密码密码", "line\nbreak-", "x" * 129):
        with pytest.raises(BadInput):
            await seats.add(PhoneId("8001"), secret)
    assert await seats.list() == ()


def test_older_file_gets_the_columns_that_it_lacks(tmp_path: Path) -> None:
    file = tmp_path / "seats.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("create table ps_auths (id text primary key, auth_type text, username text, password text)")
        connection.execute("insert into ps_auths values ('seat8001', 'userpass', 'seat8001', 'kept-secret')")
        connection.commit()
    create_tables(file)
    create_tables(file)
    assert row(file, "ps_auths", "id", "seat8001") == {
        "id": "seat8001", "auth_type": "userpass", "username": "seat8001", "password": "kept-secret", "realm": None,
    }  # fmt: skip
    assert file.stat().st_mode & 0o777 == 0o600


async def test_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    file = tmp_path / "seats.db"
    file.write_text("this is not a database, whatever its name says " * 20)
    with pytest.raises(Unavailable, match="cannot be used"):
        create_tables(file)
    with pytest.raises(Unavailable, match="cannot be used now"):
        await Provisioning(file).list()
