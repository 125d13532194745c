"""Prompts and keys on a citizen's line while it stands in AsyncAGI. Decides nothing about what to play.

A line stands in AGI from AsyncAGIStart to AsyncAGIEnd; commands queue inside Asterisk and run one after the other.
Keys that are pressed while nobody asks for any (during an announcement, between two commands) are remembered for the
next question; of a line that is not in AGI, whose keys may be anybody's account number, none is. Keys are never logged.
"""

import asyncio
import itertools
import re
import secrets
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import unquote

import structlog

from hotline.errors import BadInput
from telephony.ami import AmiLink
from telephony.amiproto import Ask
from telephony.errors import ActionRefused, AsteriskUnreachable, LineGoneError
from telephony.known import remember
from telephony.model import Collected, Heard, LineId

log = structlog.get_logger(__name__)

LONGEST_PROMPT_S = 600.0
"""No prompt is longer; a command without a result by then is lost."""
LEASE_S = 15
"""Seconds after which the dialplan takes a line in AGI away from us unless we extend it (`TIMEOUT(absolute)`)."""
PARTING_S = 0.3
"""After AsyncAGIEnd the Hangup of a line that hung up follows at once; one that was moved has none."""
ROOM_FOR_NAMES = 700
"""Bytes of file names in one Playback: one line of the manager interface holds 1,024."""

MOST_TYPED = 20
"""Keys that are remembered of one line."""

_TYPEABLE = frozenset("0123456789*ABCD")
"""`#` only ends what was typed before it: typed ahead it means nothing."""
_UNPLAYABLE = re.compile(r"[\x00-\x1f\x7f\"\\&,;|]")


class _Left(Exception):
    """The line left AGI without hanging up: somebody moved it."""


@dataclass(frozen=True, slots=True)
class AgiResult:
    """`200 result=12 (timeout)` taken apart."""

    code: int
    result: str = field(repr=False)
    note: str = ""

    @property
    def failed(self) -> bool:
        return self.code != 200 or self.result == "-1"

    @property
    def timed_out(self) -> bool:
        return self.note == "timeout"


def parse_result(encoded: str) -> AgiResult:
    """Read the URL-encoded `Result` of AsyncAGIExec; anything unreadable counts as failed."""
    code, _, rest = unquote(encoded, errors="replace").strip().partition(" ")
    result, _, note = rest.removeprefix("result=").partition("(")
    readable = code.isascii() and code.isdigit() and rest.startswith("result=")
    return AgiResult(int(code), result.strip(), note.partition(")")[0]) if readable else AgiResult(0, "")


def announcements(prompts: Sequence[str]) -> Iterator[str]:
    """AGI commands that play `prompts` one after the other without listening for keys; a missing file is skipped
    and reported in PLAYBACKSTATUS (STREAM FILE would end the AGI session instead)."""
    return (f'EXEC Playback "{files}"' for files in playbacks(prompts))


def playbacks(prompts: Sequence[str]) -> list[str]:
    """Arguments of Playback that say all of `prompts`, each as long as may be."""
    groups: list[list[str]] = []
    for prompt in prompts:
        if not groups or sum(len(name.encode()) + 1 for name in (*groups[-1], prompt)) > ROOM_FOR_NAMES:
            groups.append([])
        groups[-1].append(prompt)
    return ["&".join(group) for group in groups]


def check_prompts(prompts: Iterable[str]) -> None:
    """Refuse names that would end an argument.

    Raises:
        BadInput: a name holds a quote, a comma, `&`, `|`, `;`, a backslash or a control character.
    """
    problems = tuple(f"the prompt {prompt!r} cannot be played" for prompt in prompts if _UNPLAYABLE.search(prompt))
    if problems:
        raise BadInput("; ".join(problems).capitalize() + ": its name holds a character with a meaning.", problems)


class AsyncAgi:
    """The lines that stand in AGI now, and the commands that run on them."""

    def __init__(self, link: AmiLink) -> None:
        self._link = link
        self._tag = secrets.token_hex(4)  # so that results of a former process's commands are nobody's
        self._numbers = itertools.count(1)
        self._lines: set[LineId] = set()
        self._running: dict[str, tuple[LineId, asyncio.Future[str]]] = {}
        self._arrivals: dict[LineId, list[asyncio.Future[None]]] = {}
        self._partings: dict[LineId, list[asyncio.Future[None]]] = {}
        self._gone: dict[LineId, None] = {}
        self._typed: dict[LineId, str] = {}

    # ---- what the reader of events tells ------------------------------------------------------------------------

    def started(self, line: LineId) -> None:
        """The line stands in AGI."""
        self._lines.add(line)
        _settle(self._arrivals.pop(line, []))

    def finished(self, command: str, result: str) -> None:
        """A command has a result."""
        _, future = self._running.pop(command, (None, None))
        if future is not None and not future.done():
            future.set_result(result)

    def key(self, line: LineId, digit: str) -> None:
        """A key was let go (DTMFEnd): a command that listens hears it itself, and takes it out again."""
        if line in self._lines and digit in _TYPEABLE:
            self._typed[line] = (self._typed.get(line, "") + digit)[:MOST_TYPED]

    def ended(self, line: LineId) -> None:
        """The line left AGI."""
        self._forget(line)
        self._fail(line, _Left())

    def gone(self, line: LineId) -> None:
        """The line hung up."""
        self._forget(line)
        remember(self._gone, line, None)
        _settle(self._partings.pop(line, []))
        for future in self._arrivals.pop(line, []):
            _fail(future, LineGoneError("The line has hung up."))
        self._fail(line, LineGoneError("The line has hung up."))

    def leaving(self, line: LineId) -> None:
        """We are about to move the line: its lease must not be extended any more."""
        self._forget(line)

    def _forget(self, line: LineId) -> None:
        self._lines.discard(line)
        self._typed.pop(line, None)

    def lost(self) -> None:
        """The connection is lost: nothing is known until `resume`."""
        error = AsteriskUnreachable("The connection to Asterisk was lost while a prompt played.")
        self._lines.clear()
        self._typed.clear()
        for _, future in self._running.values():
            _fail(future, error)
        for arrival in itertools.chain.from_iterable(self._arrivals.values()):
            _fail(arrival, error)
        self._running.clear()
        self._arrivals.clear()

    def resume(self, lines: Iterable[LineId]) -> None:
        """These stand in AGI, as a snapshot shows."""
        for line in lines:
            self.started(line)

    # ---- what is asked --------------------------------------------------------------------------------------------

    def holds(self, line: LineId) -> bool:
        """Whether the line takes commands now."""
        return line in self._lines

    def extend_leases(self) -> None:
        """Tell Asterisk for each line that we still care; every few seconds, well below `LEASE_S`."""
        self._link.tell([Ask("AbsoluteTimeout", {"Channel": line, "Timeout": LEASE_S}) for line in self._lines])

    def arrival(self, line: LineId) -> asyncio.Future[None]:
        """Done when the line stands in AGI; fails with LineGoneError when it hangs up instead."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if line in self._lines:
            future.set_result(None)
        else:
            self._arrivals.setdefault(line, []).append(future)
        return future

    async def play(self, line: LineId, prompts: Sequence[str], *, cut: bool = False) -> Collected:
        """Play to the end, or with `cut` to the first key. KEYS with those that were pressed meanwhile, SILENCE when
        there were none.

        Raises:
            AsteriskUnreachable: the connection was lost meanwhile.
            BadInput: a prompt's name cannot be said to Asterisk.
        """
        check_prompts(prompts)
        return await self._heard(line, self._cut_short(line, prompts) if cut else self._announce(line, prompts))

    async def collect(self, line: LineId, prompts: Sequence[str], max_keys: int, timeout: timedelta) -> Collected:
        """Play until a key comes, then collect. Keys that were pressed before anybody asked come first.

        Raises: as `play`.
        """
        check_prompts(prompts)
        return await self._heard(line, self._ask(line, prompts, max_keys, timeout))

    async def _heard(self, line: LineId, work: Coroutine[None, None, Collected]) -> Collected:
        try:
            return await work
        except LineGoneError:
            return Collected(Heard.GONE)
        except _Left:
            return Collected(Heard.GONE if await self._parted(line) else Heard.FAILED)

    async def _announce(self, line: LineId, prompts: Sequence[str]) -> Collected:
        played = True
        for command in announcements(prompts):
            result = await self._do(line, command)
            if result.failed:
                await self._do(line, "NOOP")  # a line that hung up answers by its end, not by a result
            played = played and not result.failed and await self._was_played(line)
        if not played:
            log.error("prompt could not be played", line=line, prompts=list(prompts))
            return Collected(Heard.FAILED)
        typed = self._take(line)
        return Collected(Heard.KEYS if typed else Heard.SILENCE, typed)

    async def _cut_short(self, line: LineId, prompts: Sequence[str]) -> Collected:
        typed = self._take(line)
        return Collected(Heard.KEYS, typed) if typed else await self._menu(line, prompts, 1, timedelta())

    async def _was_played(self, line: LineId) -> bool:
        reply = await self._link.act("Getvar", {"Channel": line, "Variable": "PLAYBACKSTATUS"})
        return reply.headers.get("Value") != "FAILED"

    async def _ask(self, line: LineId, prompts: Sequence[str], max_keys: int, timeout: timedelta) -> Collected:
        typed = self._take(line, max_keys)
        if not typed:
            return await self._menu(line, prompts, max_keys, timeout)
        return await self._rest(line, AgiResult(200, typed, "timeout"), False, max_keys, _milliseconds(timeout))

    async def _menu(self, line: LineId, prompts: Sequence[str], max_keys: int, timeout: timedelta) -> Collected:
        wait_ms = _milliseconds(timeout)
        played = True
        for number, prompt in enumerate(prompts or ("",), start=1):
            last = number >= len(prompts)
            result = await self._get_data(line, prompt, wait_ms if last else 1, max_keys)
            if result.failed:
                await self._do(line, "NOOP")
                log.error("prompt could not be played", line=line, prompts=[prompt])
                played = False
            elif result.result or not result.timed_out:
                return await self._rest(line, result, last, max_keys, wait_ms)
        return Collected(Heard.SILENCE if played else Heard.FAILED)

    async def _rest(self, line: LineId, result: AgiResult, last: bool, max_keys: int, wait_ms: int) -> Collected:
        """After the first key: wait for the others, unless the key fell into the last prompt, whose wait is over."""
        keys = result.result
        if not last and result.timed_out and len(keys) < max_keys:
            result = await self._get_data(line, "", wait_ms, max_keys - len(keys))
            keys += "" if result.failed else result.result
        too_few = not keys or (result.timed_out and len(keys) < max_keys)
        return Collected(Heard.SILENCE if too_few else Heard.KEYS, keys)

    async def _get_data(self, line: LineId, prompt: str, wait_ms: int, max_keys: int) -> AgiResult:
        """One GET DATA, and keys that it could not hear because they were let go some milliseconds before it began."""
        result = await self._do(line, f'GET DATA "{prompt}" {wait_ms} {max_keys}')
        if not result.failed and result.result:
            typed = self._take(line)
            self._typed[line] = typed.partition(result.result)[2]
        elif result.timed_out and (missed := self._take(line, max_keys)):
            return AgiResult(result.code, missed, result.note)
        return result

    def _take(self, line: LineId, most: int = MOST_TYPED) -> str:
        """The keys typed ahead, at most so many; they are remembered no more."""
        typed = self._typed.pop(line, "")
        if typed[most:]:
            self._typed[line] = typed[most:]
        return typed[:most]

    async def _do(self, line: LineId, command: str) -> AgiResult:
        number = f"{self._tag}-{next(self._numbers)}"
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._running[number] = (line, future)
        try:
            await self._link.act("AGI", {"Channel": line, "Command": command, "CommandID": number})
            async with asyncio.timeout(LONGEST_PROMPT_S):
                return parse_result(await future)
        except ActionRefused as error:
            raise _Left from error  # "not setup for Async AGI"
        except TimeoutError:
            raise AsteriskUnreachable("A prompt never came to its end.") from None
        finally:
            self._running.pop(number, None)
            if not future.done():
                future.cancel()
            elif not future.cancelled():
                future.exception()

    async def _parted(self, line: LineId) -> bool:
        """Whether the line that left AGI has hung up or does so at once."""
        if line in self._gone:
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._partings.setdefault(line, []).append(future)
        try:
            async with asyncio.timeout(PARTING_S):
                await future
        except TimeoutError:
            return False
        else:
            return True
        finally:
            self._partings.pop(line, None)

    def _fail(self, line: LineId, error: Exception) -> None:
        for owner, future in tuple(self._running.values()):
            if owner == line:
                _fail(future, error)


def _milliseconds(timeout: timedelta) -> int:
    return max(1, round(timeout.total_seconds() * 1000))


def _settle(futures: Iterable[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)


def _fail(future: "asyncio.Future[str] | asyncio.Future[None]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # its waiter may have given up
