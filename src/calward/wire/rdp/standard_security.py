"""How is standard RDP security opened, when both randoms are known? [MS-RDPBCGR] 5.3.5, 5.3.6."""

import hmac

from calward.wire.rdp.security import SecurityFlag, SecurityHeader
from calward.wire.rdpele.legacy_crypto import Rc4Stream, mac8, rdp_security_keys

__all__ = ["StandardSecurity"]


class StandardSecurity:
    """Both directions of one connection; every encrypted packet of a direction has to pass, in order."""

    def __init__(self, client_random: bytes, server_random: bytes, bits: int) -> None:
        """Randoms of 32 bytes; keys of 40, 56 or 128 bits."""
        keys = rdp_security_keys(client_random, server_random, bits=bits)
        self._mac_key = keys.mac_key
        self._streams = {
            True: Rc4Stream(keys.from_server, bits=bits),
            False: Rc4Stream(keys.from_client, bits=bits),
        }

    def open(self, header: SecurityHeader, data: bytes, *, from_server: bool) -> tuple[bytes, bool]:
        """Decrypt what follows an encrypting header; also says whether its MAC holds."""
        stream = self._streams[from_server]
        count = stream.packets if header.flags & SecurityFlag.SECURE_CHECKSUM else None
        plain = stream.packet(data)
        return plain, hmac.compare_digest(mac8(self._mac_key, plain, count=count), header.mac or b"")
