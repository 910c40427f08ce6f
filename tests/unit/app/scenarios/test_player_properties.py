"""What holds in every story, whatever happens in it?"""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from calward.app.scenarios.results import ScenarioReport
from calward.app.scenarios.story import Connect
from tests.support.ladders import windows_server
from tests.support.scenarios import a_step, played

VERSIONS = ("2003", "2008", "2008R2", "2012")
MODES = ("per-device", "per-user")
ESTATE = "".join(
    [
        '[[server]]\nname = "LS1"\nversion = "2012"\n[[server]]\nname = "LS2"\nversion = "2008"\nper_user = "enforce"\n',
        *(
            f'[[pack]]\nserver = "{server}"\nid = "{server}-{version}-{mode}"\nversion = "{version}"\ntype = "{mode}"\n'
            f"total = 1\nexpires_at = 2026-{month:02}-01T00:00:00Z\n"
            for server, versions in (("LS1", VERSIONS), ("LS2", VERSIONS[:2]))
            for month, version in enumerate(versions, 6)
            for mode in MODES
        ),
        *(
            f'[[host]]\nname = "{version}-{mode}"\nversion = "{version}"\nmode = "{mode}"\nservers = {servers}\ngrace_days = {days}\n'
            for version, servers, days in zip(
                VERSIONS, ('["LS1"]', '["LS2", "LS1"]', '["LS1", "LS2"]', '["LS2"]'), (0, 30, 3, 9), strict=True
            )
            for mode in MODES
        ),
    ]
)
SERVER = st.sampled_from(['"LS1"', '"LS2"'])
CLIENT = st.sampled_from(['"A"', '"B"', '"C"'])
FLAG = st.sampled_from(["true", "false"])
CONNECT = st.fixed_dictionaries(
    {
        "do": st.just("connect"),
        "host": st.sampled_from([f'"{version}-{mode}"' for version in VERSIONS for mode in MODES]),
        "device": CLIENT,
        "user": CLIENT,
        "logon": FLAG,
    }
)
PACK = st.sampled_from([f'"{server}-{version}-per-device"' for server in ("LS1", "LS2") for version in VERSIONS[:2]])
MOVES = (
    st.fixed_dictionaries(
        {
            "do": st.just("move"),
            "pack": PACK,
            "from": SERVER,
            "to": SERVER,
            "source": st.sampled_from(['"connected"', '"unreachable"', '"dead"']),
        }
    ),
    st.fixed_dictionaries(
        {
            "do": st.sampled_from(["downgrade", "upgrade"]),
            "pack": PACK,
            "to": st.sampled_from(['"2000"', '"2003"', '"2008"']),
        }
    ),
    st.fixed_dictionaries(
        {
            "do": st.just("convert"),
            "pack": PACK,
            "count": st.just("1"),
            "id": st.sampled_from(['"Q1"', '"Q2"']),
            "to": st.just('"per-user"'),
        }
    ),
    st.fixed_dictionaries({"do": st.just("rebuild"), "server": SERVER}),
)
ACTS = st.one_of(
    *MOVES,
    CONNECT,
    CONNECT,
    CONNECT,
    st.fixed_dictionaries({"do": st.sampled_from(["down", "up", "up", "activate", "deactivate"]), "server": SERVER}),
    st.fixed_dictionaries({"do": st.just("revoke"), "server": SERVER, "device": CLIENT}),
    st.fixed_dictionaries({"do": st.just("release"), "server": SERVER, "user": CLIENT}),
    st.fixed_dictionaries({"do": st.just("set"), "server": SERVER, "prevent_license_upgrade": FLAG}),
    st.fixed_dictionaries(
        {"do": st.just("remove"), "server": st.just('"LS1"'), "pack": st.just('"LS1-2003-per-device"')}
    ),
    st.fixed_dictionaries({"do": st.just("look"), "server": SERVER, "version": st.sampled_from(['"2003"', '"2008"'])}),
)
STORIES = st.lists(st.tuples(st.integers(0, 40), ACTS), min_size=1, max_size=30)


def text_of(story) -> str:
    now, steps = datetime(2026, 1, 1, tzinfo=UTC), []
    for days, act in story:
        now += timedelta(days=days, minutes=1)
        keys = {key: value for key, value in act.items() if key != "do"}
        steps.append(a_step(act["do"], at=now.isoformat(), **keys))
    return "".join(steps)


def connections_of(report: ScenarioReport):
    """Host and result of every connection."""
    return [(x.step.act.host, x.result.facts) for x in report.played if isinstance(x.step.act, Connect)]


@given(STORIES)
def test_whoever_is_let_in_has_a_license_that_fits_or_grace(story):
    ladder = windows_server()
    for host, facts in connections_of(played(text_of(story), estate=ESTATE)):
        version, _, mode = host.partition("-")
        if facts["outcome"] == "granted":
            assert ladder.family_of(facts["version"]) >= ladder.family_of(version)
            assert facts["type"] == mode
            assert facts["expires_in_days"] > 0
            assert (facts["pack"] is not None) == (facts["status"] == "active")
        elif facts["outcome"] == "grace":
            assert facts["days_left_in_grace"] > 0
        else:
            assert facts["days_left_in_grace"] == 0


@given(STORIES)
def test_nobody_gets_less_than_a_full_license_without_a_reason(story):
    for _, facts in connections_of(played(text_of(story), estate=ESTATE)):
        if facts["status"] != "active":
            assert facts["reason"]


@given(STORIES)
def test_a_refusal_speaks_of_grace_where_the_host_ever_had_any(story):
    for host, facts in connections_of(played(text_of(story), estate=ESTATE)):
        if facts["outcome"] == "refused":
            assert ("grace-expired" in facts["reason"]) == (not host.startswith("2003"))


@given(STORIES)
def test_no_more_is_issued_than_there_is_and_all_of_it_ends(story):
    looks = [a_step("look", at="2040-01-01T00:00:00Z", server=server) for server in ('"LS1"', '"LS2"')]
    seen = [x.result.facts for x in played(text_of(story), *looks, estate=ESTATE).played if x.step.do == "look"]
    assert all(facts["issued"] + facts["available"] <= facts["total"] for facts in seen)
    assert all(facts["issued"] == facts["temporary"] == facts["over_used"] == 0 for facts in seen[-2:])


@given(STORIES)
def test_the_same_story_comes_out_the_same(story):
    text = text_of(story)
    assert [x.result for x in played(text, estate=ESTATE).played] == [
        x.result for x in played(text, estate=ESTATE).played
    ]
