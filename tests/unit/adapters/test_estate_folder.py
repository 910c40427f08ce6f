"""Is a snapshot there whole or not at all, and does a history only grow?"""

import gzip
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from calward.adapters.estates.estate_folder import EstateFolder, estates_folder
from calward.domain.errors import LicensingError, Problem
from calward.insight.estate import Estate, EstatePack, PackType, Source
from tests.support.builders import ladder

NOW = 1_795_531_920  # 2026-11-24T14:52:00Z


def an_estate(name="berlin", taken_at=NOW, issued=1):
    pack = EstatePack("3", "ls1", "2016", PackType.PER_DEVICE, "volume", 10, issued)
    return Estate(name, Source.IMPORT, taken_at, ladder(), packs=[pack])


@pytest.fixture
def store(tmp_path):
    return EstateFolder(tmp_path / "estates")


def test_a_history_grows_and_the_newest_is_found(store):
    for taken_at, issued in ((NOW, 1), (NOW - 60, 2), (NOW + 60, 3)):
        store.keep(an_estate(taken_at=taken_at, issued=issued))
    assert [at for at, _ in store.history("berlin")] == [NOW - 60, NOW, NOW + 60]
    assert store.newest("berlin").packs[0].issued == 3
    assert [store.read(path).packs[0].issued for _, path in store.history("berlin")] == [2, 1, 3]


def test_its_form_is_the_documented_one(store):
    path = store.keep(an_estate())
    assert path == store.folder / "berlin" / "snapshots" / "20261124T145200Z.json.gz"
    assert json.loads(gzip.decompress(path.read_bytes()))["format"] == "calward-estate/1"
    about = json.loads((store.folder / "berlin" / "estate.json").read_text())
    assert about == {"name": "berlin", "source": "import", "ladder": "windows-server"}


def test_two_imports_of_one_second_are_two_snapshots(store):
    paths = [store.keep(an_estate(issued=n)).name for n in range(12)]
    assert len(set(paths)) == 12
    assert store.newest("berlin").packs[0].issued == 11
    assert [store.read(path).packs[0].issued for _, path in store.history("berlin")] == list(range(12))


def test_imports_at_the_same_time_lose_none(store):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: store.keep(an_estate(issued=n)), range(20)))
    assert sorted(store.read(path).packs[0].issued for _, path in store.history("berlin")) == list(range(20))


def test_nothing_is_left_of_an_import_that_fails(store, monkeypatch):
    store.keep(an_estate())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LicensingError, match="cannot be written: No space left on device") as error:
        store.keep(an_estate(issued=9))
    assert error.value.problem is Problem.UNAVAILABLE
    monkeypatch.undo()
    assert store.newest("berlin").packs[0].issued == 1
    assert [path.name for path in (store.folder / "berlin" / "snapshots").iterdir()] == ["20261124T145200Z.json.gz"]


def test_estates_are_listed_by_name_and_strange_folders_passed_over(store):
    assert store.names() == ()
    for name in ("munich", "Berlin"):
        store.keep(an_estate(name))
    (store.folder / "other").mkdir()
    (store.folder / "note.txt").write_text("x")
    assert store.names() == ["Berlin", "munich"]


def test_an_estate_that_is_not_there_is_told_with_those_that_are(store):
    with pytest.raises(LicensingError, match="there is none yet: calward estate import FILE makes one") as error:
        store.newest("berlin")
    assert error.value.problem is Problem.NOT_FOUND
    store.keep(an_estate("munich"))
    with pytest.raises(LicensingError, match="there are munich"):
        store.history("berlin")


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", ".hidden", "x" * 65, "a b", "a\x00", "ä"])
def test_a_name_never_leads_out_of_the_folder(store, name):
    for act in (store.newest, store.history, lambda one: store.keep(an_estate(one))):
        with pytest.raises(LicensingError, match="no name of an estate") as error:
            act(name)
        assert error.value.problem is Problem.MALFORMED


@pytest.mark.parametrize(
    "content",
    [b"", b"x", gzip.compress(b"{}", mtime=0), gzip.compress(b"{", mtime=0), gzip.compress(b"x" * 500, mtime=0)[:-9]],
)
def test_a_damaged_snapshot_is_told(store, content):
    path = store.keep(an_estate())
    path.write_bytes(content)
    with pytest.raises(LicensingError) as error:
        store.newest("berlin")
    assert error.value.problem is Problem.CORRUPT
    assert path.name in error.value.detail


def test_a_file_that_is_no_snapshot_is_passed_over(store):
    store.keep(an_estate())
    (store.folder / "berlin" / "snapshots" / "notes.json.gz").write_bytes(b"x")
    assert len(store.history("berlin")) == 1


def test_where_estates_are(tmp_path):
    assert estates_folder({"CALWARD_ESTATES": "/x", "XDG_DATA_HOME": "/y"}).as_posix() == "/x"
    assert estates_folder({"XDG_DATA_HOME": "/y", "HOME": "/h"}).as_posix() == "/y/calward/estates"
    assert estates_folder({"XDG_DATA_HOME": "relative", "HOME": "/h"}).as_posix() == "/h/.local/share/calward/estates"
    assert estates_folder({"HOME": "/h"}).as_posix() == "/h/.local/share/calward/estates"
