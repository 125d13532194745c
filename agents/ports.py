"""What the agents need from outside: the floor with its seats, SIP accounts of phones, and where profiles are kept."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from agents.model import Agent, SeatStatus, SipAccount


class FloorPort(Protocol):
    """The floor, as far as seats are concerned. What comes too late changes nothing and is no error.

    Every method may raise `Unavailable` or `Conflict`.
    """

    async def sign_in(self, seat: str, agent: str, phone: str, skills: dict[str, int]) -> None: ...

    async def sign_out(self, seat: str, reason: str) -> None: ...

    async def pause(self, seat: str, reason: str) -> None: ...

    async def resume(self, seat: str) -> None: ...

    async def end_wrap_up(self, seat: str) -> None: ...

    def seat(self, seat: str) -> SeatStatus | None:
        """The seat now; `None` when nobody is signed in at it."""
        ...

    def seats(self) -> Sequence[SeatStatus]:
        """Every signed-in seat, in order of their names."""
        ...


class AccountPort(Protocol):
    """SIP accounts of phones."""

    async def account(self, phone: str) -> SipAccount:
        """The phone's account, made at once if there is none yet.

        Raises:
            BadInput: this cannot be a phone.
            Unavailable: accounts cannot be read or made now.
        """
        ...


class SeatsPort(FloorPort, AccountPort, Protocol):
    """Both, for who wires one object."""

    def learn(self, agents: Iterable[Agent]) -> None:
        """Know who is an expert, from profiles that are new or changed."""
        ...


class AgentStore(Protocol):
    """Where profiles are kept. Every method may raise `Unavailable`."""

    async def get(self, agent: str) -> Agent | None: ...

    async def all(self) -> list[Agent]:
        """Every profile in order of work numbers, inactive ones too."""
        ...

    async def put(self, agents: Sequence[Agent]) -> None:
        """Add profiles or replace those with the same work number, all or none."""
        ...
