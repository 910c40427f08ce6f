"""Do files of one import help each other to be read as they were meant?"""

from pathlib import Path

import pytest

from calward.app.estates.found import DateOrder, Found
from calward.app.estates.import_estate import ImportEstate, ImportFile, import_estate
from calward.domain.errors import LicensingError, Problem
from tests.support.builders import ladder

NOW = 1_700_000_000


class Files:
    """A reader of files that are not there: each only says in which order its dates are."""

    def __init__(self, **orders):
        self.orders = orders
        self.read_day_first = []

    def read(self, path, _ladder, _progress, *, label=None, day_first=False):
        if path.name not in self.orders:
            raise LicensingError(Problem.NOT_FOUND, f"there is no file {path.name}")
        self.read_day_first += [path.name] if day_first else []
        return Found(label, dates=self.orders[path.name], open_date="3/4/2026")


class Kept(list):
    def keep(self, estate):
        self.append(estate)


def imported(files, kept):
    command = ImportEstate("berlin", [ImportFile(Path(name)) for name in files.orders], NOW)
    return import_estate(command, reader=files, store=kept, ladder=ladder(), progress=lambda _file, _rows: None)


OPEN, DAY, MONTH, BOTH, NOTHING = (
    DateOrder.OPEN,
    DateOrder.DAY_FIRST,
    DateOrder.MONTH_FIRST,
    DateOrder.BOTH,
    DateOrder.NOTHING,
)


@pytest.mark.parametrize(
    ("other", "read_again", "told"),
    [
        (DAY, ["packs"], []),
        (MONTH, [], []),
        (NOTHING, [], ["packs"]),
        (OPEN, [], ["packs", "issued"]),
        (BOTH, [], ["packs", "issued"]),
    ],
)
def test_a_file_that_leaves_the_order_open_follows_the_others_or_is_told(other, read_again, told):
    files = Files(packs=OPEN, issued=other)
    made = imported(files, Kept())
    assert files.read_day_first == read_again
    assert [one.file for one in made.problems] == told
    assert all("3/4/2026" in one.reason for one in made.problems)


def test_files_that_contradict_each_other_do_not_help():
    made = imported(Files(packs=OPEN, issued=DAY, users=MONTH), Kept())
    assert [one.file for one in made.problems] == ["packs"]


def test_nothing_is_kept_where_one_file_is_missing():
    files, kept = Files(packs=NOTHING), Kept()
    command = ImportEstate("berlin", [ImportFile(Path("packs")), ImportFile(Path("gone"))], NOW)
    with pytest.raises(LicensingError, match="gone"):
        import_estate(command, reader=files, store=kept, ladder=ladder(), progress=lambda _file, _rows: None)
    assert kept == []
