"""Does the ledger tell its past as it was, on each database, also of packs that became others since?"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calward.adapters.store.engines import open_reader
from calward.adapters.store.reader import SqlReader
from calward.app.estates.own_history import holdings_of
from calward.domain.cals import CalType
from calward.insight.estate import LicenseStatus, PackType
from calward.insight.own_history import OwnHistory, Step, pools_then
from tests.support.builders import ladder
from tests.support.clocks import DAY, SetClock
from tests.support.house import House
from tests.support.ledgers import LEDGERS
from tests.support.moving import SOURCE, a_statement

POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])


@pytest.fixture(params=["sqlite", POSTGRESQL])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[House, SqlReader]]:
    """A server with a pack of five CALs of 2016, of which PC1, PC2 and PC3 hold one each from three days on; and its reader."""
    place: Any = request.getfixturevalue("postgresql_database") if request.param == "postgresql" else tmp_path
    url = str(place) if request.param == "postgresql" else f"sqlite:///{tmp_path / 'ledger.db'}"
    clock = SetClock()
    with LEDGERS[request.param](place, clock) as ledger:
        house = House(ledger, SOURCE, clock)
        house.receive()
        for who in ("PC1", "PC2", "PC3"):
            house.full(who)
            clock.pass_days(1)
        engine = open_reader(url)
        yield house, SqlReader(engine)
        engine.dispose()


def past(reader: SqlReader, until: int) -> OwnHistory:
    steps = [
        Step(one.pack, PackType(one.type), LicenseStatus(one.status), one.version, one.days, one.number)
        for one in reader.use_steps(until)
    ]
    return OwnHistory(until, list(holdings_of(reader.pack_events())), steps)


def sums(reader: SqlReader, until: int) -> list[tuple[str | None, int | None, int]]:
    ((_, found),) = pools_then(past(reader, until), ladder(), [until])
    return [(pool.version, pool.held, pool.used) for pool in found if pool.held or pool.used]


def test_each_day_has_what_ran_on_it_and_what_ended_later_too(kept):
    house, reader = kept
    now = house.clock.now()
    house.clock.pass_days(200)
    assert [sums(reader, now - days * DAY)[0][2] for days in (3, 2, 1, 0)] == [1, 2, 3, 3]
    assert sums(reader, house.clock.now()) == [("2016", 5, 0)]
    assert sums(reader, now - 5 * DAY) == []


def test_a_pack_that_was_split_and_lowered_was_whole_before(kept):
    house, reader = kept
    before = house.clock.now()
    house.clock.pass_days(1)
    house.change(a_statement(generation=2, total=2), a_statement(pack_id="0b" * 16, total=3, version="2012"))
    house.clock.pass_days(1)
    assert sums(reader, before) == [("2016", 5, 3)]
    assert sums(reader, house.clock.now()) == [("2016", 2, 2), ("2012/2012R2", 3, 1)]


def test_free_cals_that_became_per_user_were_per_device_before(kept):
    house, reader = kept
    before = house.clock.now()
    house.clock.pass_days(1)
    per_user = a_statement(pack_id="0b" * 16, total=2, cal_type=CalType.PER_USER)
    house.change(a_statement(generation=2, total=3), per_user)
    ((_, then),) = pools_then(past(reader, before), ladder(), [before])
    ((_, now),) = pools_then(past(reader, house.clock.now()), ladder(), [house.clock.now()])
    assert [(pool.type, pool.held) for pool in then if pool.held] == [(PackType.PER_DEVICE, 5)]
    assert [(pool.type, pool.held) for pool in now if pool.held] == [(PackType.PER_DEVICE, 3), (PackType.PER_USER, 2)]
