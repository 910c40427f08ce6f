"""Is a wrong file refused with line, key and what was expected?"""

import pytest

from calward.app.scenarios.reader import read_scenario
from calward.domain.cals import CalType, HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.licenses import NEVER
from calward.domain.settings import PerUser
from tests.support.scenarios import ESTATE, a_step, read


def refusal(text: str) -> str:
    with pytest.raises(LicensingError) as caught:
        read(text)
    assert caught.value.problem is Problem.MALFORMED
    return caught.value.detail


def test_a_whole_file_is_read():
    scenario = read(ESTATE + a_step())
    assert scenario.title == "One server, one pack, one host"
    assert (scenario.ladder.name, scenario.servers[0].version) == ("windows-server", "2025")
    assert scenario.servers[0].activated
    assert scenario.packs[0].expires_at == NEVER
    assert scenario.hosts[0].mode is CalType.PER_DEVICE
    step = scenario.steps[0]
    assert (step.number, step.line, step.act.device, step.act.logon, step.act.admin) == (1, 15, "PC1", True, False)


def test_versions_are_read_without_regard_to_case():
    text = ESTATE.replace('"2022"', '"2008r2"') + a_step(expect='{ version = "2008R2" }')
    scenario = read(text)
    assert (scenario.packs[0].version, scenario.hosts[0].version) == ("2008R2", "2008R2")


def test_every_setting_may_stand_at_a_server():
    settings = 'temporary_days = 9\nrevocable_share = 0.5\nprevent_license_upgrade = true\nper_user = "enforce"\n'
    found = read(ESTATE.replace("[[pack]]", settings + "[[pack]]") + a_step()).servers[0].settings
    assert (found.temporary_days, float(found.revocable_share)) == (9, 0.5)
    assert found.prevent_license_upgrade
    assert found.per_user is PerUser.ENFORCE


def test_another_ladder_may_be_named():
    text = f'ladder = "harbor"\n{ESTATE}'.replace('"2022"', '"KETCH"') + a_step()
    assert read(text).hosts[0].version == "Ketch"


def test_release_and_revoke_name_a_holder():
    text = ESTATE + a_step("revoke", server='"LS1"', device='"PC1"') + a_step("release", server='"LS1"', user='"ann"')
    assert [step.act.kind for step in read(text).steps] == [HolderKind.DEVICE, HolderKind.USER]


def test_a_time_may_have_any_offset():
    there = read(ESTATE + a_step(at="2026-01-01T10:00:00+01:00")).steps[0].at
    assert there == read(ESTATE + a_step(at="2026-01-01T09:00:00Z")).steps[0].at


@pytest.mark.parametrize(
    ("estate", "said"),
    [
        (
            ESTATE.replace('name = "LS1"', 'name = "LS1"\nversoin = "2022"'),
            "line 4: server 1, versoin: is no key of server 1",
        ),
        (
            ESTATE.replace('name = "LS1"', 'name = "LS1"\nversion = 2022'),
            "line 4: server 1, version: must be a version",
        ),
        (
            ESTATE.replace('name = "LS1"', 'name = "LS1"\nversion = "2023"'),
            "line 4: server 1, version: must be a version",
        ),
        (
            ESTATE.replace('name = "LS1"', 'name = "LS1"\nactivated = "yes"'),
            "activated: must be true or false, not 'yes'",
        ),
        (
            ESTATE.replace('name = "LS1"', 'name = "LS1"\nlow_share = nan'),
            "line 4: server 1, low_share: must be a number",
        ),
        (
            ESTATE.replace('name = "LS1"', 'name = "LS1"\nuser_days = true'),
            "line 4: server 1, user_days: must be a whole",
        ),
        (
            ESTATE.replace('name = "LS1"', 'name = "LS1"\nuser_days = 0'),
            "line 4: server 1, user_days: user_days must be",
        ),
        (
            ESTATE.replace('name = "LS1"', 'name = "LS1"\nfull_days_max = 5'),
            "line 4: server 1, full_days_max: full_days_min",
        ),
        (ESTATE.replace('name = "LS1"', 'name = "LS1"\nper_user = ["track"]'), "must be one of track, enforce"),
        (
            ESTATE.replace('name = "LS1"', 'name = "LS1"\nversion = "2019"'),
            "line 8: pack 1, version: license server LS1 runs",
        ),
        (ESTATE.replace('name = "LS1"', 'name = " LS1"'), "line 3: server 1, name: must be a text"),
        (
            ESTATE.replace("[[pack]]", '[[server]]\nname = "LS1"\n[[pack]]'),
            "line 5: server 2, name: there is a license server",
        ),
        (ESTATE.replace("total = 1", "total = 0"), "line 9: pack 1, total: must be a whole number from 1"),
        (ESTATE.replace("total = 1", ""), "line 4: pack 1, total: is missing: it must be a whole number from 1"),
        (
            ESTATE.replace("total = 1", "total = 1\nexpires_at = 2026-01-01"),
            "line 10: pack 1, expires_at: must be a time",
        ),
        (
            ESTATE.replace("per-device", "device"),
            "line 8: pack 1, type: must be one of per-device, per-user, not 'device'",
        ),
        (ESTATE.replace('server = "LS1"', 'server = "LS9"'), "line 5: pack 1, server: must be one of LS1, not 'LS9'"),
        (
            ESTATE + ESTATE[ESTATE.index("[[pack]]") : ESTATE.index("[[host]]")],
            "line 17: pack 2, id: there is a pack P already",
        ),
        (ESTATE + ESTATE[ESTATE.index("[[host]]") :], "line 16: host 2, name: there is a session host H already"),
        (ESTATE.replace('servers = ["LS1"]', ""), "line 10: host 1, servers: is missing: it must be a list of names"),
        (ESTATE.replace('["LS1"]', '["LS1", "LS1"]'), "line 14: host 1, servers: must be a list of license servers"),
        (ESTATE.replace('["LS1"]', '"LS1"'), "line 14: host 1, servers: must be a list of names, not 'LS1'"),
        (
            ESTATE.replace('["LS1"]', '["LS1"]\ngrace_days = -1'),
            "line 15: host 1, grace_days: must be a whole number from 0",
        ),
        (f"tilte = 1\n{ESTATE}", "line 1: tilte: is no key of a scenario file: did you mean title"),
        (
            f"server = 3\n{ESTATE[ESTATE.index('[[host]]') :]}",
            "line 1: server: must be tables under the heading [[server]]",
        ),
        (f"server = [3]\n{ESTATE[ESTATE.index('[[host]]') :]}", "line 1: server 1: must be a table, not 3"),
        ("title = ", "this is not TOML: "),
    ],
)
def test_a_wrong_estate_names_line_key_and_what_was_expected(estate, said):
    assert said in refusal(estate + a_step())


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("", "line 1: step: is missing"),
        (a_step("conect"), "line 17: step 1, do: must be one of connect, install"),
        (a_step(at="2026-01-01T09:00:00"), "line 16: step 1, at: must be a time in whole seconds with its offset"),
        (a_step(at="2026-01-01T09:00:00.5Z"), "line 16: step 1, at: must be a time in whole seconds"),
        (a_step(at="1950-01-01T09:00:00Z"), "line 16: step 1, at: must be a time in whole seconds"),
        (a_step(at='"2026-01-01"'), "line 16: step 1, at: must be a time in whole seconds"),
        (a_step() + a_step(at="2025-12-31T09:00:00Z"), "step 2, at: must not be earlier than the step before"),
        (a_step(host='"X"'), "line 18: step 1, host: must be one of H, not 'X'"),
        (a_step(divice='"PC1"'), "line 20: step 1, divice: is no key of step 1: did you mean device"),
        (a_step(device='"PC1"\nuser = 3'), "line 20: step 1, user: must be a text"),
        ('[[step]]\nat = 2026-01-01T09:00:00Z\ndo = "connect"\nhost = "H"\nuser = "ann"\n', "so the device counts"),
        (a_step(logon="1"), "logon: must be true or false, not 1"),
        (a_step("look", server='"LS1"', pack='"Q"'), "pack: must be one of P, not 'Q'"),
        (a_step("revoke", server='"LS1"'), "exactly one of device and user"),
        (a_step("revoke", server='"LS1"', user='"a"', device='"b"'), "exactly one of device and user"),
        (a_step("set"), "server or host says what is set"),
        (a_step("set", server='"LS1"'), "nothing is set"),
        (a_step("set", server='"LS1"', user_day="1"), "user_day: is no key of step 1 and no setting: settings are"),
        (
            a_step("set", server='"LS1"', full_days_max="3"),
            "full_days_max: full_days_min must be at most full_days_max",
        ),
        (a_step("set", host='"H"', user_days="3"), "user_days: is no key of step 1"),
        (a_step("down"), "step 1, server: is missing: it must be one of LS1"),
    ],
)
def test_a_wrong_step_names_line_key_and_what_was_expected(step, said):
    assert said in refusal(ESTATE + step)


@pytest.mark.parametrize(
    ("do", "expect", "said"),
    [
        (
            "connect",
            '{ outcom = "granted" }',
            "line 20: step 1, expect of connect, outcom: is no key of step 1, expect",
        ),
        ("connect", '{ outcome = "installed" }', "outcome: must be one of granted, grace, refused"),
        ("connect", '{ reason = "no-cal" }', "reason: must be one of cal-version-too-low"),
        ("connect", "{ reason = [] }", "reason: must be one of"),
        ("connect", '{ reason = ["no-cal-free", 3] }', "reason: must be one of"),
        ("connect", '{ expires_in_days = "90" }', "expires_in_days: must be a number or"),
        ("connect", "{ expires_in_days = true }", "expires_in_days: must be a number or"),
        ("connect", "{ expires_in_days = inf }", "expires_in_days: must be a number or"),
        ("connect", "{ expires_in_days = {} }", "expires_in_days: must be a number or"),
        ("connect", "{ expires_in_days = { low = 3 } }", "expires_in_days: must be a number or"),
        ("connect", "{ expires_in_days = { min = 3, max = 2 } }", "min not above max"),
        ("connect", '{ pack = "Q" }', "pack: must be one of P"),
        ("connect", '{ version = "2023" }', "version: must be a version of the ladder windows-server"),
        ("connect", "3", "line 20: step 1, expect of connect: must be a table, not 3"),
        ("look", '{ reason = "no-cal-free" }', "reason: is no key of step 1, expect of look"),
        ("down", '{ outcome = "refused" }', "outcome: must be one of down"),
        ("activate", '{ status = "active" }', "status: is no key of"),
        ("revoke", "{ next_at = 3 }", "next_at: must be a time with its offset"),
    ],
)
def test_an_expectation_that_no_result_can_have_is_an_error(do, expect, said):
    keys = {"connect": {}, "revoke": {"server": '"LS1"', "device": '"PC1"'}}.get(do, {"server": '"LS1"'})
    assert said in refusal(ESTATE + a_step(do, **keys, expect=expect))


def test_what_a_step_sets_holds_for_the_steps_after_it():
    to_users = a_step("set", host='"H"', mode='"per-user"')
    assert "so the user counts" in refusal(ESTATE + to_users + a_step())
    read(ESTATE + to_users + a_step(device='"PC1"\nuser = "ann"'))


def test_an_unknown_ladder_is_an_error_of_the_file():
    def nowhere(name):
        raise LicensingError(Problem.NOT_FOUND, f"{name} is no ladder")

    with pytest.raises(LicensingError, match="line 1: ladder: x is no ladder") as caught:
        read_scenario('ladder = "x"\n', nowhere)
    assert caught.value.field == "ladder"
