"""How can a command that asks a license server be shown, or tried, instead of done? ``--curl`` and ``--dry-run``; and ``--profile``.

The command itself knows nothing of it: what it gets as its wiring hands out clients that end the command at its first request.
"""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlencode

import rich_click as click

from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.output import cell, print_json, reason_lines, say
from calward.entrypoints.cli.common.profiles import with_profile
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.view import View
from calward.entrypoints.cli.common.wiring import AdminClient, Document, Query, Where, Wiring

__all__ = ["Ways", "refuse"]

_ROOT = "/api/v1/"
_ENVELOPE = "application/vnd.dsse.envelope.v1+json"
_JSON = "application/json"
_SECRETS = frozenset({"code", "token"})


class Ways:
    """The wiring of a command with options about how it asks; all else is the wiring's own."""

    def __init__(self, wiring: Wiring, ctx: click.Context, wanted: View, *, as_json: bool) -> None:
        self._wiring = wiring
        self._ctx = ctx
        self._wanted = wanted
        self._as_json = as_json

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the wiring has
        return getattr(self._wiring, name)

    def admin(self, where: Where) -> Any:  # noqa: ANN401 - an AdminClient, or what stands in for one
        """A client of the administration."""
        where = with_profile(where, self._wanted.profile)
        if self._wanted.curl:
            return _Curl(self._ctx, self._wiring.address_of(where), where, as_json=self._as_json)
        found = self._wiring.admin(where)
        return _Rehearsal(self._ctx, found, as_json=self._as_json) if self._wanted.dry_run else found

    def host(self, where: Where) -> Any:  # noqa: ANN401
        """A client of a host."""
        where = with_profile(where, self._wanted.profile)
        if self._wanted.curl:
            return _Curl(self._ctx, self._wiring.address_of(where), where, as_json=self._as_json)
        return self._wiring.host(where)

    def estate(self, name: Any, where: Where, folder: Any) -> Any:  # noqa: ANN401
        """An estate; that of the server which a profile names, too."""
        wiring: Any = self._wiring
        return wiring.estate(name, with_profile(where, self._wanted.profile), folder)


@dataclass(frozen=True, slots=True)
class _Rehearsal:
    """Asks as ever; the first request that would change something is only tried, and ends the command."""

    ctx: click.Context
    admin: AdminClient
    as_json: bool

    @property
    def name(self) -> str:
        return self.admin.name

    def close(self) -> None:
        self.admin.close()

    def ask(self, method: str, target: str, *, query: Query | None = None, body: Document | None = None) -> Document:
        if method != "GET" and not (body or {}).get("preview"):
            self._end(self.admin.ask(method, target, query={**(query or {}), "dry_run": True}, body=body))
        return self.admin.ask(method, target, query=query, body=body)

    def deliver(self, method: str, target: str, content: bytes) -> Document:
        self._end(self.admin.deliver(method, _tried(target), content))

    def made(self, target: str, body: Document) -> bytes | Document:
        said = self.admin.made(_tried(target), body)
        self._end(said if isinstance(said, dict) else {"outcome": "possible", "dry_run": True})

    def text(self, target: str) -> str:
        return self.admin.text(target)

    def lines(self, target: str, query: Query | None = None) -> Iterator[str]:
        return self.admin.lines(target, query)

    def _end(self, said: Document) -> NoReturn:
        if not said.get("dry_run"):
            detail = f"license server {self.name} knows no dry run: it may have done it; look at what is there now"
            raise LicensingError(Problem.UNAVAILABLE, detail)
        if said.get("outcome") == "refused":
            refuse(self.ctx, said, as_json=self.as_json)
        if self.as_json:
            print_json(said)
        else:
            say(f"would succeed{_outcome(said)}; nothing was changed")
        self.ctx.exit(Exit.OK)


def _tried(target: str) -> str:
    return f"{target}{'&' if '?' in target else '?'}dry_run=true"


def _outcome(said: Document) -> str:
    known = {"outcome", "reason", "detail", "dry_run"}
    facts = ", ".join(f"{safe(key)} {cell(value)}" for key, value in said.items() if key not in known and value)
    done = "" if said.get("outcome") == "possible" else f": {safe(said.get('outcome'))}"
    return done + (f" ({facts})" if facts else "")


def refuse(ctx: click.Context, document: Document, *, as_json: bool) -> NoReturn:
    """Show a refusal, an expected answer: JSON is the result, sentences are talk. Ends the command."""
    if as_json:
        print_json(document)
    else:
        lines = [f"refused: {safe(document.get('detail') or 'the license server says no')}"]
        lines += [f"  {line}" for line in reason_lines(document.get("reason") or ())]
        if document.get("decision"):
            lines.append(f"why: calward explain {safe(document['decision'])}")
        for line in lines:  # Whoever wants it quiet still has to know why nothing was done.
            click.echo(line, err=True)
    ctx.exit(Exit.REFUSED)


@dataclass(frozen=True, slots=True)
class _Curl:
    """Shows the first request as a command line of curl instead of sending it. No secret stands in it."""

    ctx: click.Context
    name: str
    where: Where
    as_json: bool

    def close(self) -> None:
        """Nothing is open."""

    def ask(self, method: str, target: str, *, query: Query | None = None, body: Document | None = None) -> Document:
        given = {key: _text(value) for key, value in (query or {}).items() if value is not None}
        self._end(method, target + (f"?{urlencode(given)}" if given else ""), body)

    def deliver(self, method: str, target: str, content: bytes) -> Document:
        self._end(method, target, content)

    def made(self, target: str, body: Document) -> bytes | Document:
        self._end("POST", target, body)

    def text(self, target: str) -> str:
        self._end("GET", target, None)

    def lines(self, target: str, query: Query | None = None) -> Iterator[str]:
        self.ask("GET", target, query=query)
        return iter(())

    def ask_license(self, question: Document, *, full_only: bool, seconds: float) -> Document:  # noqa: ARG002
        self._end("POST", "licenses:request", question | ({"full_only": True} if full_only else {}))

    def confirm_license(self, license_id: str, *, seconds: float) -> Document:  # noqa: ARG002
        self._end("POST", "licenses:confirm", {"license": license_id})

    def enroll(self, code: str, *, seconds: float) -> NoReturn:
        del seconds
        self._end("POST", "hosts:enroll", {"code": code})

    def _end(self, method: str, target: str, body: Document | bytes | None) -> NoReturn:
        line = " ".join(self._words(method, target, body))
        print_json({"curl": line}) if self.as_json else say(line)
        self.ctx.exit(Exit.OK)

    def _words(self, method: str, target: str, body: Document | bytes | None) -> Iterator[str]:
        """The words of the command line, quoted; the token is read from its file when the line is run."""
        yield "curl --fail-with-body -sS"
        if method != "GET":
            yield f"-X {method}"
        local = self.name.removeprefix("unix:")
        if local != self.name:
            yield f"--unix-socket {shlex.quote(local)}"
        yield shlex.quote(f"{'http://localhost' if local != self.name else self.name}{_ROOT}{target}")
        if self.where.token_file is not None:
            yield f'-H "Authorization: Bearer $(cat {shlex.quote(str(self.where.token_file))})"'
        if self.where.ca_file is not None:
            yield f"--cacert {shlex.quote(str(self.where.ca_file))}"
        if isinstance(body, bytes):
            yield f"-H 'Content-Type: {_ENVELOPE}' --data-binary {shlex.quote(body.decode(errors='replace'))}"
        elif body is not None:
            shown = {key: "REDACTED" if key in _SECRETS else value for key, value in body.items()}
            yield f"-H 'Content-Type: {_JSON}' --data {shlex.quote(json.dumps(shown))}"


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
