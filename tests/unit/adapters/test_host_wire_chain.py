"""Which certificates does a host show on the wire?"""

from datetime import UTC, datetime, timedelta

import pytest

from calward.adapters.sessionhost.wire_chain import HostWireChain
from calward.app.sessionhost.heartbeats import WireChain
from calward.domain.errors import LicensingError, Problem

NOW = datetime(2026, 11, 24, tzinfo=UTC)
GIVEN = WireChain((b"root", b"host"), NOW + timedelta(days=365))


def nobody(_key: bytes) -> WireChain:
    raise AssertionError("nobody is asked")


def opened(folder, key=b"key"):
    complaints: list[str] = []
    return HostWireChain(folder, key, complaints.append), complaints


def test_a_host_that_has_none_asks_with_its_key_and_keeps_what_it_gets(tmp_path):
    asked = []
    chain, complaints = opened(tmp_path / "state")
    assert chain.certificates() == ()
    chain.renew(NOW, lambda key: asked.append(key) or GIVEN)
    assert (asked, chain.certificates()) == ([b"key"], (b"root", b"host"))
    again, _ = opened(tmp_path / "state")
    again.renew(NOW, nobody)
    assert again.certificates() == (b"root", b"host")
    assert complaints == []


def test_it_is_renewed_a_month_before_its_end(tmp_path):
    chain, _ = opened(tmp_path)
    chain.renew(NOW, lambda _: GIVEN)
    chain.renew(GIVEN.expires_at - timedelta(days=31), nobody)
    chain.renew(GIVEN.expires_at - timedelta(days=29), lambda _: WireChain((b"new",), NOW + timedelta(days=900)))
    assert chain.certificates() == (b"new",)


def test_where_the_server_gives_none_the_old_one_stays(tmp_path):
    def away(_key: bytes) -> WireChain:
        raise LicensingError(Problem.UNREACHABLE, "away")

    chain, _ = opened(tmp_path)
    chain.renew(NOW, lambda _: GIVEN)
    with pytest.raises(LicensingError):
        chain.renew(GIVEN.expires_at, away)
    assert chain.certificates() == (b"root", b"host")


def test_a_chain_of_another_key_is_none(tmp_path):
    chain, _ = opened(tmp_path)
    chain.renew(NOW, lambda _: GIVEN)
    other, complaints = opened(tmp_path, b"another key")
    assert (other.certificates(), complaints) == ((), [])


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"key": 1', b"\xff"])
def test_a_broken_file_is_said_and_asked_for_anew(tmp_path, content):
    (tmp_path / "wire-chain.json").write_bytes(content)
    chain, complaints = opened(tmp_path)
    assert chain.certificates() == ()
    assert len(complaints) == 1
