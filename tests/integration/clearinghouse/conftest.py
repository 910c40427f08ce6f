"""A clearinghouse in a folder of its own, for each test."""

from pathlib import Path

import pytest

from calward.app.clearinghouse.desk import Clearinghouse
from tests.support.asking_server import AskingServer
from tests.support.clearinghouses import ClearinghouseWiring


@pytest.fixture
def wiring() -> ClearinghouseWiring:
    return ClearinghouseWiring()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ch"


@pytest.fixture
def root_key(desk_and_root: tuple[Clearinghouse, bytes]) -> bytes:
    return desk_and_root[1]


@pytest.fixture
def desk(desk_and_root: tuple[Clearinghouse, bytes]) -> Clearinghouse:
    return desk_and_root[0]


@pytest.fixture
def desk_and_root(wiring: ClearinghouseWiring, folder: Path) -> tuple[Clearinghouse, bytes]:
    return wiring.init_clearinghouse(folder, "Example CALs", 1825)


@pytest.fixture
def old(desk: Clearinghouse, root_key: bytes) -> AskingServer:
    """A license server of 2008, activated."""
    server = AskingServer(desk, root_key, "old", "2008")
    server.activate()
    return server


@pytest.fixture
def new(desk: Clearinghouse, root_key: bytes) -> AskingServer:
    """A license server of 2022, activated."""
    server = AskingServer(desk, root_key, "new", "2022")
    server.activate()
    return server
