"""How does a client go through licensing? The mirror of server_session, for tests and for probing a session host.

Behaves as FreeRDP does unless told to deviate as rdesktop or IronRDP do. Randomness comes as arguments.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdpele.challenge_response import ChallengeResponse, ResponseData
from calward.wire.rdpele.hardware_id import SIZE as HARDWARE_ID_SIZE
from calward.wire.rdpele.legacy_crypto import PREMASTER_SIZE, RANDOM_SIZE, SessionKeys, derive_keys, mac, rc4
from calward.wire.rdpele.license_error import ErrorCode, LicenseError, StateTransition
from calward.wire.rdpele.license_info import LicenseInfo
from calward.wire.rdpele.license_request import LicenseRequest
from calward.wire.rdpele.new_license import NewLicense, NewLicenseInfo
from calward.wire.rdpele.new_license_request import NewLicenseRequest
from calward.wire.rdpele.platform_challenge import PlatformChallenge
from calward.wire.rdpele.preamble import MessageType, frame, unframe

__all__ = [
    "Accepted",
    "Answered",
    "ClientSession",
    "ClientState",
    "Deviations",
    "Licensed",
    "Refused",
    "encrypt_premaster",
]

_NAME: Final = "client's licensing session"
_MODULUS_PADDING: Final = 8
_RDESKTOP_BLOB: Final = 72


class ClientState(Enum):
    """Where the client stands."""

    AWAIT = "nothing has come yet"
    REQUESTED = "the license request is answered"
    ANSWERED = "the challenge is answered"
    ENDED = "licensing is over"


@dataclass(frozen=True, slots=True)
class Deviations:
    """What real clients do differently."""

    null_keys: bool = False
    """Client random and premaster secret are zero, "encrypted" in 72 zero bytes (rdesktop)."""
    bare_challenge: bool = False
    """The answer is the challenge without its header, in blobs of type 1 (rdesktop)."""
    stray_zeros: int = 0
    """So many zero bytes stand before the answer (IronRDP: 8)."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Send this and wait for more."""

    send: bytes = field(repr=False)
    request: LicenseRequest | None = None
    """What the server said of itself, where this answers it."""


@dataclass(frozen=True, slots=True)
class Licensed:
    """A license came; keep it."""

    info: NewLicenseInfo
    upgrade: bool


@dataclass(frozen=True, slots=True)
class Accepted:
    """STATUS_VALID_CLIENT: go on, with nothing new to keep."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The server refused: numbers as in LicenseError."""

    code: int
    transition: int


Step = Answered | Licensed | Accepted | Refused


def encrypt_premaster(premaster: bytes, modulus: int, exponent: int) -> bytes:
    """Encrypt as clients do: textbook RSA, little-endian, in 8 bytes more than the modulus ([MS-RDPELE] 5.1.2.1)."""
    size = (modulus.bit_length() + 7) // 8 + _MODULUS_PADDING
    number = int.from_bytes(premaster, "little")
    if number >= modulus:
        raise LocalProtocolError("the key is too small", structure=_NAME, field="EncryptedPreMasterSecret")
    return pow(number, exponent, modulus).to_bytes(size, "little")


class ClientSession:
    """One licensing phase, from the client's side.

    Args:
        client_random: 32 bytes.
        premaster: 48 bytes.
        encrypt: the premaster secret and the server's certificate blob in, the encrypted blob out; RemoteProtocolError
            if the certificate holds no key.
        hardware_id: 20 bytes.
        license: what the client keeps from an earlier visit; None if nothing.

    """

    def __init__(  # noqa: PLR0913 - one keyword per thing a client says of itself.
        self,
        *,
        client_random: bytes,
        premaster: bytes,
        encrypt: Callable[[bytes, bytes], bytes],
        hardware_id: bytes,
        platform_id: int = 0x04010000,
        user_name: str = "",
        machine_name: str = "",
        license: bytes | None = None,  # noqa: A002 - the specification's word.
        deviations: Deviations = Deviations(),
    ) -> None:
        null = deviations.null_keys
        self._client_random = bytes(RANDOM_SIZE) if null else client_random
        self._premaster = bytes(PREMASTER_SIZE) if null else premaster
        self._encrypt = (lambda _premaster, _certificate: bytes(_RDESKTOP_BLOB)) if null else encrypt
        _check_size(hardware_id)
        self._hardware_id = hardware_id
        self._platform_id = platform_id
        self._names = user_name, machine_name
        self._license = license
        self._deviations = deviations
        self._keys: SessionKeys | None = None
        self._state = ClientState.AWAIT

    @property
    def state(self) -> ClientState:
        """Where the session stands."""
        return self._state

    def receive(self, pdu: bytes) -> Step:
        """Take one message of the server, preamble included.

        Raises:
            RemoteProtocolError: it is malformed, out of turn, or its MAC does not hold.

        """
        preamble, body = unframe(pdu)
        kind = preamble.type
        if kind is MessageType.ERROR_ALERT and self._state is not ClientState.ENDED:
            return self._error(body)
        if kind is MessageType.LICENSE_REQUEST and self._state is ClientState.AWAIT:
            return self._request(body)
        if kind is MessageType.PLATFORM_CHALLENGE and self._state is ClientState.REQUESTED:
            return self._challenge(body)
        # As FreeRDP 3, which takes no license before it has answered a challenge.
        if kind in (MessageType.NEW_LICENSE, MessageType.UPGRADE_LICENSE) and self._state is ClientState.ANSWERED:
            return self._licensed(body, upgrade=kind is MessageType.UPGRADE_LICENSE)
        raise RemoteProtocolError(f"{kind.name} is out of turn ({self._state.name})", structure=_NAME)

    def abort(self, code: ErrorCode = ErrorCode.NO_LICENSE) -> bytes:
        """Give the message by which a client ends licensing."""
        self._state = ClientState.ENDED
        return frame(MessageType.ERROR_ALERT, LicenseError(code, StateTransition.TOTAL_ABORT).encode())

    def _request(self, body: bytes) -> Answered:
        request = LicenseRequest.decode(body)
        blob = self._encrypt(self._premaster, request.certificate)
        keys = self._keys = derive_keys(self._premaster, self._client_random, request.server_random)
        self._state = ClientState.REQUESTED
        if self._license is None:
            asked = NewLicenseRequest(self._platform_id, self._client_random, blob, *self._names)
            return Answered(frame(MessageType.NEW_LICENSE_REQUEST, asked.encode()), request)
        shown = LicenseInfo(
            self._platform_id,
            self._client_random,
            blob,
            self._license,
            rc4(keys.licensing_key, self._hardware_id),
            mac(keys, self._hardware_id),
        )
        return Answered(frame(MessageType.LICENSE_INFO, shown.encode()), request)

    def _challenge(self, body: bytes) -> Answered:
        message = PlatformChallenge.decode(body)
        keys = self._held_keys()
        challenge = _open(keys, message.encrypted_challenge, message.mac)
        deviations = self._deviations
        answer = challenge if deviations.bare_challenge else ResponseData(challenge).encode()
        answer = bytes(deviations.stray_zeros) + answer
        response = ChallengeResponse(
            rc4(keys.licensing_key, answer),
            rc4(keys.licensing_key, self._hardware_id),
            mac(keys, answer + self._hardware_id),
            (1, 1) if deviations.bare_challenge else (9, 9),
        )
        self._state = ClientState.ANSWERED
        return Answered(frame(MessageType.PLATFORM_CHALLENGE_RESPONSE, response.encode()))

    def _licensed(self, body: bytes, *, upgrade: bool) -> Licensed:
        message = NewLicense.decode(body)
        info = NewLicenseInfo.decode(_open(self._held_keys(), message.encrypted_info, message.mac))
        self._state = ClientState.ENDED
        return Licensed(info, upgrade)

    def _error(self, body: bytes) -> Accepted | Refused:
        error = LicenseError.decode(body)
        self._state = ClientState.ENDED
        if error.code == ErrorCode.VALID_CLIENT and error.transition == StateTransition.NO_TRANSITION:
            return Accepted()
        return Refused(error.code, error.transition)

    def _held_keys(self) -> SessionKeys:
        assert self._keys is not None  # noqa: S101 - no state that needs keys is reached without them.
        return self._keys


def _open(keys: SessionKeys, encrypted: bytes, expected_mac: bytes) -> bytes:
    plaintext = rc4(keys.licensing_key, encrypted)
    if not hmac.compare_digest(mac(keys, plaintext), expected_mac):
        raise RemoteProtocolError("what the server encrypted does not hold", structure=_NAME, field="MACData")
    return plaintext


def _check_size(hardware_id: bytes) -> None:
    if len(hardware_id) != HARDWARE_ID_SIZE:
        raise LocalProtocolError(f"has {len(hardware_id)} bytes", structure=_NAME, field="HWID")
