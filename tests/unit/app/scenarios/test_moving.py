"""Do packs move, change and come back in a story as the clearinghouse and the license servers decide?

Each story is told on two ladders, one of which no code can know.
"""

from typing import NamedTuple

import pytest

from calward.domain.errors import LicensingError
from tests.support.scenarios import a_step, facts_of, played, read

DAY = "2026-01-{:02}T09:00:00Z"


class Versions(NamedTuple):
    """Three versions of a ladder, none of which shares a family with another."""

    ladder: str
    older: str
    old: str
    new: str


@pytest.fixture(
    params=[Versions("windows-server", "2000", "2003", "2008R2"), Versions("harbor", "sloop", "barque", "4.2")]
)
def versions(request):
    return request.param


@pytest.fixture
def estate(versions):
    """A pack of three in use at OLD, and a newer server NEW."""
    return f"""\
ladder = "{versions.ladder}"
[[server]]
name = "OLD"
version = "{versions.old}"
full_days_min = 80
full_days_max = 80
[[server]]
name = "NEW"
version = "{versions.new}"
full_days_min = 80
full_days_max = 80
[[pack]]
server = "OLD"
id = "P"
version = "{versions.old}"
type = "per-device"
total = 3
[[pack]]
server = "NEW"
id = "N"
version = "{versions.new}"
type = "per-device"
total = 2
[[host]]
name = "H"
version = "{versions.old}"
mode = "per-device"
servers = ["OLD"]
grace_days = 0
[[host]]
name = "H2"
version = "{versions.old}"
mode = "per-device"
servers = ["NEW"]
grace_days = 0
[[host]]
name = "HN"
version = "{versions.new}"
mode = "per-device"
servers = ["NEW"]
grace_days = 0
"""


def connect(device: str, host: str = "H", day: int = 1, **keys: str) -> str:
    return a_step(at=DAY.format(day), device=f'"{device}"', host=f'"{host}"', **keys)


def in_use(device: str = "PC1", host: str = "H") -> str:
    return connect(device, host) + connect(device, host)


def step(do: str, day: int = 2, **keys: str) -> str:
    """A step; values are texts."""
    return a_step(do, at=DAY.format(day), **{key: f'"{value}"' for key, value in keys.items()})


def move(day: int = 2, **keys: str) -> str:
    return step("move", day, **{"pack": "P", "from": "OLD", "to": "NEW"} | keys)


def look(server: str, pack: str = "P", day: int = 2) -> str:
    return step("look", day, server=server, pack=pack)


def told(estate: str, *steps: str) -> list[dict[str, object]]:
    return facts_of(played(*steps, estate=estate))


def test_a_connected_move_happens_at_once_and_takes_the_licenses_along(estate, versions):
    *_, moved, old, new, kept = told(estate, in_use(), move(), look("OLD"), look("NEW"), connect("PC1", "H2", 3))
    assert moved == {"outcome": "moved", "pending": False, "effective_at": None, "licenses": 1}
    assert (old["total"], old["issued"]) == (0, 0)
    assert (new["total"], new["issued"], new["available"]) == (3, 1, 2)
    assert (kept["status"], kept["pack"], kept["server"], kept["version"]) == ("active", "P", "NEW", versions.old)
    assert kept["expires_in_days"] == 78.0


def test_a_moved_license_is_renewed_where_the_pack_is(estate):
    late = a_step(at="2026-03-20T09:00:00Z", host='"H2"')
    *_, renewed = told(estate, in_use(), move(), late)
    assert (renewed["change"], renewed["pack"], renewed["expires_in_days"]) == ("renewed", "P", 80.0)


def test_a_moved_pack_opens_no_newer_host_than_before(estate):
    *_, refused = told(estate, in_use(), move(), step("remove", server="NEW", pack="N"), connect("PC1", "HN", 3))
    assert (refused["status"], refused["reason"]) == ("temporary", ["no-cal-free", "cal-version-too-low"])


def test_a_pack_moves_back_as_far_as_versions_allow(estate):
    *_, back, new_one = told(
        estate,
        in_use(),
        move(),
        move(3, **{"from": "NEW", "to": "OLD"}),
        move(3, pack="N", **{"from": "NEW", "to": "OLD"}),
    )
    assert (back["outcome"], back["licenses"]) == ("moved", 1)
    assert (new_one["outcome"], new_one["reason"]) == ("refused", ["server-version-too-low"])


def test_everything_that_stands_in_the_way_of_a_move_is_said(estate):
    closed = estate.replace('name = "OLD"', 'name = "OLD"\nactivated = false')
    [refused] = told(closed, move(pack="N", **{"from": "NEW", "to": "OLD"}))
    assert refused["reason"] == ["server-not-activated", "server-version-too-low"]


@pytest.mark.parametrize("way", [{"from": "NEW", "to": "OLD"}, {"from": "OLD", "to": "OLD"}])
def test_a_pack_moves_only_from_where_it_is_to_somewhere_else(estate, way):
    [refused] = told(estate, move(**way))
    assert refused == {"outcome": "refused", "reason": ["pack-not-held"]}


def test_what_was_removed_cannot_move_or_change(estate):
    removed, *refused = told(
        estate,
        step("remove", server="OLD", pack="P"),
        move(),
        step("downgrade", pack="P", to="sloop" if "harbor" in estate else "2000"),
    )
    assert removed["outcome"] == "removed"
    assert refused == [{"outcome": "refused", "reason": ["not-found"]}] * 2


def test_an_expired_pack_does_not_move(estate):
    ending = estate.replace("total = 3", "total = 3\nexpires_at = 2026-01-02T00:00:00Z")
    [refused] = told(ending, move())
    assert refused["reason"] == ["pack-expired"]


def test_a_connected_source_that_is_down_is_waited_for(estate):
    *_, moved, pending, new, _, there = told(
        estate,
        in_use(),
        step("down", server="OLD"),
        move(),
        look("OLD", day=20),
        connect("PC2", "H2", 20),
        step("up", 21, server="OLD"),
        look("NEW", day=21),
    )
    assert (moved["pending"], moved["effective_at"]) == (True, None)
    assert (pending["moving"], pending["effective_at"], pending["issued"]) == ("NEW", None, 1)
    assert new["status"] == "temporary"
    assert (there["moving"], there["total"], there["issued"]) == (None, 3, 1)


def test_an_unreachable_source_is_waited_for_until_its_right_has_run_out(estate):
    *_, moved, before, after, gone, ended = told(
        estate,
        in_use(),
        step("down", server="OLD"),
        move(source="unreachable"),
        a_step("look", at="2026-02-01T08:59:58Z", server='"NEW"', pack='"P"'),
        a_step("look", at="2026-02-01T08:59:59Z", server='"NEW"', pack='"P"'),
        a_step("up", at="2026-02-02T09:00:00Z", server='"OLD"'),
        a_step("look", at="2026-02-02T09:00:00Z", server='"OLD"'),
    )[1:]
    assert (moved["pending"], moved["effective_at"]) == (True, "2026-02-01T08:59:59Z")
    assert (before["total"], before["moving"]) == (0, "NEW")
    assert (after["total"], after["issued"], after["moving"]) == (3, 0, None)
    assert gone["outcome"] == "up"
    assert (ended["total"], ended["issued"]) == (0, 0)


def test_until_then_new_devices_get_temporary_licenses_at_the_target(estate):
    *_, first, second, full = told(
        estate,
        step("down", server="OLD"),
        move(source="dead"),
        step("remove", server="NEW", pack="N"),
        connect("PC2", "H2", 3),
        connect("PC2", "H2", 4),
        a_step(at="2026-02-05T09:00:00Z", host='"H2"', device='"PC2"'),
    )
    assert (first["status"], first["reason"]) == ("temporary", ["first-contact"])
    assert (second["status"], second["reason"]) == ("temporary", ["no-cal-free"])
    assert (full["status"], full["pack"]) == ("active", "P")


def test_a_source_that_comes_back_in_time_hands_its_licenses_over(estate):
    *_, moved, _, there, gone = told(
        estate,
        in_use(),
        move(source="unreachable"),
        step("up", 5, server="OLD"),
        look("NEW", day=5),
        look("OLD", day=5),
    )
    assert moved["pending"]
    assert (there["total"], there["issued"]) == (3, 1)
    assert gone["total"] == 0


def test_a_source_that_reaches_the_clearinghouse_no_more_issues_until_its_right_ends(estate):
    def at(moment: str, device: str = "PC1") -> str:
        return a_step(at=moment, host='"H"', device=f'"{device}"')

    *_, within, kept, afterwards = told(
        estate,
        connect("PC2"),
        in_use(),
        move(source="unreachable"),
        at("2026-01-30T09:00:00Z", "PC2"),
        at("2026-01-31T09:00:00Z"),
        at("2026-01-31T09:00:00Z", "PC3"),
    )
    assert within["status"] == "active"
    assert (kept["status"], kept["change"]) == ("active", "kept")
    assert (afterwards["status"], afterwards["reason"]) == ("temporary", ["first-contact", "issuing-right-ended"])


def test_a_right_renews_itself_while_a_server_is_in_touch(estate):
    late = a_step(
        "move", at="2027-06-01T09:00:00Z", pack='"P"', source='"unreachable"', **{"from": '"OLD"', "to": '"NEW"'}
    )
    *_, moved = told(estate, in_use(), late)
    assert "2027-06-22" < str(moved["effective_at"]) <= "2027-07-02T09:00:00Z"


def test_a_source_without_a_right_to_issue_need_not_be_waited_for(estate):
    _, moved = told(estate, step("deactivate", server="OLD"), move(source="unreachable"))
    assert not moved["pending"]


def test_a_source_that_gives_its_right_up_ends_the_waiting(estate):
    moved, _, there = told(estate, move(source="unreachable"), step("deactivate", server="OLD"), look("NEW"))
    assert moved["pending"]
    assert (there["total"], there["moving"]) == (3, None)


def test_a_source_that_is_activated_again_hears_of_the_move_first(estate):
    *_, there, gone = told(
        estate, in_use(), move(source="unreachable"), step("activate", server="OLD"), look("NEW"), look("OLD")
    )
    assert (there["issued"], gone["total"]) == (1, 0)


def test_a_move_that_waits_for_its_source_can_be_asked_for_again(estate):
    _, first, again, third = told(
        estate, step("down", server="OLD"), move(), move(source="unreachable"), move(3, source="unreachable")
    )
    assert first["effective_at"] is None
    assert again["effective_at"] == third["effective_at"] == "2026-02-02T08:59:59Z"


def test_a_pack_on_its_way_does_not_change_or_go_elsewhere(estate, versions):
    third = estate + f'[[server]]\nname = "THIRD"\nversion = "{versions.new}"\n'
    _, *refused = told(
        third, move(source="unreachable"), step("downgrade", pack="P", to=versions.older), move(to="THIRD")
    )
    assert [facts["reason"] for facts in refused] == [["pack-moving"]] * 2


def test_a_downgraded_pack_changes_its_licenses_and_is_raised_again(estate, versions):
    *_, down, seen, no_more, up, again = told(
        estate,
        in_use(),
        step("downgrade", pack="P", to=versions.older),
        look("OLD"),
        connect("PC1", "H", 3),
        step("upgrade", 4, pack="P", to=versions.old),
        connect("PC1", "H", 5),
    )
    assert down == {"outcome": "downgraded", "licenses": 1}
    assert (seen["version"], seen["bought_as"], seen["issued"]) == (versions.older, versions.old, 1)
    assert (no_more["outcome"], no_more["pack"]) == ("refused", None)
    assert "cal-version-too-low" in no_more["reason"]
    assert up == {"outcome": "upgraded", "licenses": 1}
    assert (again["status"], again["pack"], again["version"]) == ("active", "P", versions.old)


def test_a_pack_may_have_been_downgraded_before_the_story_begins(estate, versions):
    before = estate.replace("total = 3", f'total = 3\nbought_as = "{versions.new}"')
    too_old, moved, up = told(
        before, step("upgrade", pack="P", to=versions.new), move(), step("upgrade", pack="P", to=versions.new)
    )
    assert too_old["reason"] == ["server-version-too-low"]
    assert (moved["outcome"], up["outcome"]) == ("moved", "upgraded")


def test_a_pack_is_not_raised_above_what_was_bought(estate, versions):
    *_, refused = told(estate, move(), step("upgrade", pack="P", to=versions.new))
    assert refused == {"outcome": "refused", "reason": ["above-what-was-bought"]}


def test_a_change_that_would_change_nothing_is_refused(estate, versions):
    refused = told(
        estate,
        step("downgrade", pack="P", to=versions.old),
        step("upgrade", pack="P", to=versions.older),
        step("downgrade", pack="P", to=versions.new),
        step("convert", pack="P", to="per-device"),
    )
    assert [facts["reason"] for facts in refused] == [["nothing-to-do"]] * 4


def test_without_a_right_to_issue_nothing_changes(estate, versions):
    _, refused = told(estate, step("deactivate", server="OLD"), step("downgrade", pack="P", to=versions.older))
    assert refused["reason"] == ["server-not-activated"]


def part(do: str, count: int, to: str, name: str = "Q") -> str:
    return a_step(do, at=DAY.format(2), pack='"P"', to=f'"{to}"', count=str(count), id=f'"{name}"')


def test_a_part_of_a_pack_becomes_a_pack_of_its_own_free_cals_first(estate, versions):
    *_, down, rest, new = told(estate, in_use(), part("downgrade", 2, versions.older), look("OLD"), look("OLD", "Q"))
    assert down == {"outcome": "downgraded", "licenses": 0}
    assert (rest["total"], rest["issued"], rest["version"]) == (1, 1, versions.old)
    assert (new["total"], new["issued"], new["version"], new["bought_as"]) == (2, 0, versions.older, versions.old)


def test_where_too_few_are_free_licenses_go_along_with_the_part(estate, versions):
    *_, down, rest, new = told(
        estate, in_use(), in_use("PC2"), part("downgrade", 2, versions.older), look("OLD"), look("OLD", "Q")
    )
    assert down["licenses"] == 1
    assert (rest["issued"], new["issued"]) == (1, 1)


def test_a_part_moves_by_itself(estate, versions):
    *_, moved, there = told(estate, part("downgrade", 2, versions.older), move(pack="Q"), look("NEW", "Q"))
    assert (moved["outcome"], there["total"]) == ("moved", 2)


def test_no_more_than_all_of_a_pack_changes_and_a_part_needs_a_new_handle(estate, versions):
    too_many, taken = told(estate, part("downgrade", 4, versions.older), part("downgrade", 2, versions.older, name="N"))
    assert too_many["reason"] == ["nothing-left"]
    assert taken["reason"] == ["pack-already-installed"]


def test_free_cals_are_converted_and_no_others(estate):
    *_, refused, done, seen = told(
        estate, in_use(), part("convert", 3, "per-user"), part("convert", 2, "per-user"), look("OLD", "Q")
    )
    assert refused["reason"] == ["pack-in-use"]
    assert done == {"outcome": "converted", "licenses": 0}
    assert (seen["type"], seen["total"], seen["available"]) == ("per-user", 2, 2)


def test_what_the_agreement_forbids_is_not_converted(estate):
    fixed = estate.replace("total = 3", "total = 3\nconvertible = false")
    *_, refused = told(fixed, in_use(), part("convert", 3, "per-user"))
    assert refused["reason"] == ["pack-in-use", "not-convertible"]


def test_a_part_that_was_split_off_is_bound_to_the_same_agreement(estate, versions):
    fixed = estate.replace("total = 3", "total = 3\nconvertible = false")
    _, refused = told(fixed, part("downgrade", 2, versions.older), step("convert", pack="Q", to="per-user"))
    assert refused["reason"] == ["not-convertible"]


def test_a_rebuilt_server_has_all_its_packs_and_knows_nobody(estate, versions):
    *_, moved, built, seen, back, kept = told(
        estate,
        in_use(),
        part("downgrade", 1, versions.older),
        move(pack="Q"),
        step("rebuild", server="OLD"),
        look("OLD"),
        connect("PC1", "H", 3),
        connect("PC1", "H", 3),
    )
    assert moved["outcome"] == "moved"
    assert built == {"outcome": "rebuilt", "packs": 1}
    assert (seen["total"], seen["issued"]) == (2, 0)
    assert (back["status"], back["reason"]) == ("temporary", ["first-contact"])
    assert (kept["status"], kept["pack"]) == ("active", "P")


def test_a_host_that_hears_of_the_rebuilt_server_refuses_its_old_licenses(estate):
    def outage(*between: str) -> dict[str, object]:
        return told(
            estate,
            in_use(),
            step("rebuild", server="OLD"),
            *between,
            step("down", 3, server="OLD"),
            connect("PC1", "H", 3),
        )[-1]

    assert outage()["outcome"] == "granted"
    assert outage(connect("PC2", "H", 3))["outcome"] == "refused"


def test_licenses_of_a_rebuilt_server_are_not_taken_for_old_ones(estate):
    *_, kept = told(
        estate,
        in_use(),
        step("rebuild", server="OLD"),
        connect("PC1", "H", 3),
        connect("PC1", "H", 3),
        step("down", 3, server="OLD"),
        connect("PC1", "H", 3),
    )
    assert (kept["outcome"], kept["status"]) == ("granted", "active")


def test_rebuilding_gives_up_what_was_on_its_way_from_there(estate):
    moved, _, seen, again = told(
        estate, move(source="unreachable"), step("rebuild", server="OLD"), look("OLD"), move(3)
    )
    assert moved["pending"]
    assert (seen["total"], seen["moving"]) == (3, None)
    assert (again["outcome"], again["pending"]) == ("moved", False)


def test_a_server_that_is_not_activated_is_rebuilt_as_it_was(estate):
    closed = estate.replace('name = "OLD"', 'name = "OLD"\nactivated = false')
    built, given = told(closed, step("rebuild", server="OLD"), connect("PC1", "H", 3))
    assert built["packs"] == 1
    assert given["reason"] == ["first-contact", "server-not-activated"]


def test_a_target_that_is_down_gets_what_it_waits_for_when_it_is_up(estate):
    *_, pending, _, before, _, after = told(
        estate,
        step("down", server="OLD"),
        move(),
        step("down", server="NEW"),
        look("NEW"),
        step("up", server="OLD"),
        look("NEW"),
        step("up", server="NEW"),
        look("NEW"),
    )
    assert pending["moving"] == "NEW"
    assert (before["total"], after["total"]) == (0, 3)


def test_what_an_unreachable_source_removes_after_the_move_is_not_the_targets_pack(estate):
    *_, removed, there, _, back = told(
        estate,
        move(source="unreachable"),
        a_step("remove", at="2026-02-03T09:00:00Z", server='"OLD"', pack='"P"'),
        a_step("look", at="2026-02-03T09:00:00Z", server='"NEW"', pack='"P"'),
        a_step("up", at="2026-02-03T09:00:00Z", server='"OLD"'),
        a_step("move", at="2026-02-04T09:00:00Z", pack='"P"', **{"from": '"NEW"', "to": '"OLD"'}),
    )
    assert removed["outcome"] == "removed"
    assert there["total"] == 3
    assert (back["outcome"], back["pending"]) == ("moved", False)


def test_a_pack_that_ends_on_its_way_is_waited_for_no_longer(estate):
    ending = estate.replace("total = 3", "total = 3\nexpires_at = 2026-01-20T00:00:00Z")
    *_, at_old, at_new = told(
        ending,
        step("down", server="OLD"),
        move(source="unreachable"),
        a_step("up", at="2026-02-20T09:00:00Z", server='"OLD"'),
        a_step("look", at="2026-02-20T09:00:00Z", server='"OLD"', pack='"P"'),
        a_step("look", at="2026-02-20T09:00:00Z", server='"NEW"', pack='"P"'),
    )
    assert (at_old["total"], at_new["total"]) == (0, 0)
    assert at_new["moving"] is None


def test_a_pack_that_was_removed_after_a_move_may_be_installed_anywhere(estate, versions):
    def install(day: int, server: str) -> str:
        pack = {"id": '"P"', "version": f'"{versions.old}"', "type": '"per-device"', "total": "3"}
        return a_step("install", at=DAY.format(day), server=f'"{server}"', **pack)

    outcomes = told(
        estate,
        move(),
        step("remove", server="NEW", pack="P"),
        install(3, "OLD"),
        move(4),
        step("remove", 4, server="NEW", pack="P"),
        install(4, "NEW"),
    )
    assert [facts["outcome"] for facts in outcomes] == [
        "moved",
        "removed",
        "installed",
        "moved",
        "removed",
        "installed",
    ]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (move(source="lost"), "source: must be one of connected, unreachable, dead, not 'lost'"),
        (step("move", pack="P", to="NEW"), "from: is missing: it must be one of OLD, NEW"),
        (step("downgrade", pack="P"), "to: is missing: it must be a version of the ladder"),
        (step("convert", pack="P", to="per-seat"), "to: must be one of per-device, per-user"),
        (step("upgrade", pack="P", to="9"), "to: must be a version of the ladder"),
        (step("convert", pack="P", to="per-user", id="Q"), "id: count and id belong together"),
        (step("rebuild", pack="P"), "server: is missing"),
        (step("rebuild", server="NEW", pack="P"), "pack: is no key of step 1"),
    ],
)
def test_a_wrong_step_is_an_error_that_says_what_was_expected(estate, wrong, said):
    with pytest.raises(LicensingError) as caught:
        read(estate + wrong)
    assert said in caught.value.detail


def test_nothing_was_bought_as_less_than_it_is(estate, versions):
    with pytest.raises(LicensingError, match="bought_as: must not be older than the version"):
        read(estate.replace("total = 3", f'total = 3\nbought_as = "{versions.older}"') + move())
