"""The floor told again in the plainest way: one list of seats, one of calls, every question answered by looking at
all of them. Shares no code with `acd` but the commands and the states' names."""

# ruff: noqa: ARG002 every handler takes a command and a time

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from acd import model as m

Need = tuple[str, int]
Identity = tuple[str, str, str, str]


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
    answered: int = 0
    extended: int = 0
    abuse: int = 0
    strain: tuple[str, ...] = ()
    guest: bool = False
    invited: tuple[str, ...] = ()

    def can_take(self, needs: tuple[Need, ...]) -> bool:
        return (bool(needs) or not self.guest) and all(self.level(skill) >= level for skill, level in needs)

    def level(self, skill: str) -> int:
        if skill.startswith("guest:"):
            return 1 if skill.removeprefix("guest:") in self.invited else -1
        if self.guest:
            return -1
        return 1 if skill == "@" + self.agent else self.skills.get(skill, -1)

    def identity(self) -> Identity:
        return self.name, self.phone, f"{self.skills} {self.guest} {self.invited}", self.agent

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
    queue: str = "q"
    ring: int = 1
    caller: str = ""
    back: bool = False
    not_before: datetime | None = None
    sent_on: bool = False

    def effective(self) -> datetime:
        return self.arrived - timedelta(seconds=self.head_start)


def _once(demands: list[tuple[Need, ...]]) -> list[tuple[Need, ...]]:
    return [demand for at, demand in enumerate(demands) if demand not in demands[:at]]


def _plain(needs: tuple[m.Need, ...]) -> tuple[Need, ...]:
    skills = sorted({need.skill for need in needs})
    return tuple((skill, max(need.level for need in needs if need.skill == skill)) for skill in skills)


class NaiveFloor:
    def __init__(self, rules: m.Rules) -> None:
        self.rules = rules
        self.seats: list[NaiveSeat] = []
        self.calls: list[NaiveCall] = []
        self.left: list[tuple[str, str]] = []
        self.places: dict[str, tuple[str, datetime, datetime]] = {}
        """By caller: queue, effective arrival, until when."""
        self.said: list[str] = []

    # --- questions ---

    def seat(self, name: str) -> NaiveSeat | None:
        return next((seat for seat in self.seats if seat.name == name), None)

    def ringing(self, call: str) -> list[NaiveSeat]:
        return [seat for seat in self.seats if seat.rings == call]

    def waits(self, call: NaiveCall) -> bool:
        return not self.ringing(call.name) and call.not_before is None

    def in_order(self) -> list[NaiveCall]:
        return sorted(self.calls, key=NaiveCall.effective)

    def turn(self, seat: NaiveSeat, queue: str) -> tuple[object, ...]:
        skills = len(seat.skills)
        match self.rules.choices.get(queue, self.rules.choice):
            case m.SeatChoice.LONGEST_IDLE:
                return seat.idle_since, skills, seat.name
            case m.SeatChoice.FEWEST_CALLS:
                return seat.answered, seat.idle_since, seat.name
            case m.SeatChoice.SPECIALIST_FIRST:
                return skills, seat.idle_since, seat.name

    def fits(self, seat: NaiveSeat, call: NaiveCall) -> bool:
        return seat.name not in call.refused and any(seat.can_take(needs) for needs in call.options)

    def next_due(self) -> datetime | None:
        due = [seat.until for seat in self.seats if seat.state == "wrap_up" and seat.until]
        due += [until for _, _, until in self.places.values()]
        for call in self.calls:
            if self.ringing(call.name):
                due += [call.rings_until] if call.rings_until else []
            elif call.not_before is not None:
                due.append(call.not_before)
            else:
                due += call.refused.values()
                due += [call.arrived + timedelta(seconds=step.after_s) for step in call.recipe[:1]]
        return min(due, default=None)

    # --- commands ---

    def do(self, command: m.AnyCommand, now: datetime) -> None:
        idle_before = {s.identity() for s in self.seats if s.is_idle()}
        handler: Callable[[m.AnyCommand, datetime], None] = getattr(self, "on_" + type(command).__name__.lower())
        handler(command, now)
        self._settle(idle_before, now)

    def _settle(self, idle_before: set[Identity], now: datetime) -> None:
        for call in list(self.calls):
            self._nobody_can(call, now)
        rung = [call for call in self.in_order() if self.waits(call) and self._ring_first(call, idle_before, now)]
        everybody = {s.identity() for s in self.seats}
        rung += [call for call in self.in_order() if self.waits(call) and self._ring_first(call, everybody, now)]
        for call in rung:
            while len(self.ringing(call.name)) < call.ring and self._ring_first(call, everybody, now):
                pass

    def _nobody_can(self, call: NaiveCall, now: datetime) -> None:
        while call in self.calls and self.waits(call):
            if any(s.can_take(n) for n in call.options for s in self.seats):
                return
            wider = [step for step in call.recipe if step.does is m.StepKind.WIDEN]
            if wider:
                self._step(call, wider[0], now)
            elif call.recipe and call.recipe[0].does is m.StepKind.OVERFLOW and not call.sent_on:
                self._step(call, call.recipe[0], now)
            else:
                return

    def _ring_first(self, call: NaiveCall, idle_before: set[Identity], now: datetime) -> bool:
        for needs in call.options:
            choice = [
                s
                for s in self.seats
                if s.is_idle() and s.identity() in idle_before and s.can_take(needs) and s.name not in call.refused
            ]
            if choice:
                self._ring(min(choice, key=lambda seat: self.turn(seat, call.queue)), call, now)
                return True
        return False

    def _ring(self, seat: NaiveSeat, call: NaiveCall, now: datetime) -> None:
        seat.state, seat.rings, seat.reason = "offered", call.name, ""
        seat.until = now + self.rules.ring
        call.rings_until = now + self.rules.ring + self.rules.grace

    def _step(self, call: NaiveCall, step: m.Step, now: datetime) -> None:
        call.recipe.remove(step)
        match step.does:
            case m.StepKind.WIDEN:
                call.options = _once([*call.options, _plain(step.needs)])
            case m.StepKind.RAISE:
                call.head_start += step.by_s
            case _:
                call.sent_on = call.sent_on or step.does is m.StepKind.OVERFLOW
                self.said.append(f"{call.name} {step.does.value} {step.prompt}")

    def _silence(self, seat: NaiveSeat, state: str, reason: str = "") -> None:
        seat.rings, seat.state, seat.reason, seat.until, seat.extended = "", state, reason, None, 0

    def on_signin(self, c: m.SignIn, now: datetime) -> None:
        taken = next((s for s in self.seats if s.phone == c.phone and s.name != c.seat), None)
        if taken is not None:
            if taken.state == "talking":
                return
            self.seats.remove(taken)
        seat = self.seat(c.seat)
        if seat is None:
            self.seats.append(NaiveSeat(c.seat, c.agent, c.phone, dict(c.skills), c.reachable, now, guest=c.guest))
            return
        if seat.rings and seat.phone != c.phone:
            self._silence(seat, "ready")
        seat.agent, seat.phone, seat.skills, seat.reachable = c.agent, c.phone, dict(c.skills), c.reachable
        seat.leaving, seat.guest = False, c.guest

    def on_invite(self, c: m.Invite, now: datetime) -> None:
        for seat in [seat for seat in self.seats if seat.name == c.seat]:
            seat.invited = c.queues
            rung = [call for call in self.calls if call.name == seat.rings]
            if rung and not any(seat.can_take(needs) for needs in rung[0].options):
                self._be_ready(seat, now)

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
        promised = [call for call in self.calls if call.back and call.caller and call.caller == c.caller]
        if any(call.name == c.call for call in self.calls) or (c.call_back and promised):
            return
        room = self.rules.capacities.get(c.queue, self.rules.capacity)
        if (
            room
            and not (c.call_back or c.returns)
            and sum(call.queue == c.queue and not call.back for call in self.calls) >= room
        ):
            return
        arrived = min(c.arrived_at or now, now)
        plain = [_plain(needs) for needs in (c.needs, *c.also)]
        own = [_plain((m.Need("@" + agent), *needs)) for agent in c.prefer for needs in (c.needs, *c.also)]
        recipe = list(c.recipe)
        if own and c.prefer_s > 0:
            first = [m.Step(after_s=c.prefer_s, needs=needs) for needs in (c.needs, *c.also)]
            recipe = sorted([*first, *recipe], key=lambda step: step.after_s)
            plain = []
        call = NaiveCall(c.call, _once([*own, *plain]), recipe, arrived, c.priority)
        call.refused = dict.fromkeys(c.exclude, now + self.rules.retry_after)
        call.queue, call.ring, call.caller = c.queue, c.ring, c.caller
        self._give_back_place(call, promised, now)
        if c.call_back:
            self._is_to_be_called(call, c.not_before, now)
        self.calls.append(call)

    def _give_back_place(self, call: NaiveCall, promised: list[NaiveCall], now: datetime) -> None:
        queue, effective, until = self.places.pop(call.caller, ("", now, now))
        if queue != call.queue or until < now:
            if not promised or promised[0].queue != call.queue:
                return
            effective = promised[0].effective()
            self._silence_call(promised[0], "rejoined", now)
        away = call.arrived - effective
        call.head_start = max(call.head_start, -int(-away.total_seconds() // 1))

    def _is_to_be_called(self, call: NaiveCall, not_before: datetime | None, now: datetime) -> None:
        call.back, call.not_before = True, not_before if not_before is not None and not_before > now else None
        call.recipe = [step for step in call.recipe if step.does in (m.StepKind.WIDEN, m.StepKind.RAISE)]

    def _remove(self, name: str, reason: str, now: datetime) -> bool:
        found = [call for call in self.calls if call.name == name]
        for call in found:
            self.calls.remove(call)
            self.left.append((name, reason))
            if reason == "abandoned" and call.caller and self.rules.redial:
                self.places[call.caller] = (call.queue, call.effective(), now + self.rules.redial)
        return bool(found)

    def _silence_call(self, call: NaiveCall, reason: str, now: datetime) -> None:
        seats = self.ringing(call.name)
        self._remove(call.name, reason, now)
        for seat in seats:
            self._be_ready(seat, now)

    def on_abandon(self, c: m.Abandon, now: datetime) -> None:
        for call in [call for call in self.calls if call.name == c.call]:
            if not (call.back and c.reason is m.LeaveReason.ABANDONED):
                self._silence_call(call, c.reason.value, now)

    def on_promisecallback(self, c: m.PromiseCallBack, now: datetime) -> None:
        for call in [call for call in self.calls if call.name == c.call]:
            caller = c.caller or call.caller
            if call.back or any(other.back and other.caller == caller for other in self.calls if caller):
                return
            call.caller = caller
            self._is_to_be_called(call, c.not_before, now)
            call.ring = 1
            for seat in self.ringing(call.name):
                self._be_ready(seat, now)

    def on_extendoffer(self, c: m.ExtendOffer, now: datetime) -> None:
        name, _, at = c.offer.partition("|")
        for call in [call for call in self.calls if call.name == name and call.back]:
            for seat in [seat for seat in self.ringing(name) if seat.name == at]:
                call.rings_until, seat.until = now + timedelta(seconds=c.by_s), None

    def on_putoffcallback(self, c: m.PutOffCallBack, now: datetime) -> None:
        for call in [call for call in self.calls if call.name == c.call and call.back]:
            if c.not_before <= now or c.not_before == call.not_before:
                return
            call.not_before = c.not_before
            for seat in self.ringing(call.name):
                self._be_ready(seat, now)

    def on_reroute(self, c: m.Reroute, now: datetime) -> None:
        for call in [call for call in self.calls if call.name == c.call and not self.ringing(c.call)]:
            call.queue = call.queue if c.queue is None else c.queue
            call.head_start = call.head_start if c.priority is None else c.priority
            if c.needs is not None:
                call.options, call.recipe = [_plain(c.needs)], []

    def on_extendwrapup(self, c: m.ExtendWrapUp, now: datetime) -> None:
        seat = self.seat(c.seat)
        if seat is None or seat.state != "wrap_up" or seat.until is None or c.by_s <= 0:
            return
        if seat.extended < self.rules.wrap_up_extensions:
            seat.extended += 1
            seat.until += timedelta(seconds=c.by_s)

    def on_reportabuse(self, c: m.ReportAbuse, now: datetime) -> None:
        seat = self.seat(c.seat)
        if seat is not None and seat.talks and list(m.AbuseStep)[seat.abuse : seat.abuse + 1] == [c.step]:
            seat.abuse += 1

    def on_reportstrain(self, c: m.ReportStrain, now: datetime) -> None:
        for seat in [seat for seat in self.seats if seat.name == c.seat]:
            seat.strain = tuple(kind.value for kind in c.kinds)

    def on_answer(self, c: m.Answer, now: datetime) -> None:
        """Here `c.offer` is `call|seat`, or empty when the offer is over."""
        name, _, at = c.offer.partition("|")
        seats = self.ringing(name) if name else []
        for seat in seats:
            if seat.name == at:
                self._remove(name, "answered", now)
                self._silence(seat, "talking")
                seat.talks, seat.missed, seat.answered, seat.abuse = name, 0, seat.answered + 1, 0
            else:
                self._be_ready(seat, now)

    def on_refuse(self, c: m.Refuse, now: datetime) -> None:
        """Here `c.offer` is `call|seat`, or empty when the offer is over."""
        name, _, at = c.offer.partition("|")
        seat = next((seat for seat in self.seats if name and seat.rings == name and seat.name == at), None)
        if seat is None:
            return
        call = next(call for call in self.calls if call.name == name)
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
            elif self.rules.wrap_up or seat.abuse == 3:
                self._silence(seat, "wrap_up")
                seat.until = now + (self.rules.cool_down if seat.abuse == 3 else self.rules.wrap_up)
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
        others = [other for other in self.ringing(c.call) if other is not seat]
        self._remove(c.call, "answered", now)
        for other in others:
            self._be_ready(other, now)
        if seat is None:
            return
        if seat.state == "paused":
            seat.asked = seat.reason
        self._silence(seat, "talking")
        seat.talks, seat.missed, seat.answered, seat.abuse = c.call, 0, seat.answered + 1, 0

    def on_tick(self, c: m.Tick, now: datetime) -> None:
        self.places = {caller: place for caller, place in self.places.items() if place[2] > now}
        for seat in [s for s in self.seats if s.state == "wrap_up" and s.until is not None and s.until <= now]:
            self._work_is_over(seat, now)
        for call in list(self.calls):
            if call.rings_until is not None and call.rings_until <= now:
                for seat in self.ringing(call.name):
                    gone = m.Refuse(offer=f"{call.name}|{seat.name}", reason=m.RefuseReason.NO_ANSWER)
                    self.on_refuse(gone, now)
            if call.not_before is not None and call.not_before <= now:
                call.not_before = None
            if self.waits(call):
                call.refused = {seat: until for seat, until in call.refused.items() if until > now}
            while call in self.calls and self.waits(call) and call.recipe:
                if call.arrived + timedelta(seconds=call.recipe[0].after_s) > now:
                    break
                self._step(call, call.recipe[0], now)
