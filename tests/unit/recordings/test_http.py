"""Playing over HTTP: ranges, refusals that tell nothing, and no byte without a line in the audit."""

import gc
import io
import wave
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from starlette.types import Message

from hotline.clock import ManualClock
from hotline.http import install_problems
from hotline.security import Principal, Role
from recordings import wav
from recordings.http import routes
from recordings.model import RATE, Party, Recording, Track
from recordings.retention import RetentionPolicy
from recordings.service import RecordingService
from tests.unit.recordings.conftest import Scribe

pytestmark = pytest.mark.unit

BASE = "/api/v1/recordings"


class Everyone:
    """Tokens are `ROLE` or `ROLE:AGENT`."""

    async def principal(self, *, cookie: str | None, token: str | None) -> Principal | None:  # noqa: ARG002
        if not token:
            return None
        role, _, agent = token.partition(":")
        return Principal(person=f"person-{agent}", name="N", roles=frozenset({Role(role)}), agent=agent)


@pytest.fixture
async def client(service: RecordingService, scribe: Scribe, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problems(app)
    app.state.identity = Everyone()
    app.include_router(routes(service, scribe, clock, RetentionPolicy()))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hotline") as opened:
        yield opened


@pytest.fixture
async def played(service: RecordingService, speak: Callable[..., Track], clock: ManualClock) -> Recording:
    """A call of four seconds; the operator stays for two, an expert is there in the third."""
    now = clock.now()
    tracks = (
        speak("call_1", "a.1", Party.CITIZEN, 100, seconds=4),
        speak("call_1", "b.1", Party.OPERATOR, 200, seconds=2, agent="1001"),
        speak("call_1", "c.1", Party.EXPERT, 300, start=2, seconds=1, agent="E7"),
    )
    await service.open("call_1", arrived_at=now, answered_at=now, tracks=tracks)
    done = await service.close("call_1", ended_at=now + timedelta(seconds=4))
    assert done is not None
    return done


def as_(role: Role, agent: str = "", **headers: str) -> dict[str, str]:
    return {"authorization": f"Bearer {role}:{agent}", **headers}


QA = as_(Role.QA)


def channels(data: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(data)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())


async def test_whole_sound_is_the_sealed_file(
    client: httpx.AsyncClient, played: Recording, service: RecordingService, scribe: Scribe
) -> None:
    answer = await client.get(f"{BASE}/{played.id}/audio", headers=QA)
    assert answer.status_code == 200
    assert answer.content == service.sound_path(played).read_bytes()
    assert answer.headers["etag"] == f'"{played.sha256}"'
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["content-length"] == str(played.size_bytes)
    assert answer.headers["content-disposition"] == f'inline; filename="{played.id}.wav"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert scribe.lines[0][1:4] == ("recording.play", played.id, "ok")


async def test_range_is_that_part_and_audited_as_such(
    client: httpx.AsyncClient, played: Recording, service: RecordingService, scribe: Scribe
) -> None:
    answer = await client.get(f"{BASE}/{played.id}/audio", headers={**QA, "range": "bytes=40-99"})
    assert answer.status_code == 206
    assert answer.content == service.sound_path(played).read_bytes()[40:100]
    assert answer.headers["content-range"] == f"bytes 40-99/{played.size_bytes}"
    assert answer.headers["content-length"] == "60"
    assert (scribe.lines[0][4]["first"], scribe.lines[0][4]["last"]) == (40, 99)


async def test_pieces_of_a_range_put_together_are_the_whole(
    client: httpx.AsyncClient, played: Recording, service: RecordingService
) -> None:
    whole, step = b"", 30_011
    for first in range(0, played.size_bytes, step):
        asked = {**QA, "range": f"bytes={first}-{first + step - 1}"}
        whole += (await client.get(f"{BASE}/{played.id}/audio", headers=asked)).content
    assert whole == service.sound_path(played).read_bytes()


@pytest.mark.parametrize(
    "value", ["bytes=" + ",".join(f"{n}-{n}" for n in range(1000)), "bytes=999999999-", "bytes=5-1", "bytes=0-0,2-3"]
)
async def test_ranges_that_make_no_sense_are_refused(
    client: httpx.AsyncClient, played: Recording, value: str, scribe: Scribe
) -> None:
    answer = await client.get(f"{BASE}/{played.id}/audio", headers={**QA, "range": value})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{played.size_bytes}"
    assert answer.headers["content-type"] == "application/problem+json"
    assert scribe.lines[0][3] == "bad_range"


async def test_range_counts_only_if_the_sound_is_still_the_same(client: httpx.AsyncClient, played: Recording) -> None:
    path = f"{BASE}/{played.id}/audio"
    same = {**QA, "range": "bytes=0-9", "if-range": f'"{played.sha256}"'}
    other = {**QA, "range": "bytes=0-9", "if-range": '"other"'}
    assert (await client.get(path, headers=same)).status_code == 206
    assert (await client.get(path, headers=other)).status_code == 200


async def test_head_tells_size_and_sends_nothing(client: httpx.AsyncClient, played: Recording) -> None:
    answer = await client.head(f"{BASE}/{played.id}/audio", headers={**QA, "range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(played.size_bytes)


@pytest.mark.parametrize(("channel", "level"), [("citizen", 100), ("operator", 200), ("0", 100), ("1", 200)])
async def test_one_party_alone_is_mono(client: httpx.AsyncClient, played: Recording, channel: str, level: int) -> None:
    answer = await client.get(f"{BASE}/{played.id}/audio", params={"channel": channel}, headers=QA)
    sound = channels(answer.content)
    assert sound.shape == (4 * RATE, 1)
    assert set(sound[: 2 * RATE, 0].tolist()) == {level}
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["etag"] != f'"{played.sha256}"'
    part = await client.get(
        f"{BASE}/{played.id}/audio", params={"channel": channel}, headers={**QA, "range": "bytes=43-301"}
    )
    assert part.content == answer.content[43:302]


async def test_channel_that_is_not_there_is_not_found_and_nonsense_is_refused(
    client: httpx.AsyncClient, played: Recording
) -> None:
    path = f"{BASE}/{played.id}/audio"
    assert (await client.get(path, params={"channel": "supervisor"}, headers=QA)).status_code == 404
    assert (await client.get(path, params={"channel": "9"}, headers=QA)).status_code == 404
    assert (await client.get(path, params={"channel": "../x"}, headers=QA)).status_code == 400


async def test_expert_hears_only_the_joined_part(client: httpx.AsyncClient, played: Recording) -> None:
    answer = await client.get(f"{BASE}/{played.id}/audio", headers=as_(Role.EXPERT, "E7"))
    sound = channels(answer.content)
    assert sound.shape == (RATE, 3)
    assert set(sound[:, 2].tolist()) == {300}
    assert not sound[:, 1].any()


async def test_operator_hears_the_own_call_and_after_a_day_it_is_as_if_it_had_never_been(
    client: httpx.AsyncClient, played: Recording, clock: ManualClock, scribe: Scribe
) -> None:
    path, mine = f"{BASE}/{played.id}/audio", as_(Role.OPERATOR, "1001")
    assert (await client.get(path, headers=mine)).status_code == 200
    other = await client.get(path, headers=as_(Role.OPERATOR, "1002"))
    nothing = await client.get(f"{BASE}/rec_404/audio", headers=as_(Role.OPERATOR, "1002"))
    assert other.status_code == nothing.status_code == 404
    assert other.json() == nothing.json()
    assert [line[2:4] for line in scribe.lines[1:]] == [(played.id, "refused"), ("rec_404", "refused")]
    clock.advance(timedelta(hours=25))
    assert (await client.get(path, headers=mine)).status_code == 404
    assert (await client.get(f"{BASE}/{played.id}", headers=mine)).status_code == 404
    assert (await client.get(BASE, headers=mine)).json()["items"] == []


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.UNIT, Role.ADMINISTRATOR, Role.AUDITOR])
async def test_roles_without_the_permission_are_refused(
    client: httpx.AsyncClient, played: Recording, role: Role
) -> None:
    for path in (BASE, f"{BASE}/{played.id}", f"{BASE}/{played.id}/audio"):
        assert (await client.get(path, headers=as_(role, "1001"))).status_code == 403
        assert (await client.get(path)).status_code == 401


async def test_without_an_audit_nothing_is_played(client: httpx.AsyncClient, played: Recording, scribe: Scribe) -> None:
    scribe.broken = True
    for headers in (QA, {**QA, "range": "bytes=0-9"}, {**QA, "range": "bytes=9-0"}):
        answer = await client.get(f"{BASE}/{played.id}/audio", headers=headers)
        assert answer.status_code == 503
        assert b"RIFF" not in answer.content


async def test_sound_that_was_changed_is_not_played(
    client: httpx.AsyncClient, played: Recording, service: RecordingService, scribe: Scribe
) -> None:
    path, file = f"{BASE}/{played.id}/audio", service.sound_path(played)
    assert (await client.get(path, headers=QA)).status_code == 200
    data = bytearray(file.read_bytes())
    data[wav.HEADER_BYTES + 10] ^= 1
    file.write_bytes(data)
    assert (await client.get(path, headers=QA)).status_code == 409
    file.unlink()
    assert (await client.get(path, headers=QA)).status_code == 404
    file.symlink_to("/etc/passwd")
    assert (await client.get(path, headers=QA)).status_code == 409
    assert [line[3] for line in scribe.lines] == ["ok", "damaged", "missing", "damaged"]


async def test_running_call_has_no_sound_yet(
    client: httpx.AsyncClient, service: RecordingService, clock: ManualClock
) -> None:
    row = await service.open("call_5", arrived_at=clock.now(), answered_at=clock.now())
    assert (await client.get(f"{BASE}/{row.id}/audio", headers=QA)).status_code == 409
    assert (await client.get(f"{BASE}/{row.id}", headers=QA)).json()["state"] == "open"


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "%00", "rec_1%00.wav", "rec_1.wav", "%2e%2e"])
async def test_foreign_names_are_not_found(client: httpx.AsyncClient, played: Recording, name: str) -> None:  # noqa: ARG001
    assert (await client.get(f"{BASE}/{name}/audio", headers=QA)).status_code == 404


async def test_row_tells_channels_hash_and_flags(client: httpx.AsyncClient, played: Recording) -> None:
    row = (await client.get(f"{BASE}/{played.id}", headers=QA)).json()
    assert (row["sha256"], row["length_ms"], row["truncated"]) == (played.sha256, 4000, True)
    assert [c["party"] for c in row["channels"]] == ["citizen", "operator", "expert"]
    assert row["channels"][2]["spans"] == [{"from_ms": 2000, "to_ms": 3000}]
    assert row["kept_until"] > row["ended_at"]


async def test_list_has_pages(client: httpx.AsyncClient, service: RecordingService, clock: ManualClock) -> None:
    for number in range(5):
        at = clock.now() + timedelta(seconds=number)
        await service.open(f"call_{number}", arrived_at=at, answered_at=at)
    seen, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get(BASE, params=query, headers=QA)).json()
        seen += [item["call"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == [f"call_{number}" for number in (4, 3, 2, 1, 0)]
    assert (await client.get(BASE, params={"call": "call_3"}, headers=QA)).json()["items"][0]["call"] == "call_3"
    assert (await client.get(BASE, params={"cursor": "bm9uc2Vuc2U"}, headers=QA)).status_code == 400
    assert (await client.get(BASE, params={"since": "yesterday"}, headers=QA)).status_code == 400
    late = (clock.now() + timedelta(seconds=3)).isoformat()
    assert len((await client.get(BASE, params={"since": late}, headers=QA)).json()["items"]) == 2


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_file_is_closed_when_the_listener_goes_away(
    service: RecordingService, played: Recording, scribe: Scribe
) -> None:
    """The connection breaks after the first piece; a file left open would be a ResourceWarning or a leak."""
    app = FastAPI()
    app.state.identity = Everyone()
    app.include_router(routes(service, scribe, ManualClock(played.answered_at), RetentionPolicy()))
    before = open_files()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise OSError("gone")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "path": f"{BASE}/{played.id}/audio",
        "raw_path": f"{BASE}/{played.id}/audio".encode(),
        "query_string": b"",
        "headers": [(b"authorization", b"Bearer qa:")],
        "server": ("hotline", 80),
        "scheme": "http",
        "root_path": "",
    }
    with pytest.raises(Exception, match=r".*"):
        await app(scope, receive, send)
    gc.collect()
    assert open_files() == before
