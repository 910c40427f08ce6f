"""Does verify hold whatever happened, in whatever order?"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from calward.domain.errors import LicensingError
from calward.domain.licenses import NEVER
from tests.support.audits import Office, new_sqlite
from tests.support.builders import DEVICE, USER, a_host
from tests.support.clocks import DAY

Step = Callable[[Office], object]

VERSIONS = ("2003", "2012R2", "2016", "2022")
HOSTS = [
    a_host(version, mode, number=10 * n + len(mode)) for n, version in enumerate(VERSIONS) for mode in (DEVICE, USER)
]
PEOPLE = ("a", "b", "c", "d")
NUMBERS = st.integers(1, 60)


def step(name: str, *values: st.SearchStrategy[object]) -> st.SearchStrategy[Step]:
    """One method of the office with drawn values."""
    return st.tuples(*values).map(lambda drawn: lambda office: getattr(office, name)(*drawn))


def asks(office: Office, who: str, host: int) -> None:
    office.ask(who, f"{who} {host} {office.clock.now()}", HOSTS[host])


def installs(office: Office, n: int, total: int, days: int | None) -> None:
    end = NEVER if days is None else office.clock.now() + days * DAY
    office.install(f"P{n % 6}", total, (DEVICE, USER)[n % 2], VERSIONS[n % 4], end)


def asking() -> st.SearchStrategy[Step]:
    drawn = st.tuples(st.sampled_from(PEOPLE), st.integers(0, len(HOSTS) - 1))
    return drawn.map(lambda x: lambda office: asks(office, *x))


def installing() -> st.SearchStrategy[Step]:
    drawn = st.tuples(st.integers(0, 11), st.integers(1, 4), st.none() | st.integers(1, 200))
    return drawn.map(lambda x: lambda office: installs(office, *x))


STEPS = st.one_of(
    asking(),
    asking(),
    step("confirm", NUMBERS),
    step("confirm", NUMBERS),
    step("revoke", NUMBERS),
    step("release", NUMBERS),
    step("sweep"),
    installing(),
    step("remove", st.integers(0, 5).map(lambda n: f"P{n}")),
    st.sampled_from([0.5, 3, 30, 55, 90]).map(lambda days: lambda office: office.clock.pass_days(days)),
    st.just(lambda office: office.log.store_checkpoint()),
)


@given(st.lists(STEPS, min_size=5, max_size=60), st.sampled_from([3, 20, 1000]), st.booleans())
def test_whatever_happened_the_tables_are_what_the_events_say(steps, per_pass, track):
    with tempfile.TemporaryDirectory() as folder:
        office = Office(new_sqlite(Path(folder)))
        office.open_for_business(per_user="track" if track else "enforce", revocable_share="0.5")
        for n in range(6):
            installs(office, n, 2, None)
        kept = office.log.store_checkpoint()
        for act in steps:
            try:
                act(office)
            except LicensingError:
                continue  # Nobody holds that, or it is not installed: nothing was written.
        office.log.fold()
        found = office.verify([kept], per_pass=per_pass)
        office.close()
    assert found.findings == []
    assert found.size == found.events
