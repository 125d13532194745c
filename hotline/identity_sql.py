"""People, log-ins and tokens as rows. Every function works inside the caller's transaction."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline.people import Person
from hotline.security import Principal, Role
from hotline.tables import log_ins, people, tokens


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A way in for a script. The token itself is shown once and not kept."""

    id: str
    name: str
    roles: frozenset[Role]
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None


def digest(secret: str) -> str:
    """What is kept of a cookie or token: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


async def add_person(connection: AsyncConnection, person: Person, password: str) -> None:
    """`password`: its argon2id hash."""
    await connection.execute(insert(people).values(**_columns(person), password=password))


async def change_person(connection: AsyncConnection, person: Person) -> None:
    await connection.execute(update(people).where(people.c.id == person.id).values(**_columns(person)))


async def set_password(connection: AsyncConnection, person: str, password: str) -> None:
    """`password`: its argon2id hash."""
    await connection.execute(update(people).where(people.c.id == person).values(password=password))


async def person_of(connection: AsyncConnection, person: str) -> Person | None:
    row = (await connection.execute(select(people).where(people.c.id == person))).first()
    return _person(row) if row else None


async def person_with_password(connection: AsyncConnection, login: str) -> tuple[Person, str] | None:
    row = (await connection.execute(select(people).where(people.c.login == login))).first()
    return (_person(row), row.password) if row else None


async def some_people(connection: AsyncConnection, after: str, limit: int) -> list[Person]:
    """By login, those that follow `after`."""
    rows = await connection.execute(select(people).where(people.c.login > after).order_by(people.c.login).limit(limit))
    return [_person(row) for row in rows]


async def count_people(connection: AsyncConnection) -> int:
    return int((await connection.execute(select(func.count()).select_from(people))).scalar_one())


async def enabled_administrators(connection: AsyncConnection) -> int:
    """How many people can still administer. Roles are few per person, so they are looked at here, not by SQL."""
    rows = await connection.execute(select(people.c.roles).where(people.c.disabled_at.is_(None)))
    return sum(Role.ADMINISTRATOR.value in row.roles for row in rows)


async def add_log_in(
    connection: AsyncConnection, secret_digest: str, person: str, now: datetime, until: datetime
) -> None:
    await connection.execute(insert(log_ins).values(digest=secret_digest, person=person, made_at=now, expires_at=until))
    await connection.execute(delete(log_ins).where(log_ins.c.expires_at < now))


async def end_log_in(connection: AsyncConnection, secret_digest: str) -> None:
    await connection.execute(delete(log_ins).where(log_ins.c.digest == secret_digest))


async def end_log_ins_of(connection: AsyncConnection, person: str, keep: str = "") -> None:
    """All of a person's log-ins but the one whose digest is `keep`."""
    await connection.execute(delete(log_ins).where(log_ins.c.person == person, log_ins.c.digest != keep))


async def principal_of_cookie(connection: AsyncConnection, secret_digest: str, now: datetime) -> Principal | None:
    row = (
        await connection.execute(
            select(people)
            .join(log_ins, log_ins.c.person == people.c.id)
            .where(log_ins.c.digest == secret_digest, log_ins.c.expires_at > now, people.c.disabled_at.is_(None))
        )
    ).first()
    return _person(row).principal if row else None


async def principal_of_token(connection: AsyncConnection, secret_digest: str, now: datetime) -> Principal | None:
    row = (
        await connection.execute(
            select(tokens).where(
                tokens.c.digest == secret_digest, tokens.c.expires_at > now, tokens.c.revoked_at.is_(None)
            )
        )
    ).first()
    if row is None:
        return None
    return Principal(person=f"token:{row.name}", name=row.name, roles=_roles(row.roles))


async def add_token(connection: AsyncConnection, token: Token, secret_digest: str) -> None:
    values = msgspec.structs.asdict(token) | {"roles": sorted(token.roles), "digest": secret_digest}
    await connection.execute(insert(tokens).values(**values))


async def revoke_token(connection: AsyncConnection, token: str, now: datetime) -> bool:
    """Whether there was such a token that counted."""
    changed = await connection.execute(
        update(tokens).where(tokens.c.id == token, tokens.c.revoked_at.is_(None)).values(revoked_at=now)
    )
    return changed.rowcount == 1


async def some_tokens(connection: AsyncConnection, after: tuple[str, str], limit: int) -> list[Token]:
    """By name and id, those that follow `after`."""
    name, token = after
    rows = await connection.execute(
        select(tokens)
        .where(or_(tokens.c.name > name, (tokens.c.name == name) & (tokens.c.id > token)))
        .order_by(tokens.c.name, tokens.c.id)
        .limit(limit)
    )
    return [
        Token(
            id=row.id,
            name=row.name,
            roles=_roles(row.roles),
            made_by=row.made_by,
            made_at=row.made_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )
        for row in rows
    ]


def _columns(person: Person) -> Mapping[str, Any]:
    return msgspec.structs.asdict(person) | {"roles": sorted(person.roles), "agent": person.agent or None}


def _person(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        login=row.login,
        name=row.name,
        roles=_roles(row.roles),
        agent=row.agent or "",
        unit=row.unit,
        made_at=row.made_at,
        disabled_at=row.disabled_at,
    )


def _roles(stored: list[str]) -> frozenset[Role]:
    # A role that an older version knew gives nothing today.
    return frozenset(Role(role) for role in stored if role in set(Role))
