"""How does a room become a machine of its own? The first process in its namespaces; ends with its standard input.

Everything that could be in another's way gets a copy: ``/etc`` (users, PAM services), ``/run`` (xrdp's fixed paths) and
the network. When this process ends, the kernel ends every process of the room.
"""

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def private_folders() -> None:
    """Give the room an empty ``/run`` and its own ``/etc``."""
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    subprocess.run(["cp", "-a", "/etc", "/run/etc"], check=True)
    mount("--bind", "/run/etc", "/etc")
    Path("/run/home").mkdir(mode=0o755)


def loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh22x", b"lo", 0)
        name, flags = struct.unpack("16sh22x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", name, flags | IFF_UP))


def collect_orphans(*_: object) -> None:
    """Sessions outlive the programs that started them; the first process of a PID namespace collects them."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    private_folders()
    loopback_up()
    signal.signal(signal.SIGCHLD, collect_orphans)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
