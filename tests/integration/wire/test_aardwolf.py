"""Does a client of another author take what our licensing server writes, and do we take what it answers?

aardwolf's licensing is strict: exact sizes, no byte left over, the specified types of blobs, every MAC.
"""

import hashlib
import warnings

import pytest

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdpele.hardware_id import HardwareId
from calward.wire.rdpele.license_error import ErrorCode
from calward.wire.rdpele.server_session import Challenged, Proven, ServerSession, State
from tests.support import relayed

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Its own affair.
    licensing = pytest.importorskip(
        "aardwolf.protocol.T128.licensing", reason="aardwolf has no build for this platform"
    )

SERVER_RANDOM, CHALLENGE = bytes(range(32)), b"0123456789"


def a_server():
    return ServerSession(
        relayed.OFFER,
        server_random=SERVER_RANDOM,
        challenge=CHALLENGE,
        decrypt_premaster=relayed.KEY.decrypt_premaster,
    )


def a_client():
    return licensing.RDPLicenseManager("alice", "b\u00fcro-7")


def hears(client, message):
    """What the client makes of a message: whether licensing is over, and its answer."""
    return client.process(licensing.LicensePDU.from_bytes(message))


def proven():
    server, client = a_server(), a_client()
    over, request = hears(client, server.start())
    assert not over
    challenged = server.receive(request)
    assert isinstance(challenged, Challenged)
    _, response = hears(client, challenged.send)
    step = server.receive(response)
    assert isinstance(step, Proven)
    return server, client, step.client


def test_it_reads_our_request_field_by_field():
    request = licensing.ServerLicenseRequest.from_bytes(a_server().start()[4:])
    assert (request.server_random, request.product_version) == (SERVER_RANDOM, relayed.OFFER.product.version)
    assert request.company_name.decode("utf-16-le") == f"{relayed.OFFER.product.company}\0"
    assert request.product_id.decode("utf-16-le") == f"{relayed.OFFER.product.product}\0"
    assert request.server_certificate.data == relayed.OFFER.certificate
    assert [one.data for one in request.scopes] == [f"{scope}\0".encode() for scope in relayed.OFFER.scopes]


def test_what_it_says_of_itself_is_read():
    _, _, said = proven()
    assert (said.user_name, said.machine_name, said.license, said.null_keys) == ("alice", "b\u00fcro-7", None, False)
    name = hashlib.md5("b\u00fcro-7".encode()).digest()
    assert HardwareId.decode(said.hardware_id) == HardwareId(said.platform_id, name)


@pytest.mark.parametrize("size", [0, 1, 600, 20_000])
def test_it_takes_a_license_of_any_size_and_reads_its_names(size):
    server, client, _ = proven()
    license_ = bytes(number % 251 for number in range(size))
    assert hears(client, server.grant(license_)) == (True, None)
    issued = client.issued_license
    assert (issued.license_info, issued.version) == (license_, relayed.OFFER.product.version)
    assert issued.scope == f"{relayed.OFFER.scopes[0]}\0".encode()
    assert issued.company_name.decode("utf-16-le") == f"{relayed.OFFER.product.company}\0"
    assert issued.product_id.decode("utf-16-le") == f"{relayed.OFFER.product.product}\0"
    assert server.state is State.COMPLETED


@pytest.mark.parametrize("stage", ["at once", "after the challenge"])
def test_it_goes_on_when_it_is_accepted(stage):
    server, client = (a_server(), a_client()) if stage == "at once" else proven()[:2]
    assert hears(client, server.accept()) == (True, None)


@pytest.mark.parametrize("code", [ErrorCode.INVALID_CLIENT, ErrorCode.NO_LICENSE_SERVER])
def test_it_reads_why_it_is_refused(code):
    server, client, _ = proven()
    with pytest.raises(licensing.LicensingProtocolError, match=rf"0x{code:08x}\), transition ST_TOTAL_ABORT"):
        hears(client, server.refuse(code))


def test_each_side_sees_a_changed_byte_of_the_other():
    server, client = a_server(), a_client()
    step = server.receive(hears(client, server.start())[1])
    broken = bytearray(step.send)
    broken[12] ^= 1
    with pytest.raises(licensing.LicensingProtocolError, match="MAC mismatch"):
        hears(client, bytes(broken))
    answer = bytearray(hears(client, step.send)[1])
    answer[-1] ^= 1
    assert server.receive(bytes(answer)).why == "what the client encrypted does not hold"
    with pytest.raises(RemoteProtocolError):
        server.receive(bytes(answer))
