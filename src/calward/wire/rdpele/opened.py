"""What does a licensing exchange say, message by message, as far as its secrets are known?

For people and scripts that look at a capture: fields are plain JSON values, bytes in hex. What cannot be decrypted is said so.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, TypeAlias

from calward.wire.errors import ProtocolError
from calward.wire.rdpele.certificates import CertificateChain, decode_certificate
from calward.wire.rdpele.challenge_response import ChallengeResponse
from calward.wire.rdpele.legacy_crypto import PREMASTER_SIZE, SessionKeys, derive_keys, mac, rc4
from calward.wire.rdpele.license_error import ErrorCode, LicenseError, StateTransition
from calward.wire.rdpele.license_info import LicenseInfo
from calward.wire.rdpele.license_request import LicenseRequest
from calward.wire.rdpele.new_license import NewLicense, NewLicenseInfo
from calward.wire.rdpele.new_license_request import NewLicenseRequest
from calward.wire.rdpele.platform_challenge import PlatformChallenge
from calward.wire.rdpele.preamble import MessageType, unframe

__all__ = ["CLOSED", "NOISE", "Exchange", "Fields"]

Fields: TypeAlias = dict[str, Any]
CLOSED: Final = "encrypted: its secrets are not known"
NOISE: Final = "the MAC does not hold: the secrets belong to another exchange, or the message was changed"


@dataclass(slots=True)
class Exchange:
    """What is known of one exchange: given beforehand, or read from its messages on the way."""

    server_random: bytes | None = None
    client_random: bytes | None = None
    premaster: bytes | None = field(default=None, repr=False)
    over: bool = False
    """Licensing has ended well: what follows under TLS has no security header."""

    def read(self, pdu: bytes) -> tuple[str, Fields]:
        """The name of a message (its preamble included) and its fields; RemoteProtocolError where it is malformed."""
        preamble, body = unframe(pdu)
        fields = {"flags": preamble.flags, **_READERS[preamble.type](self, body)}
        accepted = fields.get("error_code") == ErrorCode.VALID_CLIENT.name
        self.over = self.over or accepted or preamble.type in _LICENSES
        return preamble.type.name.lower(), fields

    def _keys(self) -> SessionKeys | None:
        if self.server_random is None or self.client_random is None or self.premaster is None:
            return None
        return derive_keys(self.premaster, self.client_random, self.server_random)

    def _request(self, body: bytes) -> Fields:
        message = LicenseRequest.decode(body)
        self.server_random = message.server_random
        return {
            "server_random": message.server_random.hex(),
            "product_version": f"{message.product.version >> 16}.{message.product.version & 0xFFFF}",
            "company": message.product.company,
            "product": message.product.product,
            "certificate": _certificate(message.certificate),
            "scopes": list(message.scopes),
        }

    def _new_request(self, body: bytes) -> Fields:
        message = NewLicenseRequest.decode(body)
        secret = self._client(message.client_random, message.encrypted_premaster)
        names = {"user_name": message.user_name, "machine_name": message.machine_name}
        return {
            "platform_id": f"{message.platform_id:08x}",
            "client_random": message.client_random.hex(),
            **secret,
            **names,
        }

    def _info(self, body: bytes) -> Fields:
        message = LicenseInfo.decode(body)
        secret = self._client(message.client_random, message.encrypted_premaster)
        found = {"platform_id": f"{message.platform_id:08x}", "client_random": message.client_random.hex(), **secret}
        keys = self._keys()
        opened = rc4(keys.licensing_key, message.encrypted_hardware_id) if keys else None
        return {
            **found,
            "license_bytes": len(message.license),
            "hardware_id": opened.hex() if opened is not None else CLOSED,
            **_mac(keys, opened, message.mac),
        }

    def _challenge(self, body: bytes) -> Fields:
        message, keys = PlatformChallenge.decode(body), self._keys()
        opened = rc4(keys.licensing_key, message.encrypted_challenge) if keys else None
        return {"challenge": opened.hex() if opened is not None else CLOSED, **_mac(keys, opened, message.mac)}

    def _response(self, body: bytes) -> Fields:
        message, keys = ChallengeResponse.decode(body), self._keys()
        if keys is None:
            return {"response": CLOSED, "hardware_id": CLOSED, "mac_valid": None}
        response = rc4(keys.licensing_key, message.encrypted_response)
        hardware_id = rc4(keys.licensing_key, message.encrypted_hardware_id)
        return {
            "response": response.hex(),
            "hardware_id": hardware_id.hex(),
            **_mac(keys, response + hardware_id, message.mac),
        }

    def _license(self, body: bytes) -> Fields:
        message, keys = NewLicense.decode(body), self._keys()
        if keys is None:
            return {"license": CLOSED, "encrypted_bytes": len(message.encrypted_info), "mac_valid": None}
        plain = rc4(keys.licensing_key, message.encrypted_info)
        valid = _mac(keys, plain, message.mac)
        if not valid["mac_valid"]:  # With wrong secrets it is noise.
            return {"license": "not opened", "encrypted_bytes": len(plain), **valid}
        info = NewLicenseInfo.decode(plain)
        return {
            "product_version": f"{info.version >> 16}.{info.version & 0xFFFF}",
            "scope": info.scope,
            "company": info.company,
            "product": info.product,
            "license_bytes": len(info.license),
            **valid,
        }

    def _error(self, body: bytes) -> Fields:
        message = LicenseError.decode(body)
        return {
            "error_code": _named(ErrorCode, message.code),
            "state_transition": _named(StateTransition, message.transition),
        }

    def _client(self, random: bytes, blob: bytes) -> Fields:
        """Note what a client's first message tells; a secret of zeros needs no key to be known: 0 to any power is 0."""
        self.client_random = random
        if blob and not any(blob):
            self.premaster = bytes(PREMASTER_SIZE)
        return {"encrypted_premaster_bytes": len(blob), "null_premaster": not any(blob)}


_READERS: Final[dict[MessageType, Callable[[Exchange, bytes], Fields]]] = {
    MessageType.LICENSE_REQUEST: Exchange._request,  # noqa: SLF001 - its own methods.
    MessageType.NEW_LICENSE_REQUEST: Exchange._new_request,  # noqa: SLF001
    MessageType.LICENSE_INFO: Exchange._info,  # noqa: SLF001
    MessageType.PLATFORM_CHALLENGE: Exchange._challenge,  # noqa: SLF001
    MessageType.PLATFORM_CHALLENGE_RESPONSE: Exchange._response,  # noqa: SLF001
    MessageType.NEW_LICENSE: Exchange._license,  # noqa: SLF001
    MessageType.UPGRADE_LICENSE: Exchange._license,  # noqa: SLF001
    MessageType.ERROR_ALERT: Exchange._error,  # noqa: SLF001
}
_LICENSES: Final = frozenset({MessageType.NEW_LICENSE, MessageType.UPGRADE_LICENSE})


def _mac(keys: SessionKeys | None, data: bytes | None, found: bytes) -> Fields:
    """Whether the MAC holds; null where it cannot be known. Where it does not, what was opened is noise, and said so."""
    if keys is None or data is None:
        return {"mac_valid": None}
    if hmac.compare_digest(mac(keys, data), found):
        return {"mac_valid": True}
    return {"mac_valid": False, "note": NOISE}


def _certificate(blob: bytes) -> Fields:
    if not blob:
        return {"form": "none"}
    try:
        certificate = decode_certificate(blob)
    except ProtocolError as error:
        return {"form": "unreadable", "detail": str(error)}
    if isinstance(certificate, CertificateChain):
        return {"form": "x509-chain", "certificates": [len(one) for one in certificate.certificates]}
    return {"form": "proprietary", "key_bits": certificate.modulus.bit_length()}


def _named(numbers: type[IntEnum], value: int) -> str | int:
    return numbers(value).name if value in {one.value for one in numbers} else value
