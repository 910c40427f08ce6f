"""What does /metrics tell of the CALs that are installed and free, and of what is wrong?"""

import pytest
from prometheus_client import generate_latest

from calward.app.estates.own_estate import take_counts
from calward.app.licensing.change_server import activate_server
from calward.app.licensing.install_key_pack import InstallKeyPack, RemoveKeyPack, install_key_pack, remove_key_pack
from calward.app.licensing.issue_license import IssueLicense, issue_license
from calward.bootstrap.license_server import LicenseServer
from calward.bootstrap.server_counts import COUNTS_FRESH_FOR
from calward.config import ServerConfig
from calward.domain.cals import CalType, HolderKind
from calward.domain.key_packs import PackId
from calward.domain.licenses import NEVER
from tests.support.builders import a_host
from tests.support.clocks import NOW, SetClock

ADDRESS = "http://127.0.0.1:7000"
POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])


@pytest.fixture(params=["sqlite", POSTGRESQL])
def server(request, tmp_path):
    url = request.getfixturevalue("postgresql_database") if request.param == "postgresql" else ""
    made = LicenseServer(ServerConfig(data_dir=tmp_path, database=url), clock=SetClock())
    command = InstallKeyPack(PackId("P"), "2016", CalType.PER_USER, 7, NEVER, "administrator")
    made.ledger.write(lambda book: install_key_pack(command, book, made.ladder, now=NOW))
    yield made
    made.close()


def told(server) -> str:
    server.counts.refresh(server.counts.metrics)
    return generate_latest(server.counts.metrics.registry).decode()


def test_cals_are_counted_by_version_and_type(server):
    assert 'calward_cals_installed{type="per-user",version="2016"} 7.0' in told(server)
    assert 'calward_cals_free{type="per-user",version="2016"} 7.0' in told(server)


def test_they_are_counted_anew_after_some_seconds_and_what_was_removed_is_gone(server):
    told(server)
    server.ledger.write(lambda book: remove_key_pack(RemoveKeyPack(PackId("P"), "administrator"), book, now=NOW))
    assert 'version="2016"' in told(server), "whoever asks again and again costs nothing"
    server.clock.set(NOW + COUNTS_FRESH_FOR)
    assert 'version="2016"' not in told(server)


def test_findings_are_told_by_severity_and_by_check_once_a_diagnosis_was_made(server):
    assert "calward_findings" not in told(server)
    server.counts.diagnose(ADDRESS)
    lines = told(server).splitlines()
    assert 'calward_findings{severity="error"} 1.0' in lines
    assert 'calward_check_findings{check="server-not-activated"} 1.0' in lines
    assert 'calward_check_findings{check="pack-expired"} 0.0' in lines
    assert [float(x.split()[1]) for x in lines if x.startswith("calward_findings_timestamp_seconds ")] == [NOW]
    assert not any("stale-users" in line for line in lines), "that would need the list of licenses"
    assert not any("server-older-than-host" in line for line in lines), "there is no host: nothing was checked"


def test_over_use_is_told_from_counts(server):
    server.ledger.write(lambda book: activate_server(NEVER, book, now=NOW, by="administrator"))
    host = a_host("2016", CalType.PER_USER)
    for number in range(9):
        ask = IssueLicense(host, f"r{number}", HolderKind.USER, f"user{number}", f"user{number}")
        server.ledger.write(lambda book, ask=ask: issue_license(ask, book, now=NOW, entropy=server.entropy))
    server.counts.diagnose(ADDRESS)
    assert 'calward_check_findings{check="over-used"} 1.0' in told(server).splitlines()
    counts = take_counts(server.reader, server.ladder, now=NOW, addresses=())
    assert sum(one.over_used for one in counts.packs) == 2
