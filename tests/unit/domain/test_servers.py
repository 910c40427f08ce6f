"""Several license servers: who is asked, in which order, and whose answer counts."""

from datetime import UTC, datetime

import pytest

from calward.domain.cals import CalType
from calward.domain.heard import Heard, HeldLicense, newest_in_hand
from calward.domain.ladder import parse_ladder
from calward.domain.servers import choose_server

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_license(name: str = "L1", version: str = "beta", status: str = "active", year: int = 2027) -> HeldLicense:
    return HeldLicense(name, version, CalType.PER_DEVICE, status, datetime(year, 1, 1, tzinfo=UTC))


FULL = Heard(a_license())
TEMPORARY = Heard(a_license("T1", status="temporary"), ("no-cal-free",))
REFUSED = Heard(None, ("no-cal-free",))
STRANGER = Heard(None, ("host-not-authorized",))
TOO_OLD = Heard(None, ("server-version-too-low",))


class Servers:
    """Servers by name, each with its answer to "full only" and to "anything"; writes down who was asked."""

    def __init__(self, **answers: tuple[Heard | None, Heard | None]):
        self.answers = answers
        self.asked: list[str] = []

    def ask(self, server: str, full_only: bool) -> Heard | None:
        self.asked.append(server + ("!" if full_only else ""))
        return self.answers[server][not full_only]

    def choose(self):
        return choose_server(list(self.answers), self.ask)


def test_one_server_is_asked_once_and_for_anything():
    servers = Servers(one=(None, TEMPORARY))
    assert servers.choose().answer == TEMPORARY
    assert servers.asked == ["one"]


def test_no_server_listed_means_that_none_answers():
    assert choose_server([], Servers().ask) is None


def test_one_server_that_does_not_answer_is_no_answer():
    assert Servers(one=(None, None)).choose() is None


def test_a_server_without_a_free_cal_is_passed_over():
    servers = Servers(one=(REFUSED, TEMPORARY), two=(FULL, FULL))
    chosen = servers.choose()
    assert (chosen.server, chosen.answer) == ("two", FULL)
    assert servers.asked == ["one!", "two!"]


def test_the_first_full_license_wins_and_nobody_else_is_asked():
    servers = Servers(one=(FULL, FULL), two=(FULL, FULL))
    assert servers.choose().server == "one"
    assert servers.asked == ["one!"]


def test_when_none_has_a_cal_the_first_that_answers_gives_the_temporary():
    servers = Servers(down=(None, TEMPORARY), two=(REFUSED, TEMPORARY), three=(REFUSED, TEMPORARY))
    assert servers.choose().server == "two"
    assert servers.asked == ["down!", "two!", "three!", "two"]


def test_the_refusal_of_the_first_that_answers_stands():
    servers = Servers(one=(REFUSED, REFUSED), two=(REFUSED, TEMPORARY))
    chosen = servers.choose()
    assert (chosen.server, chosen.answer) == ("one", REFUSED)


@pytest.mark.parametrize("useless", [STRANGER, TOO_OLD])
def test_a_server_that_cannot_serve_the_host_at_all_does_not_stand_in_the_way(useless):
    servers = Servers(one=(useless, useless), two=(REFUSED, TEMPORARY))
    assert servers.choose().server == "two"
    assert servers.asked == ["one!", "two!", "two"]


def test_when_no_server_can_serve_the_host_the_first_says_why():
    assert Servers(one=(STRANGER, STRANGER), two=(TOO_OLD, TOO_OLD)).choose().answer == STRANGER


def test_a_server_that_stops_answering_between_the_questions_gives_way_to_the_next():
    assert Servers(one=(REFUSED, None), two=(REFUSED, TEMPORARY)).choose().server == "two"


def test_when_all_stop_answering_between_the_questions_what_was_heard_stands():
    assert Servers(one=(REFUSED, None), two=(REFUSED, None)).choose().answer == REFUSED


# --- the license in hand ---------------------------------------------------------------------------------------------

LADDER = parse_ladder(
    {
        "name": "greek",
        "title": "Greek",
        "rungs": [
            {"id": name, "title": name, "host_name": "host", "cal_name": "CAL"} for name in ("alpha", "beta", "gamma")
        ],
    }
)


def newest(*licenses: HeldLicense) -> HeldLicense | None:
    return newest_in_hand(licenses, LADDER, "beta", CalType.PER_DEVICE, NOW)


def test_in_hand_counts_what_opens_the_host_fits_its_mode_and_runs():
    other_type = HeldLicense("U1", "gamma", CalType.PER_USER, "active", datetime(2027, 1, 1, tzinfo=UTC))
    ended = a_license("L0", "gamma", year=2026)
    assert newest(other_type, ended, a_license("old", "alpha"), a_license("odd", "omega")) is None


def test_the_newest_version_in_hand_wins_then_the_one_that_ends_last():
    beta, later, gamma = a_license("L1"), a_license("L2", year=2028), a_license("L3", "gamma")
    assert newest(beta, later) == later
    assert newest(later, gamma, beta) == gamma


def test_only_an_active_license_is_a_full_one():
    assert FULL.full
    assert not TEMPORARY.full
    assert not REFUSED.full
