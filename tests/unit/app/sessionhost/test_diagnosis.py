"""Does each check of a session host find what it is there for, and nothing else?

``CASES`` has facts for every check: of hosts that have the trouble, and of hosts that come near and do not.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from calward.app.sessionhost.diagnosis import (
    CHECKS,
    AgentFacts,
    CertificateFacts,
    HostFacts,
    Reached,
    Result,
    Severity,
    TokenFacts,
    TokenState,
    diagnose,
)
from calward.domain.grace import USED_UP, GraceState
from calward.entrypoints.cli.reference import commands
from tests.support.host_facts import (
    NOW,
    PIN,
    POLICY,
    SETTINGS,
    TOKEN,
    USED,
    a_host,
    a_pam_line,
    a_relay,
    a_server,
    a_state,
    an_agent,
    stopped,
    with_server,
)

DAY = timedelta(days=1)
PAGE = Path(__file__).parents[4] / "docs" / "reference" / "agent-doctor.md"
PER_USER = a_host(servers=tuple(a_server(number, told={"mode": "per-user"}) for number in (1, 2)))
BARE = HostFacts(SETTINGS, NOW, "root", "1.0", settings_missing=True)
WRONG = HostFacts(SETTINGS, NOW, "root", "1.0", settings_trouble="grace_dais is no setting")
LEGACY = {"server_version": None, "activated": None}


@dataclass(frozen=True)
class Case:
    """``bad``: the severity and a word of the evidence, and facts; ``good``: facts in which the check is fine or has no object."""

    severity: Severity
    evidence: str
    bad: tuple[HostFacts, ...]
    good: tuple[HostFacts, ...] = ()


def with_token(state: TokenState) -> HostFacts:
    return with_server(stopped(Reached.LICENSE_SERVER, token=TokenFacts(state, TOKEN.path)))


def ends(when: datetime | None, trouble: str = "") -> CertificateFacts:
    return CertificateFacts(Path("/x.pem"), when, trouble)


def new_host(days_ago: float) -> HostFacts:
    return a_host(state=a_state(GraceState(first_connection=NOW - days_ago * DAY, observed_at=NOW)))


CASES = {
    "settings-missing": Case(Severity.ERROR, "does not exist", (BARE,), (WRONG,)),
    "settings-wrong": Case(Severity.ERROR, "grace_dais", (WRONG,), (BARE,)),
    "no-license-server": Case(Severity.ERROR, "no [[server]]", (a_host(servers=()),), (BARE,)),
    "server-twice": Case(
        Severity.WARNING,
        "https://ls1.example:8460, https://",
        (
            a_host(servers=(a_server(1), a_server(1, told=None))),
            a_host(servers=(a_server(1), a_server(2, places=("192.0.2.7:8460", "192.0.2.1:8460"), told=None))),
            a_host(servers=(a_server(1), a_server(2, told={}), replace(a_server(3), told=a_server(1).told))),
        ),
        (a_host(servers=(a_server(1), a_server(2, places=("192.0.2.1:8461",)))), a_host(servers=(a_server(),))),
    ),
    "single-server": Case(Severity.NOTE, "ls1", (a_host(servers=(a_server(),)),), (a_host(servers=()),)),
    "token-missing": Case(
        Severity.ERROR,
        "",
        tuple(map(with_token, (TokenState.MISSING, TokenState.NOT_NAMED, TokenState.EMPTY))),
        (with_token(TokenState.OPEN),),
    ),
    "token-unreadable": Case(
        Severity.ERROR, "permission denied", (with_token(TokenState.UNREADABLE),), (with_token(TokenState.MISSING),)
    ),
    "token-open": Case(Severity.ERROR, "open to", (with_token(TokenState.OPEN),), (with_token(TokenState.EMPTY),)),
    "name-unknown": Case(
        Severity.ERROR,
        "as it was seen",
        (with_server(stopped(Reached.NOTHING)),),
        (with_server(stopped(Reached.ADDRESS)),),
    ),
    "server-unreachable": Case(
        Severity.ERROR,
        "as it was seen",
        (with_server(stopped(Reached.ADDRESS)),),
        (with_server(stopped(Reached.NOTHING)), with_server(stopped(Reached.SERVICE))),
    ),
    "certificate-untrusted": Case(
        Severity.ERROR,
        f"as it was seen; it shows {PIN}",
        (with_server(stopped(Reached.PORT, pinned=None)),),
        (
            with_server(stopped(Reached.ADDRESS)),
            with_server(a_server(pinned=None)),
            with_server(a_server(pinned=None, shown=None)),
        ),
    ),
    "fingerprint-differs": Case(
        Severity.ERROR,
        f"pinned {PIN}; shown {'cd' * 32}",
        (with_server(stopped(Reached.CERTIFICATE, shown="cd" * 32)),),
        (with_server(stopped(Reached.SERVICE)), with_server(a_server(pinned=None))),
    ),
    "not-a-license-server": Case(
        Severity.ERROR,
        "as it was seen",
        (with_server(stopped(Reached.SERVICE)),),
        (with_server(stopped(Reached.CERTIFICATE)), with_server(stopped(Reached.LICENSE_SERVER))),
    ),
    "not-enrolled": Case(
        Severity.ERROR,
        "asked with a session host's token in /etc/calward/host.token, written 2026-11-21: status 401",
        (with_server(stopped(Reached.LICENSE_SERVER, refusal="status 401", trouble="")),),
        (
            with_token(TokenState.MISSING),
            with_server(stopped(Reached.SERVICE)),
            with_server(stopped(Reached.LICENSE_SERVER)),
        ),
    ),
    "server-slow": Case(
        Severity.WARNING, "1.01 s", (with_server(a_server(seconds=1.01)),), (with_server(a_server(seconds=1.0)),)
    ),
    "server-not-ready": Case(
        Severity.ERROR,
        "not ready (unavailable)",
        (with_server(a_server(ready=False, not_ready="not ready (unavailable)")),),
        (with_server(stopped(Reached.SERVICE)),),
    ),
    "server-says-nothing": Case(
        Severity.ERROR,
        "as it was seen",
        (with_server(stopped(Reached.LICENSE_SERVER)),),
        (
            with_server(stopped(Reached.LICENSE_SERVER, refusal="status 401")),
            with_token(TokenState.MISSING),
            with_server(stopped(Reached.SERVICE)),
        ),
    ),
    "clock-differs": Case(
        Severity.WARNING,
        "0:01:01",
        (with_server(a_server(ahead=timedelta(seconds=61))), with_server(a_server(ahead=timedelta(seconds=-61)))),
        (with_server(a_server(ahead=timedelta(seconds=-60))), with_server(a_server(ahead=None))),
    ),
    "policy-unknown": Case(
        Severity.ERROR,
        "none ever has",
        (a_host(servers=(), state=a_state(policy=None)), a_host(servers=(stopped(Reached.ADDRESS),), state=None)),
        (a_host(servers=()), WRONG),
    ),
    "server-too-old": Case(
        Severity.ERROR,
        "version 2019",
        (with_server(a_server(told={"server_version": "2019"})),),
        (
            with_server(a_server(told={"server_version": "2022"})),
            with_server(a_server(told={"server_version": "2012", "version": "2012R2"})),
            with_server(a_server(told=LEGACY)),
            with_server(a_server(told={"server_version": "ketch-II"})),
            a_host(ladder=None),
        ),
    ),
    "server-not-activated": Case(
        Severity.WARNING,
        "itself",
        (with_server(a_server(told={"activated": False})),),
        (with_server(a_server(told=LEGACY)), a_host(servers=tuple(a_server(n, told=LEGACY) for n in (1, 2)))),
    ),
    "activation-ends": Case(
        Severity.WARNING,
        "2026-12-08",
        (with_server(a_server(told={"issue_until": NOW + 14 * DAY})),),
        (with_server(a_server(told={"issue_until": NOW + 15 * DAY})),),
    ),
    "servers-disagree": Case(
        Severity.ERROR,
        "ls1",
        (
            with_server(a_server(told={"mode": "per-user"})),
            with_server(a_server(told={"version": "2019"})),
            with_server(a_server(told={"grace_days": 90})),
        ),
        (a_host(servers=(a_server(told={"mode": "per-user"}),)),),
    ),
    "policy-servers-differ": Case(
        Severity.WARNING,
        "https://ls3.example:8460",
        (with_server(a_server(told={"servers": ("https://ls1.example:8460", "https://ls3.example:8460")})),),
        (
            with_server(a_server(told={"servers": ("https://LS1.example:8460/", "https://ls2.example:8460")})),
            with_server(a_server(told={"servers": ("https://machine:8460",)})),
        ),
    ),
    "agent-down": Case(
        Severity.ERROR,
        "agent.sock",
        (
            a_host(agent=AgentFacts(Path("/run/calward/agent.sock"), answers=False)),
            a_host(agent=an_agent(answers=False)),
        ),
        (BARE,),
    ),
    "agent-outdated": Case(
        Severity.WARNING,
        "it ",
        (
            a_host(agent=an_agent(release="0.9")),
            a_host(servers=(a_server(1), a_server(2), a_server(3))),
            a_host(servers=(a_server(1),)),
        ),
        (a_host(agent=an_agent(answers=False, servers=())),),
    ),
    "agent-trouble": Case(
        Severity.WARNING,
        "did not answer",
        (a_host(agent=an_agent(servers=((a_server(1).name, "it did not answer"), (a_server(2).name, "")))),),
        (a_host(agent=an_agent(answers=False)),),
    ),
    "pam-not-installed": Case(
        Severity.ERROR,
        "/etc/pam.d",
        (a_host(pam=()), a_host(pam=(a_pam_line("session"),))),
        (a_host(pam=(), relay=a_relay(security="nla")), BARE),
    ),
    "shadow-unheard": Case(
        Severity.WARNING,
        "/etc/pam.d/xdm",
        (a_host(relay=a_relay(shadow_service="xdm")), a_host(relay=a_relay(security="tls", shadow_service="xdm"))),
        (
            a_host(relay=a_relay(security="nla", shadow_service="xdm")),
            replace(PER_USER, relay=a_relay(shadow_service="xdm")),
            a_host(relay=a_relay()),
        ),
    ),
    "pam-program-missing": Case(
        Severity.ERROR, "/usr/bin/python3", (a_host(pam=(a_pam_line(runs=False),)),), (a_host(pam=()),)
    ),
    "pam-other-settings": Case(
        Severity.WARNING,
        "/opt/host.toml",
        (a_host(pam=(a_pam_line(settings=Path("/opt/host.toml")),)),),
        (a_host(pam=(a_pam_line(settings=SETTINGS),)), a_host(pam=())),
    ),
    "per-device-without-relay": Case(
        Severity.ERROR,
        "has no [relay]",
        (
            a_host(relay=None),
            a_host(relay=None, admits_without_device=True),
            a_host(relay=None, servers=(stopped(Reached.ADDRESS),)),
        ),
        (replace(PER_USER, relay=None),),
    ),
    "relay-without-per-device": Case(
        Severity.NOTE,
        "0.0.0.0:3389",
        (PER_USER,),
        (a_host(relay=None), a_host(servers=(), state=a_state(policy=None))),
    ),
    "relay-not-listening": Case(
        Severity.ERROR,
        "port 3389",
        (a_host(listening=(("127.0.0.1", 3390),)),),
        (a_host(listening=None), a_host(relay=None)),
    ),
    "host-program-down": Case(
        Severity.ERROR,
        "port 3390",
        (a_host(listening=(("0.0.0.0", 3389),)),),
        (a_host(relay=a_relay(host=("192.0.2.9", 3390)), listening=()), a_host(listening=None), a_host(relay=None)),
    ),
    "host-port-public": Case(
        Severity.ERROR,
        "339",
        (
            a_host(listening=(("0.0.0.0", 3389), ("0.0.0.0", 3390))),
            a_host(listening=(("0.0.0.0", 3389), ("::", 3390))),
            a_host(listening=(("0.0.0.0", 3391), ("192.0.2.1", 3389)), relay=a_relay(listen=("0.0.0.0", 3391))),
        ),
        (
            a_host(listening=(("0.0.0.0", 3389), ("::1", 3390))),
            a_host(listening=(("0.0.0.0", 3389), ("::ffff:127.0.0.1", 3390))),
            a_host(listening=None),
            a_host(relay=a_relay(host=("192.0.2.9", 3389))),
            a_host(relay=None),
        ),
    ),
    "relay-certificate": Case(
        Severity.WARNING,
        "2026-12-08",
        (a_host(relay=a_relay(certificate=ends(NOW + 14 * DAY))),),
        (
            a_host(relay=a_relay(certificate=ends(NOW + 15 * DAY))),
            a_host(relay=a_relay(certificate=None)),
            a_host(relay=None),
        ),
    ),
    "wire-certificate": Case(
        Severity.WARNING,
        "2026-12-08",
        (a_host(relay=a_relay(wire=ends(NOW + 14 * DAY))),),
        (a_host(relay=a_relay(wire=ends(NOW + 15 * DAY))), a_host(relay=a_relay(wire=None)), a_host(relay=None)),
    ),
    "state-unwritable": Case(
        Severity.ERROR, "it is open to others", (a_host(state=a_state(trouble="it is open to others")),), (BARE,)
    ),
    "state-broken": Case(
        Severity.ERROR,
        "format 9",
        (a_host(state=a_state(broken="host.json: it is of format 9", memory=None)),),
        (a_host(state=a_state(memory=None)), a_host(state=a_state(trouble="it is no folder", memory=None)), BARE),
    ),
    "grace-low": Case(
        Severity.WARNING,
        "of 120 days",
        (new_host(106), a_host(state=a_state(replace(USED, spent=110 * DAY)))),
        (
            new_host(105),
            new_host(0),
            a_host(state=a_state(GraceState())),
            a_host(grace_days=0, state=a_state(USED_UP)),
            a_host(grace_days=10, state=a_state(replace(USED, spent=4 * DAY))),
            a_host(state=None),
        ),
    ),
}

BAD = [(name, number) for name, case in CASES.items() for number in range(len(case.bad))]
GOOD = [(name, number) for name, case in CASES.items() for number in range(len(case.good))]


def of(facts: HostFacts, name: str):
    return next(one for one in diagnose(facts).checked if one.check.id == name)


def test_every_check_has_a_case_and_every_case_a_check():
    assert [check.id for check in CHECKS] == list(CASES)


def test_nothing_is_wrong_with_a_healthy_host():
    found = diagnose(a_host())
    assert found.findings == ()
    skipped = {one.check.id for one in found.checked if one.result is Result.NOT_CHECKED}
    assert skipped == {"activation-ends", "policy-servers-differ", "shadow-unheard"}


@pytest.mark.parametrize(("name", "number"), BAD)
def test_a_check_finds_its_trouble(name, number):
    case = CASES[name]
    checked = of(case.bad[number], name)
    assert checked.result is Result.FOUND
    assert [finding.severity for finding in checked.findings] == [case.severity]
    assert case.evidence in checked.findings[0].evidence


@pytest.mark.parametrize(("name", "number"), GOOD)
def test_a_check_does_not_find_what_only_looks_like_it(name, number):
    checked = of(CASES[name].good[number], name)
    assert checked.result is not Result.FOUND, checked
    assert checked.detail


@pytest.mark.parametrize(("name", "number"), BAD)
def test_a_finding_says_everything_in_whole_texts(name, number):
    for finding in of(CASES[name].bad[number], name).findings:
        texts = (finding.what, finding.evidence, finding.cause, finding.fix)
        assert all(text and "{" not in text.replace("${", "") and "None" not in text for text in texts), finding


@pytest.mark.parametrize(("name", "number"), BAD)
def test_a_command_that_helps_exists(name, number):
    known = {path for path, _ in commands()}
    for finding in of(CASES[name].bad[number], name).findings:
        if finding.command and "calward " in finding.command:
            words = finding.command.removeprefix("sudo ").split()
            assert any(" ".join(words[:length]) in known for length in (2, 3)), finding.command


def test_every_check_has_its_heading_in_the_documentation():
    headings = [line.removeprefix("### ") for line in PAGE.read_text().splitlines() if line.startswith("### ")]
    assert headings == [check.id for check in CHECKS]


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("activation-ends", with_server(a_server(told={"issue_until": NOW}))),
        ("relay-certificate", a_host(relay=a_relay(certificate=ends(NOW)))),
        ("relay-certificate", a_host(relay=a_relay(certificate=ends(None, "it is no certificate in PEM")))),
        ("wire-certificate", a_host(relay=a_relay(wire=ends(NOW)))),
        ("grace-low", new_host(120)),
        ("grace-low", a_host(state=a_state(USED_UP))),
    ],
)
def test_what_is_over_is_an_error(name, facts):
    assert of(facts, name).findings[0].severity is Severity.ERROR


def test_an_agent_that_does_not_run_is_a_warning_where_the_helper_does_without_it():
    facts = replace(PER_USER, relay=None, agent=an_agent(answers=False))
    assert of(facts, "agent-down").findings[0].severity is Severity.WARNING


def test_the_mode_is_remembered_while_no_license_server_tells_it():
    facts = a_host(servers=(stopped(Reached.ADDRESS),))
    assert "2026-11-24" in of(facts, "policy-unknown").detail
    assert of(facts, "per-device-without-relay").result is Result.OK


def test_each_server_has_a_finding_of_its_own():
    facts = a_host(servers=(stopped(Reached.ADDRESS), replace(stopped(Reached.ADDRESS), name="https://ls2.example")))
    assert len(of(facts, "server-unreachable").findings) == 2


def test_grace_comes_from_the_settings_then_from_the_server_then_from_memory():
    spent = a_state(replace(USED, spent=20 * DAY), replace(POLICY, grace_days=30))
    told = tuple(a_server(n, told={"grace_days": 60}) for n in (1, 2))
    assert "25 days" in of(a_host(state=spent, servers=told, grace_days=25), "grace-low").findings[0].evidence
    assert "of 60 days" in of(a_host(state=spent, servers=told), "grace-low").detail
    assert "30 days" in of(a_host(state=spent, servers=()), "grace-low").findings[0].evidence


def test_accepted_findings_are_left_out():
    found = diagnose(a_host(servers=(a_server(),), agent=an_agent(servers=((a_server().name, ""),))))
    assert [check.id for check, _ in found.findings] == ["single-server"]
    assert found.without(frozenset({"single-server"})).findings == ()


def test_commands_name_settings_that_are_in_another_place():
    facts = a_host(settings=Path("/my host.toml"), settings_named=True, pam=(), agent=an_agent(answers=False))
    commands_ = {check.id: finding.command for check, finding in diagnose(facts).findings}
    assert commands_["agent-down"] == "calward agent run --config '/my host.toml'"
    assert commands_["pam-not-installed"] == "calward agent install-pam --config '/my host.toml'"


def test_the_document_has_all_fields():
    document = diagnose(BARE).document()
    assert set(document) == {"findings", "checked"}
    assert set(document["findings"][0]) == {"id", "severity", "what", "evidence", "cause", "fix", "command", "page"}
    assert [one["id"] for one in document["checked"]] == [check.id for check in CHECKS]
    assert {one["result"] for one in document["checked"]} == {"found", "not-checked"}
