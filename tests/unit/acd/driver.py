"""Drives a floor by hand, for examples: times are seconds from nine o'clock."""

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from acd import model as m
from acd.floor import Floor
from hotline.ids import CountedIds

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
F = TypeVar("F", bound=m.FloorFact)


class Driver:
    def __init__(self, rules: m.Rules | None = None) -> None:
        self.floor = Floor(rules)
        self.now = NINE
        self.ids = CountedIds()
        self.facts: list[m.AnyFloorFact] = []

    def do(self, command: m.AnyCommand) -> tuple[m.AnyFloorFact, ...]:
        facts = self.floor.decide(command, self.now, self.ids.new)
        for fact in facts:
            self.floor.apply(fact)
        self.facts.extend(facts)
        return facts

    def after(self, seconds: float) -> None:
        """Let time pass; the floor is woken whenever it asked to be."""
        end = self.now + timedelta(seconds=seconds)
        while (due := self.floor.next_due()) is not None and due <= end:
            self.now = max(self.now, due)
            assert self.do(m.Tick()), "a tick that was asked for has something to do"
        self.now = end

    def sign_in(self, seat: str, phone: str = "", **skills: int) -> None:
        self.do(m.SignIn(seat=seat, agent=seat, phone=phone or f"phone-{seat}", skills=skills))

    def join(self, call: str, *needs: str, queue: str = "q", **more: object) -> None:
        """Needs as `skill` or `skill:level`."""
        parts = (need.partition(":") for need in needs)
        wanted = tuple(m.Need(skill, int(level or 1)) for skill, _, level in parts)
        self.do(m.Join(call=call, queue=queue, needs=wanted, **more))  # type: ignore[arg-type]

    def rings_at(self, call: str) -> str:
        """The seat where the call rings; empty when it rings nowhere."""
        waiting = self.floor.call(call)
        offer = self.floor.offer(waiting.offer) if waiting else None
        return offer.seat if offer else ""

    def offer_of(self, call: str) -> str:
        waiting = self.floor.call(call)
        assert waiting is not None
        assert waiting.offer
        return waiting.offer

    def answer(self, call: str) -> None:
        self.do(m.Answer(offer=self.offer_of(call)))

    def refuse(self, call: str, reason: m.RefuseReason = m.RefuseReason.REJECTED) -> None:
        self.do(m.Refuse(offer=self.offer_of(call), reason=reason))

    def state(self, seat: str) -> str:
        found = self.floor.seat(seat)
        return found.state.value if found else "signed_out"

    def last(self, kind: type[F]) -> F:
        return next(fact for fact in reversed(self.facts) if isinstance(fact, kind))

    def count(self, kind: type[m.FloorFact]) -> int:
        return sum(isinstance(fact, kind) for fact in self.facts)
