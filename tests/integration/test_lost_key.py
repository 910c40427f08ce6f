"""A ledger whose server.key is gone: nothing is signed by another one unseen."""

import pytest

from calward.bootstrap.license_server import LicenseServer
from calward.config import ServerConfig
from calward.domain.errors import LicensingError, Problem


def started(folder, **settings) -> None:
    LicenseServer(ServerConfig(data_dir=folder, **settings)).close()


def test_a_server_whose_key_is_gone_does_not_start_and_says_what_helps(tmp_path):
    started(tmp_path)
    (tmp_path / "server.key").unlink()
    with pytest.raises(LicensingError) as caught:
        started(tmp_path)
    assert caught.value.problem is Problem.NOT_FOUND
    assert "put a copy back" in caught.value.detail
    assert not (tmp_path / "server.key").exists()


def test_whoever_has_lost_it_for_good_may_have_a_new_one(tmp_path):
    started(tmp_path)
    (tmp_path / "server.key").unlink()
    started(tmp_path, new_key=True)
    started(tmp_path)


def test_a_lost_license_key_is_made_anew(tmp_path):
    started(tmp_path)
    (tmp_path / "license.key").unlink()
    started(tmp_path)
