"""Do the agent and PAM ask at all when a user logs on?"""

from typing import Final

from calward.app.sessionhost.diagnosis.facts import HostFacts, PamLine
from calward.app.sessionhost.diagnosis.findings import Check, Finding, Said, Severity
from calward.app.sessionhost.diagnosis.settings_checks import NO_SETTINGS
from calward.domain.cals import CalType
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS"]

_NO_AGENT: Final = NotLooked("no agent answers")
_NOT_INSTALLED: Final = NotLooked("no PAM service asks")
_NLA: Final = "nla"
_RESTART: Final = "restart the agent: it reads its settings when it starts"


def _agent_down(facts: HostFacts) -> Said:
    agent = facts.agent
    if not facts.readable or agent is None:
        return NO_SETTINGS
    if agent.answers:
        return Fine(f"release {agent.release} at {agent.socket}")
    needed = facts.relay is not None or facts.mode == CalType.PER_DEVICE
    finding = Finding(
        Severity.ERROR if needed else Severity.WARNING,
        "the agent does not run",
        f"nobody answers {facts.user} at {agent.socket}" if agent.there else f"there is no {agent.socket}",
        "it was not started, has ended, or runs as another user than the one who asks",
        "start it, and let the machine start it at boot: without it there is no relay, no heartbeat, and PAM's helper decides "
        "by itself",
        "calward agent run",
    )
    return found([finding], _NO_AGENT)


def _agent_outdated(facts: HostFacts) -> Said:
    agent = facts.agent
    if agent is None or not agent.answers:
        return _NO_AGENT
    has, listed = {name for name, _ in agent.servers}, {one.name for one in facts.servers}
    differences = [
        *([f"it runs release {agent.release}, {facts.release} is installed"] if agent.release != facts.release else []),
        *([f"it does not ask {', '.join(sorted(listed - has))}"] if listed - has else []),
        *([f"it still asks {', '.join(sorted(has - listed))}"] if has - listed else []),
    ]
    finding = Finding(
        Severity.WARNING,
        "the agent does not run with what is installed and set here",
        "; ".join(differences),
        "settings, a token or the program were changed after it started",
        _RESTART,
    )
    return found([finding] if differences else [], Fine("it asks the license servers that are listed"))


def _agent_trouble(facts: HostFacts) -> Said:
    agent = facts.agent
    if agent is None or not agent.answers:
        return _NO_AGENT
    troubles = [trouble for _, trouble in agent.servers if trouble]
    finding = Finding(
        Severity.WARNING,
        "the agent's last heartbeat to a license server failed",
        "; ".join(troubles),
        "what the findings about license servers name; where there are none, it was passing, or it has old settings",
        f"mend those first; else wait a minute for the next heartbeat, or {_RESTART}",
        "calward agent status",
    )
    return found([finding] if troubles else [], Fine("every heartbeat was answered"))


def _pam_not_installed(facts: HostFacts) -> Said:
    if not facts.readable:
        return NO_SETTINGS
    asking = sorted({line.service for line in facts.pam if line.stack == "account"})
    if asking:
        return Fine(f"{', '.join(asking)} in {facts.pam_folder}")
    if facts.relay is not None and facts.relay.security == _NLA:
        return NotLooked("the program behind an NLA relay does not ask PAM: the relay sees its logons")
    finding = Finding(
        Severity.ERROR,
        "PAM does not ask for licenses",
        f"no account line in {facts.pam_folder} starts Calward's helper",
        "the lines were never written, or an update of the service's package put its own file back",
        "install them: without them users come in without a license, and no device is ever proven by a logon",
        "calward agent install-pam",
    )
    return found([finding], _NOT_INSTALLED)


def _shadow_unheard(facts: HostFacts) -> Said:
    relay = facts.relay
    if relay is None or relay.shadow_service is None or relay.security == _NLA:
        return NotLooked("no FreeRDP shadow server that would ask PAM is seen behind a relay")
    if facts.mode != CalType.PER_DEVICE:
        return NotLooked("this host is not known to be licensed per device")
    service = relay.shadow_service
    if any((line.service, line.stack) == (service, "account") for line in facts.pam):
        return Fine(f"FreeRDP's shadow server asks PAM service {service}, and that asks for licenses")
    finding = Finding(
        Severity.WARNING,
        "nobody hears of logons at FreeRDP's shadow server",
        f"it listens behind the relay and asks PAM service {service}; no account line of {facts.pam_folder / service} starts "
        "Calward's helper",
        "the lines were written for another service, or this one's file came later",
        "install them: else a device that visits this host alone is never proven, and is refused when its temporary license ends",
        f"calward agent install-pam --service {service}",
    )
    return found([finding], _NOT_INSTALLED)


def _pam_program(facts: HostFacts) -> Said:
    gone = [line for line in facts.pam if not line.runs]
    return found([_gone(line, facts) for line in gone], _pam_fine(facts, "the helper is there"))


def _gone(line: PamLine, facts: HostFacts) -> Finding:
    return Finding(
        Severity.ERROR,
        f"PAM service {line.service} starts a program that cannot be started",
        f"the {line.stack} line in {facts.pam_folder / line.service} names {line.program}, which is not there or may not be run",
        "Calward was removed or moved; depending on the line, everybody is refused or everybody comes in without a license",
        "write the lines anew with the program of today; keep a root shell open meanwhile",
        f"calward agent install-pam --service {line.service}",
    )


def _pam_settings(facts: HostFacts) -> Said:
    others = [line for line in facts.pam if line.settings is not None and line.settings != facts.settings]
    finding = [
        Finding(
            Severity.WARNING,
            f"PAM service {line.service} uses other settings than those looked at here",
            f"its {line.stack} line names {line.settings}; this diagnosis is of {facts.settings}",
            "the lines were installed with another --config",
            "diagnose that file, or install the lines with this one",
            f"calward agent doctor --config {line.settings}",
        )
        for line in others
    ]
    return found(finding, _pam_fine(facts, str(facts.settings)))


def _pam_fine(facts: HostFacts, seen: str) -> Fine | NotLooked:
    return Fine(seen) if facts.pam else _NOT_INSTALLED


CHECKS: Final = (
    Check("agent-down", "the agent runs", _agent_down),
    Check("agent-outdated", "the agent runs with these settings", _agent_outdated),
    Check("agent-trouble", "the agent's heartbeats are answered", _agent_trouble),
    Check("pam-not-installed", "PAM asks for licenses", _pam_not_installed),
    Check("shadow-unheard", "logons at FreeRDP's shadow server are heard of", _shadow_unheard),
    Check("pam-program-missing", "what PAM starts is there", _pam_program),
    Check("pam-other-settings", "PAM's helper uses these settings", _pam_settings),
)
