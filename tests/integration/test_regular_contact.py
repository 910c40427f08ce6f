"""Does a running license server keep in touch with its clearinghouse by itself?"""

import contextlib

import pytest

from calward.app.clearinghouse.add_purchase import AddPurchase
from calward.app.demo.stage import NearClearinghouse
from calward.app.licensing.activate_online import activate_online
from calward.app.licensing.change_server import deactivate_server
from calward.app.licensing.request_packs import ask, to_install
from calward.bootstrap.clearinghouse import init_clearinghouse
from calward.bootstrap.license_server import CONTACT_EVERY, LicenseServer
from calward.config import ServerConfig
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.cals import CalType
from calward.domain.statements import Channel, Program
from tests.support.clocks import DAY, NOW, CountedEntropy, SetClock


class Line(NearClearinghouse, contextlib.AbstractContextManager):
    """A line to a clearinghouse in the same process; ``asked`` counts."""

    asked = 0

    def ask(self, bundle):
        Line.asked += 1
        return super().ask(bundle)

    def __exit__(self, *_):
        return None


@pytest.fixture
def house(tmp_path):
    return init_clearinghouse(tmp_path / "ch", "Example", 1000, SetClock(), CountedEntropy())


@pytest.fixture
def clock(house):
    return house[0].clock


@pytest.fixture
def server(tmp_path, house, clock, monkeypatch):
    desk, root = house
    Line.asked = 0
    config = ServerConfig(data_dir=tmp_path / "ls", clearinghouse="https://ch.example", roots=root.hex())
    made = LicenseServer(config, clock=clock)
    monkeypatch.setattr("calward.bootstrap.clearinghouse_contact.HttpClearinghouse", lambda _url: Line(desk))
    activate_online(made.ledger, Line(desk), made.signatures, made.entropy, by="administrator")
    yield made
    made.close()


def buy(house, server):
    """Claim a pack whose answer is lost on its way: it waits at the clearinghouse."""
    sale = AddPurchase(Program.OPEN, "windows-server", "2022", CalType.PER_USER, 5)
    wanted = to_install(Program.OPEN, house[0].add_purchase(sale).numbers)
    one = server
    request = one.ledger.write(lambda book: ask(wanted, book, one.signatures, one.entropy, now=book.now()))
    assert isinstance(house[0].answer(request, Channel.ONLINE), bytes)


def test_what_waits_at_the_clearinghouse_comes_with_the_next_word(house, server, clock):
    buy(house, server)
    server.clearinghouse.report()
    assert [row.pack.total for row in server.reader.packs(clock.now())] == [5]
    asked = Line.asked
    server.clearinghouse.report()
    assert Line.asked > asked
    assert len(server.reader.packs(clock.now())) == 1


def test_the_right_to_issue_is_renewed_with_it(server, clock):
    clock.pass_days(11)
    server.clearinghouse.report()
    assert server.reader.server().issue_until == NOW + 41 * DAY


def test_a_server_that_was_deactivated_is_silent(server):
    server.ledger.write(lambda book: deactivate_server(book, now=book.now(), by="administrator"))
    server.clearinghouse.report()
    assert Line.asked == 0


def test_a_no_is_logged_and_the_next_word_is_another_chance(server, monkeypatch):
    no = NotAccepted(AcceptanceRefusal.SERVER_NOT_KNOWN, "nobody knows it")
    with monkeypatch.context() as patched:
        patched.setattr(Line, "ask", lambda *_: no)
        server.clearinghouse.report()
    server.clearinghouse.report()
    assert Line.asked > 0
    assert CONTACT_EVERY == 3600
