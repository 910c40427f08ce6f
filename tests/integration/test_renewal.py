"""Does a license server that was activated online keep its right to issue by itself, and only then?"""

import contextlib

import pytest

from calward.app.demo.stage import NearClearinghouse
from calward.app.licensing.activate_online import activate_online
from calward.app.licensing.change_server import deactivate_server
from calward.bootstrap.clearinghouse import init_clearinghouse
from calward.bootstrap.license_server import LicenseServer
from calward.config import ServerConfig
from tests.support.clocks import DAY, NOW, CountedEntropy, SetClock

URL = "https://clearinghouse.example"


class Line(NearClearinghouse, contextlib.AbstractContextManager):
    """A line to a clearinghouse in the same process."""

    def __exit__(self, *_):
        return None


class Office:
    """A license server with its clearinghouse near by; ``asked`` counts the questions to it."""

    def __init__(self, folder, monkeypatch, url=URL):
        self.clock, self.asked = SetClock(), 0
        self.house, root = init_clearinghouse(folder / "ch", "Example", 1000, self.clock, CountedEntropy())
        config = ServerConfig(data_dir=folder / "ls", clearinghouse=url, roots=root.hex())
        self.server = LicenseServer(config, clock=self.clock)
        monkeypatch.setattr("calward.bootstrap.clearinghouse_contact.HttpClearinghouse", self.line)

    def line(self, url):
        self.asked += 1
        self.url = url
        return Line(self.house)

    def activate(self, **options):
        line, server = Line(self.house), self.server
        activate_online(server.ledger, line, server.signatures, server.entropy, by="administrator", **options)

    @property
    def until(self):
        return self.server.reader.server().issue_until


@pytest.fixture
def office(tmp_path, monkeypatch):
    made = Office(tmp_path, monkeypatch)
    yield made
    made.server.close()


def test_it_is_renewed_two_weeks_before_its_end_and_not_earlier(office):
    office.activate()
    assert office.until == NOW + 30 * DAY
    office.clock.pass_days(14)
    office.server.clearinghouse.renew()
    assert (office.until, office.asked) == (NOW + 30 * DAY, 0)
    office.clock.pass_days(1)
    office.server.clearinghouse.renew()
    assert (office.until, office.asked) == (NOW + 45 * DAY, 1)


def test_a_right_that_has_ended_meanwhile_is_renewed_too(office):
    office.activate()
    office.clock.pass_days(200)
    office.server.clearinghouse.renew()
    assert office.until == NOW + 230 * DAY


@pytest.mark.parametrize("first", ["never activated", "deactivated"])
def test_who_has_no_right_by_intention_stays_so(office, first):
    if first == "deactivated":
        office.activate()
        office.server.ledger.write(lambda book: deactivate_server(book, now=book.now(), by="administrator"))
    office.server.clearinghouse.renew()
    assert (office.until, office.asked) == (None, 0)


def test_without_a_clearinghouse_in_the_settings_nobody_is_asked(tmp_path, monkeypatch):
    office = Office(tmp_path, monkeypatch, url="")
    office.activate()
    office.clock.pass_days(29)
    office.server.clearinghouse.renew()
    assert office.asked == 0
    office.server.close()


def test_where_an_administrator_has_activated_online_it_is_renewed_too(tmp_path, monkeypatch):
    office = Office(tmp_path, monkeypatch, url="")
    assert office.server.services().renew_within() is None
    office.activate(address=URL)
    office.clock.pass_days(29)
    office.server.clearinghouse.renew()
    assert (office.until, office.url) == (NOW + 59 * DAY, URL)
    assert office.server.services().renew_within() == 15 * DAY
    office.server.close()


def test_an_answer_that_is_not_accepted_changes_nothing(office, monkeypatch):
    office.activate()
    office.clock.pass_days(20)
    monkeypatch.setattr(NearClearinghouse, "activate", lambda *_: b"nonsense")
    office.server.clearinghouse.renew()
    assert office.until == NOW + 30 * DAY
