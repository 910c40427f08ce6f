"""How is the diagnosis of an estate shown, filtered and snoozed?"""

import pytest

from calward.domain.cals import CalType
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.insight.estate import (
    Estate,
    EstateHost,
    EstateLicense,
    EstatePack,
    EstateServer,
    LicenseStatus,
    PackType,
    Source,
)
from calward.insight.snoozes import Snooze
from tests.support.builders import ladder
from tests.support.clocks import DAY, NOW
from tests.support.command_line import Ran, calward

DEVICE = PackType.PER_DEVICE
SERVERS = [EstateServer("LS1", "2022", activated=True), EstateServer("LS2", "2022", activated=True)]
HOSTS = [
    EstateHost("rdsh07.corp.example", "2019", CalType.PER_DEVICE, ("LS1", "LS2")),
    EstateHost("rdsh25", "2025", CalType.PER_DEVICE, ("LS1", "LS2")),
]
PACKS = [EstatePack("3", "LS1", "2019", DEVICE, "volume", 10, 9)]


def a_license(number: int, device: str, status=LicenseStatus.ACTIVE, days=50, version="2019") -> EstateLicense:
    return EstateLicense(str(number), "LS1", "3", DEVICE, status, version, device, None, None, NOW, NOW + days * DAY)


LICENSES = [
    a_license(1, "WS-4417"),
    a_license(2, "WS-4418", LicenseStatus.TEMPORARY),
    a_license(3, "WS-OLD", LicenseStatus.TEMPORARY, -1),
]
BERLIN = Estate("berlin", Source.IMPORT, NOW, ladder(), SERVERS, HOSTS, PACKS, LICENSES)
ALL_IS_WELL = Estate("berlin", Source.IMPORT, NOW, ladder(), SERVERS, HOSTS[:1], PACKS, LICENSES[:1])


class Wiring:
    """The context object: an estate that is as the test says, and snoozes in memory."""

    def __init__(self, estate: Estate = BERLIN) -> None:
        self.found = estate
        self.kept: tuple[Snooze, ...] = ()
        self.asked: list[tuple] = []

    def estate(self, *asked) -> Estate:
        self.asked.append(asked)
        return self.found

    def snoozes(self, estate, folder) -> "Wiring":
        return self

    def now(self) -> int:
        return NOW

    def read(self) -> tuple[Snooze, ...]:
        return self.kept

    def write(self, snoozes) -> None:
        self.kept = tuple(snoozes)


def diagnose(*more: str, wiring: Wiring | None = None) -> Ran:
    return calward("diagnose", *more, wiring=wiring or Wiring())


def test_an_estate_in_which_all_is_well_ends_with_0():
    ran = diagnose(wiring=Wiring(ALL_IS_WELL))
    assert (ran.code, ran.err) == (Exit.OK, "")
    assert ran.lines[0] == "berlin (imported, another system's), as of 2026-03-01T08:00:00Z"
    assert ran.lines[-1].startswith("nothing is wrong; ")


def test_a_finding_ends_with_7_and_stands_below_the_list_in_whole_lines():
    ran = diagnose("berlin")
    assert ran.code == Exit.FINDINGS
    what = "✗ error: license server LS1 (2022) is older than 1 host of 2025, and refuses them"
    begin = ran.lines.index(what)
    assert [line.split()[0] for line in ran.lines[begin + 1 : begin + 5]] == ["seen", "cause", "fix", "more"]
    assert "docs/reference/diagnosis.md#server-older-than-host" in ran.lines[begin + 4]


def test_what_is_concluded_is_called_inferred():
    lines = diagnose().lines
    begin = next(number for number, line in enumerate(lines) if "temporary license of 2019/per-device" in line)
    assert lines[begin + 1].split()[0] == "inferred"


def test_checks_without_data_say_why():
    assert any(
        line.startswith("- not checked, as the snapshot does not say when hosts were seen last: ")
        for line in diagnose().lines
    )


def test_scripts_get_findings_with_key_subject_and_names():
    ran = diagnose("--json")
    found = {one["key"]: one for one in ran.json["findings"]}
    assert found["server-older-than-host@LS1 2025"]["names"] == ["rdsh25"]
    assert found["server-older-than-host@LS1 2025"]["subject"] == {"kind": "server", "name": "LS1 2025"}
    assert (ran.json["estate"], ran.json["source"], ran.json["answer"]) == ("berlin", "import", None)


def test_a_host_is_looked_at_alone():
    ran = diagnose("--host", "RDSH07", "--json")
    ids = {one["id"] for one in ran.json["findings"]}
    assert "server-older-than-host" not in ids
    assert "server-older-than-host" in {one["id"] for one in diagnose("--host", "rdsh25", "--json").json["findings"]}


def test_pools_that_do_not_concern_a_host_are_left_out():
    packs = [
        EstatePack(str(n), "LS1", version, DEVICE, "volume", 9, 9) for n, version in enumerate(("2016", "2019", "2025"))
    ]
    full = Estate("berlin", Source.IMPORT, NOW, ladder(), SERVERS, HOSTS, packs)
    keys = {one["key"] for one in diagnose("--host", "rdsh07", "--json", wiring=Wiring(full)).json["findings"]}
    assert {key for key in keys if key.startswith("headroom")} == {
        "headroom@LS1 2019/per-device",
        "headroom@LS1 2025/per-device",
    }


def test_an_unknown_host_is_not_found():
    ran = diagnose("--host", "SH9")
    assert ran.code == Exit.NOT_FOUND
    assert "rdsh07.corp.example, rdsh25" in ran.err


@pytest.mark.parametrize(
    ("device", "host", "outcome", "word"),
    [
        ("WS-4417", "rdsh07", "full", "holds active license 1 of 2019"),
        ("ws-4418", "rdsh07", "full", "LS1: 1 2019/per-device free"),
        ("WS-NEW", "rdsh07", "temporary", "the snapshot knows of none it has had"),
        ("WS-4417", "rdsh25", "refused", "LS1, LS2: of an older version than the host"),
    ],
)
def test_whether_a_device_can_log_on_is_answered_with_the_steps(device, host, outcome, word):
    ran = diagnose("--device", device, "--host", host, "--json")
    answer = ran.json["answer"]
    assert (answer["outcome"], answer["inferred"]) == (outcome, True)
    assert any(word in step for step in answer["steps"]), answer
    assert ("cannot-log-on" in {one["id"] for one in ran.json["findings"]}) == (outcome == "refused")


def test_a_used_up_temporary_license_without_a_free_cal_is_refused():
    full = Estate(
        "berlin",
        Source.IMPORT,
        NOW,
        ladder(),
        SERVERS,
        HOSTS,
        [EstatePack("3", "LS1", "2019", DEVICE, "volume", 9, 9)],
        LICENSES,
    )
    ran = diagnose("--device", "WS-OLD", "--host", "rdsh07", wiring=Wiring(full))
    assert ran.code == Exit.FINDINGS
    assert ran.lines[1] == "no: WS-OLD cannot log on to rdsh07.corp.example (inferred)"


def test_a_host_of_the_other_mode_is_asked_about_otherwise():
    ran = diagnose("--user", "anna", "--host", "rdsh07", "--json")
    assert ran.json["answer"]["outcome"] == "unknown"
    assert "ask with --device" in ran.json["answer"]["steps"][-1]


def test_a_snoozed_finding_is_shown_with_reason_and_end_and_does_not_count():
    wiring = Wiring(
        Estate(
            "berlin",
            Source.IMPORT,
            NOW,
            ladder(),
            SERVERS,
            (),
            [EstatePack("3", "LS1", "2019", DEVICE, "volume", 9, 9)],
        )
    )
    assert diagnose(wiring=wiring).code == Exit.FINDINGS
    ran = diagnose("--snooze", "headroom", "--reason", "ordered", "--until", "2026-03-02", wiring=wiring)
    assert ran.code == Exit.OK
    assert any(
        line.startswith("- snoozed until 2026-03-02 (ordered): headroom@LS1 2019/per-device: ") for line in ran.lines
    )
    assert diagnose("--json", wiring=wiring).json["snoozed"][0]["snoozed"]["reason"] == "ordered"
    assert diagnose("--unsnooze", "headroom", wiring=wiring).code == Exit.FINDINGS
    assert wiring.kept == ()


def test_a_snooze_of_one_finding_leaves_others_of_its_check():
    packs = [EstatePack(str(n), "LS1", version, DEVICE, "volume", 9, 9) for n, version in enumerate(("2016", "2019"))]
    wiring = Wiring(Estate("berlin", Source.IMPORT, NOW, ladder(), SERVERS, (), packs))
    key = "headroom@LS1 2016/per-device"
    ran = diagnose("--snooze", key, "--reason", "ordered", "--until", "2026-03-02", "--json", wiring=wiring)
    assert ran.code == Exit.FINDINGS
    assert [one["key"] for one in ran.json["findings"]] == ["headroom@LS1 2019/per-device"]


@pytest.mark.parametrize(
    "options",
    [
        ("--snooze", "headroom"),
        ("--snooze", "headroom", "--reason", "x", "--until", "tomorrow"),
        ("--snooze", "headroom", "--reason", "x", "--until", "2026-03-01"),
        ("--snooze", "everything", "--reason", "x", "--until", "2027-01-01"),
        ("--reason", "x"),
        ("--unsnooze", "headroom"),
        ("--user", "a", "--device", "b"),
    ],
)
def test_wrong_use_is_said_and_changes_nothing(options):
    wiring = Wiring()
    assert diagnose(*options, wiring=wiring).code == Exit.USAGE
    assert wiring.kept == ()


def test_nothing_in_a_name_does_anything_to_a_terminal():
    evil = Estate(
        "berlin", Source.IMPORT, NOW, ladder(), SERVERS, [EstateHost("SH\x1b[2J", "2025", CalType.PER_USER, ("LS1",))]
    )
    assert "\x1b" not in diagnose(wiring=Wiring(evil)).out


def test_a_license_of_an_imported_estate_is_explained():
    wiring = Wiring()
    ran = calward("explain", "ws-4418", "--estate", "berlin", wiring=wiring)
    assert (ran.code, wiring.asked[0][0]) == (Exit.OK, "berlin")
    assert ran.lines[0].startswith("license 2: WS-4418: temporary license of 2019/per-device on LS1, ends ")
    assert ran.lines[1] == "  1. of its own version: 1 of 10 2019/per-device CALs free"
    assert ran.lines[-2] == "what would change it:"
    said = calward("explain", "ws-4418", "--estate", "berlin", "--json", wiring=wiring).json
    assert [one["subject"] for one in said["items"]] == ["license 2"]
    assert calward("explain", "nobody", "--estate", "berlin", wiring=wiring).code == Exit.NOT_FOUND
    assert calward("explain", "--estate", "berlin", wiring=wiring).code == Exit.USAGE
