"""Where does a client's logon, which passes through unread, end? CredSSP messages, one after another, then a TPKT.

Source: [MS-CSSP] 2.2.1 TSRequest: each is a DER sequence, so its first byte is 0x30; a TPKT begins with 3.
"""

from typing import Final

from calward.wire.errors import RemoteProtocolError

__all__ = ["Logon"]

_SEQUENCE: Final = 0x30
_TPKT: Final = 3
_LONG: Final = 0x80
_MAX_LENGTH_BYTES: Final = 3
_MAX_BYTES: Final = 1 << 20
"""In all messages of one client together; a large Kerberos ticket has 64 KiB."""


class Logon:
    """Counts through the client's messages without keeping more than a header."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._left = 0
        self._seen = 0

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Give what passes, and what comes behind the last message; None while there may be more.

        Raises: RemoteProtocolError: neither such a message nor a TPKT; or too much of it.
        """
        start = 0
        while start < len(data):
            if not self._left and not self._header and data[start] == _TPKT:
                return data[:start], data[start:]
            start += self._step(data, start)
        self._seen += len(data)
        if self._seen > _MAX_BYTES:
            raise _error(f"more than {_MAX_BYTES} bytes")
        return data, None

    def _step(self, data: bytes, start: int) -> int:
        """Pass over bytes of a message, or take one byte of its header; give how many."""
        if self._left:
            taken = min(self._left, len(data) - start)
            self._left -= taken
            return taken
        self._header.append(data[start])
        self._read_header()
        return 1

    def _read_header(self) -> None:
        header = self._header
        if header[0] != _SEQUENCE:
            raise _error(f"0x{header[0]:02x} begins neither a message nor a packet")
        if len(header) == 1:
            return
        more = header[1] & ~_LONG if header[1] & _LONG else 0
        if header[1] == _LONG or more > _MAX_LENGTH_BYTES:
            raise _error("its length has a form that is not used here")
        if len(header) < 2 + more:
            return
        self._left = int.from_bytes(header[2:], "big") if more else header[1]
        header.clear()


def _error(message: str) -> RemoteProtocolError:
    return RemoteProtocolError(message, structure="TSRequest")
