"""Through which connection did a user come, where PAM does not say? xrdp 0.9 never sets PAM_RHOST, FreeRDP's shadow does not either.

The program that PAM starts is a child of the one that asks PAM. Where that is xrdp-sesman, its connections on its own port
lead to the xrdp process that serves the user, and that one's other TCP connection is the user's: its peer is the client, or
the relay. FreeRDP's shadow asks within the one process that serves all its clients: it may be any that it has accepted.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final

from calward.app.sessionhost.joins import Callers

__all__ = ["callers", "listens_as"]

_ESTABLISHED: Final = "01"
_LISTENS: Final = "0A"
_SESMAN_PORT: Final = 3350
_PROC: Final = Path("/proc")
_NOBODYS: Final = "0"
"""The inode of a connection that no process holds (any more)."""
_NOWHERE: Final = ""
"""The address of a user who has come by no TCP connection."""


@dataclass(frozen=True, slots=True)
class _Socket:
    inode: str
    state: str
    local: tuple[str, int]
    remote: tuple[str, int]


def callers(pid: int, *, proc: Path = _PROC, port: int = _SESMAN_PORT) -> Callers:
    """Give the IPv4 addresses of those for whom the helper ``pid`` may have been started; none where that is not to be found.

    Needs root: it looks into other users' processes.
    """
    try:
        table = list(_sockets(proc))
        held = _inodes(proc, _parent(proc, pid))
        established = [one for one in table if one.state == _ESTABLISHED]
        served = [one for one in established if one.inode in held and one.local[1] == port]
        if not served:
            return Callers(frozenset(_accepted(table, held)), once=True)
        inner = {
            other.inode
            for one in served
            for other in established
            if (other.local, other.remote) == (one.remote, one.local)
        }
        return Callers(frozenset(_outer(proc, established, inner, port)))
    except (OSError, ValueError, IndexError):
        return Callers()


def listens_as(port: int, *, proc: Path = _PROC) -> str:
    """Name the program that listens at a port, as the kernel has it (15 letters); "" where none does or it is not to be seen."""
    try:
        wanted = {one.inode for one in _sockets(proc) if one.state == _LISTENS and one.local[1] == port}
        pids = _likely_first(proc) if wanted else []
    except (OSError, ValueError, IndexError):
        return ""
    return next((_name(proc, pid).strip() for pid in pids if _inodes(proc, pid) & wanted), "")


def _accepted(table: list[_Socket], held: frozenset[str]) -> Iterator[str]:
    """The clients of a process: also those that are leaving, for it may be asking for one of them."""
    own = [one for one in table if one.inode in held]
    ports = {one.local[1] for one in own if one.state == _LISTENS}
    yield from (one.remote[0] for one in own if one.state != _LISTENS and one.local[1] in ports)


def _outer(proc: Path, table: list[_Socket], inner: set[str], port: int) -> Iterator[str]:
    """Where the other connections of the processes that hold the inner ones come from."""
    missing = set(inner)
    for pid in _likely_first(proc):
        if not missing:
            return  # Thousands of processes may follow, and the user waits.
        held = _inodes(proc, pid)
        if held & inner:
            missing -= held
            found = [one.remote[0] for one in table if one.inode in held - inner and one.remote[1] != port]
            yield from found or [_NOWHERE]
    if missing:
        yield _NOWHERE


def _likely_first(proc: Path) -> list[int]:
    pids = [int(folder.name) for folder in proc.iterdir() if folder.name.isdigit()]
    return sorted(pids, key=lambda pid: not _name(proc, pid).startswith("xrdp"))


def _name(proc: Path, pid: int) -> str:
    try:
        return (proc / str(pid) / "comm").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _sockets(proc: Path) -> Iterator[_Socket]:
    """Both families: xrdp and its sesman talk over ::1 even where their settings say 127.0.0.1."""
    for table in ("tcp", "tcp6"):
        if not (proc / "net" / table).exists():  # A kernel without IPv6.
            continue
        for line in (proc / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[9] == _NOBODYS:  # Thousands may have just ended.
                continue
            yield _Socket(fields[9], fields[3], _address(fields[1]), _address(fields[2]))


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
