"""Routes of log-in, people and tokens."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from hotline.errors import NotAllowed
from hotline.http import Page, Paging, RequestBody, paging
from hotline.identity_service import LOG_IN_LASTS, IdentityService
from hotline.identity_sql import Token
from hotline.people import NewPerson, Person, PersonChange
from hotline.security import COOKIE, Permission, Principal, Role, SignedIn, is_same_origin, require

Me = Annotated[Principal, Depends(SignedIn())]
Reader = Annotated[Principal, Depends(require(Permission.PEOPLE_READ))]
Writer = Annotated[Principal, Depends(require(Permission.PEOPLE_WRITE))]


class LogIn(RequestBody):
    login: str = Field(max_length=64)
    password: str = Field(max_length=200)


class PersonView(BaseModel):
    id: str
    login: str
    name: str
    roles: list[Role]
    agent: str
    unit: str
    made_at: datetime
    disabled_at: datetime | None


class NewPersonView(PersonView):
    password: str
    """Shown now and never again."""


class PrincipalView(BaseModel):
    person: str
    name: str
    roles: list[Role]
    agent: str
    unit: str
    permissions: list[Permission]


class NewPersonBody(RequestBody):
    login: str
    name: str
    roles: frozenset[Role]
    agent: str = ""
    unit: str = Field("", max_length=64)
    password: str = ""
    """Empty: a random one is made."""


class PersonPatch(RequestBody):
    name: str | None = None
    roles: frozenset[Role] | None = None
    agent: str | None = None
    unit: str | None = Field(None, max_length=64)
    is_disabled: bool | None = None


class PasswordChange(RequestBody):
    old: str = Field(max_length=200)
    new: str = Field(max_length=200)


class NewPassword(BaseModel):
    password: str
    """Shown now and never again."""


class NewTokenBody(RequestBody):
    name: str
    roles: frozenset[Role]
    days: int = Field(30, ge=1, le=366)


class TokenView(BaseModel):
    id: str
    name: str
    roles: list[Role]
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class NewTokenView(TokenView):
    token: str
    """Shown now and never again."""


def routes(service: IdentityService) -> APIRouter:
    """Everything under `/api/v1` that concerns who is who."""
    router = APIRouter(prefix="/api/v1", tags=["people"])
    _add_log_in(router, service)
    _add_people(router, service)
    _add_tokens(router, service)
    return router


def _add_log_in(router: APIRouter, service: IdentityService) -> None:
    @router.post("/login")
    async def log_in(request: Request, response: Response, body: LogIn) -> PersonView:
        """Log in with a password; the answer sets a cookie."""
        if not is_same_origin(request, required=False):
            raise NotAllowed("This request has to come from a page of the hotline itself.")
        address = request.client.host if request.client else ""
        person, secret = await service.log_in(body.login, body.password, address)
        _set_cookie(request, response, secret, int(LOG_IN_LASTS.total_seconds()))
        return _person(person)

    @router.post("/logout", status_code=204)
    async def log_out(request: Request, _: Me) -> Response:
        """End this log-in at once."""
        cookie = request.cookies.get(COOKIE)
        if cookie:
            await service.log_out(cookie)
        response = Response(status_code=204)
        _set_cookie(request, response, "", 0)
        return response

    @router.get("/me")
    async def me(who: Me) -> PrincipalView:
        """Who I am and what I may do."""
        may = [permission for permission in Permission if who.may(permission)]
        return PrincipalView(
            person=who.person, name=who.name, roles=sorted(who.roles), agent=who.agent, unit=who.unit, permissions=may
        )

    @router.post("/me/password", status_code=204)
    async def change_password(request: Request, who: Me, body: PasswordChange) -> None:
        """Change my password; my other log-ins end."""
        await service.change_own_password(who, body.old, body.new, request.cookies.get(COOKIE))


def _add_people(router: APIRouter, service: IdentityService) -> None:
    @router.get("/people")
    async def list_people(_: Reader, page: Annotated[Paging, Depends(paging)]) -> Page[PersonView]:
        """Everybody with an account, by login."""
        after = page.after(str)
        found = await service.people(after[0] if after else "", page.limit + 1)
        return page.page([_person(person) for person in found], lambda person: (person.login,))

    @router.post("/people", status_code=201)
    async def add_person(who: Writer, body: NewPersonBody) -> NewPersonView:
        """Make an account. A password that was not given is made and shown once.

        A retry meets the login that is taken; the answer is not kept for it, because it holds the password.
        """
        person, password = await service.add(who, NewPerson(**body.model_dump()))
        return NewPersonView(**_person(person).model_dump(), password=password)

    @router.get("/people/{person}")
    async def get_person(_: Reader, person: str) -> PersonView:
        return _person(await service.person(person))

    @router.patch("/people/{person}")
    async def change_person(who: Writer, person: str, body: PersonPatch) -> PersonView:
        """Change roles, name, work number or unit, or disable; it counts at the person's next request."""
        return _person(await service.change(who, person, PersonChange(**body.model_dump())))

    @router.post("/people/{person}/password")
    async def reset_password(who: Writer, person: str) -> NewPassword:
        """Make a new random password and end every log-in of the person."""
        return NewPassword(password=await service.reset_password(who, person))


def _add_tokens(router: APIRouter, service: IdentityService) -> None:
    @router.get("/tokens")
    async def list_tokens(_: Reader, page: Annotated[Paging, Depends(paging)]) -> Page[TokenView]:
        """Bearer tokens, by name; never their text."""
        after = page.after(str, str)
        found = await service.tokens((after[0], after[1]) if after else ("", ""), page.limit + 1)
        return page.page([_token(token) for token in found], lambda token: (token.name, token.id))

    @router.post("/tokens", status_code=201)
    async def add_token(who: Writer, body: NewTokenBody) -> NewTokenView:
        """Make a bearer token for a script; its text is shown once.

        A retry makes another one: the answer is not kept for it, because it holds the token.
        """
        token, secret = await service.add_token(who, body.name, body.roles, timedelta(days=body.days))
        return NewTokenView(**_token(token).model_dump(), token=secret)

    @router.delete("/tokens/{token}", status_code=204)
    async def revoke_token(who: Writer, token: str) -> None:
        """It counts no longer."""
        await service.revoke_token(who, token)


def _set_cookie(request: Request, response: Response, secret: str, seconds: int) -> None:
    response.set_cookie(
        COOKIE,
        secret,
        max_age=seconds,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def _person(person: Person) -> PersonView:
    return PersonView(
        id=person.id,
        login=person.login,
        name=person.name,
        roles=sorted(person.roles),
        agent=person.agent,
        unit=person.unit,
        made_at=person.made_at,
        disabled_at=person.disabled_at,
    )


def _token(token: Token) -> TokenView:
    return TokenView(
        id=token.id,
        name=token.name,
        roles=sorted(token.roles),
        made_by=token.made_by,
        made_at=token.made_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
    )
