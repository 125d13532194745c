"""The feed to two hundred desks while fifty things change in a second: how soon a desk hears of what concerns it.

There is no baseline: the target is absolute. Every desk is a person of its own with a seat of its own, listening as a
page does; seats pause and resume in turn. Timed from the request that changes something to its line in the feed.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import httpx

from bench.row import Row, compare, percentile
from tests.house import Server

DESKS, CHANGES_PER_S, SECONDS = 200, 50, 8
"""Every seat pauses once and resumes once."""
FIRST_SEAT = 6000
TOLD_MS = 50.0
OWN = '"own"'


def measure(rounds: int) -> list[Row]:
    """All desks at once, `rounds` times."""
    with tempfile.TemporaryDirectory(prefix="hotline-bench-") as name:
        settings = {"HOTLINE_DEMO": "0", "HOTLINE_WORKERS": "0"}
        with Server(Path(name) / "data", settings) as server:
            seats = [str(FIRST_SEAT + number) for number in range(DESKS)]
            cookies = _people(server, seats)
            took = [asyncio.run(_round(server, seats, cookies)) for _ in range(rounds)]
    return [
        compare("feed_200_desks_50_changes_p50", "ms", [percentile(one, 50) for one in took], []),
        compare("feed_200_desks_50_changes_p99", "ms", [percentile(one, 99) for one in took], [], at_most=TOLD_MS),
    ]


def _people(server: Server, seats: Iterable[str]) -> dict[str, str]:
    """The cookie of each seat's person, who is signed in at it."""
    agents = server.data / "bench-agents.yaml"
    lines = [f'- {{agent: "{one}", name: seat {one}, phone: "{one}", skills: {{general: 5}}}}' for one in seats]
    agents.write_text("\n".join(lines) + "\n")
    server.command("agents", "import", str(agents))
    cookies = {}
    with httpx.Client(base_url=f"http://127.0.0.1:{server.http_port}", timeout=20) as client:
        for seat in seats:
            password = f"a desk of the bench, seat {seat}"
            person = {"login": f"desk{seat}", "name": seat, "roles": ["operator"], "agent": seat, "password": password}
            server.post("/api/v1/people", person, role="administrator")
            answer = client.post("/api/v1/login", json={"login": f"desk{seat}", "password": password})
            cookies[seat] = answer.raise_for_status().headers["set-cookie"].partition(";")[0]
            client.cookies.clear()
            server.post(f"/api/v1/seats/{seat}/sign-in")
    return cookies


async def _round(server: Server, seats: list[str], cookies: dict[str, str]) -> list[float]:
    """Milliseconds of each change."""
    changed: dict[str, float] = {}
    took: list[float] = []
    token = server.token("supervisor")
    listeners = [asyncio.create_task(_listen(server.http_port, cookies[seat], seat, changed, took)) for seat in seats]
    await asyncio.sleep(2)  # every feed begins with what stands
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.http_port}", timeout=20) as client:
        headers = {"authorization": f"Bearer {token}"}
        async with asyncio.TaskGroup() as group:
            began = time.monotonic()
            for number in range(CHANGES_PER_S * SECONDS):
                seat, is_pause = seats[number % DESKS], number // DESKS % 2 == 0
                await asyncio.sleep(max(0.0, began + number / CHANGES_PER_S - time.monotonic()))
                changed[seat] = time.monotonic()
                path = f"/api/v1/seats/{seat}/{'pause' if is_pause else 'resume'}"
                group.create_task(_post(client, path, {"reason": "meal"} if is_pause else {}, headers))
    await asyncio.sleep(1)
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    if len(took) < 0.99 * CHANGES_PER_S * SECONDS:
        raise RuntimeError(f"{len(took)} of {CHANGES_PER_S * SECONDS} changes were told")
    return took


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, str], headers: dict[str, str]) -> None:
    (await client.post(path, json=body, headers=headers)).raise_for_status()


async def _listen(port: int, cookie: str, seat: str, changed: dict[str, float], took: list[float]) -> None:
    """A plain socket: the listener must cost less than what it measures."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /api/v1/feed HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
    try:
        while line := await reader.readline():
            if OWN.encode() in line and (began := changed.pop(seat, None)) is not None:
                took.append(1000 * (time.monotonic() - began))
    finally:
        writer.close()
