"""The floor and the SIP accounts as the agents' room needs them: rooms never meet, this is where they are joined."""

from collections.abc import Callable, Iterable

from acd.model import EndWrapUp, Pause, Resume, SignIn, SignOut
from acd.records import Seat
from acd.service import FloorKeeper
from acd.views import shown_state
from agents.model import Agent, AgentKind, SeatState, SeatStatus, SipAccount
from calls.devices import Devices
from hotline.clock import Clock
from hotline.tasks import Tasks
from telephony.model import PhoneId
from telephony.provisioning import Provisioning, account_of


class Seats:
    """`agents.ports.SeatsPort` on the floor's keeper and the node's accounts."""

    def __init__(
        self, floor: FloorKeeper, provisioning: Provisioning, sip: tuple[str, int], new_secret: Callable[[], str]
    ) -> None:
        self._floor, self._provisioning, self._sip, self._new_secret = floor, provisioning, sip, new_secret
        self.experts: set[str] = set()
        """Seats of experts, for the parties of a recording."""
        self.supervisors: set[str] = set()
        self.guests: set[str] = set()
        """Seats that get calls only as guests, in the windows of queues' plans."""
        self.pairs: dict[str, tuple[str, str]] = {}
        """First and second phone of agents who have two."""

    def start(self, tasks: Tasks, agents: Iterable[Agent], clock: Clock) -> None:
        """Know the agents, and keep those with two phones at the one that can ring."""
        self.learn(agents)
        Devices(self._floor, self.pairs, clock).start(tasks)

    def learn(self, agents: Iterable[Agent]) -> None:
        """Know who is an expert, who a supervisor and who a guest, and who has two phones."""
        kinds = {
            AgentKind.SUPERVISOR: self.supervisors,
            AgentKind.EXPERT: self.experts,
            AgentKind.GUEST: self.guests,
        }
        for agent in agents:
            self.pairs.pop(agent.agent, None)
            if agent.phone and agent.second_phone:
                self.pairs[agent.agent] = agent.phone, agent.second_phone
            for kind, known in kinds.items():
                (known.add if agent.kind is kind else known.discard)(agent.agent)

    async def sign_in(self, seat: str, agent: str, phone: str, skills: dict[str, int]) -> None:
        reachable = self._floor.is_reachable(phone)
        guest = agent in self.guests
        await self._floor.do(
            SignIn(seat=seat, agent=agent, phone=phone, skills=skills, reachable=reachable, guest=guest)
        )

    async def sign_out(self, seat: str, reason: str) -> None:
        await self._floor.do(SignOut(seat=seat, reason=reason))

    async def pause(self, seat: str, reason: str) -> None:
        await self._floor.do(Pause(seat=seat, reason=reason))

    async def resume(self, seat: str) -> None:
        await self._floor.do(Resume(seat=seat))

    async def end_wrap_up(self, seat: str) -> None:
        await self._floor.do(EndWrapUp(seat=seat))

    def seat(self, seat: str) -> SeatStatus | None:
        known = self._floor.floor.seat(seat)
        return None if known is None else self._status(known)

    def seats(self) -> list[SeatStatus]:
        return sorted((self._status(seat) for seat in self._floor.floor.seats()), key=lambda status: status.seat)

    def _status(self, seat: Seat) -> SeatStatus:
        offer = self._floor.floor.offer(seat.offer) if seat.offer else None
        return SeatStatus(
            seat=seat.seat,
            agent=seat.agent,
            phone=seat.phone,
            state=SeatState(shown_state(seat).value),
            reason=seat.reason,
            since=seat.since,
            until=seat.until,
            reachable=seat.reachable,
            call=seat.call or (offer.call if offer else ""),
            pause_asked=seat.pause_asked,
            leaving=seat.leaving,
        )

    async def account(self, phone: str) -> SipAccount:
        """For a phone on the desk: whoever talks in a page says so after each sign-in."""
        known, secret = PhoneId(phone), await self._provisioning.secret_of(PhoneId(phone))
        if secret is None or await self._provisioning.is_for_browser(known):
            secret = secret or self._new_secret()
            await self._provisioning.add(known, secret)
        server, port = self._sip
        return SipAccount(username=account_of(PhoneId(phone)), secret=secret, server=server, port=port)
