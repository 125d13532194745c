"""What must be true of any hotline after any calls, judged from what it stored: the two streams, the rows, the files.

Written against the facts alone: it shares no decision with the product (its own floor is a dozen dictionaries), so a
mistake in the product's folds shows as a difference. Returns sentences; none is the only good answer.
"""

import hashlib
import socket
import sqlite3
import wave
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from acd import model as floor
from calls import model as call
from tests.house import Server
from tests.phones import eventually

_FLOOR = msgspec.json.Decoder(floor.AnyFloorFact).decode
_CALLS = msgspec.json.Decoder(call.AnyCallFact).decode


@dataclass(frozen=True)
class Stored:
    """Everything that one data folder holds of its calls."""

    floor: list[floor.AnyFloorFact]
    calls: list[call.AnyCallFact]
    rows: dict[str, dict[str, Any]]
    tickets: list[str]
    """The call of each ticket."""
    recordings: list[dict[str, Any]]
    root: Path


def stored(data: Path) -> Stored:
    """Read a data folder of the embedded way to run; the hotline may be running."""
    with closing(sqlite3.connect(f"file:{data}/events.db?mode=ro", uri=True, timeout=5)) as events:
        query = "SELECT body FROM facts WHERE stream = ? ORDER BY seq"
        on_floor = [_FLOOR(row[0]) for row in events.execute(query, ("floor",))]
        of_calls = [_CALLS(row[0]) for row in events.execute(query, ("calls:main",))]
    with closing(sqlite3.connect(f"file:{data}/hotline.db?mode=ro", uri=True, timeout=5)) as database:
        database.row_factory = sqlite3.Row
        rows = {row["call"]: dict(row) for row in database.execute("SELECT * FROM calls")}
        tickets = [str(row[0]) for row in database.execute("SELECT call FROM tickets")]
        recordings = [dict(row) for row in database.execute("SELECT * FROM recordings")]
    return Stored(on_floor, of_calls, rows, tickets, recordings, data / "recordings")


def broken(found: Stored, *, drained: bool = True) -> list[str]:
    """Everything that is wrong. `drained`: nobody is in a call any more."""
    seen = _Floor()
    seen.play(found.floor)
    problems = [*seen.problems, *_calls(found, drained), *_tickets(found), *_rows(found), *_both(found, drained)]
    if drained:
        problems += seen.leftovers()
        problems += [problem for row in found.recordings for problem in _recording(found, row)]
    return problems


def check(hotline: Server, timeout: float = 30.0) -> None:
    """Wait until everything has drained, then nothing may be wrong."""
    drain(hotline, timeout)
    problems: list[str] = []

    def right() -> bool:  # rows follow the facts within moments
        problems[:] = broken(stored(hotline.data)) + figures(hotline)
        return not problems

    try:
        eventually(right, "every invariant holds", 12)
    except AssertionError:
        raise AssertionError("\n".join(problems)) from None


def drain(hotline: Server, timeout: float = 60.0) -> None:
    """No live call in the API, no channel in Asterisk, no seat that believes to be in a call."""
    eventually(lambda: not hotline.calls(live=True), "the last call has ended", timeout)
    eventually(lambda: not channels(hotline), "the last channel is gone", timeout)
    eventually(
        lambda: not {str(one["state"]) for one in hotline.get("/api/v1/seats?limit=200")["items"]} & _AT_WORK,
        "no seat is in a call", timeout,
    )  # fmt: skip


def channels(hotline: Server) -> list[str]:
    """Channels that live in Asterisk, by its own console."""
    return [line for line in console(hotline, "core show channels concise").splitlines() if line.count("!") > 8]


def console(hotline: Server, command: str) -> str:
    """What Asterisk's control socket answers (its own client's protocol: one command, one answer)."""
    paths = sorted(hotline.data.rglob("asterisk.ctl")) or sorted(_short_run(hotline).rglob("asterisk.ctl"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as control:
        control.settimeout(1.0)
        control.connect(str(paths[0]))
        control.sendall(f"cli quit after {command}\0".encode())
        answer = b""
        try:
            while part := control.recv(65536):
                answer += part
        except TimeoutError:
            pass
    return answer.decode("utf-8", "replace").replace("\0", "")


def _short_run(hotline: Server) -> Path:
    line = (hotline.data / "asterisk").rglob("asterisk.conf")
    text = next(iter(line)).read_text("utf-8")
    return Path(next(part.split("=>")[1].split(";")[0].strip() for part in text.splitlines() if "astrundir" in part))


_AT_WORK = {"offered", "talking"}


# The floor -----------------------------------------------------------------------------------------------------------


@dataclass
class _Waiting:
    options: list[tuple[floor.Need, ...]]
    arrived_at: datetime
    priority: int
    joined: int
    refused: dict[str, datetime]
    ring: int = 1
    offers: set[str] = field(default_factory=set[str])
    rests: bool = False
    """A call-back whose time has not come."""

    @property
    def rank(self) -> tuple[datetime, int]:
        return self.arrived_at - timedelta(seconds=self.priority), self.joined

    def rerouted(self, fact: floor.Rerouted) -> None:
        self.priority = fact.priority
        if fact.needs is not None:
            self.options = [fact.needs]


@dataclass
class _Seat:
    phone: str
    skills: dict[str, int]
    reachable: bool
    state: floor.SeatState = floor.SeatState.READY
    offer: str = ""
    call: str = ""


@dataclass
class _Floor:
    """What the floor's facts say, and where they contradict each other."""

    seats: dict[str, _Seat] = field(default_factory=dict[str, _Seat])
    waiting: dict[str, _Waiting] = field(default_factory=dict[str, _Waiting])
    offers: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    problems: list[str] = field(default_factory=list[str])
    joined: int = 0

    def play(self, facts: Sequence[floor.AnyFloorFact]) -> None:
        for at, together in groupby(facts, key=lambda fact: fact.at):
            passed: list[tuple[str, str, str]] = []
            for fact in together:
                if isinstance(fact, floor.Offered):
                    passed += self._passed_over(fact)
                self._play(fact)
            for seat, chosen, other in passed:
                if other in self.waiting and not self.waiting[other].offers:
                    self.problems.append(f"I4: {seat} was offered {chosen} while {other} waited longer ({at})")
            self._nobody_idle(at)

    def _play(self, fact: floor.AnyFloorFact) -> None:
        match fact:
            case floor.SignedIn():
                known = self.seats.get(fact.seat)
                if known is None:
                    self.seats[fact.seat] = _Seat(fact.phone, fact.skills, fact.reachable)
                else:
                    known.phone, known.skills, known.reachable = fact.phone, fact.skills, fact.reachable
            case floor.SignedOut():
                self.seats.pop(fact.seat, None)
            case floor.SeatChanged():
                self.seats[fact.seat].state = fact.state
            case floor.ReachabilityChanged():
                for seat in self.seats.values():
                    seat.reachable = fact.reachable if seat.phone == fact.phone else seat.reachable
            case floor.Joined():
                if fact.call in self.waiting:
                    self.problems.append(f"I2: {fact.call} joined twice")
                refused = dict.fromkeys(fact.exclude, fact.retry_at or fact.at)
                options = [fact.needs, *fact.also]
                self.joined += 1
                self.waiting[fact.call] = _Waiting(
                    options, fact.arrived_at, fact.priority, self.joined, refused, fact.ring
                )
                self.waiting[fact.call].rests = fact.call_back and fact.not_before is not None
            case floor.Widened():
                self.waiting[fact.call].options.append(fact.needs)
            case floor.Rerouted():
                self.waiting[fact.call].rerouted(fact)
            case floor.Raised():
                self.waiting[fact.call].priority += fact.by_s
            case floor.CallBackPromised() | floor.CallBackPutOff():
                self._rests(fact.call, fact.not_before)
            case floor.CallBackDue():
                self.waiting[fact.call].rests = False
            case floor.OfferExtended():
                if fact.offer not in self.offers:
                    self.problems.append(f"I1: the offer {fact.offer} was extended and is not open")
            case floor.RetryAllowed():
                for seat_name in fact.seats:
                    self.waiting[fact.call].refused.pop(seat_name, None)
            case floor.Offered():
                self._offered(fact)
            case floor.OfferRefused():
                self._offer_over(fact.offer)
                if fact.retry_at is not None and fact.call in self.waiting:
                    self.waiting[fact.call].refused[fact.seat] = fact.retry_at
            case floor.OfferWithdrawn():
                self._offer_over(fact.offer)
            case floor.Answered():
                if len(self.waiting[fact.call].offers) != 1:
                    self.problems.append(f"I1: {fact.call} was answered while others rang for it")
                self._offer_over(fact.offer)
                self.seats[fact.seat].call = fact.call
            case floor.LeftQueue():
                self.waiting.pop(fact.call, None)
            case floor.Finished():
                if fact.seat in self.seats:
                    self.seats[fact.seat].call = ""
            case floor.Adopted():
                self.seats[fact.seat].call = fact.call
            case _:
                pass

    def _rests(self, call: str, not_before: datetime | None) -> None:
        """One telephone rings for a call-back, and none before its time."""
        self.waiting[call].rests, self.waiting[call].ring = not_before is not None, 1

    def _offered(self, fact: floor.Offered) -> None:
        seat, waiting = self.seats[fact.seat], self.waiting.get(fact.call)
        if seat.offer or seat.call:
            self.problems.append(f"I1: {fact.seat} was offered {fact.call} beside {seat.offer or seat.call}")
        if waiting is None:
            self.problems.append(f"I1: {fact.call} was offered, but does not wait")
        elif waiting.rests:
            self.problems.append(f"I1: {fact.call} was offered to {fact.seat} before its time")
        elif len(waiting.offers) >= waiting.ring:
            self.problems.append(f"I1: {fact.call} was offered to {fact.seat} beside {waiting.offers}")
        else:
            waiting.offers.add(fact.offer)
        seat.offer = fact.offer
        self.offers[fact.offer] = (fact.seat, fact.call)

    def _offer_over(self, offer: str) -> None:
        seat, waiting = self.offers.pop(offer, ("", ""))
        if not seat:
            self.problems.append(f"I1: the offer {offer} ended twice or was never made")
            return
        if seat in self.seats:
            self.seats[seat].offer = ""
        if waiting in self.waiting:
            self.waiting[waiting].offers.discard(offer)

    def _fits(self, name: str, waiting: _Waiting) -> bool:
        skills = self.seats[name].skills
        if name in waiting.refused or waiting.rests:
            return False
        return any(all(skills.get(need.skill, 0) >= need.level for need in needs) for needs in waiting.options)

    def _passed_over(self, fact: floor.Offered) -> list[tuple[str, str, str]]:
        chosen = self.waiting.get(fact.call)
        return [
            (fact.seat, fact.call, name)
            for name, other in self.waiting.items()
            if chosen is not None and other.rank < chosen.rank and not other.offers and self._fits(fact.seat, other)
        ]

    def _nobody_idle(self, at: datetime) -> None:
        idle = [
            name
            for name, seat in self.seats.items()
            if seat.state is floor.SeatState.READY and seat.reachable and not seat.offer
        ]
        for name in idle:
            for waiting, record in self.waiting.items():
                if not record.offers and self._fits(name, record):
                    self.problems.append(f"I4: {name} was idle beside {waiting} ({at})")

    def leftovers(self) -> Iterable[str]:
        yield from (f"I9: {name} still waits on the floor" for name in self.waiting)
        yield from (f"I9: the offer {name} is still open" for name in self.offers)
        for name, seat in self.seats.items():
            if seat.call or seat.state.value in _AT_WORK:
                yield f"I9: seat {name} is {seat.state} with {seat.call or 'nobody'}"


# Calls, tickets, rows, files -----------------------------------------------------------------------------------------


def _of(found: Stored, kind: type[Any]) -> Counter[str]:
    return Counter(fact.call for fact in found.calls if isinstance(fact, kind))


def _calls(found: Stored, drained: bool) -> Iterable[str]:
    arrived, ended = _of(found, call.CallArrived), _of(found, call.CallEnded)
    yield from (f"I2: {name} arrived {count} times" for name, count in arrived.items() if count != 1)
    yield from (f"I2: {name} ended {count} times" for name, count in ended.items() if count != 1)
    yield from (f"I2: {name} ended but never arrived" for name in ended.keys() - arrived.keys())
    if drained:
        yield from (f"I2: {name} never ended" for name in arrived.keys() - ended.keys())
    over: set[str] = set()
    for fact in found.calls:
        if fact.call in over and not isinstance(fact, call.CallEnded):
            yield f"I2: {fact.call} has {type(fact).__name__} after its end"
        if isinstance(fact, call.CallEnded):
            over.add(fact.call)
    started, stopped = _of(found, call.TalkStarted), _of(found, call.TalkEnded)
    queued = _of(found, call.Queued)  # again, when the seat was lost in the middle of a talk
    yield from (f"I2: {name} has {count} talks" for name, count in started.items() if count > max(1, queued[name]))
    yield from (f"I2: {name} ended {count} talks" for name, count in stopped.items() if count > started[name])
    yield from (f"I2: the talk of {name} never ended" for name in (started.keys() & ended.keys()) - stopped.keys())


def _tickets(found: Stored) -> Iterable[str]:
    answered, tickets = set(_of(found, call.TalkStarted)), Counter(found.tickets)
    yield from (f"I3: {name} was answered and has no ticket" for name in answered - tickets.keys())
    yield from (f"I3: {name} has {count} tickets" for name, count in tickets.items() if count != 1)
    yield from (f"I3: {name} has a ticket and nobody answered" for name in tickets.keys() - answered)
    recorded = Counter(str(row["call"]) for row in found.recordings)
    yield from (f"I6: {name} was answered and has no recording" for name in answered - recorded.keys())
    yield from (f"I6: {name} has a recording and nobody answered" for name in recorded.keys() - answered)


def _rows(found: Stored) -> Iterable[str]:
    """Rows are what the facts say."""
    yield from (f"I7: {name} has a row and no fact" for name in found.rows.keys() - _of(found, call.CallArrived).keys())
    for name, facts in _by_call(found.calls).items():
        row = found.rows.get(name)
        if row is None:
            yield f"I7: {name} has no row"
            continue
        outcome = next((fact.outcome.value for fact in facts if isinstance(fact, call.CallEnded)), "")
        missed = sum(isinstance(fact, call.OfferMissed) for fact in facts)
        talks = any(isinstance(fact, call.TalkStarted) for fact in facts)
        if (row["outcome"], row["offers_missed"], row["answered_at"] is not None) != (outcome, missed, talks):
            yield f"I7: the row of {name} says {row['outcome']!r}, {row['offers_missed']}, {row['answered_at']}"
        if outcome and (row["phase"] != "ended" or ((outcome == "completed") != talks and outcome != "failed")):
            yield f"I7: {name} ended {outcome} and is {row['phase']}, answered: {talks}"


def _by_call(facts: Sequence[call.AnyCallFact]) -> dict[str, list[call.AnyCallFact]]:
    found: dict[str, list[call.AnyCallFact]] = {}
    for fact in facts:
        found.setdefault(fact.call, []).append(fact)
    return found


def _both(found: Stored, drained: bool) -> Iterable[str]:
    """The floor and the calls tell the same story."""
    talked = {fact.call for fact in found.floor if isinstance(fact, floor.Answered | floor.Adopted)}
    # A phone at which nobody is signed in talks too, when the fallback rang it: then the call only left the queue.
    left = (fact for fact in found.floor if isinstance(fact, floor.LeftQueue))
    talked |= {fact.call for fact in left if fact.reason is floor.LeaveReason.ANSWERED}
    began = [fact for fact in found.calls if isinstance(fact, call.TalkStarted)]
    started = {fact.call for fact in began if fact.party is not call.Party.OUTSIDE} | _taken_back(found)
    if drained:
        yield from (f"I7: the floor says {name} was answered, the call does not" for name in sorted(talked - started))
        yield from (f"I7: {name} talked and the floor does not know" for name in sorted(started - talked))
        yield from _sent_on(found)
    rung = {fact.offer for fact in found.calls if isinstance(fact, call.Ringing)}
    offered = {fact.offer for fact in found.floor if isinstance(fact, floor.Offered)}
    yield from (f"I1: {name} rang and was never offered" for name in rung - offered)


def _taken_back(found: Stored) -> set[str]:
    """Calls that began with another centre and in which somebody of ours talks since."""
    changes = (fact for fact in found.calls if isinstance(fact, call.TalkChanged))
    ours = (fact for fact in changes if any(leg.seat and not leg.outside for leg in fact.talk.talking))
    alone = {f.call for f in found.calls if isinstance(f, call.TalkStarted) and f.party is call.Party.OUTSIDE}
    return alone & {fact.call for fact in ours}


def _sent_on(found: Stored) -> Iterable[str]:
    """Whom another centre has answered left the queue for it, if he waited in one, and every try has one end."""
    alone = {f.call for f in found.calls if isinstance(f, call.TalkStarted) and f.party is call.Party.OUTSIDE}
    waited = _of(found, call.Queued).keys()
    reasons = [(fact.call, fact.reason) for fact in found.floor if isinstance(fact, floor.LeftQueue)]
    left = {name for name, reason in reasons if reason is floor.LeaveReason.OVERFLOWED}
    yield from (f"I7: {name} talks with another centre, and the floor does not know" for name in alone & waited - left)
    yield from (f"I7: the floor sent {name} on, and nobody answered" for name in left - alone)
    dialled, over = _of(found, call.OnwardDialled), _of(found, call.OnwardMissed) + _of(found, call.OnwardReached)
    yield from (
        f"I2: {name} has {dialled[name]} tries and {over[name]} ends"
        for name in dialled | over
        if dialled[name] != over[name]
    )


def _recording(found: Stored, row: dict[str, Any]) -> Iterable[str]:
    talked = found.rows[row["call"]]["talked_s"]
    if row["state"] == "lost" and talked is not None and talked < 1:
        return  # nobody had said anything yet
    if row["state"] != "closed":
        yield f"I6: the recording of {row['call']} is {row['state']}: {row['problem']}"
        return
    file = found.root / row["folder"] / f"{row['id']}.wav"
    if not file.is_file():
        yield f"I6: the recording of {row['call']} has no file"
        return
    if hashlib.sha256(file.read_bytes()).hexdigest() != row["sha256"]:
        yield f"I6: the recording of {row['call']} is not what was sealed"
    with wave.open(str(file)) as sound:
        length = sound.getnframes() / sound.getframerate()
    if abs(length - row["length_ms"] / 1000) > 0.1:
        yield f"I6: the recording of {row['call']} is {length} s, its row says {row['length_ms']} ms"
    # The citizen is heard until the line ends; a talk that began without us is answered, for us, when we are back.
    whole = _seconds(found.rows[row["call"]], "arrived_at", "ended_at")
    if talked is not None and not talked - 1 < length < whole + 1 and not row["truncated"]:
        yield f"I6: {row['call']} talked {talked:.1f} s of {whole:.1f} and the recording has {length:.1f} s"


def _seconds(row: dict[str, Any], first: str, last: str) -> float:
    return (datetime.fromisoformat(row[last]) - datetime.fromisoformat(row[first])).total_seconds()


def figures(hotline: Server) -> list[str]:
    """I7 for the running hotline: its figures of this hour against a count of the facts."""
    shown = hotline.get("/api/v1/kpis?hours=24")
    facts = stored(hotline.data).floor
    calls, left = _settled(facts)
    answered = left.count(floor.LeaveReason.ANSWERED)
    rate = next(item["value"] for item in shown["items"] if item["name"] == "answer_rate")
    wanted = answered / len(left) if left else None
    same = rate is wanted or (rate is not None and wanted is not None and abs(rate - wanted) < 1e-9)
    problems = [] if shown["calls"] == calls else [f"I7: {calls} calls left a queue, shown {shown['calls']}"]
    return problems if same else [*problems, f"I7: the answer rate is {wanted}, shown {rate}"]


def _settled(facts: Sequence[floor.AnyFloorFact]) -> tuple[int, list[floor.LeaveReason]]:
    """How many left the line, and why each call that counts for the answer rate left: a promised call-back once, at its
    end; who rang again, and a call-back of a call that was counted before, not at all."""
    calls, left = 0, list[floor.LeaveReason]()
    waits: dict[str, str] = {}
    for fact in facts:
        match fact:
            case floor.Joined():
                waits[fact.call] = "errand" if fact.call_back else "line"
            case floor.CallBackPromised():
                calls, waits[fact.call] = calls + 1, "promised"
            case floor.TurnedAway():
                calls, left = calls + 1, [*left, floor.LeaveReason.FULL]
            case floor.LeftQueue():
                how = waits.pop(fact.call, "line")
                calls += how == "line"
                counts = how == "line" or (how == "promised" and fact.reason is not floor.LeaveReason.REJOINED)
                left += [fact.reason] if counts else []
            case _:
                pass
    return calls, left
