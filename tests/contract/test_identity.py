"""Who is who, on both databases: log-in, cookies, tokens, accounts, and what the audit says of them."""

import statistics
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, text

from hotline import tables
from hotline.audit_sql import AuditQuery
from hotline.clock import ManualClock
from hotline.identity_service import DEMO, SYSTEM, first_accounts
from hotline.passwords import Passwords
from hotline.people import NewPerson, PersonChange
from hotline.security import COOKIE, Role
from tests.kernel import Kernel, kernel

pytestmark = pytest.mark.contract

WORD = "a long enough word"
SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 2, 14, 8, 0, tzinfo=UTC))


@pytest.fixture
async def house(database_url: str, clock: ManualClock) -> AsyncIterator[Kernel]:
    async with kernel(database_url, clock) as made:
        for role in (Role.ADMINISTRATOR, Role.OPERATOR, Role.AUDITOR, Role.SUPERVISOR):
            await made.identity.add(
                SYSTEM, NewPerson(login=role.value, name=role.value, roles=frozenset({role}), password=WORD)
            )
        yield made


async def _logged_in(house: Kernel, login: str, word: str = WORD) -> httpx.AsyncClient:
    client = house.client(**SAME)
    answer = await client.post("/api/v1/login", json={"login": login, "password": word})
    assert answer.status_code == 200, answer.text
    return client


async def _person_id(house: Kernel, login: str) -> str:
    return next(person.id for person in await house.identity.people() if person.login == login)


async def test_a_log_in_sets_a_cookie_that_scripts_of_a_page_cannot_read(house: Kernel) -> None:
    async with house.client() as client:
        answer = await client.post("/api/v1/login", json={"login": "operator", "password": WORD})
        assert answer.json()["login"] == "operator"
        assert "password" not in answer.text
        cookie = answer.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        me = (await client.get("/api/v1/me")).json()
        assert me["roles"] == ["operator"]
        assert "calls.control" in me["permissions"]
    transport = httpx.ASGITransport(house.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://hotline") as client:
        answer = await client.post("/api/v1/login", json={"login": "operator", "password": WORD})
        assert "Secure" in answer.headers["set-cookie"]


async def test_neither_cookies_nor_tokens_nor_passwords_are_stored(house: Kernel) -> None:
    client = await _logged_in(house, "administrator")
    token = (await client.post("/api/v1/tokens", json={"name": "t", "roles": ["qa"]})).json()["token"]
    secrets = (client.cookies[COOKIE], token, WORD)
    for table in (tables.people, tables.log_ins, tables.tokens, tables.audit, tables.answers):
        rows = await house.database.read(lambda c, table=table: c.execute(select(table)))  # type: ignore[misc]
        stored = " ".join(str(row) for row in rows)
        assert not [secret for secret in secrets if secret in stored], table.name


async def test_log_out_ends_the_cookie_at_once(house: Kernel) -> None:
    client = await _logged_in(house, "operator")
    secret = client.cookies[COOKIE]
    assert (await client.post("/api/v1/logout")).status_code == 204
    assert COOKIE not in client.cookies
    assert await house.identity.principal(cookie=secret, token=None) is None


async def test_a_cookie_ends_with_the_shift(house: Kernel, clock: ManualClock) -> None:
    client = await _logged_in(house, "operator")
    clock.advance(timedelta(hours=11, minutes=59))
    assert (await client.get("/api/v1/me")).status_code == 200
    clock.advance(timedelta(minutes=2))
    answer = await client.get("/api/v1/me")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_disabling_and_changed_roles_count_at_the_next_request(house: Kernel) -> None:
    administrator = await _logged_in(house, "administrator")
    supervisor = await _logged_in(house, "supervisor")
    assert (await supervisor.get("/api/v1/people")).status_code == 200
    person = await _person_id(house, "supervisor")
    answer = await administrator.patch(f"/api/v1/people/{person}", json={"roles": ["operator"]})
    assert answer.json()["roles"] == ["operator"]
    assert (await supervisor.get("/api/v1/people")).status_code == 403
    assert (await supervisor.get("/api/v1/me")).json()["roles"] == ["operator"]
    await administrator.patch(f"/api/v1/people/{person}", json={"is_disabled": True})
    assert (await supervisor.get("/api/v1/me")).status_code == 401
    assert (await supervisor.post("/api/v1/login", json={"login": "supervisor", "password": WORD})).status_code == 401
    await administrator.patch(f"/api/v1/people/{person}", json={"is_disabled": False})
    assert (await supervisor.get("/api/v1/me")).status_code == 401  # the old cookie stays ended


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 204),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://hotline"}, 403),
        ({"Origin": "http://hotline"}, 204),
        ({"Origin": "http://hotline.elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
async def test_a_foreign_page_cannot_use_the_cookie(house: Kernel, headers: dict[str, str], status: int) -> None:
    secret = (await _logged_in(house, "operator")).cookies[COOKIE]
    async with house.client(**headers, Cookie=f"{COOKIE}={secret}") as client:
        assert (await client.post("/api/v1/logout")).status_code == status
        assert (await client.get("/api/v1/me")).status_code == (401 if status == 204 else 200)


async def test_a_foreign_page_cannot_log_somebody_in(house: Kernel) -> None:
    async with house.client(**{"Sec-Fetch-Site": "cross-site"}) as client:
        answer = await client.post("/api/v1/login", json={"login": "operator", "password": WORD})
        assert answer.status_code == 403
        assert COOKIE not in client.cookies


async def test_tokens_have_roles_a_name_and_an_end(house: Kernel, clock: ManualClock) -> None:
    administrator = await _logged_in(house, "administrator")
    made = (await administrator.post("/api/v1/tokens", json={"name": "report", "roles": ["qa"], "days": 2})).json()
    assert made["token"].startswith("hl_")
    async with house.client(Authorization=f"Bearer {made['token']}") as script:
        assert (await script.get("/api/v1/me")).json()["person"] == "token:report"
        assert (await script.get("/api/v1/people")).status_code == 403
        assert (await script.post("/api/v1/logout")).status_code == 204  # no cookie, so no page of ours is needed
        clock.advance(timedelta(days=2, seconds=1))
        assert (await script.get("/api/v1/me")).status_code == 401


async def test_a_revoked_token_counts_no_longer_and_is_never_shown_again(house: Kernel) -> None:
    administrator = await _logged_in(house, "administrator")
    made = (await administrator.post("/api/v1/tokens", json={"name": "report", "roles": ["qa"]})).json()
    listed = await administrator.get("/api/v1/tokens")
    assert made["token"] not in listed.text
    assert [token["id"] for token in listed.json()["items"]] == [made["id"]]
    assert (await administrator.delete(f"/api/v1/tokens/{made['id']}")).status_code == 204
    assert (await administrator.delete(f"/api/v1/tokens/{made['id']}")).status_code == 404
    async with house.client(Authorization=f"Bearer {made['token']}") as script:
        assert (await script.get("/api/v1/me")).status_code == 401


async def test_a_wrong_token_is_not_saved_by_a_right_cookie(house: Kernel) -> None:
    client = await _logged_in(house, "operator")
    assert (await client.get("/api/v1/me", headers={"Authorization": "Bearer hl_wrong"})).status_code == 401


async def test_failed_log_ins_are_throttled_alike_with_and_without_an_account(
    house: Kernel, clock: ManualClock
) -> None:
    async with house.client() as client:
        for login in ("operator", "nobody"):
            codes = [
                (await client.post("/api/v1/login", json={"login": login, "password": f"wrong {number}"})).status_code
                for number in range(7)
            ]
            assert codes == [401] * 5 + [429] * 2, login
        right = await client.post("/api/v1/login", json={"login": "operator", "password": WORD})
        assert right.status_code == 429
        assert 0 < int(right.headers["retry-after"]) <= 900
        clock.advance(timedelta(minutes=16))
        assert (await client.post("/api/v1/login", json={"login": "operator", "password": WORD})).status_code == 200


async def test_wrong_disabled_and_unknown_look_the_same(house: Kernel) -> None:
    person = await _person_id(house, "supervisor")
    await house.identity.change(SYSTEM, person, PersonChange(is_disabled=True))
    tried = [("operator", "wrong word"), ("supervisor", WORD), ("nobody", WORD), ("", ""), ("operator", "")]
    async with house.client() as client:
        answers = [await client.post("/api/v1/login", json={"login": a, "password": b}) for a, b in tried]
    assert {(answer.status_code, answer.text) for answer in answers} == {(answers[0].status_code, answers[0].text)}


async def test_what_was_tried_is_in_the_audit_without_what_was_typed(house: Kernel) -> None:
    async with house.client() as client:
        for login, word in (("operator", "wrong word"), ("my-password-by-mistake", "x"), ("operator", WORD)):
            await client.post("/api/v1/login", json={"login": login, "password": word})
    lines = await house.audit.lines(AuditQuery(action="log_in"))
    operator = await _person_id(house, "operator")
    assert [(line.person, line.subject, line.result) for line in lines] == [
        (operator, operator, "ok"),
        ("", "unknown", "refused"),
        ("", operator, "refused"),
    ]
    assert "my-password" not in str(lines)


async def test_every_mistake_of_a_new_account_is_told_at_once(house: Kernel) -> None:
    client = await _logged_in(house, "administrator")
    body = {"login": "Ä", "name": " ", "roles": ["administrator", "auditor"], "agent": "x", "password": "aaa"}
    answer = await client.post("/api/v1/people", json=body)
    assert answer.status_code == 400
    assert len(answer.json()["problems"]) == 6
    answer = await client.post("/api/v1/people", json={"login": "x1", "name": "x", "roles": ["king"], "is_root": True})
    assert answer.status_code == 400
    assert len(answer.json()["problems"]) == 2


async def test_a_new_account_gets_a_password_that_works_and_a_taken_login_is_a_conflict(house: Kernel) -> None:
    client = await _logged_in(house, "administrator")
    body = {"login": "wang.li", "name": "王丽", "roles": ["operator"], "agent": "1007", "unit": ""}
    made = await client.post("/api/v1/people", json=body)
    assert made.status_code == 201
    await _logged_in(house, "wang.li", made.json()["password"])
    again = await client.post("/api/v1/people", json=body)
    assert again.status_code == 409
    assert again.json()["detail"] == "This login or this work number is taken."


async def test_lists_come_in_pages_that_join_without_gap(house: Kernel) -> None:
    client = await _logged_in(house, "administrator")
    for number in range(20):
        await house.identity.add(
            SYSTEM, NewPerson(login=f"p{number:02}", name="x", roles=frozenset({Role.QA}), password=WORD)
        )
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": 7} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/api/v1/people", params=query)).json()
        seen += [person["login"] for person in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(seen)
    assert len(seen) == 24
    for wrong in ("x", "W10", "WzFd", "4pyT"):
        assert (await client.get("/api/v1/people", params={"cursor": wrong})).status_code == 400


async def test_somebody_can_always_administer(house: Kernel) -> None:
    client = await _logged_in(house, "administrator")
    person = await _person_id(house, "administrator")
    for body in ({"is_disabled": True}, {"roles": ["operator"]}):
        answer = await client.patch(f"/api/v1/people/{person}", json=body)
        assert answer.status_code == 403, body
    assert (await client.get("/api/v1/me")).json()["roles"] == ["administrator"]
    assert (await client.patch("/api/v1/people/none", json={"name": "x"})).status_code == 404


async def test_a_changed_password_ends_the_other_log_ins_of_that_person(house: Kernel) -> None:
    here, there = [await _logged_in(house, "operator") for _ in range(2)]
    wrong = await here.post("/api/v1/me/password", json={"old": "not it at all", "new": "another long word"})
    assert wrong.status_code == 403
    easy = await here.post("/api/v1/me/password", json={"old": WORD, "new": "operator1234"})
    assert easy.status_code == 400
    changed = await here.post("/api/v1/me/password", json={"old": WORD, "new": "another long word"})
    assert changed.status_code == 204
    assert (await here.get("/api/v1/me")).status_code == 200
    assert (await there.get("/api/v1/me")).status_code == 401
    await _logged_in(house, "operator", "another long word")


async def test_a_reset_password_is_shown_once_and_ends_every_log_in(house: Kernel) -> None:
    administrator = await _logged_in(house, "administrator")
    operator = await _logged_in(house, "operator")
    person = await _person_id(house, "operator")
    word = (await administrator.post(f"/api/v1/people/{person}/password")).json()["password"]
    assert (await operator.get("/api/v1/me")).status_code == 401
    await _logged_in(house, "operator", word)


async def test_the_first_start_makes_accounts_once(database_url: str) -> None:
    async with kernel(database_url) as empty:
        made = await first_accounts(empty.identity, is_demo=False)
        assert [(login, roles) for login, _, roles in made] == [
            ("administrator", (Role.ADMINISTRATOR,)),
            ("auditor", (Role.AUDITOR,)),
        ]
        assert len({word for _, word, _ in made}) == 2
        for login, word, _ in made:
            await _logged_in(empty, login, word)
        assert await first_accounts(empty.identity, is_demo=True) == []


async def test_the_demonstration_has_one_account_per_role(tmp_path: Path) -> None:
    async with kernel(f"sqlite:///{tmp_path / 'demo.db'}") as empty:
        made = await first_accounts(empty.identity, is_demo=True)
        assert [roles for _, _, roles in made] == [(role,) for role in Role]
        people = {person.login: person.agent for person in await empty.identity.people()}
        assert people["operator"] == DEMO[Role.OPERATOR] != ""
        assert people["qa"] == ""


@pytest.mark.slow
async def test_an_unknown_login_takes_as_long_as_a_wrong_password() -> None:
    passwords = Passwords()
    stored = await passwords.hash(WORD)
    took: dict[bool, list[float]] = {True: [], False: []}
    for number in range(30):
        exists = number % 2 == 0
        began = time.perf_counter()
        assert not await passwords.verify(stored if exists else None, "wrong")
        took[exists].append(time.perf_counter() - began)
    known, unknown = (statistics.median(took[exists]) for exists in (True, False))
    assert 0.8 < known / unknown < 1.25
    assert known > 0.01
    passwords.close()


async def test_the_database_away_is_503_and_not_a_log_out(house: Kernel) -> None:
    client = await _logged_in(house, "operator")
    await house.database.write(lambda c: c.execute(text("DROP TABLE log_ins")))
    answer = await client.get("/api/v1/me")
    assert answer.status_code in {500, 503}
    assert "log_ins" not in answer.text
