"""What is there around the agent of a session host: PAM's lines, listening sockets, its memory, its certificates?

Reads what others have written, so nothing of it is taken for granted; none of these raises.
"""

import json
import os
import socket
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from calward.adapters.network.certificates import CERTIFICATE_FILE
from calward.adapters.sessionhost.config import HostConfig
from calward.adapters.sessionhost.pam_service import installed_in
from calward.adapters.sessionhost.peers import listens_as
from calward.adapters.sessionhost.state_format import FormatError, host_part
from calward.app.sessionhost.diagnosis.facts import CertificateFacts, PamLine, RelayFacts, StateFacts
from calward.app.sessionhost.ports import Memory

__all__ = ["listening", "pam_lines", "relay_facts", "state_facts"]

_LISTENS: Final = "0A"
"""TCP_LISTEN in /proc/net/tcp; see proc(5)."""
_LOCAL, _STATE = 1, 3
_OTHERS: Final = 0o077
_SHADOW: Final = "freerdp-shadow"
_SHADOW_SERVICES: Final = ("lightdm", "gdm", "xdm", "login", "sshd")
"""The PAM services that FreeRDP's shadow looks for; it asks the first that there is."""
_UNREADABLE: Final = (OSError, ValueError, KeyError, TypeError, RecursionError)


def pam_lines(folder: Path) -> Iterator[PamLine]:
    """Every line of ours that PAM follows."""
    try:
        services = installed_in(folder)
    except OSError:
        return
    for service in services:
        text = (folder / service).read_text(encoding="utf-8", errors="replace")
        for line in text.splitlines():
            found = _pam_line(service, line)
            if found is not None:
                yield found


def _pam_line(service: str, line: str) -> PamLine | None:
    words = line.split()
    module = next((place for place, word in enumerate(words) if "pam_exec" in word), None)
    if module is None or line.lstrip().startswith("#") or "calward" not in line:
        return None
    program = next((Path(word) for word in words[module + 1 :] if word.startswith("/")), None)
    if program is None:
        return None
    after = words.index("--config") + 1 if "--config" in words else len(words)
    settings = Path(words[after]) if after < len(words) else None
    return PamLine(service, words[0].lstrip("-"), program, program.is_file() and os.access(program, os.X_OK), settings)


def listening(proc: Path = Path("/proc/net")) -> tuple[tuple[str, int], ...] | None:
    """Addresses and ports on which this machine takes TCP connections; None where the kernel does not say."""
    found: set[tuple[str, int]] = set()
    seen = False
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / name).read_text(encoding="ascii").splitlines()[1:]
        except (OSError, UnicodeDecodeError):
            continue
        seen = True
        found |= {_local(words[_LOCAL]) for words in map(str.split, lines) if words[_STATE] == _LISTENS}
    return tuple(sorted(found)) if seen else None


def _local(text: str) -> tuple[str, int]:
    """An address as the kernel prints it: 32-bit words of network order, each in the machine's own order."""
    address, _, port = text.partition(":")
    words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, packed), int(port, 16)


def state_facts(folder: Path, user: str) -> StateFacts:
    """The host's memory as it lies there; takes no lock: files are replaced whole."""
    trouble = _folder_trouble(folder, user)
    if trouble or not folder.is_dir():
        return StateFacts(folder, trouble)
    memory, broken = _memory(folder / "host.json")
    return StateFacts(folder, broken=broken, memory=memory)


def _folder_trouble(folder: Path, user: str) -> str:
    try:
        state = folder.stat()
    except FileNotFoundError:
        above = next((one for one in folder.parents if os.path.lexists(one)), Path("/"))
        return "" if os.access(above, os.W_OK | os.X_OK) else f"it does not exist, and {user} cannot make it in {above}"
    except OSError as error:
        return f"{user} cannot look at it: {error.strerror}"
    if not folder.is_dir():
        return "it is no folder"
    if state.st_uid != os.geteuid():
        return f"it does not belong to {user}"
    if state.st_mode & _OTHERS:
        return "it is open to others"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{user} cannot write to it"
    return "" if os.statvfs(folder).f_bavail else "its disk is full"


def _memory(path: Path) -> tuple[Memory | None, str]:
    try:
        return host_part(json.loads(path.read_bytes())), ""
    except FileNotFoundError:
        return None, ""
    except (FormatError, OSError, ValueError, RecursionError) as error:
        return None, f"{path}: {error}"


def relay_facts(config: HostConfig, pam_folder: Path) -> RelayFacts | None:
    """The relay's addresses and certificates; None: there is no relay."""
    relay = config.relay
    if relay is None:
        return None
    own = config.state_dir / CERTIFICATE_FILE
    certificate = _certificate(relay.certificate or own) if relay.certificate or os.path.lexists(own) else None
    wire = _chain(config.state_dir / "wire-chain.json")
    shadow = _shadow_service(pam_folder) if listens_as(relay.host[1]).startswith(_SHADOW) else None
    return RelayFacts(relay.listen, relay.host, relay.host_security, certificate, wire, shadow)


def _shadow_service(pam_folder: Path) -> str | None:
    return next((name for name in _SHADOW_SERVICES if (pam_folder / name).exists()), None)


def _certificate(path: Path) -> CertificateFacts:
    try:
        found = x509.load_pem_x509_certificate(path.read_bytes())
    except OSError as error:
        return CertificateFacts(path, trouble=f"it cannot be read: {error.strerror}")
    except ValueError:
        return CertificateFacts(path, trouble="it is no certificate in PEM")
    return CertificateFacts(path, found.not_valid_after_utc)


def _chain(path: Path) -> CertificateFacts | None:
    try:
        ends = datetime.fromisoformat(json.loads(path.read_bytes())["expires_at"])
    except FileNotFoundError:
        return None
    except _UNREADABLE as error:
        return CertificateFacts(path, trouble=f"it cannot be read: {error}")
    return CertificateFacts(path, ends if ends.tzinfo else ends.replace(tzinfo=UTC))
