"""One data folder's Asterisk on disk and in the process table. Blocking: its owner (`asterisk.py`) uses threads.

Decides nothing about time: no waiting, no restarts.
"""

import errno
import fcntl
import os
import shutil
from ipaddress import IPv4Address
from pathlib import Path
from signal import SIGHUP
from typing import IO

import msgspec

from hotline.errors import Conflict
from hotline.settings import Settings
from telephony import config
from telephony.child import Child, launch, recognise
from telephony.endpoint import AmiEndpoint
from telephony.errors import AsteriskUnreachable, AsteriskWontStart
from telephony.find import FoundAsterisk, find_asterisk
from telephony.hold_music import render_hold_music
from telephony.identity import (
    Identity,
    free_tcp_port,
    keep,
    new_identity,
    remembered,
    tcp_port_is_free,
    udp_port_problem,
    with_usable_ports,
    write_private,
)
from telephony.places import make_folders, places_of
from telephony.provisioning import create_tables
from telephony.requirements import missing_modules
from telephony.startlog import fatal, start_problems

_LOG_BYTES = 20 * 1024 * 1024
_KEPT_BYTES = 1024 * 1024


class Running(msgspec.Struct, frozen=True):
    """What `process.json` holds: who runs here, and with which start-time configuration."""

    child: Child
    digest: str


class Instance:
    """The files, the lock and the process of one data folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.places = places_of(settings.data)
        self._lock: IO[str] | None = None
        self._found: FoundAsterisk | None = None
        self._identity: Identity | None = None

    @property
    def ami(self) -> AmiEndpoint:
        """Where AMI listens (or will)."""
        if self._identity is None:
            raise AsteriskUnreachable("Asterisk has not been started yet.")
        return self._identity.ami

    @property
    def identity(self) -> Identity:
        """Its names, secret and ports."""
        return self._known()

    @property
    def found(self) -> FoundAsterisk:
        """The program that is run."""
        if self._found is None:
            raise AsteriskUnreachable("Asterisk has not been looked for yet.")
        return self._found

    def prepare(self) -> None:
        """Find Asterisk, make folders, take the lock, fill what is empty.

        Raises:
            AsteriskMissing, AsteriskWontStart, Conflict: as `AsteriskProcess.start` says.
        """
        self._must_be_address()
        self._found = find_asterisk(self._settings.asterisk)
        make_folders(self.places, self._found.documentation)
        self._take_lock()
        absent = missing_modules(config.templates()["modules.conf"], self._found.modules)
        if absent:
            raise AsteriskWontStart(
                f"The Asterisk in {self._found.origin} lacks {', '.join(absent)}: install its modules "
                "(asterisk-modules), or set HOTLINE_ASTERISK to a complete one."
            )
        create_tables(self.places.seats)
        render_hold_music(self.places.music)

    def _take_lock(self) -> None:
        lock = self.places.lock.open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise Conflict(
                f"Another hotline already runs on the data folder {self.places.data}: stop it, or choose another "
                "HOTLINE_DATA."
            ) from error
        self._lock = lock

    def release(self) -> None:
        """Let another process of ours have this data folder."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def living(self) -> Running | None:
        """The Asterisk that an earlier process of ours left here, with the identity it was given."""
        self._identity = remembered(self.places.identity)
        running = self._noted() or self._by_its_own_pid_file()
        return running if self._identity is not None else None

    def _noted(self) -> Running | None:
        try:
            noted = msgspec.json.decode(self.places.process.read_bytes(), type=Running)
        except (OSError, msgspec.MsgspecError):
            return None
        return noted if noted.child.alive() else None

    def _by_its_own_pid_file(self) -> Running | None:
        """We were killed between starting it and noting it."""
        try:
            pid = int((self.places.run / "asterisk.pid").read_text("ascii"))
        except (OSError, ValueError):
            return None
        child = recognise(pid, str(self.places.main_configuration))
        return Running(child, "") if child and child.alive() else None

    def configure(self, living: Child | None = None) -> str:
        """Write the configuration and return the digest of what only a start puts into force. A `living` Asterisk
        reads again what can be read again; its calls go on."""
        known = config.values(self._settings, self.places, self.found, self._known(), config.own_ipv4_addresses())
        files = config.render(config.templates(), known)
        changed = config.write_configuration(files, self.places.etc)
        if changed and living is not None:
            living.signal(SIGHUP)
        return config.start_digest(files, self._settings)

    def _known(self) -> Identity:
        if self._identity is None:
            raise AsteriskUnreachable("The AMI account of the Asterisk that runs here is not known any more.")
        return self._identity

    def spawn(self) -> Running:
        """Start Asterisk with a fresh configuration and note it.

        Raises:
            AsteriskWontStart: the SIP port is taken, or the program cannot be executed.
        """
        self._must_have_sip_port()
        self._choose_identity()
        digest = self.configure()
        for file in (self.places.messages, self.places.output):
            if file.exists():
                file.replace(file.with_suffix(".log.1"))
        command = (*self.found.command, "-C", str(self.places.main_configuration), "-fn")
        try:
            running = Running(launch(command, self.places.output), digest)
        except OSError as error:
            raise AsteriskWontStart(f"{command[0]} cannot be executed: {error.strerror}.") from error
        self.note(running)
        return running

    def _must_have_sip_port(self) -> None:
        bind, port = self._settings.bind, self._settings.sip_port
        problem = udp_port_problem(bind, port)
        if problem == errno.EADDRINUSE:
            raise AsteriskWontStart(
                f"UDP port {port} on {bind} is taken by another program: end that one, or choose another port with "
                "HOTLINE_SIP_PORT."
            )
        if problem == errno.EADDRNOTAVAIL:
            raise AsteriskWontStart(f"{bind} is no address of this machine: correct HOTLINE_BIND.")
        if problem:
            raise AsteriskWontStart(
                f"UDP port {port} on {bind} cannot be used ({os.strerror(problem)}): choose another one with "
                "HOTLINE_SIP_PORT."
            )

    def _must_be_address(self) -> None:
        try:
            IPv4Address(self._settings.bind)
        except ValueError as error:
            raise AsteriskWontStart(
                f"SIP cannot be bound to {self._settings.bind!r}: HOTLINE_BIND must be an IPv4 address, such as "
                "127.0.0.1 or 0.0.0.0."
            ) from error

    def _choose_identity(self) -> None:
        old = remembered(self.places.identity)
        self._identity = with_usable_ports(old, free_tcp_port, tcp_port_is_free) if old else new_identity(free_tcp_port)
        if self._identity != old:
            keep(self._identity, self.places.identity)

    def note(self, running: Running) -> None:
        """Remember who runs here."""
        write_private(self.places.process, msgspec.json.encode(running))

    def forget(self) -> None:
        """Nobody runs here any more."""
        self.places.process.unlink(missing_ok=True)

    def start_problems(self) -> tuple[str, ...]:
        """What its log complains of since it started.

        Raises:
            AsteriskWontStart: a complaint with which it must not take calls.
        """
        problems = start_problems(_text(self.places.messages))
        if worst := fatal(problems):
            raise AsteriskWontStart(f"Asterisk started incompletely: {worst}")
        return problems

    def last_words(self) -> str:
        """Why it ended, as far as it said."""
        said = start_problems(_text(self.places.messages))
        lines = said or tuple(line for line in _text(self.places.output).splitlines() if line.strip())
        return lines[-1] if lines else "it said nothing."

    def trim_logs(self) -> None:
        """Bound the log files: a flood of refused packets must not fill the disk. Asterisk appends, so cutting a file
        off under it is safe."""
        for file in (self.places.messages, self.places.output):
            if file.exists() and file.stat().st_size > _LOG_BYTES:
                with file.open("r+b") as stream, file.with_suffix(".log.1").open("wb") as kept:
                    stream.seek(-_KEPT_BYTES, 2)
                    shutil.copyfileobj(stream, kept)
                    stream.truncate(0)


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""
