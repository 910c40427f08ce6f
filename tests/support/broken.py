"""How are right bytes made wrong, and what must a decoder say of them?"""

from collections.abc import Callable, Iterator

from calward.wire.errors import RemoteProtocolError


def cuts(data: bytes) -> Iterator[bytes]:
    """Every beginning of some bytes, the whole left out."""
    return (data[:size] for size in range(len(data)))


def is_refused(decode: Callable[[bytes], object], data: bytes) -> bool:
    """Whether a decoder refuses some bytes as the peer's mistake."""
    try:
        decode(data)
    except RemoteProtocolError:
        return True
    return False


def changed(data: bytes, place: int, new: bytes) -> bytes:
    """The same bytes with some others in one place, and as long as before."""
    return data[:place] + new + data[place + len(new) :]
