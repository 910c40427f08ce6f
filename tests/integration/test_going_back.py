"""A license server whose ledger goes back in time: noticed before a CAL goes out twice, and led out of it."""

import shutil

import pytest

from calward.app.licensing.quarantine import quarantine_of
from calward.domain.quarantine import Cause
from tests.support.going_back import GoingBack


@pytest.fixture
def office(tmp_path):
    return GoingBack(tmp_path)


def cause_of(served):
    found = served.server.ledger.write(quarantine_of)
    return found.cause if found else None


def test_yesterdays_ledger_is_noticed_at_the_first_request_of_a_known_host(office, tmp_path):
    with office.serving() as served:
        office.set_up(served)
        host = office.enroll(served)
        for device in ("PC1", "PC2"):
            host.prove(served, device)
        served.tell()
        assert host.ask(served, "PC1").full
    shutil.copytree(office.data, tmp_path / "yesterday")
    office.clock.pass_days(1)
    with office.serving() as served:
        assert host.ask(served, "PC2").full
        served.tell()
        assert host.ask(served, "PC2").full
    shutil.rmtree(office.data)
    shutil.copytree(tmp_path / "yesterday", office.data)
    with office.serving() as served:
        answer = host.ask(served, "PC2")
        assert answer.license is not None
        assert not answer.full
        assert "ledger-rolled-back" in answer.reasons
        assert cause_of(served) is Cause.OLDER
