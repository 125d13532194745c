"""Real servers for tests, on Unix sockets in folders of their own; nothing listens on a network.

Shared by contract, integration and e2e tests. Each server can be stopped, killed and started again.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import redis

START_S = 30.0


def wait_until(is_so: Callable[[], bool], what: str, timeout_s: float = START_S) -> None:
    """Poll a condition; fails with `what` when it does not come true in time."""
    end = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {timeout_s:g} s")
        time.sleep(0.02)


class RedisServer:
    """A redis-server that keeps an append-only file."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hl-redis-"))
        self.socket = self.folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self, *options: str) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        assert program, "redis-server is missing: apt-get install redis-server"
        self._process = subprocess.Popen(
            [
                *(program, "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder)),
                *("--save", "", "--appendonly", "yes", "--appendfsync", "no"),
                *options,
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_until(self._answers, "redis-server's start")

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut would; its files stay."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def empty(self) -> None:
        """Forget everything, scripts included."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()
            client.script_flush()

    def ask(self, *words: str | int) -> object:
        """One command."""
        with redis.Redis.from_url(self.url) as client:
            return client.execute_command(*words)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        try:
            return self.ask("PING") is True
        except redis.RedisError:
            return False

    def _end(self, how: signal.Signals) -> None:
        if self._process:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(how)
            self._process.wait(START_S)
            self._process = None


class PostgresServer:
    """A PostgreSQL cluster made afresh; it runs as another user when we are root, because it refuses root."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hl-pg-"))
        self._user = _unprivileged_user()
        if self._user is not None:
            shutil.chown(self.folder, self._user)
        self._data = self.folder / "data"
        self._databases = 0
        self._run("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=hotline")

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c fsync=off"
        self._run("pg_ctl", "start", "--wait", "--silent", "--options", options, "--log", str(self.folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        """`immediate` is as a kill would be."""
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode", mode)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://hotline@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """The URL of a fresh, empty database."""
        self._databases += 1
        name = f"hotline{self._databases}"
        self.ask(f"CREATE DATABASE {name}")
        return self.url(name)

    def ask(self, sql: str) -> None:
        """One statement, as the superuser."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.encode())

    def close(self) -> None:
        """End it at once: nothing of it is wanted any more, so nobody waits for pg_ctl."""
        noted = self._data / "postmaster.pid"
        if noted.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(noted.read_text().split()[0]), signal.SIGQUIT)
            with contextlib.suppress(AssertionError):
                wait_until(lambda: not noted.exists(), "PostgreSQL's end", 8)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *words: str) -> None:
        subprocess.run(
            [_postgres_folder() / program, "--pgdata", self._data, *words],
            check=True,
            user=self._user,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
        )


def _postgres_folder() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    onpath = shutil.which("initdb")
    assert found or onpath, "PostgreSQL is missing: apt-get install postgresql"
    return found[-1].parent if found else Path(str(onpath)).parent


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
