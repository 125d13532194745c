"""People who may log in: their values and the rules for logins, roles and passwords. Pure; no database."""

import re
import secrets
from collections.abc import Collection
from datetime import datetime

import msgspec

from hotline.errors import BadInput
from hotline.security import Principal, Role

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")
AGENT = re.compile(r"[0-9]{2,20}")
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""For passwords that people copy from a screen: nothing that looks like something else."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with an account."""

    id: str
    login: str
    name: str
    roles: frozenset[Role]
    agent: str = ""
    """工号 (work number) when the person may sit at a seat."""
    unit: str = ""
    """承办单位 (handling unit) the person belongs to."""
    made_at: datetime
    disabled_at: datetime | None = None

    @property
    def principal(self) -> Principal:
        return Principal(person=self.id, name=self.name, roles=self.roles, agent=self.agent, unit=self.unit)


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """What is needed for an account. Without a password a random one is made."""

    login: str
    name: str
    roles: frozenset[Role]
    agent: str = ""
    unit: str = ""
    password: str = ""


class PersonChange(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be different; `None` leaves it as it is."""

    name: str | None = None
    roles: frozenset[Role] | None = None
    agent: str | None = None
    unit: str | None = None
    is_disabled: bool | None = None


def check_new(person: NewPerson) -> None:
    """Refuse an account that cannot be made.

    Raises:
        BadInput: every mistake is listed.
    """
    problems = [*_login_problems(person.login), *_problems(person.name, person.roles, person.agent)]
    if person.password:
        problems += password_problems(person.password, person.login)
    _refuse(problems)


def check_changed(person: Person) -> None:
    """Refuse a person as they would be after a change.

    Raises:
        BadInput: every mistake is listed.
    """
    _refuse(_problems(person.name, person.roles, person.agent))


def check_password(password: str, login: str) -> None:
    """Refuse a password that is too easy.

    Raises:
        BadInput: what is wrong with it.
    """
    _refuse(password_problems(password, login))


def password_problems(password: str, login: str) -> list[str]:
    """Length counts, not kinds of characters (NIST SP 800-63B 5.1.1.2)."""
    problems: list[str] = []
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        problems.append(f"The password has to have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    if login and login in password.lower():
        problems.append("The password must not contain the login.")
    if password and len(set(password)) < 5:
        problems.append("The password has to have at least 5 different characters.")
    return problems


def roles_problems(roles: Collection[Role]) -> list[str]:
    """Who administers must not be the one who audits it (separation of duties, GB/T 22239 level 3)."""
    if not roles:
        return ["At least one role is needed."]
    if {Role.ADMINISTRATOR, Role.AUDITOR} <= set(roles):
        return ["One person cannot be both administrator and auditor."]
    return []


def random_password() -> str:
    """Four groups of four: about 79 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def _login_problems(login: str) -> list[str]:
    if LOGIN.fullmatch(login):
        return []
    return ["A login has 2 to 64 characters: a-z, 0-9, and . _ - after the first."]


def _problems(name: str, roles: Collection[Role], agent: str) -> list[str]:
    problems = list(roles_problems(roles))
    if not 0 < len(name.strip()) <= 100:
        problems.append("A name has 1 to 100 characters.")
    if agent and not AGENT.fullmatch(agent):
        problems.append("A work number has 2 to 20 digits.")
    return problems


def _refuse(problems: list[str]) -> None:
    if problems:
        raise BadInput(" ".join(problems), tuple(problems))
