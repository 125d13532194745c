"""Rules for accounts: pure."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.errors import BadInput
from hotline.people import (
    LETTERS,
    LOGIN,
    NewPerson,
    Person,
    check_changed,
    check_new,
    check_password,
    password_problems,
    random_password,
    roles_problems,
)
from hotline.security import Role

pytestmark = pytest.mark.unit

OPERATOR = frozenset({Role.OPERATOR})


@pytest.mark.parametrize("login", ["ab", "wang.li", "a_b-c.9", "0717", "a" * 64])
def test_a_login_of_plain_letters_is_taken(login: str) -> None:
    check_new(NewPerson(login=login, name="王丽", roles=OPERATOR))


@pytest.mark.parametrize("login", ["", "a", "A1", "a b", ".ab", "-ab", "a" * 65, "wang\n", "王丽", "a/b", "a'b"])
def test_any_other_login_is_refused(login: str) -> None:
    with pytest.raises(BadInput, match="A login has"):
        check_new(NewPerson(login=login, name="x", roles=OPERATOR))


@pytest.mark.parametrize("agent", ["", "10", "1001", "1" * 20])
def test_a_work_number_is_digits_or_nothing(agent: str) -> None:
    check_new(NewPerson(login="ab", name="x", roles=OPERATOR, agent=agent))


@pytest.mark.parametrize("agent", ["1", "1" * 21, "10a", "１００１", "10 01", "1001\n"])
def test_any_other_work_number_is_refused(agent: str) -> None:
    with pytest.raises(BadInput, match="work number"):
        check_new(NewPerson(login="ab", name="x", roles=OPERATOR, agent=agent))


def test_who_administers_does_not_audit() -> None:
    assert roles_problems({Role.ADMINISTRATOR, Role.AUDITOR, Role.QA}) == [
        "One person cannot be both administrator and auditor."
    ]
    assert roles_problems(set(Role) - {Role.AUDITOR}) == []
    assert roles_problems(set(Role) - {Role.ADMINISTRATOR}) == []
    assert roles_problems(()) == ["At least one role is needed."]


def test_the_same_rules_hold_for_a_changed_person() -> None:
    person = Person(
        id="p", login="ab", name="x", roles=frozenset(), agent="x", made_at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    with pytest.raises(BadInput) as refused:
        check_changed(person)
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize(
    ("password", "problems"),
    [
        ("a long enough word", 0),
        ("十二个字的口令也可以用啊", 0),
        ("elevenchars", 1),
        ("x" * 201, 2),
        ("my wang.li secret", 1),
        ("my WANG.LI secret", 1),
        ("aaaabbbbcccc", 1),
        ("abcdabcdabcde", 0),
        ("", 1),
    ],
)
def test_a_password_is_judged_by_length_and_not_by_kinds_of_characters(password: str, problems: int) -> None:
    assert len(password_problems(password, "wang.li")) == problems
    if problems:
        with pytest.raises(BadInput):
            check_password(password, "wang.li")
    else:
        check_password(password, "wang.li")


def test_random_passwords_differ_and_pass_our_own_rules() -> None:
    made = {random_password() for _ in range(200)}
    assert len(made) == 200
    for password in made:
        assert password_problems(password, "administrator") == []
        assert set(password) <= set(LETTERS) | {"-"}
        assert len(password) == 19


@given(st.text())
def test_no_login_that_is_taken_needs_escaping_anywhere(login: str) -> None:
    if LOGIN.fullmatch(login):
        assert login.isascii()
        assert not set(login) & set("'\"\\/<>&?%# \t\r\n")
