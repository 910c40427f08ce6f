"""How is a license server made, activated and set?"""

import pytest

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.change_server import activate_server, change_settings, deactivate_server, make_server
from calward.app.scenarios.memory_ledger import MemoryLedger
from calward.domain.errors import LicensingError, Problem
from calward.domain.reasons import Reason
from tests.support.builders import a_server
from tests.support.clocks import DAY, NOW, CountedEntropy, SetClock
from tests.support.office import Office


def test_a_new_server_is_stored_and_written_down():
    book = MemoryLedger(CountedEntropy())
    assert make_server(a_server("2019"), book, now=NOW, by="setup") == Done("made", 1)
    assert book.server() == a_server("2019")
    [written] = book.events()
    assert (written["kind"], written["server"], written["version"]) == ("server-made", "LS1", "2019")


def test_an_empty_ledger_has_no_server_and_no_time_of_its_own():
    book = MemoryLedger(CountedEntropy())
    with pytest.raises(LicensingError, match="make a license server first"):
        book.server()
    with pytest.raises(LicensingError, match="without a clock"):
        book.now()
    assert MemoryLedger(CountedEntropy(), SetClock()).now() == NOW


def test_activation_gives_the_right_to_issue_until_a_date():
    office = Office(a_server(activated=False))
    activate_server(NOW + DAY, office.book, now=NOW, by="root", clearinghouse="Example CALs")
    assert office.book.server().blocked(NOW) is None
    assert office.book.server().blocked(NOW + DAY) is Reason.ISSUING_RIGHT_ENDED
    [written] = office.events("activated")
    assert (written["until"], written["number"], written["clearinghouse"]) == (NOW + DAY, 4, "Example CALs")


def test_a_renewed_activation_is_not_announced_like_the_first():
    office = Office()
    activate_server(NOW + DAY, office.book, now=NOW, by="root")
    [written] = office.events("activated")
    assert not {"number", "clearinghouse"} & set(written)


def test_a_deactivated_server_may_be_activated_again():
    office = Office()
    assert isinstance(deactivate_server(office.book, now=NOW, by="root"), Done)
    assert office.book.server().blocked(NOW) is Reason.SERVER_NOT_ACTIVATED
    refused = deactivate_server(office.book, now=NOW, by="root")
    assert isinstance(refused, RefusedAct)
    assert refused.reasons == (Reason.NOTHING_TO_DO,)
    activate_server(NOW + DAY, office.book, now=NOW, by="root")
    assert office.events("activated")[0]["number"] == 4


def test_changed_settings_hold_from_now_on_and_are_written_as_text():
    office = Office()
    change_settings({"user_days": 30, "revocable_share": "0.5"}, office.book, now=NOW, by="root")
    assert office.book.server().settings.user_days == 30
    assert office.events("settings")[0]["values"] == {"user_days": "30", "revocable_share": "0.5"}


def test_a_wrong_setting_changes_nothing():
    office = Office()
    before = office.book.server()
    with pytest.raises(LicensingError) as caught:
        change_settings({"user_days": 30, "grace_days": -1}, office.book, now=NOW, by="root")
    assert (caught.value.problem, caught.value.field) == (Problem.MALFORMED, "grace_days")
    assert office.book.server() == before
    assert not office.events("settings")
