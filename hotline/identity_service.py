"""Who is who: log-in, cookies, bearer tokens, and the accounts behind them.

Nothing is cached: a disabled person, a changed role, an ended log-in or a revoked token counts at the next
request. Every deed here is audited.
"""

import secrets
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from hotline import identity_sql as sql
from hotline.audit import Audit
from hotline.clock import Clock
from hotline.database import Database
from hotline.errors import BadInput, Conflict, NotAllowed, NotFound
from hotline.identity_sql import Token, digest
from hotline.ids import Ids
from hotline.passwords import Passwords
from hotline.people import (
    NewPerson,
    Person,
    PersonChange,
    check_changed,
    check_new,
    check_password,
    random_password,
    roles_problems,
)
from hotline.security import NotLoggedIn, Principal, Role
from hotline.throttle import Throttle

LOG_IN_LASTS = timedelta(hours=12)
"""One shift and its hand-over."""
TOKEN_PREFIX = "hl_"  # noqa: S105 - what secret scanners look for, not a secret
LONGEST_TOKEN = timedelta(days=366)

NOBODY = Principal(person="", name="", roles=frozenset())
"""In the audit: whoever tried to log in."""


class IdentityService:
    """Implements `hotline.security.Identity`, and what people do with accounts."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ids: Ids,
        audit: Audit,
        *,
        passwords: Passwords | None = None,
        throttle: Throttle | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._audit = audit
        self._passwords = passwords or Passwords()
        self._throttle = throttle or Throttle()

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None:
        """See `Identity.principal`. A token wins over a cookie."""
        now = self._clock.now()
        if token is not None:
            return await self._database.read(lambda c: sql.principal_of_token(c, digest(token), now))
        if cookie is not None:
            return await self._database.read(lambda c: sql.principal_of_cookie(c, digest(cookie), now))
        return None

    async def log_in(self, login: str, password: str, address: str) -> tuple[Person, str]:
        """The person and the secret of the cookie, which counts for `LOG_IN_LASTS`.

        Raises:
            NotLoggedIn: wrong, disabled, or no such account: all look the same and take equally long.
            TooManyAttempts: nobody is asked for a while.
        """
        self._throttle.begin(login, address, self._clock.monotonic())
        found = await self._database.read(lambda c: sql.person_with_password(c, login))
        person, stored = found or (None, None)
        is_right = await self._passwords.verify(stored, password)
        if person is None or stored is None or not is_right or person.disabled_at is not None:
            await self._audit.record(NOBODY, "log_in", person.id if person else "unknown", result="refused")
            raise NotLoggedIn("The login or the password is wrong.")
        self._throttle.succeeded(login, address)
        secret = await self._open(person, stored, password)
        await self._audit.record(person.principal, "log_in", person.id)
        return person, secret

    async def log_out(self, cookie: str) -> None:
        """The cookie counts no longer."""
        await self._database.write(lambda c: sql.end_log_in(c, digest(cookie)))

    async def person(self, person: str) -> Person:
        """Raises:
        NotFound: nobody has this id.
        """
        found = await self._database.read(lambda c: sql.person_of(c, person))
        if found is None:
            raise NotFound("There is no such person.")
        return found

    async def people(self, after: str = "", limit: int = 50) -> list[Person]:
        """By login, those that follow `after`."""
        return await self._database.read(lambda c: sql.some_people(c, after, limit))

    async def has_people(self) -> bool:
        """Whether there is any account yet."""
        return await self._database.read(sql.count_people) > 0

    async def add(self, who: Principal, new: NewPerson) -> tuple[Person, str]:
        """Make an account. Returns it with its password, which is shown now and never again.

        Raises:
            BadInput: every mistake is listed.
            Conflict: the login or the work number is taken.
        """
        check_new(new)
        password = new.password or random_password()
        person = Person(
            id=self._ids.new("person"),
            login=new.login,
            name=new.name.strip(),
            roles=new.roles,
            agent=new.agent,
            unit=new.unit,
            made_at=self._clock.now(),
        )
        stored = await self._passwords.hash(password)
        try:
            await self._database.write(lambda c: sql.add_person(c, person, stored))
        except Conflict as error:
            raise Conflict("This login or this work number is taken.") from error
        await self._audit.record(who, "person.add", person.id, detail={"roles": sorted(person.roles)})
        return person, password

    async def change(self, who: Principal, person: str, change: PersonChange) -> Person:
        """Change an account; it counts at the person's next request. Disabling ends every log-in.

        Raises:
            NotFound: nobody has this id.
            BadInput: every mistake is listed.
            NotAllowed: nobody would be left to administer.
            Conflict: the work number is taken.
        """

        async def apply(connection: AsyncConnection) -> Person:
            before = await sql.person_of(connection, person)
            if before is None:
                raise NotFound("There is no such person.")
            after = _changed(before, change, self._clock.now())
            check_changed(after)
            await sql.change_person(connection, after)
            if not await sql.enabled_administrators(connection):
                raise NotAllowed("Nobody would be left who can administer.")
            if after.disabled_at is not None:
                await sql.end_log_ins_of(connection, person)
            return after

        try:
            changed = await self._database.write(apply)
        except Conflict as error:
            raise Conflict("This work number is taken, or somebody else changed this person just now.") from error
        said = {name for name in change.__struct_fields__ if getattr(change, name) is not None}
        detail = {"changed": sorted(said), "roles": sorted(changed.roles), "disabled": bool(changed.disabled_at)}
        await self._audit.record(who, "person.change", person, detail=detail)
        return changed

    async def change_own_password(self, who: Principal, old: str, new: str, cookie: str | None) -> None:
        """Change the password of the one who asks; every other log-in of theirs ends.

        Raises:
            NotAllowed: the old password is wrong, or a token asks.
            BadInput: the new one is too easy.
        """
        if who.person.startswith("token:"):
            raise NotAllowed("A token has no password.")
        person = await self.person(who.person)
        self._throttle.begin(person.login, "own password", self._clock.monotonic())
        found = await self._database.read(lambda c: sql.person_with_password(c, person.login))
        if found is None or not await self._passwords.verify(found[1], old):
            raise NotAllowed("The old password is wrong.")
        self._throttle.succeeded(person.login, "own password")
        check_password(new, person.login)
        await self._set_password(person.id, new, keep=digest(cookie) if cookie else "")
        await self._audit.record(who, "person.password", person.id)

    async def reset_password(self, who: Principal, person: str) -> str:
        """A new random password, shown now and never again; every log-in of the person ends.

        Raises:
            NotFound: nobody has this id.
        """
        await self.person(person)
        password = random_password()
        await self._set_password(person, password)
        await self._audit.record(who, "person.reset_password", person)
        return password

    async def add_token(self, who: Principal, name: str, roles: frozenset[Role], lasts: timedelta) -> tuple[Token, str]:
        """A bearer token for a script. Returns its text, which is shown now and never again.

        Raises:
            BadInput: every mistake is listed.
        """
        problems = roles_problems(roles)
        if not 0 < len(name.strip()) <= 100:
            problems.append("A token's name has 1 to 100 characters.")
        if not timedelta() < lasts <= LONGEST_TOKEN:
            problems.append(f"A token lasts 1 to {LONGEST_TOKEN.days} days.")
        if problems:
            raise BadInput(" ".join(problems), tuple(problems))
        now = self._clock.now()
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        token = Token(
            id=self._ids.new("token"),
            name=name.strip(),
            roles=roles,
            made_by=who.person,
            made_at=now,
            expires_at=now + lasts,
        )
        await self._database.write(lambda c: sql.add_token(c, token, digest(secret)))
        await self._audit.record(who, "token.add", token.id, detail={"roles": sorted(roles)})
        return token, secret

    async def tokens(self, after: tuple[str, str] = ("", ""), limit: int = 50) -> list[Token]:
        """By name and id, those that follow `after`."""
        return await self._database.read(lambda c: sql.some_tokens(c, after, limit))

    async def revoke_token(self, who: Principal, token: str) -> None:
        """It counts no longer.

        Raises:
            NotFound: there is no such token that counts.
        """
        now = self._clock.now()
        if not await self._database.write(lambda c: sql.revoke_token(c, token, now)):
            raise NotFound("There is no such token.")
        await self._audit.record(who, "token.revoke", token)

    async def _open(self, person: Person, stored: str, password: str) -> str:
        secret = secrets.token_urlsafe(32)
        now = self._clock.now()
        renewed = await self._passwords.hash(password) if self._passwords.is_outdated(stored) else None

        async def begin(connection: AsyncConnection) -> None:
            if renewed:
                await sql.set_password(connection, person.id, renewed)
            await sql.add_log_in(connection, digest(secret), person.id, now, now + LOG_IN_LASTS)

        await self._database.write(begin)
        return secret

    async def _set_password(self, person: str, password: str, keep: str = "") -> None:
        stored = await self._passwords.hash(password)

        async def change(connection: AsyncConnection) -> None:
            await sql.set_password(connection, person, stored)
            await sql.end_log_ins_of(connection, person, keep)

        await self._database.write(change)


def _changed(person: Person, change: PersonChange, now: datetime) -> Person:
    disabled_at = person.disabled_at
    if change.is_disabled is not None:
        disabled_at = (disabled_at or now) if change.is_disabled else None
    return msgspec.structs.replace(
        person,
        name=person.name if change.name is None else change.name.strip(),
        roles=person.roles if change.roles is None else change.roles,
        agent=person.agent if change.agent is None else change.agent,
        unit=person.unit if change.unit is None else change.unit,
        disabled_at=disabled_at,
    )


async def first_accounts(service: IdentityService, *, is_demo: bool) -> list[tuple[str, str, tuple[Role, ...]]]:
    """At the first start: an administrator and an auditor, or one account per role when it is a demonstration.

    Returns (login, password, roles) of each to show once, nothing when there are accounts already.
    """
    if await service.has_people():
        return []
    wanted = DEMO if is_demo else FIRST
    made: list[tuple[str, str, tuple[Role, ...]]] = []
    for role, agent in wanted.items():
        new = NewPerson(login=role.value, name=role.value, roles=frozenset({role}), agent=agent)
        person, password = await service.add(SYSTEM, new)
        made.append((person.login, password, tuple(person.roles)))
    return made


SYSTEM = Principal(person="system", name="system", roles=frozenset())
"""In the audit: the product itself, or somebody with the rights of its data folder."""
FIRST: dict[Role, str] = {Role.ADMINISTRATOR: "", Role.AUDITOR: ""}
DEMO: dict[Role, str] = {
    Role.OPERATOR: "8001",
    Role.EXPERT: "8011",
    Role.SUPERVISOR: "8101",
    Role.DISPATCHER: "",
    Role.UNIT: "",
    Role.QA: "",
    Role.ADMINISTRATOR: "",
    Role.AUDITOR: "",
}
"""Roles of the demonstration's people, with the work numbers of those who sit at a seat."""
