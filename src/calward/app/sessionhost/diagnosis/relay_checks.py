"""Do clients come through the relay where they must, and only there?"""

from typing import Final

from calward.app.sessionhost.diagnosis.facts import CertificateFacts, HostFacts
from calward.app.sessionhost.diagnosis.findings import Check, Finding, Said, Severity
from calward.app.sessionhost.diagnosis.machine_checks import SOON
from calward.domain.cals import CalType
from calward.domain.this_machine import is_loopback
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS"]

_NO_RELAY: Final = NotLooked("there is no relay")
_NOT_LISTED: Final = NotLooked("the listening sockets of this machine cannot be seen")
_RDP: Final = 3389


def _without_relay(facts: HostFacts) -> Said:
    if facts.mode != CalType.PER_DEVICE:
        return NotLooked("this host is not known to be licensed per device")
    if facts.relay is not None:
        return Fine(f"per device, with a relay at {_text(facts.relay.listen)}")
    if facts.admits_without_device:
        effect = "users come in without a license (without_device is admit)"
    else:
        effect = "no user comes in (without_device is refuse)"
    finding = Finding(
        Severity.ERROR,
        "this host is licensed per device and has no relay",
        f"mode {facts.mode}, and {facts.settings} has no [relay]: {effect}",
        "only the relay sees a client's device; the mode was changed on the license server, or the relay not set up yet",
        "add [relay] to the settings and start the agent again, or set the host to per user on the license server",
        f"calward host set {_name(facts)} --mode per-user",
    )
    return found([finding], _NO_RELAY)


def _not_needed(facts: HostFacts) -> Said:
    relay = facts.relay
    if relay is None:
        return _NO_RELAY
    if facts.mode is None or facts.mode == CalType.PER_DEVICE:
        return Fine("licensed per device" if facts.mode else "the mode is not known yet")
    finding = Finding(
        Severity.NOTE,
        "this host has a relay and is licensed per user",
        f"mode {facts.mode}; the relay listens at {_text(relay.listen)}",
        "the mode was changed on the license server, or the relay is there for its encryption",
        "nothing is wrong: the relay passes clients on and asks no device for a license. Where devices were meant, change the mode",
        f"calward host set {_name(facts)} --mode per-device",
    )
    return found([finding], _NO_RELAY)


def _not_listening(facts: HostFacts) -> Said:
    relay = facts.relay
    if relay is None:
        return _NO_RELAY
    if facts.listening is None:
        return _NOT_LISTED
    if _listens(facts.listening, relay.listen[1]):
        return Fine(_text(relay.listen))
    finding = Finding(
        Severity.ERROR,
        "the relay does not listen",
        f"nothing on this machine listens at port {relay.listen[1]}",
        "the agent does not run, or started before [relay] stood in its settings",
        "start the agent again: no client reaches this host",
        "calward agent run",
    )
    return found([finding], _NO_RELAY)


def _program_down(facts: HostFacts) -> Said:
    relay = facts.relay
    if relay is None:
        return _NO_RELAY
    if facts.listening is None:
        return _NOT_LISTED
    if not is_loopback(relay.host[0]):
        return NotLooked(f"the program behind the relay is on another machine, {relay.host[0]}")
    if _listens(facts.listening, relay.host[1]):
        return Fine(_text(relay.host))
    finding = Finding(
        Severity.ERROR,
        "the remote desktop program behind the relay does not listen",
        f"nothing on this machine listens at port {relay.host[1]}, where the relay looks for it ({_text(relay.host)})",
        "it is not started, or listens on another port",
        "start it, or make its port and host in [relay] the same (xrdp: port= in [Globals] of /etc/xrdp/xrdp.ini)",
        "systemctl status xrdp",
    )
    return found([finding], _NO_RELAY)


def _public(facts: HostFacts) -> Said:
    relay = facts.relay
    if relay is None:
        return _NO_RELAY
    if facts.listening is None:
        return _NOT_LISTED
    ports = {relay.host[1], _RDP} - {relay.listen[1]}
    if not ports:
        return NotLooked("relay and program share a port number")
    open_ = [place for place in facts.listening if place[1] in ports and not is_loopback(place[0])]
    finding = Finding(
        Severity.ERROR,
        "clients can go round the relay",
        f"{', '.join(map(_text, open_))} can be reached from other machines; only the relay at {_text(relay.listen)} should",
        "the remote desktop program listens on every address, as it does by itself",
        "let it listen on this machine only (xrdp: port=tcp://127.0.0.1:3390 in [Globals] of /etc/xrdp/xrdp.ini)",
        f"ss -ltnp sport = :{open_[0][1] if open_ else relay.host[1]}",
    )
    return found([finding] if open_ else [], Fine(f"{_listed(ports)} cannot be reached from other machines"))


def _certificate(facts: HostFacts) -> Said:
    if facts.relay is None:
        return _NO_RELAY
    held = facts.relay.certificate
    if held is None:
        return NotLooked("the relay makes its certificate when it first starts")
    return _ends(
        facts, held, "the relay's certificate", "clients warn of it, and some do not connect", _NEW_CERTIFICATE
    )


def _wire(facts: HostFacts) -> Said:
    if facts.relay is None:
        return _NO_RELAY
    held = facts.relay.wire
    if held is None:
        return NotLooked("no license server has given one yet: the relay uses its own")
    effect = "the agent renews it 30 days before its end, and has not"
    return _ends(facts, held, "the certificate for the licensing phase", effect, _NO_HEARTBEAT)


_NEW_CERTIFICATE: Final = (
    "it is not renewed by itself, or was renewed without a new start of the agent",
    "put a new certificate and its key in place, and start the agent again",
)
_NO_HEARTBEAT: Final = (
    "no license server has answered a heartbeat for a month",
    "mend what keeps the agent from its license servers",
)


def _ends(facts: HostFacts, held: CertificateFacts, what: str, effect: str, texts: tuple[str, str]) -> Said:
    if held.ends_at is not None and held.ends_at > facts.now + SOON:
        return Fine(f"{held.path} until {held.ends_at:%Y-%m-%d}")
    over = held.ends_at is None or held.ends_at <= facts.now
    if held.ends_at is None:
        said, evidence = "cannot be used", f"{held.path}: {held.trouble}"
    else:
        said = "has expired" if over else "expires soon"
        evidence = f"{held.path} ends {held.ends_at:%Y-%m-%d %H:%M} UTC"
    severity = Severity.ERROR if over else Severity.WARNING
    finding = Finding(severity, f"{what} {said}", evidence, texts[0], f"{texts[1]}: {effect}")
    return found([finding], _NO_RELAY)


def _name(facts: HostFacts) -> str:
    return facts.told.name if facts.told else "NAME"


def _listens(listening: tuple[tuple[str, int], ...], port: int) -> bool:
    return any(one == port for _, one in listening)


def _text(place: tuple[str, int]) -> str:
    host, port = place
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _listed(ports: set[int]) -> str:
    return f"port{'s' if len(ports) > 1 else ''} {' and '.join(map(str, sorted(ports)))}"


CHECKS: Final = (
    Check("per-device-without-relay", "a host licensed per device has a relay", _without_relay),
    Check("relay-without-per-device", "a relay is there for devices", _not_needed),
    Check("relay-not-listening", "the relay listens", _not_listening),
    Check("host-program-down", "the program behind the relay listens", _program_down),
    Check("host-port-public", "nobody can go round the relay", _public),
    Check("relay-certificate", "the relay's certificate is valid", _certificate),
    Check("wire-certificate", "the licensing phase's certificate is valid", _wire),
)
