"""Is a story played as it is written? (What the rules make of it: ``examples/scenarios/rules``.)"""

from calward.app.scenarios.entropy import SeededEntropy
from calward.app.scenarios.memory_ledger import MemoryLedger
from tests.support.scenarios import ESTATE, a_step, facts_of, played

TWO_SERVERS = ESTATE.replace("[[pack]]", '[[server]]\nname = "LS2"\n[[pack]]')


def test_a_connection_comes_to_all_that_an_expectation_may_name():
    [facts] = facts_of(played(a_step()))
    assert facts == {
        "outcome": "granted",
        "status": "temporary",
        "version": "2022",
        "type": "per-device",
        "pack": None,
        "server": "LS1",
        "change": "new",
        "expires_in_days": 90.0,
        "days_left_in_grace": 120.0,
        "reason": ["first-contact"],
    }


def test_a_connection_keeps_the_trace_of_its_decision():
    [step] = played(a_step()).played
    assert [line.rule for line in step.result.trace] == ["keep", "same-version", "fall-back"]


def test_an_expectation_that_does_not_hold_does_not_stop_the_play():
    report = played(a_step(expect='{ status = "active" }'), a_step())
    assert not report.holds
    assert [str(x) for x in report.played[0].mismatches] == ["expected status active, got temporary"]
    assert len(report.played) == 2


def test_a_step_without_expectation_accepts_any_outcome():
    assert played(a_step("remove", server='"LS1"', pack='"P"'), a_step("remove", server='"LS1"', pack='"P"')).holds


def test_a_scenario_comes_out_the_same_each_time():
    steps = [a_step(), a_step(at="2026-01-01T10:00:00Z")]
    assert facts_of(played(*steps)) == facts_of(played(*steps))


def test_each_server_gets_a_ledger_of_its_own_from_the_factory():
    made = []

    def make_ledger(entropy):
        made.append(entropy)
        return MemoryLedger(entropy)

    played(a_step(), estate=TWO_SERVERS, make_ledger=make_ledger)
    assert len(made) == 2


def test_ends_are_written_down_before_each_step():
    ledgers = []

    def make_ledger(entropy):
        ledgers.append(MemoryLedger(entropy))
        return ledgers[-1]

    played(a_step(), a_step("look", at="2026-06-01T09:00:00Z", server='"LS1"'), make_ledger=make_ledger)
    assert "expired" in [event["kind"] for event in ledgers[0].events()]


def test_a_pack_that_expired_before_the_first_step_was_installed_all_the_same():
    estate = ESTATE.replace("total = 1", "total = 1\nexpires_at = 2020-01-01T00:00:00Z")
    [facts] = facts_of(played(a_step("look", server='"LS1"', pack='"P"'), estate=estate))
    assert (facts["total"], facts["available"]) == (1, 0)


def test_a_handle_stands_for_one_pack_wherever_it_is_installed():
    install = {"id": '"P"', "version": '"2022"', "type": '"per-device"', "total": "1"}
    report = played(
        a_step("install", server='"LS2"', **install),
        a_step("remove", server='"LS1"', pack='"P"'),
        a_step("install", server='"LS2"', **install),
        estate=TWO_SERVERS,
    )
    refused, removed, installed = facts_of(report)
    assert refused == {"outcome": "refused", "reason": ["pack-already-installed"]}
    assert (removed["outcome"], installed["outcome"]) == ("removed", "installed")


def test_a_server_cannot_run_as_a_version_that_could_not_hold_its_packs():
    [facts] = facts_of(played(a_step("set", server='"LS1"', version='"2019"')))
    assert facts == {"outcome": "refused", "reason": ["server-version-too-low"]}


def test_look_asks_by_expectation_as_well_as_by_key():
    looks = [
        a_step("look", server='"LS1"', expect='{ version = "2022", type = "per-device", total = 1, temporary = 1 }'),
        a_step("look", server='"LS1"', version='"2022"', type='"per-device"', expect="{ total = 1, temporary = 1 }"),
        a_step("look", server='"LS1"', pack='"P"', expect='{ version = "2022", total = 1, temporary = 1 }'),
        a_step("look", server='"LS1"', expect="{ total = 1, temporary = 1 }"),
        a_step("look", server='"LS1"', expect='{ version = "2019", total = 0, temporary = 0 }'),
        a_step("look", server='"LS1"', type='"per-user"', expect="{ total = 0, temporary = 0 }"),
    ]
    assert played(a_step(), *looks).holds


def test_a_look_at_the_wrong_version_does_not_hold():
    assert not played(a_step("look", server='"LS1"', pack='"P"', expect='{ version = "2019" }')).holds


def test_a_host_without_any_server_of_the_file_has_the_usual_grace_period():
    estate = 'title = "x"\n' + ESTATE[ESTATE.index("[[host]]") :].replace('"LS1"', "")
    [facts] = facts_of(played(a_step(), estate=estate))
    assert (facts["outcome"], facts["days_left_in_grace"], facts["server"]) == ("grace", 120.0, None)


def test_a_servers_grace_setting_holds_for_hosts_that_say_nothing():
    estate = ESTATE.replace('name = "LS1"', 'name = "LS1"\ngrace_days = 7')
    assert facts_of(played(a_step(), estate=estate))[0]["days_left_in_grace"] == 7.0


def test_draws_from_a_seed_lie_within_their_bounds_and_repeat():
    one, same, other = SeededEntropy("a"), SeededEntropy("a"), SeededEntropy("b")
    drawn = [one.between(52, 89) for _ in range(500)]
    assert set(drawn) == set(range(52, 90))
    assert drawn == [same.between(52, 89) for _ in range(500)] != [other.between(52, 89) for _ in range(500)]
    assert len(one.token(16)) == 16
