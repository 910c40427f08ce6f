"""How does a room become a machine of its own? The first process in its namespaces; ends with its standard input.

Everything that could be in another's way gets a copy: ``/etc`` (users, PAM services), ``/run`` (xrdp's fixed paths), the
system's log and the network. When this process ends, the kernel ends every process of the room.
"""

import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from threading import Thread

SYSTEM_LOG = "/run/system.log"
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def private_folders() -> None:
    """Give the room an empty ``/run`` and its own ``/etc``."""
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    subprocess.run(["cp", "-a", "/etc", "/run/etc"], check=True)
    mount("--bind", "/run/etc", "/etc")
    Path("/run/home").mkdir(mode=0o755)


def private_devices() -> None:
    """Give the room a ``/dev`` with the machine's devices, but with a log socket and terminals of its own."""
    ours = Path("/run/dev")
    (ours / "pts").mkdir(parents=True)
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=666", "devpts", str(ours / "pts"))
    (ours / "ptmx").symlink_to("pts/ptmx")
    for device in Path("/dev").iterdir():
        place = ours / device.name
        if device.name in {"log", "pts", "ptmx"}:
            continue
        if device.is_symlink():
            place.symlink_to(device.readlink())
            continue
        place.mkdir() if device.is_dir() else place.touch()
        mount("--rbind", str(device), str(place))
    mount("--rbind", str(ours), "/dev")


def keep_system_log() -> None:
    """Write down what programs tell the system's log, one line each, as a log daemon does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as messages, Path(SYSTEM_LOG).open("wb", buffering=0) as log:
        messages.bind("/dev/log")
        Path("/dev/log").chmod(0o666)
        ready()
        while True:
            log.write(messages.recv(1 << 16).rstrip(b"\n\0") + b"\n")


def ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


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
    private_devices()
    loopback_up()
    signal.signal(signal.SIGCHLD, collect_orphans)
    Thread(target=keep_system_log, daemon=True).start()
    sys.stdin.read()
