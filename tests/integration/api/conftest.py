"""What do tests of the HTTP API start from?"""

import pytest

from tests.support.api_server import an_api_server


@pytest.fixture
def server(tmp_path):
    with an_api_server(tmp_path) as found:
        yield found


@pytest.fixture
def admin(server):
    """Headers of a license administrator."""
    return server.admin()
