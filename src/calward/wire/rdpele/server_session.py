"""How does a session host lead one client through licensing? Bytes in, bytes and questions out; the table is TRANSITIONS.

Real clients deviate, and are let in: null keys and a bare challenge (rdesktop), stray zero bytes before the answer
(IronRDP), licenses of other issuers, texts without an end, premaster secrets of any length, any blob type. What a client
says of itself is not proven by any of this; the challenge proves only that it can decrypt.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdpele.challenge_response import ChallengeResponse
from calward.wire.rdpele.hardware_id import SIZE as HARDWARE_ID_SIZE
from calward.wire.rdpele.legacy_crypto import PREMASTER_SIZE, RANDOM_SIZE, SessionKeys, derive_keys, mac, rc4
from calward.wire.rdpele.license_error import VALID_CLIENT, ErrorCode, LicenseError, StateTransition
from calward.wire.rdpele.license_info import LicenseInfo
from calward.wire.rdpele.license_request import LicenseRequest
from calward.wire.rdpele.licensing_states import TRANSITIONS, Event, State
from calward.wire.rdpele.new_license import NewLicense, NewLicenseInfo
from calward.wire.rdpele.new_license_request import NewLicenseRequest
from calward.wire.rdpele.platform_challenge import CHALLENGE_SIZE, PlatformChallenge
from calward.wire.rdpele.preamble import MessageType, frame, unframe
from calward.wire.rdpele.product_info import ProductInfo

__all__ = [
    "TRANSITIONS",
    "Challenged",
    "Client",
    "Ended",
    "Event",
    "Offer",
    "Presented",
    "Proven",
    "ServerSession",
    "State",
]

_NAME: Final = "licensing session"
_MAX_ANSWER: Final = 256
"""Bytes of a decrypted challenge answer; 18 are usual, 26 the most ever seen."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What the server says of itself, constant for one session host."""

    product: ProductInfo
    certificate: bytes = field(repr=False)
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Client:
    """What a client said of itself; nothing of it is proven."""

    platform_id: int
    hardware_id: bytes | None
    """20 bytes, or None as long as the client has not sent it."""
    user_name: str
    machine_name: str
    """Empty where the client presented a license: that message names nobody."""
    license: bytes | None = field(repr=False)
    """What it presented, opaque."""
    null_keys: bool
    """The premaster secret is all zero: whoever listens can read everything."""


@dataclass(frozen=True, slots=True)
class Challenged:
    """A client without a license came: send the challenge and go on."""

    send: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Presented:
    """A stored license came, hardware id and MAC hold: call accept, challenge or refuse."""

    client: Client


@dataclass(frozen=True, slots=True)
class Proven:
    """The challenge is answered: call grant, accept or refuse."""

    client: Client


@dataclass(frozen=True, slots=True)
class Ended:
    """Licensing is aborted, by us or by the client: send what there is to send, then end the connection."""

    send: bytes | None = field(repr=False)
    why: str


Step = Challenged | Presented | Proven | Ended


class _Refused(Exception):  # noqa: N818 - a way out of nested steps, caught in receive.
    """The client's message ends the session with ``args[0]``, an ErrorCode; ``args[1]`` says why."""


class ServerSession:
    """One client's licensing.

    A client's mistakes give Ended; only a message after the end raises RemoteProtocolError. Calls out of turn raise
    LocalProtocolError and change nothing.

    Args:
        offer: what the server says of itself.
        server_random: 32 fresh random bytes.
        challenge: 10 fresh random bytes, no more and no fewer: at another length rdesktop crashes.
        decrypt_premaster: the raw RSA operation of the certificate's key: little-endian blob in, 48 bytes out. It may
            raise RemoteProtocolError or ValueError for what the key cannot decrypt. A blob of zeros never reaches it.

    """

    def __init__(
        self,
        offer: Offer,
        *,
        server_random: bytes,
        challenge: bytes,
        decrypt_premaster: Callable[[bytes], bytes],
    ) -> None:
        _check_size("ServerRandom", server_random, RANDOM_SIZE)
        _check_size("PlatformChallenge", challenge, CHALLENGE_SIZE)
        self._offer = offer
        self._server_random = server_random
        self._challenge = challenge
        self._decrypt_premaster = decrypt_premaster
        self._state = State.BEGIN
        self._keys: SessionKeys | None = None
        self._client: Client | None = None

    @property
    def state(self) -> State:
        """Where the session stands."""
        return self._state

    def start(self) -> bytes:
        """Give the SERVER_LICENSE_REQUEST, preamble included, security header not."""
        offer = self._offer
        request = LicenseRequest(self._server_random, offer.product, offer.certificate, offer.scopes)
        return self._sent(Event.REQUEST_SENT, frame(MessageType.LICENSE_REQUEST, request.encode()))

    def receive(self, pdu: bytes) -> Step:
        """Take one message of the client, preamble included; RemoteProtocolError if licensing is over already."""
        if not TRANSITIONS[self._state]:
            raise RemoteProtocolError("a licensing message after the end of licensing", structure=_NAME)
        try:
            preamble, body = unframe(pdu)
            return self._steps().get(preamble.type, self._unknown)(body)
        except _Refused as refused:
            code, why = refused.args
            return Ended(self.refuse(code), why)
        except RemoteProtocolError as error:
            return Ended(self.refuse(ErrorCode.INVALID_CLIENT), str(error))

    def challenge(self) -> bytes:
        """Give the SERVER_PLATFORM_CHALLENGE, for a client whose license is to be renewed, upgraded or replaced."""
        self._allow(Event.CHALLENGE_SENT)
        return self._sent(Event.CHALLENGE_SENT, self._challenge_message())

    def grant(self, license: bytes) -> bytes:  # noqa: A002 - the specification's word.
        """Give the message that carries a license: a new one, or an upgrade where the client presented one."""
        self._allow(Event.LICENSE_SENT)
        offer = self._offer
        # More than one scope can be offered; the first is the one our own licenses are filed under.
        scope = offer.scopes[0] if offer.scopes else ""
        product = offer.product
        info = NewLicenseInfo(product.version, scope, product.company, product.product, license).encode()
        keys = self._held_keys()
        presented = self._client is not None and self._client.license is not None
        kind = MessageType.UPGRADE_LICENSE if presented else MessageType.NEW_LICENSE
        body = NewLicense(rc4(keys.licensing_key, info), mac(keys, info)).encode()
        return self._sent(Event.LICENSE_SENT, frame(kind, body))

    def accept(self) -> bytes:
        """Give STATUS_VALID_CLIENT: the client goes on, and keeps what it has."""
        return self._sent(Event.VALID_CLIENT_SENT, frame(MessageType.ERROR_ALERT, VALID_CLIENT.encode()))

    def refuse(self, code: ErrorCode) -> bytes:
        """Give an error with ST_TOTAL_ABORT."""
        error = LicenseError(code, StateTransition.TOTAL_ABORT)
        return self._sent(Event.ABORT_SENT, frame(MessageType.ERROR_ALERT, error.encode()))

    def _steps(self) -> dict[MessageType, Callable[[bytes], Step]]:
        return {
            MessageType.NEW_LICENSE_REQUEST: self._new_request,
            MessageType.LICENSE_INFO: self._license_info,
            MessageType.PLATFORM_CHALLENGE_RESPONSE: self._response,
            MessageType.ERROR_ALERT: self._error_alert,
        }

    # --- what clients send; each step first looks whether it is in turn ----------------------------------------------

    def _new_request(self, body: bytes) -> Step:
        self._in_turn(Event.NEW_REQUEST_RECEIVED)
        request = NewLicenseRequest.decode(body)
        null_keys = self._derive(request.client_random, request.encrypted_premaster)
        self._client = Client(
            request.platform_id, None, request.user_name, request.machine_name, license=None, null_keys=null_keys
        )
        return Challenged(self._sent(Event.NEW_REQUEST_RECEIVED, self._challenge_message()))

    def _license_info(self, body: bytes) -> Step:
        self._in_turn(Event.LICENSE_RECEIVED)
        info = LicenseInfo.decode(body)
        null_keys = self._derive(info.client_random, info.encrypted_premaster)
        hardware_id = self._open_hardware_id(b"", info.encrypted_hardware_id, info.mac)
        self._client = Client(info.platform_id, hardware_id, "", "", license=info.license, null_keys=null_keys)
        self._move(Event.LICENSE_RECEIVED)
        return Presented(self._client)

    def _response(self, body: bytes) -> Step:
        self._in_turn(Event.RESPONSE_RECEIVED)
        message = ChallengeResponse.decode(body)
        if len(message.encrypted_response) > _MAX_ANSWER:
            raise _invalid_mac()
        answer = rc4(self._held_keys().licensing_key, message.encrypted_response)
        hardware_id = self._open_hardware_id(answer, message.encrypted_hardware_id, message.mac)
        # The end alone counts: before it stands the header, nothing (rdesktop), or 8 zeros and the header (IronRDP).
        if not hmac.compare_digest(answer[-CHALLENGE_SIZE:], self._challenge):
            raise _invalid_mac()
        return Proven(self._proven(hardware_id))

    def _error_alert(self, body: bytes) -> Step:
        error = LicenseError.decode(body)
        self._move(Event.ABORT_RECEIVED)
        return Ended(None, f"the client ended licensing: {_words(error.code)}, {_words(error.transition)}")

    def _unknown(self, _body: bytes) -> Step:
        raise _Refused(ErrorCode.INVALID_CLIENT, "the client sent a message that only servers send")

    # --- keys and state ----------------------------------------------------------------------------------------------

    def _derive(self, client_random: bytes, encrypted_premaster: bytes) -> bool:
        """Make the keys of the session; True if the premaster secret is null."""
        null_keys = not any(encrypted_premaster)  # 0 ** d = 0, whatever the key.
        premaster = bytes(PREMASTER_SIZE) if null_keys else self._decrypted(encrypted_premaster)
        self._keys = derive_keys(premaster, client_random, self._server_random)
        return null_keys

    def _decrypted(self, encrypted_premaster: bytes) -> bytes:
        try:
            return self._decrypt_premaster(encrypted_premaster)
        except (RemoteProtocolError, ValueError):
            raise _invalid_mac() from None

    def _open_hardware_id(self, before: bytes, encrypted: bytes, expected_mac: bytes) -> bytes:
        """Decrypt the hardware id and hold the MAC against it and the plaintext before it."""
        keys = self._held_keys()
        if len(encrypted) != HARDWARE_ID_SIZE:
            raise _invalid_mac()
        hardware_id = rc4(keys.licensing_key, encrypted)
        if not hmac.compare_digest(mac(keys, before + hardware_id), expected_mac):
            raise _invalid_mac()
        return hardware_id

    def _challenge_message(self) -> bytes:
        keys = self._held_keys()
        challenge = PlatformChallenge(rc4(keys.licensing_key, self._challenge), mac(keys, self._challenge))
        return frame(MessageType.PLATFORM_CHALLENGE, challenge.encode())

    def _proven(self, hardware_id: bytes) -> Client:
        """Add the hardware id to what the client said before; the table has led us through one of both requests."""
        said = self._client
        assert said is not None  # noqa: S101 - proven by TRANSITIONS.
        self._client = Client(
            said.platform_id,
            hardware_id,
            said.user_name,
            said.machine_name,
            license=said.license,
            null_keys=said.null_keys,
        )
        self._move(Event.RESPONSE_RECEIVED)
        return self._client

    def _held_keys(self) -> SessionKeys:
        assert self._keys is not None  # noqa: S101 - proven by TRANSITIONS: no step needs keys before a request brought them.
        return self._keys

    def _in_turn(self, event: Event) -> None:
        if event not in TRANSITIONS[self._state]:
            raise _Refused(ErrorCode.INVALID_CLIENT, f"out of turn ({self._state.name}): {event.value}")

    def _allow(self, event: Event) -> None:
        if event not in TRANSITIONS[self._state]:
            raise LocalProtocolError(f"out of turn ({self._state.name}): {event.value}", structure=_NAME)

    def _sent(self, event: Event, pdu: bytes) -> bytes:
        self._move(event)
        return pdu

    def _move(self, event: Event) -> None:
        self._allow(event)
        self._state = TRANSITIONS[self._state][event]


def _invalid_mac() -> _Refused:
    """One answer for all that fails behind the keys: which of it failed is nobody's business."""
    return _Refused(ErrorCode.INVALID_MAC, "what the client encrypted does not hold")


def _words(number: int) -> str:
    return number.name if isinstance(number, ErrorCode | StateTransition) else str(number)


def _check_size(name: str, value: bytes, size: int) -> None:
    if len(value) != size:
        raise LocalProtocolError(f"has {len(value)} bytes, needs {size}", structure=_NAME, field=name)
