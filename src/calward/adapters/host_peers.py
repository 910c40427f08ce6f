"""Through which connection did a user come, where PAM does not say? xrdp 0.9 never sets PAM_RHOST.

The program that PAM starts is a child of xrdp-sesman. Sesman's connections on its own port lead to the xrdp process that serves the
user, and that one's other TCP connection is the user's: its peer is the client, or the relay.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final

__all__ = ["client_address"]

_ESTABLISHED: Final = "01"
_SESMAN_PORT: Final = 3350
_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class _Connection:
    inode: str
    local: tuple[str, int]
    remote: tuple[str, int]


def client_address(pid: int, *, proc: Path = _PROC, port: int = _SESMAN_PORT) -> str | None:
    """Give the client's IPv4 address for the helper ``pid``; None where it is not to be found, or could be more than one.

    Needs root: it looks into other users' processes.
    """
    try:
        table = list(_connections(proc))
        sesman = _inodes(proc, _parent(proc, pid))
        served = [one for one in table if one.inode in sesman and one.local[1] == port]
        inner = {
            other.inode for one in served for other in table if (other.local, other.remote) == (one.remote, one.local)
        }
        found = {one.remote[0] for one in _outer(proc, table, inner, port)}
    except (OSError, ValueError, IndexError):
        return None
    return found.pop() if len(found) == 1 else None


def _outer(proc: Path, table: list[_Connection], inner: set[str], port: int) -> Iterator[_Connection]:
    """The other connections of the processes that hold the inner ones."""
    missing = set(inner)
    for pid in _likely_first(proc):
        if not missing:
            return  # Thousands of processes may follow, and the user waits.
        held = _inodes(proc, pid)
        if held & inner:
            missing -= held
            yield from (one for one in table if one.inode in held - inner and one.remote[1] != port)


def _likely_first(proc: Path) -> list[int]:
    pids = [int(folder.name) for folder in proc.iterdir() if folder.name.isdigit()]
    return sorted(pids, key=lambda pid: not _name(proc, pid).startswith("xrdp"))


def _name(proc: Path, pid: int) -> str:
    try:
        return (proc / str(pid) / "comm").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _connections(proc: Path) -> Iterator[_Connection]:
    """Both families: xrdp and its sesman talk over ::1 even where their settings say 127.0.0.1."""
    for table in ("tcp", "tcp6"):
        if not (proc / "net" / table).exists():  # A kernel without IPv6.
            continue
        for line in (proc / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == _ESTABLISHED:
                yield _Connection(fields[9], _address(fields[1]), _address(fields[2]))


def _address(text: str) -> tuple[str, int]:
    """Read what the kernel writes: 32-bit words of this machine's byte order, in hex, and the port; IPv4 within IPv6 is IPv4."""
    digits, _, port = text.partition(":")
    words = [digits[at : at + 8] for at in range(0, len(digits), 8)]
    packed = b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words)
    address = ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address), int(port, 16)


def _parent(proc: Path, pid: int) -> int:
    return int((proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])


def _inodes(proc: Path, pid: int) -> frozenset[str]:
    """The sockets of a process; none of one that has ended meanwhile."""
    found = set()
    try:
        for entry in (proc / str(pid) / "fd").iterdir():
            target = str(entry.readlink())
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:
        return frozenset(found)
    return frozenset(found)
