"""A floor by hand that spells out the facts it should have led to."""

from datetime import datetime, timedelta

from acd import model as m
from tests.unit.acd.driver import NINE, Driver

RULES = m.Rules(
    ring=timedelta(seconds=12),
    grace=timedelta(seconds=2),
    wrap_up=timedelta(seconds=20),
    retry_after=timedelta(seconds=7),
    unanswered_limit=2,
)
READY, OFFERED, TALKING, WRAP_UP, PAUSED = m.SeatState
HOUSING = (m.Need("housing"),)


def at(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


class Hand(Driver):
    """A driver that remembers what the last command led to."""

    def __init__(self, rules: m.Rules = RULES) -> None:
        super().__init__(rules)

    def changed(self, seat: str, state: m.SeatState, previous: m.SeatState, **more: object) -> m.SeatChanged:
        return m.SeatChanged(at=self.now, seat=seat, state=state, previous=previous, **more)  # type: ignore[arg-type]

    def offered(self, call: str, seat: str, number: int = 1) -> tuple[m.AnyFloorFact, ...]:
        rings_until = self.now + RULES.ring
        return (
            m.Offered(
                at=self.now,
                offer=f"offer_{number}",
                call=call,
                seat=seat,
                phone=f"phone-{seat}",
                expires_at=rings_until,
                ends_at=rings_until + RULES.grace,
            ),
            self.changed(seat, OFFERED, READY, until=rings_until),
        )

    def withdrawn(self, call: str, seat: str, number: int = 1) -> m.OfferWithdrawn:
        return m.OfferWithdrawn(at=self.now, offer=f"offer_{number}", call=call, seat=seat)

    def refused(self, call: str, seat: str, reason: m.RefuseReason, number: int = 1) -> m.OfferRefused:
        retry_at = self.now + RULES.retry_after
        return m.OfferRefused(
            at=self.now, offer=f"offer_{number}", call=call, seat=seat, reason=reason, retry_at=retry_at
        )


def ringing() -> Hand:
    """`a` rings for c1 since nine, `b` is idle since a second later; it is five seconds past."""
    hand = Hand()
    hand.sign_in("a", general=1)
    hand.join("c1")
    hand.after(1)
    hand.sign_in("b", general=1)
    hand.after(4)
    return hand


def talking() -> Hand:
    hand = ringing()
    hand.answer("c1")
    return hand


def finished(hand: Hand, seat: str = "a", call: str = "c1") -> m.Finished:
    return m.Finished(at=hand.now, call=call, seat=seat)


def adopted(hand: Hand, seat: str, call: str) -> m.Adopted:
    return m.Adopted(at=hand.now, seat=seat, call=call)
