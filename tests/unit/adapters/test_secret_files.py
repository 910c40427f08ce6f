"""Can nobody but its owner read a token, and is none ever written over?"""

import os

import pytest

from calward.adapters.secret_files import check_free, write_secret
from calward.domain.errors import LicensingError, Problem


def test_a_secret_is_one_line_for_its_owner_alone_whatever_the_umask(tmp_path):
    kept = os.umask(0)
    try:
        write_secret(tmp_path / "t", "calh_x")
    finally:
        os.umask(kept)
    assert (tmp_path / "t").read_text() == "calh_x\n"
    assert (tmp_path / "t").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling"])
def test_what_is_there_is_never_written_over(tmp_path, kind):
    path, target = tmp_path / "t", tmp_path / "target"
    {
        "file": lambda: path.write_text("old"),
        "folder": path.mkdir,
        "link": lambda: (target.write_text("old"), path.symlink_to(target)),
        "dangling": lambda: path.symlink_to(target),
    }[kind]()
    for act in (lambda: check_free(path), lambda: write_secret(path, "x")):
        with pytest.raises(LicensingError) as raised:
            act()
        assert raised.value.problem is Problem.CONFLICT
    assert not target.exists() or target.read_text() == "old"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(LicensingError, match="there is no folder") as raised:
        check_free(tmp_path / "no" / "t")
    assert raised.value.problem is Problem.NOT_FOUND
