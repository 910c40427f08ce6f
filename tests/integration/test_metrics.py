"""What does /metrics tell of the CALs that are installed and free?"""

import pytest
from prometheus_client import generate_latest

from calward.app.licensing.install_key_pack import InstallKeyPack, RemoveKeyPack, install_key_pack, remove_key_pack
from calward.bootstrap.license_server import COUNTS_FRESH_FOR, LicenseServer
from calward.config import ServerConfig
from calward.domain.cals import CalType
from calward.domain.key_packs import PackId
from calward.domain.licenses import NEVER
from tests.support.clocks import NOW, SetClock


@pytest.fixture
def server(tmp_path):
    made = LicenseServer(ServerConfig(data_dir=tmp_path), clock=SetClock())
    command = InstallKeyPack(PackId("P"), "2016", CalType.PER_USER, 7, NEVER, "administrator")
    made.ledger.write(lambda book: install_key_pack(command, book, made.ladder, now=NOW))
    yield made
    made.close()


def told(server) -> str:
    server._refresh(server.metrics)
    return generate_latest(server.metrics.registry).decode()


def test_cals_are_counted_by_version_and_type(server):
    assert 'calward_cals_installed{type="per-user",version="2016"} 7.0' in told(server)
    assert 'calward_cals_free{type="per-user",version="2016"} 7.0' in told(server)


def test_they_are_counted_anew_after_some_seconds_and_what_was_removed_is_gone(server):
    told(server)
    server.ledger.write(lambda book: remove_key_pack(RemoveKeyPack(PackId("P"), "administrator"), book, now=NOW))
    assert 'version="2016"' in told(server), "whoever asks again and again costs nothing"
    server.clock.set(NOW + COUNTS_FRESH_FOR)
    assert 'version="2016"' not in told(server)
