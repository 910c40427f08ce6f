"""What does a license server say when it cannot listen where it should?"""

import pytest

from calward.adapters.network.serving import _listen_locally
from calward.domain.errors import LicensingError, Problem


def test_a_path_that_is_too_long_for_a_unix_socket_is_said_with_what_helps(tmp_path):
    path = tmp_path / ("d" * 100) / "calward.sock"
    with pytest.raises(LicensingError, match="too long; name a shorter one with --socket, or none") as told:
        _listen_locally(path)
    assert told.value.problem is Problem.UNAVAILABLE
