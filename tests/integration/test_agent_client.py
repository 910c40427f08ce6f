"""Do a host's client and the server that users start understand each other, from the one-time code to a license shown offline?"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from calward.adapters.network.http_exchange import Address
from calward.adapters.network.license_server_client import LicenseServerClient
from calward.adapters.signing import verify
from calward.app.sessionhost.heartbeats import HeartbeatReport, LiveSession
from calward.domain.errors import LicensingError, Problem
from calward.domain.issued_license import IssuedLicense, KnownServer, NoLicense, PresentedRefusal, accept_license
from tests.support.command_line import calward
from tests.support.running_server import serving

pytestmark = pytest.mark.xdist_group("agent_client")
NOW = datetime.now(UTC)
DEVICE = "0a1b" * 10


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("agents")
    with serving(folder, "--data-dir", str(folder / "ls")) as found:
        yield found


@pytest.fixture(scope="module")
def joined(server):
    """What the host has after its enrollment, and its client."""
    ran = calward(
        "host", "enroll", "SH1", "--version", "2016", "--mode", "per-device", "--json", CALWARD_SERVER=server.socket
    )
    address = Address.parse(server.url)
    enrolled = LicenseServerClient(address).enroll(ran.json["code"], seconds=10)
    return enrolled, LicenseServerClient(address, enrolled.token)


def test_an_enrolled_host_knows_whose_licenses_to_believe(server, joined):
    enrolled, client = joined
    heard = client.heartbeat(HeartbeatReport("1.0"), seconds=10, now=NOW)
    assert (heard.license_keys, heard.server_id) == (enrolled.license_keys, enrolled.server_id)
    assert (heard.policy.version, heard.policy.mode, heard.policy.grace_days) == ("2016", "per-device", 120)
    assert (heard.policy.heard_at, heard.revoked) == (NOW, frozenset())


def test_live_sessions_are_shown_to_administrators(server, joined):
    session = LiveSession(":10", "alice", NOW - timedelta(hours=1), "L1", DEVICE)
    joined[1].heartbeat(HeartbeatReport("1.2.3", (session,)), seconds=10, now=NOW)
    ran = calward("host", "show", "SH1", CALWARD_SERVER=server.socket)
    assert "1.2.3" in ran.out
    assert ":10" in ran.out
    assert "alice" in ran.out
    assert json.loads(calward("host", "show", "SH1", "--json", CALWARD_SERVER=server.socket).out)["live_sessions"] == 1


def test_a_license_that_was_given_is_accepted_offline_for_its_device_alone(joined):
    enrolled, client = joined
    heard = client.request_for_device("PC1", DEVICE, "r-offline", full_only=False, seconds=10)
    again = client.request_for_device("PC1", DEVICE, "r-offline", full_only=False, seconds=10)
    assert heard.signed
    assert heard.signed == again.signed
    known = KnownServer(client.name, enrolled.server_id, frozenset(enrolled.license_keys))
    found = accept_license(heard.signed, servers=[known], device_id=DEVICE, now=NOW, verify=verify)
    assert isinstance(found, IssuedLicense)
    assert found.held(client.name) == heard.license
    other = accept_license(heard.signed, servers=[known], device_id="ff", now=NOW, verify=verify)
    assert isinstance(other, NoLicense)
    assert other.reason is PresentedRefusal.OTHER_DEVICE


def test_a_hosts_key_is_certified(joined):
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    chain = joined[1].certificate(public, seconds=10)
    root, leaf = [x509.load_der_x509_certificate(one) for one in chain.chain]
    leaf.verify_directly_issued_by(root)
    assert leaf.public_key() == key.public_key()
    assert leaf.not_valid_after_utc == chain.expires_at


def test_what_is_no_key_is_said(joined):
    with pytest.raises(LicensingError, match="RSA key of 2048 bits") as refused:
        joined[1].certificate(b"key", seconds=10)
    assert refused.value.problem is Problem.MALFORMED
