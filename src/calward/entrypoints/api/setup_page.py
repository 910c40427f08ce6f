"""How does the first administrator come in with nothing but a browser?

One page without scripts. Looking at it changes nothing; only the form uses the code up. The token is shown once.
"""

from collections.abc import Mapping
from http import HTTPStatus
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from jinja2 import Environment, StrictUndefined
from starlette.responses import HTMLResponse, Response

from calward.app.licensing.make_token import TokenMade
from calward.domain.answers import rfc3339
from calward.domain.errors import LicensingError
from calward.entrypoints.api.attempts import TooManyError
from calward.entrypoints.api.guard import Body, Desk, GuardedRoute
from calward.entrypoints.api.services import Services
from calward.entrypoints.api.token_routes import first_token

__all__ = ["SAFE_HEADERS", "router"]

SAFE_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ),
        "Cache-Control": "no-store",
        # The code stands in the address: it must not travel on.
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
)
FORM: Final = "application/x-www-form-urlencoded"

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)

_pages = files("calward.entrypoints.api") / "pages"
_environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_page = _environment.from_string((_pages / "setup.html").read_text(encoding="utf-8"))
_style = (_pages / "style.css").read_text(encoding="utf-8")


@router.get("/setup")
def show(desk: Desk, code: Annotated[str, Query(max_length=200)] = "") -> HTMLResponse:
    """Show the form."""
    return _render(desk, "Make the first administrator", code=code)


@router.get("/setup/style.css")
def style() -> Response:
    """How it looks."""
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "max-age=3600"}
    return Response(_style, media_type="text/css", headers=headers)


@router.post("/setup")
def use(desk: Desk, request: Request, body: Body) -> HTMLResponse:
    """Use the code up and show the token."""
    form = _form(request, body)
    try:
        made = first_token(desk, request.app.state.attempts, form.get("code", ""), form.get("name"))
    except LicensingError as error:
        sentence = error.detail[:1].upper() + error.detail[1:] + "."
        return _render(desk, "This did not work", status=HTTPStatus.BAD_REQUEST, sorry=sentence)
    except TooManyError:
        sorry = "There were too many wrong codes: wait a minute, then try again."
        return _render(desk, "This did not work", status=HTTPStatus.TOO_MANY_REQUESTS, sorry=sorry)
    return _render(desk, "Welcome", made=made)


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
    sorry: str = "",
    code: str = "",
) -> HTMLResponse:
    server = desk.reader.server()
    html = _page.render(
        title=title,
        server=server.name if server else "",
        code=code,
        sorry=sorry,
        token=made.token if made else "",
        name=made.record.name if made else "",
        expires=rfc3339(made.record.expires_at)[:10] if made else "",
    )
    return HTMLResponse(html, status, headers=dict(SAFE_HEADERS))
