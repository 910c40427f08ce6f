"""How does a program on this host ask the agent? One line of JSON each way over a Unix socket; the standard library only."""

import json
import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

__all__ = ["MAX_LINE", "ask_agent", "peer_of"]

MAX_LINE: Final = 1 << 16
"""Bytes of a question or an answer, its line end included."""
_CREDENTIALS: Final = struct.Struct("3i")


def ask_agent(path: Path, question: Mapping[str, Any], seconds: float) -> dict[str, Any] | None:
    """Ask and wait so long at most; None where nobody listens, whoever listens is neither root nor we, or nothing usable comes."""
    until = time.monotonic() + seconds
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(max(0.01, seconds))
            sock.connect(os.fspath(path))
            if peer_of(sock)[1] not in (0, os.geteuid()):
                return None
            sock.sendall(json.dumps(dict(question)).encode() + b"\n")
            answer = json.loads(_line(sock, until))
    except (OSError, ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def peer_of(sock: socket.socket) -> tuple[int, int]:
    """Give process id and user id at the other end of a Unix socket, as the kernel knows them; raises OSError."""
    found = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(found)
    return pid, uid


def _line(sock: socket.socket, until: float) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0 or len(line) > MAX_LINE:
            raise TimeoutError
        sock.settimeout(left)
        part = sock.recv(MAX_LINE)
        if not part:
            raise ConnectionError
        line += part
    return line
