"""How does the first administrator come in with nothing but a browser?

One page without scripts. Looking at it changes nothing; only the form uses the code up. The token is shown once.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from jinja2 import Environment, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from calward.app.licensing.make_token import TokenMade
from calward.app.licensing.set_up import FIRST_NAME
from calward.domain.answers import rfc3339
from calward.domain.errors import LicensingError, Problem
from calward.domain.roles import Role
from calward.entrypoints.api.attempts import TooManyError
from calward.entrypoints.api.guard import Body, Desk, GuardedRoute
from calward.entrypoints.api.services import Services
from calward.entrypoints.api.token_routes import first_token

__all__ = ["SAFE_HEADERS", "router"]

SAFE_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ),
        "Cache-Control": "no-store",
        # The code stands in the address: it must not travel on.
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)
FORM: Final = "application/x-www-form-urlencoded"
_ORIGIN: Final = re.compile(r"https?://[a-z0-9.:\[\]-]+", re.ASCII)
TAKEN: Final = "There is a license administrator already"
SORRY: Final = "This did not work"

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

_pages = files("calward.entrypoints.api") / "pages"
_environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_page = _environment.from_string((_pages / "setup.html").read_text(encoding="utf-8"))
_style = (_pages / "style.css").read_text(encoding="utf-8")


@router.get("/")
def first() -> RedirectResponse:
    """Whoever opens the server in a browser sees the one page there is."""
    return RedirectResponse("setup", HTTPStatus.TEMPORARY_REDIRECT)


@router.get("/setup")
def show(desk: Desk, code: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """Show the form, or that it is of no use any more."""
    if _has_administrator(desk):
        return _render(desk, TAKEN, taken=True)
    return _render(desk, "Make the first administrator", code=code)


@router.get("/setup/style.css")
def style() -> Response:
    """How it looks."""
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=3600"}
    return Response(_style, media_type="text/css", headers=headers)


@router.post("/setup")
def use(desk: Desk, request: Request, body: Body) -> HTMLResponse:
    """Use the code up and show the token; or the form again, with what is wrong."""
    form = _form(request, body)
    code, name = form.get("code", ""), form.get("name", FIRST_NAME)
    try:
        made = first_token(desk, request.app.state.attempts, code, name)
    except TooManyError:
        sorry = "There were too many wrong codes: wait a minute, then try again."
        return _render(desk, SORRY, status=HTTPStatus.TOO_MANY_REQUESTS, sorry=sorry, code=code, name=name)
    except LicensingError as error:
        return _refused(desk, error, code, name)
    return _render(desk, "Welcome", made=made, origin=_origin(request))


def _origin(request: Request) -> str:
    """The server's address as the browser knows it, for a shell to copy; nothing where it is more than that."""
    found = str(request.base_url).rstrip("/")
    return found if _ORIGIN.fullmatch(found) else ""


def _refused(desk: Services, error: LicensingError, code: str, name: str) -> HTMLResponse:
    if _has_administrator(desk):
        sorry = "" if error.problem is Problem.CONFLICT else _sentence(error)
        return _render(desk, TAKEN, status=HTTPStatus.BAD_REQUEST, sorry=sorry, taken=True)
    # Rules about names do not know which field of which form a name came from.
    wrong, sorry = error.field or "name", _sentence(error)
    return _render(desk, SORRY, status=HTTPStatus.BAD_REQUEST, sorry=sorry, code=code, name=name, wrong=wrong)


def _sentence(error: LicensingError) -> str:
    if error.problem is Problem.UNAUTHORIZED:
        return "The code is wrong, has been used, or is older than a day."
    return f"{error.detail[:1].upper()}{error.detail[1:]}."


def _has_administrator(desk: Services) -> bool:
    return any(token.role is Role.LICENSE_ADMINISTRATOR for token in desk.reader.tokens(desk.clock.now()))


def _form(request: Request, body: bytes) -> dict[str, str]:
    """The form's fields; what is no form has none."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != FORM:
        return {}
    try:
        found = parse_qs(body.decode("ascii"), max_num_fields=8, errors="strict")
    except ValueError:
        return {}
    return {key: values[0] for key, values in found.items()}


def _render(
    desk: Services,
    title: str,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    made: TokenMade | None = None,
    origin: str = "",
    sorry: str = "",
    taken: bool = False,
    code: str = "",
    name: str = FIRST_NAME,
    wrong: str = "",
) -> HTMLResponse:
    """``taken``: there is an administrator; ``wrong``: the form's field that ``sorry`` is about."""
    server = desk.reader.server()
    html = _page.render(
        title=title,
        server=server.name if server else "",
        code=code,
        sorry=sorry,
        taken=taken,
        wrong=wrong,
        token=made.token if made else "",
        name=made.record.name if made else name,
        origin=origin,
        expires=rfc3339(made.record.expires_at)[:10] if made else "",
    )
    return HTMLResponse(html, status, headers=dict(SAFE_HEADERS))
