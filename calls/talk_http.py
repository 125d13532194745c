"""A talk of several through the API: consult, merge, swap, leave, transfer; listen, whisper, barge in, take over.

Who may: parties of the call for what parties do, supervisors for supervision. What the talk's situation forbids is
answered 409 with the reason; what is granted happens a moment later, and the call's row and facts tell it.
"""

import secrets
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Self

from fastapi import APIRouter, Body, Depends, Request, Response
from pydantic import BaseModel, Field, model_validator

from calls import emergency_http, orders, parties, several
from calls.directory import Directory, Found, NobodyToCall
from calls.emergency import Confirmations
from calls.events import Asked
from calls.legs import Callee, Goal, Place, Talk, situation
from calls.service import CallService
from hotline.audit import Audit
from hotline.errors import BadInput, Conflict, HotlineError, NotFound
from hotline.http import RequestBody, create
from hotline.security import Permission, Principal, Role, require
from tickets.visibility import mask_number

Party = Annotated[Principal, Depends(require(Permission.CALLS_CONTROL))]
Supervisor = Annotated[Principal, Depends(require(Permission.CALLS_SUPERVISE))]
Seat = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^[0-9A-Za-z]+$")]
Number = Annotated[str, Field(min_length=1, max_length=40)]


class WhomBody(RequestBody):
    """Whom to call: a seat, a unit's expert on duty (whoever of the roster comes), or a number outside that the guard
    lets pass. One of them."""

    seat: Seat | None = None
    unit: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    number: Number | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.named) > 1:
            raise ValueError("name one: a seat, a unit or a number")
        return self

    @property
    def named(self) -> list[str]:
        """Everything that is given."""
        return [one for one in (self.seat, self.unit, self.number) if one is not None]


class ConsultBody(WhomBody):
    """Whom to call in. `private`: the citizen hears music meanwhile."""

    private: bool = True


class SeatBody(RequestBody):
    """Whom it concerns; somebody outside by the seat that the talk shows for him (`x1`)."""

    seat: Seat


class MaybeSeatBody(BaseModel):
    """Whom it concerns, when anybody in particular."""

    seat: Seat | None = None


class WhisperBody(BaseModel):
    """`on=false`: only listen again."""

    on: bool = True


class Granted(BaseModel):
    """What was asked will happen; `situation`: of the talk just before."""

    call: str
    situation: str


class PartyView(BaseModel):
    """One party, and where it is: `ringing`, `talking`, `held`, `listening`, `whispering`."""

    party: str
    seat: str
    """Of somebody outside: a name in this talk alone, `x1`."""
    place: str
    outside: bool = False
    number: str = ""
    """Of somebody outside, as people know it."""


class TalkView(BaseModel):
    """Who takes part in a talk; `owner`: the seat that answers for the call. Who only listens is not shown."""

    call: str
    situation: str
    owner: str
    parties: list[PartyView]


Wish = Callable[[Talk], orders.Command]
"""What somebody asks, given the talk. Raises what makes it impossible."""


class Talks:
    """Checks a command against the talk as it is, writes it to the audit, and gives it to the call."""

    def __init__(self, service: CallService, directory: Directory, audit: Audit) -> None:
        self._service, self._directory, self._audit = service, directory, audit

    def own_phone(self, who: Principal) -> str:
        """The phone of whoever asks."""
        return self._directory.own_phone(who.agent)

    def whom(self, body: WhomBody, who: Principal) -> Found:
        """Whom to call.

        Raises:
            BadInput: nobody is named.
            HotlineError: he cannot be called.
        """
        if body.number is not None:
            found = self._directory.number(body.number, who.agent)
            if found.purpose is orders.Purpose.EMERGENCY:
                raise Conflict("This is an emergency line: use `emergency`, which asks you to confirm.")
            return found
        if body.unit is not None:
            return self._directory.unit(body.unit, who.agent)
        if body.seat is None:
            raise BadInput("Say whom to call: a seat, a unit or a number.")
        party = self._service.house.party(body.seat)
        return Found(callee=Callee(seat=body.seat, phone=self._directory.phone(body.seat), party=party))

    def talk(self, call: str) -> Talk:
        """The talk of a call.

        Raises:
            NotFound: nobody talks in such a call.
        """
        box = self._service.boxes.get(call)
        talk = None if box is None else several.talk_of(box.call, self._service.house)
        if box is None or talk is None:
            raise NotFound("There is no such live talk of yours.")
        return talk

    def own(self, call: str, who: Principal) -> Talk:
        """The talk that somebody takes part in; any other looks as if it did not exist."""
        talk = self.talk(call)
        if talk.of_seat(who.agent) is None:
            raise NotFound("There is no such live talk of yours.")
        return talk

    async def ask(self, request: Request, who: Principal, call: str, wish: Wish) -> Response:
        """Grant a party's wish, once per Idempotency-Key."""
        return await create(request, who, partial(self._grant, self.own, who, call, wish), HTTPStatus.ACCEPTED)

    async def supervise(self, request: Request, who: Principal, call: str, wish: Wish) -> Response:
        """The same for a supervisor, in any call."""
        any_talk = partial(_any, self.talk)
        return await create(request, who, partial(self._grant, any_talk, who, call, wish), HTTPStatus.ACCEPTED)

    async def _grant(self, find: Callable[[str, Principal], Talk], who: Principal, call: str, wish: Wish) -> Granted:
        talk = find(call, who)
        try:
            command = wish(talk)
        except HotlineError as error:
            if isinstance(error, NobodyToCall):
                self._nobody(call, who, error)
            await self._audit.record(who, "call.ask", call, result="refused", detail={"why": str(error)})
            raise
        action, detail = f"call.{type(command).__name__.lower()}", _detail(command)
        if refused := parties.why_not(talk, command):
            await self._audit.record(who, action, call, result="refused", detail=detail)
            raise Conflict(refused)
        await self._audit.record(who, action, call, detail=detail)
        self._service.post(call, Asked(command))
        return Granted(call=call, situation=situation(talk).value)

    def _nobody(self, call: str, who: Principal, error: NobodyToCall) -> None:
        """Keep that a unit was asked for, and why nobody of it was called."""
        ask = f"{call}_{self._service.clock.now():%H%M%S%f}"
        sought = orders.Sought(by=who.agent, ask=ask, unit=error.unit, passed_over=error.passed_over)
        self._service.post(call, Asked(sought))


def _detail(command: orders.Command) -> dict[str, str]:
    """Whom it is about, for the audit. A number of the installation's own list may be anybody's: masked."""
    seat = getattr(command, "seat", "")
    if isinstance(command, orders.Wanted) and not seat:
        named = {"unit": command.unit} if command.unit else {}
        return {"number": mask_number(command.number), "purpose": command.purpose.value, **named}
    return {"seat": seat} if seat else {}


def _any(find: Callable[[str], Talk], call: str, _who: Principal) -> Talk:
    return find(call)


def routes(service: CallService, directory: Directory, audit: Audit) -> APIRouter:
    """Routes under `/api/v1/calls/{call}`."""
    router = APIRouter()
    talks = Talks(service, directory, audit)

    @router.get("/{call}/talk")
    async def talk(call: str, who: Party) -> TalkView:
        """Everybody in the talk: of one's own; supervisors of any."""
        return _view(call, talks.talk(call) if Role.SUPERVISOR in who.roles else talks.own(call, who))

    _party_routes(router, talks)
    words = Confirmations(service.clock, lambda: secrets.token_urlsafe(12))
    router.include_router(emergency_http.routes(talks, directory, words, audit))
    _supervision_routes(router, talks)
    return router


def _view(call: str, talk: Talk) -> TalkView:
    hidden = (Place.LISTENING, Place.WHISPERING)
    shown = [leg for leg in talk.legs if leg.place not in hidden and leg.goal is not Goal.LISTEN]
    parties = [
        PartyView(
            party=leg.party.value,
            seat=leg.seat,
            place=leg.place.value,
            outside=leg.outside,
            number=leg.phone if leg.outside else "",
        )
        for leg in shown
    ]
    return TalkView(call=call, situation=situation(talk).value, owner=talk.owner, parties=parties)


def _party_routes(router: APIRouter, talks: Talks) -> None:
    @router.post("/{call}/consult", status_code=202, response_model=Granted)
    async def consult(request: Request, call: str, body: ConsultBody, who: Party) -> Response:
        """Ask somebody else: with the citizen on hold, or into the talk."""

        def wish(_: Talk) -> orders.Command:
            return orders.Consult(**_wanted(talks.whom(body, who), who), private=body.private)

        return await talks.ask(request, who, call, wish)

    @router.post("/{call}/transfer", status_code=202, response_model=Granted)
    async def transfer(
        request: Request, call: str, who: Party, body: Annotated[WhomBody | None, Body()] = None
    ) -> Response:
        """Hand the citizen over: to whom is named without a word, or, when nobody is, to whom was asked."""

        def wish(_: Talk) -> orders.Command:
            if body is None or not body.named:
                return orders.Leave(by=who.agent)
            return orders.Transfer(**_wanted(talks.whom(body, who), who))

        return await talks.ask(request, who, call, wish)

    @router.post("/{call}/drop", status_code=202, response_model=Granted)
    async def drop(request: Request, call: str, body: SeatBody, who: Party) -> Response:
        """Take one of the others, not the citizen, out."""

        def wish(talk: Talk) -> orders.Command:
            leg = talk.of_seat(body.seat)
            if leg is None:
                raise Conflict("That is none of the others in this call.")
            return orders.Drop(by=who.agent, line=leg.line)

        return await talks.ask(request, who, call, wish)

    @router.post("/{call}/park", status_code=202, response_model=Granted)
    async def park(
        request: Request, call: str, who: Party, body: Annotated[MaybeSeatBody | None, Body()] = None
    ) -> Response:
        """One of the others, without `seat` the citizen, hears music; `merge` brings everybody back."""
        seat = "" if body is None else body.seat or ""

        def wish(talk: Talk) -> orders.Command:
            leg = talk.of_seat(seat) if seat else talk.citizen
            if leg is None:
                raise Conflict("That is none of the others in this call.")
            return orders.Park(by=who.agent, line=leg.line)

        return await talks.ask(request, who, call, wish)

    @router.post("/{call}/merge", status_code=202, response_model=Granted)
    async def merge(request: Request, call: str, who: Party) -> Response:
        """Everybody with everybody."""
        return await talks.ask(request, who, call, lambda _: orders.Merge(by=who.agent))

    @router.post("/{call}/swap", status_code=202, response_model=Granted)
    async def swap(request: Request, call: str, who: Party) -> Response:
        """Citizen and who was asked change places: one spoken with, one on hold."""
        return await talks.ask(request, who, call, lambda _: orders.Swap(by=who.agent))

    @router.post("/{call}/retrieve", status_code=202, response_model=Granted)
    async def retrieve(request: Request, call: str, who: Party) -> Response:
        """The citizen comes off hold; who is asked waits, a phone that rings rings on."""
        return await talks.ask(request, who, call, lambda _: orders.Retrieve(by=who.agent))

    @router.post("/{call}/cancel", status_code=202, response_model=Granted)
    async def cancel(request: Request, call: str, who: Party) -> Response:
        """The asking ends: who rings or was asked goes, the citizen comes off hold."""
        return await talks.ask(request, who, call, lambda _: orders.Cancel(by=who.agent))

    @router.post("/{call}/leave", status_code=202, response_model=Granted)
    async def leave(request: Request, call: str, who: Party) -> Response:
        """Go; the others talk on."""
        return await talks.ask(request, who, call, lambda _: orders.Leave(by=who.agent))


def _wanted(found: Found, who: Principal) -> dict[str, Any]:
    """The fields of `orders.Wanted`."""
    first = found.callee
    return {
        "by": who.agent,
        "seat": first.seat,
        "phone": first.phone,
        "party": first.party,
        "person": first.person,
        "rank": first.rank,
        "then": found.then,
        "passed_over": found.passed_over,
        "purpose": found.purpose,
        "unit": found.unit,
        "number": found.number,
    }


def _supervision_routes(router: APIRouter, talks: Talks) -> None:
    @router.post("/{call}/listen", status_code=202, response_model=Granted)
    async def listen(
        request: Request, call: str, who: Supervisor, body: Annotated[MaybeSeatBody | None, Body()] = None
    ) -> Response:
        """Hear one seat's talk, heard by nobody; your own phone rings."""
        seat = "" if body is None else body.seat or ""

        def wish(_: Talk) -> orders.Command:
            return orders.Listen(by=who.agent, phone=talks.own_phone(who), seat=seat)

        return await talks.supervise(request, who, call, wish)

    @router.post("/{call}/whisper", status_code=202, response_model=Granted)
    async def whisper(
        request: Request, call: str, who: Supervisor, body: Annotated[WhisperBody | None, Body()] = None
    ) -> Response:
        """Speak to whom you listen to, and to nobody else."""
        on = body is None or body.on
        return await talks.supervise(request, who, call, lambda _: orders.Whisper(by=who.agent, on=on))

    @router.post("/{call}/barge", status_code=202, response_model=Granted)
    async def barge(request: Request, call: str, who: Supervisor) -> Response:
        """Come into the talk."""

        def wish(_: Talk) -> orders.Command:
            return orders.Barge(by=who.agent, phone=talks.own_phone(who))

        return await talks.supervise(request, who, call, wish)

    @router.post("/{call}/take-over", status_code=202, response_model=Granted)
    async def take_over(request: Request, call: str, who: Supervisor) -> Response:
        """Take the place of the seat that answers for the call."""

        def wish(_: Talk) -> orders.Command:
            return orders.TakeOver(by=who.agent, phone=talks.own_phone(who))

        return await talks.supervise(request, who, call, wish)
