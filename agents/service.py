"""Agents at their seats: who may sign in with which skills at which phone, and what seats are asked to do.

Does not decide who gets a call (that is the floor) and keeps no seat's state: it asks the floor.
"""

from collections.abc import Sequence

import structlog

from agents import loader, presence, skills
from agents.model import Agent, SeatStatus, SipAccount
from agents.ports import AgentStore, SeatsPort
from hotline.clock import Clock
from hotline.errors import BadInput, Conflict, NotAllowed, NotFound
from hotline.ids import Ids
from hotline.security import Permission, Principal

log = structlog.get_logger(__name__)


class AgentService:
    """Profiles, and the way from a profile to a seat on the floor."""

    def __init__(self, store: AgentStore, seats: SeatsPort, clock: Clock, ids: Ids) -> None:
        self._store, self._seats, self._clock, self._ids = store, seats, clock, ids

    # Profiles ------------------------------------------------------------------------------------------------------

    async def seed(self) -> int:
        """Load the demonstration's agents where there are none yet. Returns how many were loaded."""
        if await self._store.all():
            return 0
        return await self.load(loader.load(loader.DEMO))

    def check(self, agent: Agent) -> None:
        """Refuse a profile that cannot be used. Raises `BadInput` with every mistake."""
        skills.check([agent])

    async def load(self, agents: Sequence[Agent]) -> int:
        """Add or replace profiles. Returns how many.

        Raises:
            BadInput: some cannot be used; none was taken.
        """
        skills.check(agents)
        await self._store.put(agents)
        self._seats.learn(agents)
        log.info("agents loaded", agents=len(agents))
        return len(agents)

    async def all(self) -> list[Agent]:
        """Every profile, in order of work numbers."""
        return await self._store.all()

    # Seats ---------------------------------------------------------------------------------------------------------

    def seats(self) -> Sequence[SeatStatus]:
        """Every signed-in seat."""
        return self._seats.seats()

    def seat(self, seat: str) -> SeatStatus:
        """The signed-in seat.

        Raises:
            NotFound: nobody is signed in at it.
        """
        found = self._seats.seat(seat)
        if found is None:
            raise NotFound(f"Nobody is signed in at seat {seat}.")
        return found

    async def sign_in(self, seat: str, phone: str = "") -> tuple[SeatStatus, SipAccount]:
        """Open the seat for its agent, at `phone` or the agent's own. Signing in again changes phone and skills.

        Raises:
            NotFound: there is no such agent.
            NotAllowed: the agent is not active any more.
            BadInput: there is no phone, or it cannot be one.
            Conflict: another seat talks at this phone.
        """
        agent = await self._store.get(seat)
        if agent is None:
            raise NotFound(f"There is no agent {seat}.")
        if not agent.active:
            raise NotAllowed(f"Agent {seat} is not active any more.")
        chosen = _phone(agent, phone)
        account = await self._seats.account(chosen)
        await self._seats.sign_in(seat, agent.agent, chosen, agent.skills)
        status = self._seats.seat(seat)
        if status is None or status.phone != chosen:
            raise Conflict(f"Another seat is talking at phone {chosen}: sign in at another one, or later.")
        log.info("seat signed in", seat=seat, phone=chosen)
        return status, account

    async def sign_out(self, seat: str, reason: str = "") -> SeatStatus | None:
        """Close the seat, after its talk if it has one (then its state is returned)."""
        await self._seats.sign_out(seat, reason)
        return self._seats.seat(seat)

    async def pause(self, seat: str, reason: str) -> SeatStatus:
        """Pause now, or after the present work.

        Raises:
            BadInput: this is no reason that an agent may choose.
            NotFound: nobody is signed in at the seat.
        """
        if not presence.may_choose(reason):
            known = ", ".join(code for code in presence.pause_reasons() if presence.may_choose(code))
            raise BadInput(f"A pause needs one of these reasons: {known}.")
        self.seat(seat)
        await self._seats.pause(seat, reason)
        return self.seat(seat)

    async def resume(self, seat: str) -> SeatStatus:
        """Be ready again. Raises `NotFound` when nobody is signed in at the seat."""
        self.seat(seat)
        await self._seats.resume(seat)
        return self.seat(seat)

    async def end_wrap_up(self, seat: str) -> SeatStatus:
        """End the wrap-up early. Raises `NotFound` when nobody is signed in at the seat."""
        self.seat(seat)
        await self._seats.end_wrap_up(seat)
        return self.seat(seat)


def may_command(who: Principal, seat: str) -> bool:
    """Whether `who` may ask something of this seat: their own, or anybody's with the right to force."""
    own = bool(who.agent) and who.agent == seat and who.may(Permission.SEAT_USE)
    return own or who.may(Permission.SEATS_FORCE)


def _phone(agent: Agent, phone: str) -> str:
    chosen = phone or agent.phone
    if not chosen:
        raise BadInput(f"Agent {agent.agent} has no phone of their own: name the phone to sign in at.")
    if not skills.is_phone(chosen):
        raise BadInput("A phone is 2 to 12 digits.")
    return chosen
