"""A command line with an administration API of forty lines behind it: what was asked is kept, what is answered is set."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2

from calward.adapters.network.admin_client import HttpAdminClient
from calward.adapters.network.http_exchange import Address
from calward.adapters.secret_files import check_free, write_secret
from calward.bootstrap.program import Wiring
from calward.entrypoints.cli.common.running import run
from calward.entrypoints.cli.common.wiring import RunOptions, ServeOptions, Where
from calward.entrypoints.cli.root import cli

ROOT = "/api/v1/"


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.out.splitlines()]


@dataclass(frozen=True)
class Asked:
    """One request to the API, its target below /api/v1/; ``body`` is a JSON value, or the bytes as they came."""

    method: str
    target: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


Answer = Mapping[str, Any] | str | Callable[[Asked], Any]


class FakeAdminApi:
    """Answers by (method, target): a document, a text, a function of what was asked, or a problem by ``refuse``."""

    def __init__(self, answers: Mapping[tuple[str, str], Answer] | None = None) -> None:
        self.answers = dict(answers or {})
        self.asked: list[Asked] = []
        self.authorization: list[str | None] = []
        self.closed = 0

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        path = unquote(request.url.raw_path.decode().partition("?")[0])
        assert path.startswith(ROOT)
        asked = Asked(request.method, path.removeprefix(ROOT), dict(request.url.params), _body(request))
        self.asked.append(asked)
        self.authorization.append(request.headers.get("authorization"))
        answer = self.answers.get((asked.method, asked.target))
        if callable(answer):
            answer = answer(asked)
        match answer:
            case None:
                return problem(404, "not-found", f"there is no {asked.target} here")
            case httpx2.Response():
                return answer
            case str():
                return httpx2.Response(200, text=answer)
        return httpx2.Response(200, json=answer)


def problem(status: int, kind: str, detail: str, **more: Any) -> httpx2.Response:
    """A problem document as the server sends it (RFC 9457)."""
    document = {"type": f"urn:calward:problem:{kind}", "title": kind, "status": status, "detail": detail, **more}
    return httpx2.Response(status, json=document, headers={"Content-Type": "application/problem+json"})


def _body(request: httpx2.Request) -> Any:
    content = request.read()
    if request.headers.get("content-type") == "application/json":
        return json.loads(content)
    return content or None


class FakeHostClient:
    """What a host asks: the answers are set, the questions kept."""

    name = "https://ls1.example:8460"

    def __init__(self, answer: Mapping[str, Any] | Exception) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    def _answer(self) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def ask_license(self, question: dict[str, Any], *, full_only: bool, seconds: float) -> Any:
        self.asked.append((question, full_only))
        return self._answer()

    def confirm_license(self, license_id: str, *, seconds: float) -> Any:
        self.asked.append(license_id)
        return self._answer()

    def enroll(self, code: str, *, seconds: float) -> Any:
        self.asked.append(code)
        return self._answer()


@dataclass
class FakeWiring:
    """What commands get as their context object: no file but what a test names, no socket."""

    api: FakeAdminApi = field(default_factory=FakeAdminApi)
    host_client: FakeHostClient | None = None
    wheres: list[Where] = field(default_factory=list)
    served: list[ServeOptions | RunOptions] = field(default_factory=list)
    places: Mapping[str, str] = field(default_factory=lambda: {"url": "http://127.0.0.1:8460"})

    def admin(self, where: Where) -> HttpAdminClient:
        self.wheres.append(where)
        return HttpAdminClient(
            Address.parse("https://ls1.example:8460"), "admin-token", transport=httpx2.MockTransport(self.api.handle)
        )

    def address_of(self, where: Where) -> str:
        return where.server or FakeHostClient.name

    def host(self, where: Where) -> FakeHostClient:
        self.wheres.append(where)
        assert self.host_client is not None
        return self.host_client

    def new_id(self) -> str:
        return "new-id"

    def check_free(self, path: Path) -> None:
        check_free(path)

    def write_secret(self, path: Path, secret: str) -> None:
        write_secret(path, secret)

    def serve(self, options: ServeOptions, ready: Callable[[Mapping[str, str]], None]) -> None:
        self.served.append(options)
        ready(self.places)

    def devrun(self, options: RunOptions, ready: Callable[[Mapping[str, str]], None]) -> None:
        self.served.append(options)
        ready(self.places)


def calward(
    *arguments: str,
    wiring: object | None = None,
    stdin: bytes = b"",
    columns: int = 80,
    encoding: str = "utf-8",
    **env: str,
) -> Ran:
    """Run a command line in this process; ``env`` replaces every CALWARD_ variable."""
    with _streams(stdin, encoding) as (out, err), _environment(columns, env):
        code = run(cli, arguments, wiring if wiring is not None else Wiring())
        sys.stdout.flush()
        sys.stderr.flush()
        return Ran(code, out.getvalue().decode(encoding), err.getvalue().decode(encoding))


@contextmanager
def _streams(stdin: bytes, encoding: str) -> Iterator[tuple[io.BytesIO, io.BytesIO]]:
    kept = sys.stdin, sys.stdout, sys.stderr
    out, err = io.BytesIO(), io.BytesIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin), encoding=encoding)
    sys.stdout = io.TextIOWrapper(out, encoding=encoding, write_through=True)
    sys.stderr = io.TextIOWrapper(err, encoding=encoding, write_through=True)
    wrappers = sys.stdout, sys.stderr
    try:
        yield out, err
    finally:
        sys.stdin, sys.stdout, sys.stderr = kept
        for wrapper in wrappers:
            wrapper.detach()


@contextmanager
def _environment(columns: int, env: Mapping[str, str]) -> Iterator[None]:
    kept = dict(os.environ)
    for key in [key for key in os.environ if key.startswith("CALWARD_")]:
        del os.environ[key]
    os.environ.update({"COLUMNS": str(columns), **env})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
