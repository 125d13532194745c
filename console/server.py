"""The HTTP server of a process, what it says when it is ready, and the demonstration seat beside it."""

import asyncio
import contextlib
import errno
import os
import socket
import sys
from collections.abc import Generator, Sequence

import typer
import uvicorn
from fastapi import FastAPI

from hotline.errors import BadInput, Unavailable
from hotline.settings import Settings

END_S = 5.0
"""How long the demonstration seat may take to say goodbye."""


def take_port(settings: Settings) -> socket.socket:
    """The HTTP port, held from before anything else is started: a busy one must not cost an Asterisk its calls.

    Raises:
        BadInput: HOTLINE_BIND is no address of this machine.
        Unavailable: the port is taken, or may not be used.
    """
    where = f"TCP port {settings.http_port} on {settings.bind}"
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((settings.bind, settings.http_port))
    except OSError as error:
        held.close()
        if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
            raise BadInput(f"{settings.bind} is no address of this machine: correct HOTLINE_BIND.") from error
        is_taken = error.errno == errno.EADDRINUSE
        reason = (
            "is taken by another hotline or program: end that one, or" if is_taken else f"fails ({error.strerror}):"
        )
        raise Unavailable(f"{where} {reason} choose another one with HOTLINE_HTTP_PORT.") from error
    return held


def quiet_server(app: FastAPI, settings: Settings) -> "QuietServer":
    """The server for `app` as the settings want it."""
    config = uvicorn.Config(
        app,
        host=settings.bind,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
        log_level="warning",
        ws="websockets-sansio",
        timeout_graceful_shutdown=3,
    )
    return QuietServer(config)


class QuietServer(uvicorn.Server):
    """uvicorn without signal handlers of its own: ending is ours, in our order."""

    companion: asyncio.Task[None] | None = None
    """The demonstration seat: it says goodbye while it still is heard."""

    def end(self) -> None:
        """Let the companion end, then serve no more."""
        if self.companion is None:
            self.should_exit = True
        else:
            self.companion.add_done_callback(self._end)
            self.companion.cancel()

    def _end(self, _: object) -> None:
        self.should_exit = True

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    async def wait_started(self) -> None:
        """Wait until it serves."""
        while not self.started:  # noqa: ASYNC110 - uvicorn tells it by this flag alone
            await asyncio.sleep(0.02)


async def greet(settings: Settings, server: QuietServer, accounts: Sequence[tuple[str, str, Sequence[str]]]) -> None:
    """Say where everything is, once it is there; the passwords of new accounts are shown this once."""
    await server.wait_started()
    say = typer.echo
    if accounts:
        say("\nAccounts made at this first start; their passwords are not shown again:")
        for login, password, roles in accounts:
            say(f"  {login:<16} {password}   ({', '.join(roles)})")
    say(f"\nConsole:  http://{settings.bind}:{settings.http_port}/")
    say("A call:   .venv/bin/hotline dial 12329 --say SAMPLE     (in a second terminal)")
    if not settings.demo_seat:
        say("A seat:   HOTLINE_DEMO_SEAT=1 make run     starts one that answers and talks back")
    say(f"READY  SIP {settings.bind}:{settings.sip_port}  HTTP {settings.bind}:{settings.http_port}")
    sys.stdout.flush()


async def demonstration_seat(server: QuietServer, token: str) -> None:
    """A seat that answers and talks back, as a process of its own, until we end."""
    await server.wait_started()
    command = (sys.executable, "-m", "app", "demo-seat", "--parent", str(os.getpid()))
    environment = {**os.environ, "HOTLINE_TOKEN": token}
    process = await asyncio.create_subprocess_exec(*command, env=environment, start_new_session=True)
    try:
        await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(END_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
