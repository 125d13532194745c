"""The pages: the console's built front-end where there is one, the plain status page in any case.

Pages are files and hold no data; everything they show comes through the API with its own guards.
"""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from hotline.errors import NotFound
from hotline.security import NotLoggedIn, Principal, Role, identify

STATIC = Path(__file__).parent / "static"
DIST = Path(__file__).parent / "dist"
"""Made by `scripts/console` out of `console/web`; not there in a checkout that never built it."""

TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
SHIPPED = frozenset({"status.css", "status.js", "login.js", "mark.svg"})
"""Files of the status page."""
NONCE = "__NONCE__"
"""What the built page has where the nonce of its policy belongs: some libraries add a style sheet as they run."""

POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
FOR_EVER = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
"""Built files have their content's hash in their names."""

LANDING: Mapping[Role, str] = {
    Role.OPERATOR: "/desk",
    Role.EXPERT: "/desk",
    Role.SUPERVISOR: "/wallboard",
    Role.QA: "/replay",
    Role.DISPATCHER: "/tickets",
    Role.UNIT: "/tickets",
    Role.ADMINISTRATOR: "/office",
}
"""Where a role begins its day, the first that fits; everybody else sees the status page."""
ROOMS = (
    "/desk",
    "/wallboard",
    "/wallboard/screen",
    "/replay",
    "/replay/{recording}",
    "/tickets",
    "/tickets/{ticket}",
    "/office",
    "/office/{section:path}",
)


def routes(dist: Path = DIST) -> APIRouter:
    """`/`, `/login`, `/status`, the console's rooms and `/assets/…`."""
    router = APIRouter(include_in_schema=False)
    files = _files(dist)
    _add_plain(router, files)
    if (dist / "index.html").is_file():
        _add_built(router, (dist / "index.html").read_text("utf-8"))
    else:
        _add_status_alone(router)
    return router


def landing(who: Principal) -> str:
    """The page of a person's first role."""
    return next((page for role, page in LANDING.items() if role in who.roles), "/status")


def _files(dist: Path) -> dict[str, Path]:
    """Every file that may be asked for, by name: nothing else is ever opened."""
    built = {file.name: file for file in (dist / "assets").glob("*") if file.suffix in TYPES}
    return built | {name: STATIC / name for name in SHIPPED}


def _add_plain(router: APIRouter, files: Mapping[str, Path]) -> None:
    @router.get("/status", response_model=None)
    async def status(request: Request) -> Response:
        """The status page; whoever is not logged in is led to the log-in page."""
        return await _for_somebody(request, lambda _: FileResponse(STATIC / "index.html", headers=HEADERS))

    @router.get("/assets/{name}", response_model=None)
    async def asset(name: str) -> Response:
        if (file := files.get(name)) is None:
            raise NotFound("There is no such file.")
        headers = HEADERS if file.parent == STATIC else FOR_EVER
        return FileResponse(file, media_type=TYPES[file.suffix], headers=headers)


def _add_status_alone(router: APIRouter) -> None:
    @router.get("/", response_model=None)
    async def home(request: Request) -> Response:
        return await _for_somebody(request, lambda _: FileResponse(STATIC / "index.html", headers=HEADERS))

    @router.get("/login", response_model=None)
    async def login() -> Response:
        return FileResponse(STATIC / "login.html", headers=HEADERS)


def _add_built(router: APIRouter, text: str) -> None:
    @router.get("/", response_model=None)
    async def home(request: Request) -> Response:
        """Lead everybody to the room of their role."""
        return await _for_somebody(request, lambda who: _led(landing(who)))

    async def page() -> Response:
        return _page(text)

    async def room(request: Request) -> Response:
        return await _for_somebody(request, lambda _: _page(text))

    router.add_api_route("/login", page, response_model=None)
    for path in ROOMS:
        router.add_api_route(path, room, response_model=None)


async def _for_somebody(request: Request, answer: Callable[[Principal], Response]) -> Response:
    try:
        who = await identify(request)
    except NotLoggedIn:
        return _led("/login")
    return answer(who)


def _led(place: str) -> Response:
    return RedirectResponse(place, status_code=303, headers=dict(HEADERS))


def _page(text: str) -> Response:
    """The one page of the front-end, with a policy that lets only its own styles in."""
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"{POLICY}; object-src 'none'; img-src 'self' data:; media-src 'self' blob:; "
        f"style-src 'self' 'nonce-{nonce}'; style-src-attr 'none'"
    )
    headers = {
        **HEADERS,
        "Content-Security-Policy": policy,
        "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    }
    return HTMLResponse(text.replace(NONCE, nonce), headers=headers)
