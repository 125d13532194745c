"""Problems, pages and body limits, without a network."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st

from hotline.errors import BadInput, Conflict, HotlineError, NotAllowed, NotFound, Unavailable
from hotline.http import Page, Paging, RequestBody, decode_cursor, encode_cursor, install_problems, paging, status_of
from hotline.limits import BodyLimit
from hotline.security import NotLoggedIn

pytestmark = pytest.mark.unit


class Thing(RequestBody):
    word: str
    size: float = 0


def _app() -> FastAPI:
    app = FastAPI(openapi_url=None)
    install_problems(app)
    app.add_middleware(BodyLimit, limit=10_000, larger={"/upload": 50_000})

    @app.get("/raise/{what}")
    async def fail(what: str) -> None:
        errors: dict[str, Exception] = {
            "input": BadInput("Two mistakes.", ("one", "two")),
            "found": NotFound("No such thing."),
            "allowed": NotAllowed("Not now."),
            "conflict": Conflict("Somebody was faster."),
            "away": Unavailable("The database is away."),
            "who": NotLoggedIn("Log in."),
            "bug": RuntimeError("secret internals"),
        }
        raise errors[what]

    @app.post("/things")
    async def post(body: Thing) -> Thing:
        return body

    @app.post("/upload")
    async def upload(request: Request) -> int:
        return len(await request.body())

    @app.get("/list")
    async def listed(page: Annotated[Paging, Depends(paging)]) -> Page[int]:
        after = page.after(int)
        start = after[0] + 1 if after else 0
        return page.page(range(start, min(start + page.limit + 1, 12)), lambda number: (number,))

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hotline") as made:
        yield made


@pytest.mark.parametrize(
    ("what", "status", "detail"),
    [
        ("input", 400, "Two mistakes."),
        ("found", 404, "No such thing."),
        ("allowed", 403, "Not now."),
        ("conflict", 409, "Somebody was faster."),
        ("away", 503, "The database is away."),
        ("who", 401, "Log in."),
        ("bug", 500, "Something went wrong on our side; it was logged."),
    ],
)
async def test_every_error_is_a_problem_with_one_sentence(
    client: httpx.AsyncClient, what: str, status: int, detail: str
) -> None:
    answer = await client.get(f"/raise/{what}")
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == detail
    assert answer.json().get("problems") == (["one", "two"] if what == "input" else None)
    assert answer.headers.get("retry-after") == ("1" if what == "away" else None)
    assert "secret" not in answer.text


def test_a_subclass_has_the_status_of_its_nearest_ancestor() -> None:
    class TooLateError(Conflict):
        pass

    class StrangeError(HotlineError):
        pass

    assert status_of(TooLateError("x")) == 409
    assert status_of(StrangeError("x")) == 500


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/list?limit=0", 400), ("/list?limit=x", 400), ("/list?cursor=x", 400)]
)
async def test_the_frameworks_own_refusals_are_problems_too(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await client.put("/list")).status_code == 405
    assert (await client.put("/list")).headers["allow"] == "GET"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"word"',
        b'{"word": 1}',
        b'{"word": "x", "role": "admin"}',
        b'{"word": "x", "size": NaN}',
        b'{"word": "x", "size": 1e999}',
        b"\xff\xfe\x00",
        b'{"word": "' + b"x" * 9_000 + b'"',
        b"[" * 9_000,
    ],
)
async def test_bodies_that_cannot_be_used_are_refused_without_internals(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/things", content=body, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert not [word for word in ("Traceback", "pydantic", "site-packages") if word in answer.text]


async def test_a_body_above_the_limit_is_refused_before_it_is_read(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 1000

    headers = {"content-type": "application/json"}
    assert (await client.post("/things", content=b"x" * 10_001, headers=headers)).status_code == 413
    assert (await client.post("/things", content=endless(), headers=headers)).status_code == 413
    assert (await client.post("/upload", content=b"x" * 50_000)).json() == 50_000
    assert (await client.post("/upload", content=b"x" * 50_001)).status_code == 413


async def test_pages_join_without_gap_and_end(client: httpx.AsyncClient) -> None:
    seen: list[int] = []
    query: dict[str, Any] = {"limit": 5}
    while True:
        page = (await client.get("/list", params=query)).json()
        seen += page["items"]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == list(range(12))
    assert len((await client.get("/list", params={"limit": 12})).json()["items"]) == 12
    assert (await client.get("/list", params={"limit": 12})).json()["next"] is None


STORABLE = st.characters(exclude_characters="\0", codec="utf-8")


@given(st.lists(st.one_of(st.text(alphabet=STORABLE), st.integers(-(2**62), 2**62))))
def test_a_cursor_gives_back_its_key(key: list[str | int]) -> None:
    assert decode_cursor(encode_cursor(key), [type(part) for part in key]) == tuple(key)


@given(st.text())
def test_a_cursor_that_is_not_ours_is_bad_input_and_nothing_else(cursor: str) -> None:
    try:
        key = decode_cursor(cursor, (str, int))
    except BadInput:
        return
    assert isinstance(key[0], str)
    assert isinstance(key[1], int)


def test_a_cursor_beyond_what_a_database_can_compare_is_refused() -> None:
    for key in ([2**63], ["a\0b"]):
        with pytest.raises(BadInput):
            decode_cursor(encode_cursor(key), [type(key[0])])


async def test_a_hundred_bad_bodies_are_refused_quickly(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(5):
        for _ in range(100):
            answer = await client.post("/things", content=b"[" * 9_000, headers={"content-type": "application/json"})
            assert answer.status_code == 400


MOMENT = "2026-02-14T12:00:00+00:00"


def test_a_moment_comes_out_of_a_cursor_as_a_moment() -> None:
    key = decode_cursor(encode_cursor((MOMENT, "call_1")), (datetime, str))
    assert key == (datetime(2026, 2, 14, 12, tzinfo=UTC), "call_1")


@pytest.mark.parametrize(
    "moment", ["", "2026", "2026-02-14T12:00:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", 7]
)
def test_a_forged_moment_in_a_cursor_is_refused(moment: str | int) -> None:
    with pytest.raises(BadInput):
        decode_cursor(encode_cursor((moment, "call_1")), (datetime, str))


@pytest.mark.parametrize("word", ["\ud800", "a\0b"])
def test_a_cursor_holds_nothing_that_a_database_cannot_compare(word: str) -> None:
    with pytest.raises(BadInput):
        decode_cursor(encode_cursor((word,)), (str,))
