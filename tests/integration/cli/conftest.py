"""What do tests of the command line against the real API start from?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from calward.adapters.network.admin_client import HttpAdminClient
from calward.adapters.network.http_exchange import Address
from calward.bootstrap.estates import served_estate
from calward.domain.roles import Role
from calward.entrypoints.cli.common.wiring import Where
from calward.insight.estate import Estate
from tests.support.api_server import ApiServer, an_api_server
from tests.support.command_line import FakeWiring, Ran, calward


@dataclass
class RealApi(FakeWiring):
    """Commands speak to an application in this process, as a role, over no socket."""

    server: ApiServer | None = None
    role: Role = Role.LICENSE_ADMINISTRATOR
    headers: dict[str, str] | None = None

    def admin(self, where: Where) -> HttpAdminClient:
        assert self.server is not None
        if self.headers is None:
            self.headers = self.server.admin(self.role)
        token = self.headers["Authorization"].removeprefix("Bearer ")
        transport = httpx2.MockTransport(self._forward)
        return HttpAdminClient(Address.parse("https://ls1.example"), token, transport=transport)

    def estate(self, name: str | None, where: Where, folder: Path | None) -> Estate:
        assert name is None
        assert folder is None
        return served_estate(self.admin(where))

    def _forward(self, request: httpx2.Request) -> httpx2.Response:
        assert self.server is not None
        kept = {key: value for key, value in request.headers.items() if key in {"authorization", "content-type"}}
        target = request.url.raw_path.decode()
        found = self.server.client.request(request.method, target, content=request.read(), headers=kept)
        return httpx2.Response(found.status_code, headers=dict(found.headers), content=found.content)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    folder = tmp_path / "server"
    folder.mkdir()
    with an_api_server(folder) as found:
        yield found


@pytest.fixture
def run(server: ApiServer) -> Callable[..., Ran]:
    """Run a command as a license administrator, or as another role."""
    wirings: dict[Role, RealApi] = {}

    def run(*arguments: str, role: Role = Role.LICENSE_ADMINISTRATOR, **options: Any) -> Ran:
        wiring = wirings.setdefault(role, RealApi(server=server, role=role))
        return calward(*arguments, wiring=wiring, **options)

    return run
