"""Does a lock keep a second one out, and only while the first is there?"""

import fcntl
import os

import pytest

from calward.adapters.one_process import only_process
from calward.domain.errors import LicensingError, Problem


def test_a_second_one_is_told_what_to_do_and_the_next_gets_in(tmp_path):
    lock = tmp_path / "ledger.db.lock"
    lock.write_text("a text that was there before and is longer than any number of a process\n", encoding="ascii")
    with only_process(lock, "in use", "stop it first"):
        with pytest.raises(LicensingError) as raised, only_process(lock, "in use", "stop it first"):
            pass
        assert raised.value.detail == f"in use (process {os.getpid()} holds {lock})"
        assert (raised.value.problem, raised.value.helps) == (Problem.CONFLICT, "stop it first")
    with only_process(lock, "in use", "stop it first"):
        pass


def test_a_holder_that_has_not_said_who_it_is_is_told_as_such(tmp_path):
    lock = tmp_path / "ledger.db.lock"
    with lock.open("w+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with (
            pytest.raises(LicensingError, match=r"that process holds .*ledger\.db\.lock"),
            only_process(lock, "in use", ""),
        ):
            pass


def test_a_lock_in_a_folder_that_is_not_there_says_where(tmp_path):
    lock = tmp_path / "gone" / "ledger.db.lock"
    with pytest.raises(LicensingError, match="gone") as raised, only_process(lock, "", ""):
        pass
    assert raised.value.problem is Problem.UNAVAILABLE
