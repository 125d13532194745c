"""The floor told again in the plainest way: one list of seats, one of calls, every question answered by looking at
all of them. Shares no code with `acd` but the commands and the states' names."""

# ruff: noqa: ARG002 every handler takes a command and a time

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from acd import model as m

Need = tuple[str, int]


@dataclass
class NaiveSeat:
    name: str
    agent: str
    phone: str
    skills: dict[str, int]
    reachable: bool
    idle_since: datetime
    state: str = "ready"
    reason: str = ""
    until: datetime | None = None
    rings: str = ""
    talks: str = ""
    missed: int = 0
    asked: str = ""
    leaving: bool = False

    def can_take(self, needs: tuple[Need, ...]) -> bool:
        return all(skill in self.skills and self.skills[skill] >= level for skill, level in needs)

    def is_idle(self) -> bool:
        return self.state == "ready" and self.reachable


@dataclass
class NaiveCall:
    name: str
    options: list[tuple[Need, ...]]
    recipe: list[m.Step]
    arrived: datetime
    head_start: int
    refused: dict[str, datetime] = field(default_factory=dict)
    rings_until: datetime | None = None


def _plain(needs: tuple[m.Need, ...]) -> tuple[Need, ...]:
    skills = sorted({need.skill for need in needs})
    return tuple((skill, max(need.level for need in needs if need.skill == skill)) for skill in skills)


class NaiveFloor:
    def __init__(self, rules: m.Rules) -> None:
        self.rules = rules
        self.seats: list[NaiveSeat] = []
        self.calls: list[NaiveCall] = []
        self.left: list[tuple[str, str]] = []

    # --- questions ---

    def seat(self, name: str) -> NaiveSeat | None:
        return next((seat for seat in self.seats if seat.name == name), None)

    def ringing(self, call: str) -> NaiveSeat | None:
        return next((seat for seat in self.seats if seat.rings == call), None)

    def in_order(self) -> list[NaiveCall]:
        return sorted(self.calls, key=lambda call: call.arrived - timedelta(seconds=call.head_start))

    def fits(self, seat: NaiveSeat, call: NaiveCall) -> bool:
        return seat.name not in call.refused and any(seat.can_take(needs) for needs in call.options)

    def next_due(self) -> datetime | None:
        due = [seat.until for seat in self.seats if seat.state == "wrap_up" and seat.until]
        for call in self.calls:
            if self.ringing(call.name) is not None:
                due += [call.rings_until] if call.rings_until else []
            else:
                due += call.refused.values()
                due += [call.arrived + timedelta(seconds=step.after_s) for step in call.recipe[:1]]
        return min(due, default=None)

    # --- commands ---

    def do(self, command: m.AnyCommand, now: datetime) -> None:
        idle_before = {(s.name, s.phone, str(s.skills)) for s in self.seats if s.is_idle()}
        handler: Callable[[m.AnyCommand, datetime], None] = getattr(self, "on_" + type(command).__name__.lower())
        handler(command, now)
        self._settle(idle_before, now)

    def _settle(self, idle_before: set[tuple[str, str, str]], now: datetime) -> None:
        for call in self.calls:
            while (
                call.recipe
                and not self.ringing(call.name)
                and not any(s.can_take(n) for n in call.options for s in self.seats)
            ):
                self._widen(call)
        for call in self.in_order():
            if self.ringing(call.name) is None:
                self._ring_first(call, idle_before, now)
        for seat in sorted(self.seats, key=lambda s: (s.idle_since, len(s.skills), s.name)):
            waiting = [c for c in self.in_order() if self.ringing(c.name) is None and self.fits(seat, c)]
            if seat.is_idle() and waiting:
                self._ring(seat, waiting[0], now)

    def _ring_first(self, call: NaiveCall, idle_before: set[tuple[str, str, str]], now: datetime) -> None:
        for needs in call.options:
            choice = [
                s
                for s in self.seats
                if s.is_idle()
                and (s.name, s.phone, str(s.skills)) in idle_before
                and s.can_take(needs)
                and s.name not in call.refused
            ]
            if choice:
                self._ring(min(choice, key=lambda s: (s.idle_since, len(s.skills), s.name)), call, now)
                return

    def _ring(self, seat: NaiveSeat, call: NaiveCall, now: datetime) -> None:
        seat.state, seat.rings, seat.reason = "offered", call.name, ""
        seat.until = now + self.rules.ring
        call.rings_until = now + self.rules.ring + self.rules.grace

    def _widen(self, call: NaiveCall) -> None:
        needs = _plain(call.recipe.pop(0).needs)
        if needs not in call.options:
            call.options.append(needs)

    def _silence(self, seat: NaiveSeat, state: str, reason: str = "") -> None:
        seat.rings, seat.state, seat.reason, seat.until = "", state, reason, None

    def on_signin(self, c: m.SignIn, now: datetime) -> None:
        taken = next((s for s in self.seats if s.phone == c.phone and s.name != c.seat), None)
        if taken is not None:
            if taken.state == "talking":
                return
            self.seats.remove(taken)
        seat = self.seat(c.seat)
        if seat is None:
            self.seats.append(NaiveSeat(c.seat, c.agent, c.phone, dict(c.skills), c.reachable, now))
            return
        if seat.rings and seat.phone != c.phone:
            self._silence(seat, "ready")
        seat.agent, seat.phone, seat.skills, seat.reachable = c.agent, c.phone, dict(c.skills), c.reachable
        seat.leaving = False

    def on_signout(self, c: m.SignOut, now: datetime) -> None:
        seat = self.seat(c.seat)
        if seat is not None and seat.state == "talking":
            seat.leaving = True
        elif seat is not None:
            self.seats.remove(seat)

    def on_pause(self, c: m.Pause, now: datetime) -> None:
        seat = self.seat(c.seat)
        if seat is None:
            return
        if seat.state in ("talking", "wrap_up"):
            seat.asked = c.reason
        else:
            self._silence(seat, "paused", c.reason)

    def on_resume(self, c: m.Resume, now: datetime) -> None:
        seat = self.seat(c.seat)
        if seat is not None:
            seat.asked = ""
            if seat.state in ("paused", "wrap_up"):
                self._be_ready(seat, now)

    def _be_ready(self, seat: NaiveSeat, now: datetime) -> None:
        if seat.state == "paused":
            seat.missed = 0
        if seat.state != "offered":
            seat.idle_since = now
        self._silence(seat, "ready")

    def on_reachability(self, c: m.Reachability, now: datetime) -> None:
        seat = next((s for s in self.seats if s.phone == c.phone), None)
        if seat is None or seat.reachable == c.reachable:
            return
        seat.reachable = c.reachable
        if not c.reachable and seat.rings:
            self._be_ready(seat, now)
        if c.reachable and seat.state == "paused" and seat.reason == "unreachable":
            self._be_ready(seat, now)

    def on_join(self, c: m.Join, now: datetime) -> None:
        if any(call.name == c.call for call in self.calls):
            return
        arrived = min(c.arrived_at or now, now)
        refused = dict.fromkeys(c.exclude, now + self.rules.retry_after)
        self.calls.append(NaiveCall(c.call, [_plain(c.needs)], list(c.recipe), arrived, c.priority, refused))

    def _remove(self, name: str, reason: str) -> bool:
        found = [call for call in self.calls if call.name == name]
        for call in found:
            self.calls.remove(call)
            self.left.append((name, reason))
        return bool(found)

    def on_abandon(self, c: m.Abandon, now: datetime) -> None:
        seat = self.ringing(c.call)
        if self._remove(c.call, c.reason.value) and seat is not None:
            self._be_ready(seat, now)

    def on_answer(self, c: m.Answer, now: datetime) -> None:
        """Here `c.offer` is the call's name, or empty when the offer is over."""
        seat = self.ringing(c.offer) if c.offer else None
        if seat is not None:
            self._remove(c.offer, "answered")
            self._silence(seat, "talking")
            seat.talks, seat.missed = c.offer, 0

    def on_refuse(self, c: m.Refuse, now: datetime) -> None:
        """Here `c.offer` is the call's name, or empty when the offer is over."""
        seat = self.ringing(c.offer) if c.offer else None
        if seat is None:
            return
        call = next(call for call in self.calls if call.name == c.offer)
        call.refused[seat.name] = now + self.rules.retry_after
        seat.missed += 1
        seat.idle_since = now
        if seat.missed >= self.rules.unanswered_limit:
            self._silence(seat, "paused", c.reason.value)
        else:
            self._silence(seat, "ready")

    def on_finish(self, c: m.Finish, now: datetime) -> None:
        for seat in [s for s in self.seats if s.talks == c.call and c.seat in ("", s.name)]:
            seat.talks = ""
            if seat.leaving:
                self.seats.remove(seat)
            elif self.rules.wrap_up:
                self._silence(seat, "wrap_up")
                seat.until = now + self.rules.wrap_up
            else:
                self._work_is_over(seat, now)

    def _work_is_over(self, seat: NaiveSeat, now: datetime) -> None:
        if seat.asked:
            self._silence(seat, "paused", seat.asked)
            seat.asked = ""
        else:
            self._be_ready(seat, now)

    def on_endwrapup(self, c: m.EndWrapUp, now: datetime) -> None:
        seat = self.seat(c.seat)
        if seat is not None and seat.state == "wrap_up":
            self._work_is_over(seat, now)

    def on_adopt(self, c: m.Adopt, now: datetime) -> None:
        seat = self.seat(c.seat)
        if seat is not None and seat.talks == c.call:
            return
        ringing = self.ringing(c.call)
        self._remove(c.call, "answered")
        if seat is None:
            if ringing is not None:
                self._be_ready(ringing, now)
            return
        if ringing is not None and ringing is not seat:
            self._be_ready(ringing, now)
        if seat.state == "paused":
            seat.asked = seat.reason
        self._silence(seat, "talking")
        seat.talks, seat.missed = c.call, 0

    def on_tick(self, c: m.Tick, now: datetime) -> None:
        for seat in [s for s in self.seats if s.state == "wrap_up" and s.until is not None and s.until <= now]:
            self._work_is_over(seat, now)
        for call in self.calls:
            ring_is_over = call.rings_until is not None and call.rings_until <= now
            if self.ringing(call.name) is not None and ring_is_over:
                self.on_refuse(m.Refuse(offer=call.name, reason=m.RefuseReason.NO_ANSWER), now)
            if self.ringing(call.name) is None:
                call.refused = {seat: until for seat, until in call.refused.items() if until > now}
                while call.recipe and call.arrived + timedelta(seconds=call.recipe[0].after_s) <= now:
                    self._widen(call)
