"""Which addresses lead to the machine itself? What is said to them needs no TLS; all programs agree on it."""

from ipaddress import IPv6Address, ip_address

__all__ = ["is_loopback"]


def is_loopback(host: str) -> bool:
    """Whether a host can be reached from this machine only: all of 127.0.0.0/8 and ::1; no name but localhost ever counts."""
    try:
        found = ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    inner = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (inner or found).is_loopback
