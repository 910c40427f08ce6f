"""Is only this machine this machine?"""

import pytest

from calward.domain.this_machine import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST", "::ffff:127.0.0.2"])
def test_this_machine(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.0.0.1", "localhost.example", "", "127.1", "128.0.0.1", "::ffff:10.0.0.1", "::2"]
)
def test_not_this_machine(host):
    assert not is_loopback(host)
