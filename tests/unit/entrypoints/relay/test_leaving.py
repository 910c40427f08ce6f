"""What the log says of those who leave before they were let through."""

from itertools import product

import pytest

from calward.entrypoints.relay.leaving import left, without_tls
from calward.wire.rdp.x224 import Protocol
from calward.wire.relay import Phase

QUIET = {Phase.REQUEST, Phase.SPLICED, Phase.CLOSED}
RESET = ConnectionResetError()


@pytest.mark.parametrize(("phase", "side"), list(product(Phase, ("client", "host"))))
def test_whoever_leaves_in_between_is_told_with_the_side_that_did(phase, side):
    said = left(phase, side, heard=True)
    assert (said == "") is (phase in QUIET)
    assert phase in QUIET or side in said


def test_a_client_that_says_nothing_behind_tls_may_not_trust_the_certificate():
    assert "certificate" in left(Phase.JOINING, "client", heard=False)
    assert "certificate" not in left(Phase.JOINING, "client", heard=True)


def test_a_client_that_offers_nla_and_does_without_tls_may_insist_on_nla():
    said = without_tls(Protocol.SSL | Protocol.HYBRID, nla=False, error=RESET)
    assert "insists on NLA" in said
    assert "ConnectionResetError" in said


@pytest.mark.parametrize(("offered", "nla"), [(Protocol.SSL, False), (Protocol.SSL | Protocol.HYBRID, True)])
def test_nla_is_not_blamed_where_it_was_not_offered_or_was_agreed_on(offered, nla):
    assert "NLA" not in without_tls(offered, nla=nla, error=OSError("wrong version"))
    assert "wrong version" in without_tls(offered, nla=nla, error=OSError("wrong version"))
