"""Does a lock keep a second one out, and only while the first is there?"""

import pytest

from calward.adapters.one_process import only_process
from calward.domain.errors import LicensingError, Problem


def test_a_second_one_is_told_what_to_do_and_the_next_gets_in(tmp_path):
    lock = tmp_path / "ledger.db.lock"
    with only_process(lock, "stop it first"):
        with pytest.raises(LicensingError, match="stop it first") as raised, only_process(lock, "stop it first"):
            pass
        assert raised.value.problem is Problem.CONFLICT
    with only_process(lock, "stop it first"):
        pass


def test_a_lock_in_a_folder_that_is_not_there_says_where(tmp_path):
    lock = tmp_path / "gone" / "ledger.db.lock"
    with pytest.raises(LicensingError, match="gone") as raised, only_process(lock, ""):
        pass
    assert raised.value.problem is Problem.UNAVAILABLE
