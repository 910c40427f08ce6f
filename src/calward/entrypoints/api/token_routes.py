"""Who may administer, and how does the first one come in?"""

from fastapi import APIRouter, Request

from calward.app.licensing.make_token import EndToken, MakeToken, TokenMade, end_token, make_token
from calward.app.licensing.set_up import WRONG_LINK, set_up
from calward.app.registry import Purpose
from calward.domain.answers import numbered
from calward.domain.codes import read_code
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.api import answers
from calward.entrypoints.api.attempts import Attempts
from calward.entrypoints.api.bodies import CodeBody, NewToken
from calward.entrypoints.api.guard import Desk, GuardedRoute, Who
from calward.entrypoints.api.paging import After, Limit, page_of
from calward.entrypoints.api.services import Services
from calward.entrypoints.api.views import act_view, token_view

__all__ = ["first_token", "router"]

router = APIRouter(route_class=GuardedRoute, tags=["tokens"])


@router.get("/api/v1/tokens", operation_id="listTokens")
def tokens(desk: Desk, limit: Limit = 500, after: After = None) -> answers.Items[answers.TokenView]:
    """List running tokens of administrators, without themselves."""
    shown = [token_view(token) for token in desk.reader.tokens(desk.clock.now())]
    return page_of(shown, lambda token: token.id, limit, after)


@router.post("/api/v1/tokens", operation_id="makeToken")
def make(desk: Desk, who: Who, body: NewToken) -> answers.TokenMade:
    """Make a token, which is shown once."""
    command = MakeToken(body.name, body.role, who.name, body.days)
    return _made(desk.ledger.write(lambda book: make_token(command, book, now=book.now(), entropy=desk.entropy)))


@router.delete("/api/v1/tokens/{token}", operation_id="endToken")
def end(desk: Desk, who: Who, token: str) -> answers.Act:
    """End a token at once."""
    number = numbered(token, "T")
    if number is None:
        detail = f"no running token {token[:64]!r} is known here: tokens are named like T12"
        raise LicensingError(Problem.NOT_FOUND, detail, field="token")
    return act_view(desk.ledger.write(lambda book: end_token(EndToken(number, who.name), book, now=book.now())))


@router.post("/api/v1/setup", operation_id="setUp")
def setup(desk: Desk, request: Request, body: CodeBody) -> answers.TokenMade:
    """Change the one-time set-up code for the first license administrator's token, which is shown once."""
    return _made(first_token(desk, request.app.state.attempts, body.code))


def first_token(desk: Services, attempts: Attempts, code: str, name: str | None = None) -> TokenMade:
    """Use a set-up code; raises LicensingError: MALFORMED, UNAUTHORIZED, and TooManyError."""
    with attempts.one():
        if not desk.reader.code_works(read_code(code).hash, Purpose.SET_UP, desk.clock.now()):
            raise LicensingError(Problem.UNAUTHORIZED, WRONG_LINK, field="code")
        return desk.ledger.write(lambda book: set_up(code, book, now=book.now(), entropy=desk.entropy, name=name))


def _made(made: TokenMade) -> answers.TokenMade:
    return answers.TokenMade(**token_view(made.record).model_dump(), token=made.token)
