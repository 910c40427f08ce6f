"""Give a session host a certificate of its RSA key for the licensing protocol, under this license server's wire authority."""

from typing import NamedTuple, Protocol

__all__ = ["Certified", "WireAuthority"]


class Certified(NamedTuple):
    """Certificates in DER, the authority's root first and the host's last; ``expires_at`` (seconds since 1970) is the host's."""

    chain: tuple[bytes, ...]
    expires_at: int


class WireAuthority(Protocol):
    """Vouches for hosts' keys on the wire and for nothing else: no client checks it, and nothing of value rests on it."""

    def certify(self, public_key: bytes, host: str, now: int) -> Certified:
        """Sign a certificate; ``public_key`` is a SubjectPublicKeyInfo in DER.

        Raises: LicensingError(MALFORMED): it is not an RSA key of 2048 bits with the exponent 65537.
        """
