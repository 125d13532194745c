"""Looks at everything that the hotline stands on, for `hotline doctor`. Each probe gives one finding.

Changes nothing: no folder, no database and no lock is made. Whatever a probe meets becomes a finding, never an error.
"""

import asyncio
import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from console.doctor import Finding, good, missing, optional
from hotline import schema
from hotline.errors import HotlineError
from hotline.redis_ import RedisConnection
from hotline.settings import Settings
from hotline.sql_urls import synchronous
from ivr.prompt_script import load_script
from recordings.disk import GIB, room
from telephony import config
from telephony.endpoint import AmiEndpoint, parse_ami_url
from telephony.find import find_asterisk
from telephony.identity import tcp_port_problem, udp_port_problem
from telephony.places import places_of
from telephony.readiness import wait_ready
from telephony.requirements import account_problems, listed_modules, missing_modules
from transcription.model_folder import check_layout, find_model, identity

PYTHON = ((3, 11), (3, 13))
"""Oldest and newest version that the product is tested with."""
ENOUGH = 5 * GIB
"""Some 90 hours of two-party recordings."""
TOO_LITTLE = GIB // 5
PATIENCE_S = 3.0
TEST_PROGRAMS = ("redis-server", "sox", "sipp", "git")


def examine(settings: Settings) -> list[Finding]:
    """Look at everything. Blocks for a moment, some seconds when a server does not answer."""
    is_ours = runs_here(settings)
    probes: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("python", python),
        ("voice", voice),
        ("asterisk", lambda: asterisk(settings)),
        ("hotline", lambda: running(settings, is_ours=is_ours)),
        ("http port", lambda: http_port(settings, is_ours=is_ours)),
        ("sip port", lambda: sip_port(settings, is_ours=is_ours)),
        ("media ports", lambda: media_ports(settings, is_ours=is_ours)),
        ("data folder", lambda: data_folder(settings)),
        ("database", lambda: database(settings)),
        ("event log", lambda: event_log(settings)),
        ("speech model", lambda: speech_model(settings)),
        ("prompts", lambda: prompts(settings)),
        ("test tools", test_tools),
    )
    return [_looked(name, probe) for name, probe in probes]


def _looked(name: str, probe: Callable[[], Finding]) -> Finding:
    try:
        return probe()
    except HotlineError as error:
        return missing(name, str(error))
    except (OSError, subprocess.SubprocessError) as error:
        return missing(name, f"it could not be looked at: {error}")


# The machine -------------------------------------------------------------------------------------------------


def python(version: Sequence[int] = sys.version_info[:3]) -> Finding:
    """The interpreter that runs us."""
    told = ".".join(map(str, version))
    oldest, newest = PYTHON
    if tuple(version[:2]) < oldest:
        return missing("python", told, f"install Python {'.'.join(map(str, oldest))} or newer")
    if tuple(version[:2]) > newest:
        return optional("python", told, f"the hotline was not tested with it; {'.'.join(map(str, newest))} is safe")
    return good("python", told)


def voice() -> Finding:
    """Who speaks prompts that no studio recorded."""
    piper = os.environ.get("HOTLINE_PIPER_VOICE", "")
    if piper:
        fits = Path(piper).is_file()
        return good("voice", f"piper with {piper}") if fits else missing("voice", f"there is no piper voice {piper}")
    told = _first_line("espeak-ng", "--version")
    number = re.search(r"\d+\.\d+(?:\.\d+)?", told)
    if not told or number is None:
        return missing("voice", "espeak-ng was not found", "apt-get install espeak-ng")
    return good("voice", f"espeak-ng {number[0]}")


def test_tools() -> Finding:
    """What only `make test` needs."""
    absent = [name for name in TEST_PROGRAMS if shutil.which(name) is None]
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        absent.append("postgresql")
    if absent:
        return optional("test tools", f"{', '.join(absent)} not found", "`make test` installs them")
    return good("test tools", "all that `make test` needs")


# Asterisk ----------------------------------------------------------------------------------------------------


def asterisk(settings: Settings) -> Finding:
    """The one that we start, with its modules, or the one that somebody else runs, with our account on it."""
    if settings.ami_url:
        return asyncio.run(_foreign(parse_ami_url(settings.ami_url)))
    found = find_asterisk(settings.asterisk)
    wanted = config.templates()["modules.conf"]
    absent = missing_modules(wanted, found.modules)
    version = ".".join(map(str, found.version))
    if absent:
        return missing("asterisk", f"{version} in {found.origin} lacks {', '.join(absent)}", "install asterisk-modules")
    return good("asterisk", f"{version} in {found.origin}, all {len(listed_modules(wanted))} modules")


async def _foreign(endpoint: AmiEndpoint) -> Finding:
    ready = await wait_ready(endpoint, PATIENCE_S)
    told = f"{ready.version} at {endpoint.host}:{endpoint.port}"
    problems = account_problems(ready.actions)
    return missing("asterisk", told, " ".join(problems)) if problems else good("asterisk", told)


# Ports -------------------------------------------------------------------------------------------------------


def runs_here(settings: Settings) -> bool:
    """Whether a hotline holds the lock of this data folder. Read from the kernel's list, so that nobody who starts
    just now finds it taken by us."""
    try:
        inode = places_of(settings.data).lock.stat().st_ino
        held = Path("/proc/locks").read_text("ascii").splitlines()
    except (OSError, HotlineError):
        return False
    return any(" FLOCK " in line and line.split()[-3].endswith(f":{inode}") for line in held)


def running(settings: Settings, *, is_ours: bool) -> Finding:
    """Whether the hotline of this data folder runs, and is ready."""
    if not is_ours:
        return good("hotline", "not running here")
    try:
        answer = httpx.get(f"http://{_host(settings)}:{settings.http_port}/readyz", timeout=PATIENCE_S)
        checks: dict[str, str] = answer.json()["checks"]
    except (httpx.HTTPError, ValueError, KeyError):
        return missing("hotline", f"it runs, and does not answer on HTTP port {settings.http_port}", "look at its log")
    wrong = [f"{name}: {said}" for name, said in checks.items() if said != "ok"]
    return missing("hotline", "it runs, and is not ready", " ".join(wrong)) if wrong else good("hotline", "it runs")


def http_port(settings: Settings, *, is_ours: bool) -> Finding:
    """For the console and the API."""
    problem = tcp_port_problem(settings.bind, settings.http_port)
    return _port("http port", "TCP", settings.http_port, settings.bind, problem, is_ours=is_ours)


def sip_port(settings: Settings, *, is_ours: bool) -> Finding:
    """For calls and phones."""
    if settings.ami_url:
        return good("sip port", "the other Asterisk's")
    problem = udp_port_problem(settings.bind, settings.sip_port)
    return _port("sip port", "UDP", settings.sip_port, settings.bind, problem, is_ours=is_ours)


def _port(name: str, kind: str, port: int, bind: str, problem: int, *, is_ours: bool) -> Finding:
    where = f"{kind} {bind}:{port}"
    if problem == 0:
        return good(name, f"{where} is free")
    if problem == errno.EADDRINUSE and is_ours:
        return good(name, f"{where} is used by our own instance")
    if problem == errno.EADDRINUSE:
        setting = "HOTLINE_" + name.upper().replace(" ", "_")
        return missing(name, f"{where} is taken by another program", f"end that one, or set {setting}")
    if problem == errno.EADDRNOTAVAIL:
        return missing(name, f"{bind} is no address of this machine", "correct HOTLINE_BIND")
    return missing(name, f"{where} cannot be used ({os.strerror(problem)})")


def media_ports(settings: Settings, *, is_ours: bool) -> Finding:
    """One pair of ports per line."""
    first, last = settings.rtp_range
    told = f"UDP {first}-{last}, {(last - first + 1) // 2} lines"
    if is_ours or settings.ami_url:
        return good("media ports", told)
    taken = sum(udp_port_problem(settings.bind, port) != 0 for port in range(first, last + 1))
    if taken:
        return optional("media ports", f"{told}, {taken} taken by other programs", "set HOTLINE_RTP_PORTS")
    return good("media ports", told)


def _host(settings: Settings) -> str:
    return "127.0.0.1" if settings.bind == "0.0.0.0" else settings.bind  # noqa: S104


# What is ours ------------------------------------------------------------------------------------------------


def data_folder(settings: Settings) -> Finding:
    """Where everything is written."""
    folder = settings.data.absolute()
    place = next(one for one in (folder, *folder.parents) if one.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return missing("data folder", f"{place} cannot be written", "correct its owner, or set HOTLINE_DATA")
    free = room(folder).free
    told = f"{folder}, {free / GIB:.1f} GiB free" + ("" if place == folder else ", made at the first start")
    if free < TOO_LITTLE:
        return missing("data folder", told, "free some space: recordings do not fit")
    return good("data folder", told) if free >= ENOUGH else optional("data folder", told, "free some space soon")


def database(settings: Settings) -> Finding:
    """Whether it answers, and which schema it has."""
    there, wanted = schema.current(settings.sqlalchemy_url), schema.expected()
    kind = {"sqlite": "SQLite"}.get(synchronous(settings.sqlalchemy_url).get_backend_name(), "PostgreSQL")
    if there is None:
        return good("database", f"{kind}, empty: the first start makes the tables")
    if there == wanted:
        return good("database", f"{kind}, schema {there}")
    schema_is_old = there in schema.known()
    todo = "the next start brings it up to date" if schema_is_old else "install the version that made it"
    told = f"{kind}, schema {there} instead of {wanted}"
    return optional("database", told, todo) if schema_is_old else missing("database", told, todo)


def event_log(settings: Settings) -> Finding:
    """Redis where it is configured."""
    if not settings.redis_url:
        return good("event log", "embedded, in the data folder")
    asyncio.run(_redis(settings.redis_url))
    return good("event log", "Redis answers")


async def _redis(url: str) -> None:
    redis = RedisConnection(url)
    try:
        await redis.check()
    finally:
        await redis.close()


def speech_model(settings: Settings) -> Finding:
    """Layout, rate and name; `hotline model check` tries it too."""
    folder = find_model(settings)
    if folder is None:
        todo = "`hotline model install FILE.zip` installs one; until then tickets say so"
        return optional("speech model", "none is installed (a demonstration brings a tiny one)", todo)
    check_layout(folder)
    known = identity(folder, settings.speech_engine)
    kind = ", for demonstrations only" if known.demonstration else ""
    return good("speech model", f"{known.name}, {known.rate} Hz{kind}")


def prompts(settings: Settings) -> Finding:
    """Which of the shipped prompts are there as sound."""
    folder = settings.data / "prompts"
    names = load_script().prompts
    absent = [name for name in names if not any((folder / at / f"{name}.wav").is_file() for at in ("", "studio"))]
    if not absent:
        return good("prompts", f"all {len(names)} are there")
    if len(absent) == len(names):
        return good("prompts", "the first start renders them")
    return optional("prompts", f"{len(absent)} of {len(names)} are not rendered", "the next start renders them")


def _first_line(*command: str) -> str:
    """What a program says, empty when it is not there."""
    program = shutil.which(command[0])
    if program is None:
        return ""
    done = subprocess.run(  # noqa: S603 - a fixed program that tells its version
        [program, *command[1:]], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return next(iter((done.stdout or done.stderr).strip().splitlines()), "")
