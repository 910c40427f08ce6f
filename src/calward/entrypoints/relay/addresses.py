"""From which address does a connection reach the host, so that it is known again when its user logs on, and with which
others does a client share its own?
"""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network
from typing import Final

__all__ = ["LoopbackAddresses", "crowd_of"]

_NETWORK: Final = IPv4Network("127.64.0.0/10")


class LoopbackAddresses:
    """Counts through four million addresses, from a random one on; none is given to two connections at a time."""

    def __init__(self, start: int) -> None:
        self._next = start
        self._live: set[str] = set()

    @contextmanager
    def one(self) -> Iterator[str]:
        """Give an address for as long as it is used."""
        while (address := self._count()) in self._live:
            pass
        self._live.add(address)
        try:
            yield address
        finally:
            self._live.discard(address)

    def _count(self) -> str:
        self._next = (self._next + 1) % (_NETWORK.num_addresses - 2)
        return str(IPv4Address(int(_NETWORK.network_address) + 1 + self._next))


def crowd_of(peer: str) -> str:
    """Say whom an address belongs to: itself, or in IPv6 its /64, of which one machine may have every address.

    What is no address belongs to itself.
    """
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, IPv4Address):
        return peer
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), 64), strict=False))
