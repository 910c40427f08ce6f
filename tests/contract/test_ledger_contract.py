"""Do all ledgers behave as their port says: the one in memory, SQLite, PostgreSQL?

Acts run in transactions of their own, so that what they find is what the earlier ones left.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from calward.app.ports import Book, Ledger
from calward.domain.cals import HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.issuing import Claim
from calward.domain.key_packs import KeyPack
from calward.domain.licenses import Ending, Holder, License, Seat, Status
from calward.domain.settings import PerUser, Settings
from tests.support.builders import DEVICE, USER, a_key_pack, a_license, a_server, family
from tests.support.clocks import DAY, NOW, SetClock
from tests.support.ledgers import LEDGERS

POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with a license server and nothing else."""
    place = request.getfixturevalue("postgresql_database") if request.param == "postgresql" else tmp_path
    with LEDGERS[request.param](place, SetClock()) as ledger:
        ledger.write(lambda book: book.set_server(a_server()))
        yield ledger


@pytest.fixture
def packs(ledger: Ledger) -> tuple[KeyPack, KeyPack]:
    """Two installed packs: three CALs for devices, two for users."""
    installed = a_key_pack(total=3, row=1), a_key_pack("2022", USER, total=2, row=2)
    for pack in installed:
        ledger.write(lambda book, pack=pack: install(book, pack))
    return installed


@pytest.fixture
def pack(packs: tuple[KeyPack, KeyPack]) -> KeyPack:
    return packs[0]


def install(book: Book, pack: KeyPack) -> None:
    assert book.new_id() == pack.row
    book.add_pack(pack, b"the envelope")
    book.append({"id": pack.row, "at": NOW, "kind": "pack-installed"})


def license_of(book: Book, holder: Holder, seat: Seat | None = None, **changes: Any) -> License:
    """Store a license with an event of its own."""
    number = book.new_id()
    values = {"id": number, "holder": holder.id, "seat": seat, "decision": number, "issued_at": NOW} | changes
    given = a_license(status=values.pop("status", Status.ACTIVE if seat else Status.TEMPORARY), **values)
    book.append({"id": number, "at": NOW, "kind": "license"})
    book.add_license(given)
    return given


def give(
    book: Book, pack: KeyPack, key: str = "PC1", *, now: int = NOW, days: float = 10
) -> tuple[Claim, License] | None:
    """Claim a CAL and hand it to a device; None where none is free."""
    holder = book.holder(HolderKind.DEVICE, key, key)
    claimed = book.claim(pack, now)
    if claimed is None:
        return None
    return claimed, license_of(book, holder, claimed.seat, expires_at=now + int(days * DAY))


def given(ledger: Ledger, pack: KeyPack, key: str = "PC1", **options: Any) -> tuple[Claim, License]:
    found = ledger.write(lambda book: give(book, pack, key, **options))
    assert found is not None
    return found


def number_of(ledger: Ledger, license_: License) -> License:
    """The license as the ledger has it now."""
    found = ledger.write(lambda book: book.license(license_.id))
    assert found is not None
    return found


def end(ledger: Ledger, license_: License, at: int, ending: Ending) -> None:
    def act(book: Book) -> None:
        found = book.license(license_.id)
        assert found is not None
        book.end(found, at, ending)

    ledger.write(act)


# --- the license server ---


def test_an_empty_ledger_says_what_is_missing(request, tmp_path):
    with (
        LEDGERS["sqlite"](tmp_path, SetClock()) as sqlite,
        LEDGERS["memory"](tmp_path, SetClock()) as memory,
    ):
        for empty in (sqlite, memory):
            with pytest.raises(LicensingError, match="the ledger is empty") as caught:
                empty.write(lambda book: book.server())
            assert caught.value.problem is Problem.NOT_FOUND


def test_the_license_server_is_kept_with_all_its_settings(ledger):
    changed = a_server(
        "2019",
        issue_until=NOW + 5,
        settings=Settings(user_days=9, per_user=PerUser.ENFORCE, prevent_license_upgrade=True),
    )
    ledger.write(lambda book: book.set_server(changed))
    assert ledger.write(lambda book: book.server()) == changed


def test_the_time_is_the_ledgers_clock(ledger):
    assert ledger.write(lambda book: book.now()) == NOW


# --- packs ---


def test_a_pack_is_on_the_shelf_as_it_was_installed(ledger, packs):
    shelf = ledger.write(lambda book: book.shelf())
    assert shelf.by_id == {pack.id: pack for pack in packs}


def test_a_new_pack_is_all_free(ledger, pack):
    assert ledger.write(lambda book: book.held(pack, NOW)) == 0
    assert ledger.write(lambda book: book.free((pack,), NOW, 99)) == 3


def test_a_removed_pack_is_gone_and_may_be_installed_again(ledger, pack):
    ledger.write(lambda book: book.remove_pack(pack))
    assert pack.id not in ledger.write(lambda book: book.shelf().by_id)
    again = a_key_pack(total=1, row=3, id=pack.id)
    ledger.write(lambda book: install(book, again))
    assert ledger.write(lambda book: book.shelf().by_id[pack.id]) == again
    assert ledger.write(lambda book: book.free((again,), NOW, 99)) == 1


def test_licenses_of_a_removed_pack_stay_readable(ledger, pack):
    _, old = given(ledger, pack, days=1)
    end(ledger, old, old.expires_at, Ending.EXPIRED)
    ledger.write(lambda book: book.remove_pack(pack))
    found = number_of(ledger, old)
    assert (found.seat, found.expires_at) == (old.seat, old.expires_at)


# --- CALs ---


def test_cals_are_claimed_in_order_until_none_is_free(ledger, pack):
    seats = [given(ledger, pack, f"PC{n}")[0] for n in range(3)]
    assert seats == [Claim(pack, Seat(pack.id, n)) for n in (1, 2, 3)]
    assert ledger.write(lambda book: give(book, pack, "PC9")) is None
    assert ledger.write(lambda book: book.held(pack, NOW)) == 3


def test_cals_claimed_in_one_transaction_differ(ledger, pack):
    found = ledger.write(lambda book: [give(book, pack, f"PC{n}") for n in range(4)])
    assert [x and x[0].seat.n for x in found] == [1, 2, 3, None]


def test_one_pack_does_not_lend_to_another(ledger, packs):
    devices, users = packs
    for n in range(3):
        given(ledger, devices, f"PC{n}")
    assert ledger.write(lambda book: book.free((users,), NOW, 99)) == 2
    assert ledger.write(lambda book: book.free(packs, NOW, 99)) == 2


def test_counting_goes_no_further_than_asked(ledger, packs):
    assert ledger.write(lambda book: book.free(packs, NOW, 4)) == 4
    assert ledger.write(lambda book: book.free(packs, NOW, 0)) == 0
    assert ledger.write(lambda book: book.free((), NOW, 4)) == 0


def test_a_cal_is_free_from_the_second_in_which_its_license_ends(ledger, pack):
    _, held = given(ledger, pack)
    assert ledger.write(lambda book: book.held(pack, held.expires_at - 1)) == 1
    assert ledger.write(lambda book: book.held(pack, held.expires_at)) == 0
    assert ledger.write(lambda book: book.free((pack,), held.expires_at, 9)) == 3


def test_a_cal_whose_license_ran_out_is_claimed_over_it_and_the_end_is_written_down(ledger, pack):
    lives = {"PC0": 3, "PC1": 1, "PC2": 2}
    old = {key: given(ledger, pack, key, days=days)[1] for key, days in lives.items()}
    now = NOW + 4 * DAY
    claimed, new = given(ledger, pack, "PC9", now=now)
    assert claimed == Claim(pack, old["PC1"].seat, old["PC1"].id)
    ended = number_of(ledger, old["PC1"])
    assert (ended.ended_at, ended.ending) == (old["PC1"].expires_at, Ending.EXPIRED)
    assert number_of(ledger, old["PC2"]).ended_at is None
    assert new.seat == old["PC1"].seat
    assert ledger.write(lambda book: book.held(pack, now)) == 1


def test_a_cal_can_be_claimed_in_the_very_second_in_which_its_license_ends(ledger):
    pack = a_key_pack(total=1, row=1)
    ledger.write(lambda book: install(book, pack))
    _, old = given(ledger, pack, "PC0", days=1)
    assert ledger.write(lambda book: give(book, pack, "PC1", now=old.expires_at - 1)) is None
    claimed, _ = given(ledger, pack, "PC1", now=old.expires_at)
    assert claimed == Claim(pack, old.seat, old.id)


def test_a_cal_that_was_never_held_is_claimed_before_one_that_ran_out(ledger, pack):
    given(ledger, pack, "PC0", days=1)
    claimed, _ = given(ledger, pack, "PC1", now=NOW + 2 * DAY)
    assert claimed == Claim(pack, Seat(pack.id, 2))


@pytest.mark.parametrize("ending", [Ending.REVOKED, Ending.RELEASED, Ending.UPGRADED])
def test_ending_a_license_frees_its_cal_at_once(ledger, pack, ending):
    licenses = [given(ledger, pack, f"PC{n}")[1] for n in range(3)]
    end(ledger, licenses[1], NOW + 5, ending)
    found = number_of(ledger, licenses[1])
    assert (found.ended_at, found.ending, found.expires_at) == (NOW + 5, ending, licenses[1].expires_at)
    claimed, _ = given(ledger, pack, "PC9", now=NOW + 5)
    assert claimed == Claim(pack, licenses[1].seat)


def test_a_cal_can_pass_from_one_license_to_another_in_one_transaction(ledger, pack):
    licenses = [given(ledger, pack, f"PC{n}")[1] for n in range(3)]

    def act(book: Book) -> Any:
        found = book.license(licenses[2].id)
        assert found is not None
        book.end(found, NOW, Ending.UPGRADED)
        return give(book, pack, "PC9")

    claimed, new = ledger.write(act)
    assert claimed == Claim(pack, licenses[2].seat)
    assert number_of(ledger, new).runs(NOW)
    assert ledger.write(lambda book: book.held(pack, NOW)) == 3


def test_a_late_end_of_an_old_license_does_not_take_the_cal_from_its_new_holder(ledger, pack):
    small = a_key_pack("2019", total=1, row=3)
    ledger.write(lambda book: install(book, small))
    given(ledger, small, "PC0", days=1)
    now = NOW + 2 * DAY
    _, new = given(ledger, small, "PC1", now=now)
    assert not ledger.write(lambda book: book.expired(now, 9))
    assert number_of(ledger, new).runs(now)
    assert ledger.write(lambda book: book.held(small, now)) == 1


def test_an_extended_license_holds_its_cal_longer(ledger, pack):
    _, held = given(ledger, pack, days=1)

    def act(book: Book) -> None:
        found = book.license(held.id)
        assert found is not None
        book.append({"id": book.new_id(), "at": NOW, "kind": "license"})
        book.extend(found, NOW + 9 * DAY, 4)

    ledger.write(act)
    found = number_of(ledger, held)
    assert (found.expires_at, found.decision) == (NOW + 9 * DAY, 4)
    assert ledger.write(lambda book: book.held(pack, NOW + 8 * DAY)) == 1


def test_the_shortage_is_noticed_at_the_very_cal_where_it_begins(ledger):
    pack = a_key_pack(total=12, row=1)
    ledger.write(lambda book: install(book, pack))
    left: list[int | None] = []
    for n in range(12):

        def act(book: Book, n: int = n) -> int | None:
            assert give(book, pack, f"PC{n}")
            return book.few_left(DEVICE, (pack,), NOW, 4)

        left.append(ledger.write(act))
    assert left[:8] == [None] * 7 + [4]
    assert left[-1] == 0


# --- holders ---


def test_a_holder_is_made_when_it_is_new_and_found_again(ledger):
    made = ledger.write(lambda book: book.holder(HolderKind.DEVICE, "0A1B", "PC1"))
    assert (made.key, made.label, made.proven_at) == ("0A1B", "PC1", None)
    assert made.token.startswith("d:")
    assert ledger.write(lambda book: book.holder(HolderKind.DEVICE, "0A1B", "PC1")) == made
    assert ledger.write(lambda book: book.find_holder(HolderKind.DEVICE, "0A1B")) == made


@pytest.mark.parametrize("key", ["alice", "Zoë \U0001f600", "a" * 200, "x'); DROP TABLE holder; --", "a\\b%_"])
def test_a_holder_may_be_called_anything(ledger, key):
    made = ledger.write(lambda book: book.holder(HolderKind.USER, key, key))
    assert ledger.write(lambda book: book.find_holder(HolderKind.USER, key)) == made


def test_a_device_and_a_user_of_one_name_are_two_holders_and_case_counts(ledger):
    def act(book: Book) -> list[int]:
        names = [(HolderKind.DEVICE, "x"), (HolderKind.USER, "x"), (HolderKind.USER, "X")]
        return [book.holder(kind, key, key).id for kind, key in names]

    assert len(set(ledger.write(act))) == 3


def test_who_was_never_seen_is_not_found(ledger):
    assert ledger.write(lambda book: book.find_holder(HolderKind.USER, "nobody")) is None


def test_a_proven_device_stays_proven(ledger):
    def prove(book: Book) -> None:
        book.prove(book.holder(HolderKind.DEVICE, "PC1", "PC1"), NOW + 7)

    ledger.write(prove)
    found = ledger.write(lambda book: book.find_holder(HolderKind.DEVICE, "PC1"))
    assert found is not None
    assert found.proven_at == NOW + 7


def test_an_erased_holder_keeps_what_events_call_it_and_nothing_else(ledger, pack):
    _, held = given(ledger, pack, "PC1")
    token = ledger.write(lambda book: book.holder_of(held)).token

    def erase(book: Book) -> None:
        found = book.find_holder(HolderKind.DEVICE, "PC1")
        assert found is not None
        book.erase(found)

    ledger.write(erase)
    assert ledger.write(lambda book: book.find_holder(HolderKind.DEVICE, "PC1")) is None
    left = ledger.write(lambda book: book.holder_of(number_in(book, held.id)))
    assert (left.key, left.label, left.token) == ("", "", token)
    again = ledger.write(lambda book: book.holder(HolderKind.DEVICE, "PC1", "PC1"))
    assert again.token != token
    assert list(ledger.write(lambda book: book.licenses_of(again))) == []


def number_in(book: Book, number: int) -> License:
    found = book.license(number)
    assert found is not None
    return found


# --- licenses ---


def test_a_license_is_kept_as_it_was_given(ledger, packs):
    users = packs[1]

    def act(book: Book) -> License:
        claimed = book.claim(users, NOW)
        assert claimed
        holder = book.holder(HolderKind.USER, "alice", "alice")
        return license_of(book, holder, claimed.seat, version="2022", type_=USER, expires_at=NOW + 60 * DAY)

    given_ = ledger.write(act)
    assert number_of(ledger, given_) == given_


@pytest.mark.parametrize(
    ("status", "type_"), [(Status.TEMPORARY, DEVICE), (Status.TEMPORARY, USER), (Status.OVER_USED, USER)]
)
def test_a_license_without_a_cal_is_kept_too(ledger, pack, status, type_):
    given_ = ledger.write(
        lambda book: license_of(book, book.holder(type_.holder_kind, "x", "x"), status=status, type_=type_)
    )
    assert number_of(ledger, given_) == given_
    assert ledger.write(lambda book: book.held(pack, NOW)) == 0


def test_all_licenses_of_a_holder_are_found_running_and_ended(ledger, pack):
    _, first = given(ledger, pack, "PC1")
    end(ledger, first, NOW, Ending.REVOKED)
    _, second = given(ledger, pack, "PC1")
    given(ledger, pack, "PC2")
    holder = ledger.write(lambda book: book.holder_of(second))
    assert sorted(x.id for x in ledger.write(lambda book: book.licenses_of(holder))) == [first.id, second.id]


def test_a_license_that_was_never_issued_is_not_found(ledger):
    assert ledger.write(lambda book: book.license(999)) is None


def test_licenses_that_have_ended_by_themselves_are_listed_until_it_is_written_down(ledger, pack):
    _, full = given(ledger, pack, "PC1", days=1)
    temporary = ledger.write(
        lambda book: license_of(book, book.holder(HolderKind.DEVICE, "PC2", "PC2"), expires_at=NOW + DAY)
    )
    given(ledger, pack, "PC3", days=9)
    assert not ledger.write(lambda book: book.expired(NOW + DAY - 1, 9))
    found = ledger.write(lambda book: book.expired(NOW + DAY, 9))
    assert sorted(x.id for x in found) == [full.id, temporary.id]
    assert len(ledger.write(lambda book: book.expired(NOW + DAY, 1))) == 1
    for license_ in found:
        end(ledger, license_, license_.expires_at, Ending.EXPIRED)
    assert not ledger.write(lambda book: book.expired(NOW + DAY, 9))


def test_revoked_licenses_take_a_slot_until_they_would_have_expired(ledger, pack):
    _, first = given(ledger, pack, "PC1", days=5)
    _, second = given(ledger, pack, "PC2", days=3)
    end(ledger, first, NOW, Ending.REVOKED)
    end(ledger, second, NOW, Ending.RELEASED)
    revoked = family(pack.version)
    assert list(ledger.write(lambda book: book.revoked_until(revoked, NOW))) == [NOW + 5 * DAY]
    assert list(ledger.write(lambda book: book.revoked_until(revoked, NOW + 5 * DAY))) == []
    assert list(ledger.write(lambda book: book.revoked_until(revoked + 1, NOW))) == []


# --- events and answers ---


def test_an_event_is_read_as_it_was_written(ledger):
    def act(book: Book) -> dict[str, Any]:
        event = {"id": book.new_id(), "at": NOW, "kind": "refusal", "host": 'Zürich "1"\n', "trace": [[2, 6, 40]]}
        book.append(event)
        return event

    event = ledger.write(act)
    assert ledger.write(lambda book: book.event(event["id"])) == event
    assert ledger.write(lambda book: book.event(event["id"] + 1)) is None


def test_numbers_of_events_only_grow(ledger, pack):
    numbers = [given(ledger, pack, f"PC{n}")[1].id for n in range(3)]
    assert numbers == sorted(set(numbers))


def remember(ledger: Ledger, host: int, request_id: str, at: int = NOW) -> int:
    def act(book: Book) -> int:
        number = book.new_id()
        book.append({"id": number, "at": at, "kind": "license"})
        book.remember(host, request_id, number, at)
        return number

    return ledger.write(act)


def test_an_answer_is_remembered_for_its_host_and_request_id_only(ledger):
    number = remember(ledger, 1, "r1")
    found = ledger.write(lambda book: book.remembered(1, "r1"))
    assert found is not None
    assert found["id"] == number
    assert ledger.write(lambda book: book.remembered(2, "r1")) is None
    assert ledger.write(lambda book: book.remembered(1, "R1")) is None


def test_what_is_older_than_said_is_forgotten(ledger):
    remember(ledger, 1, "old", at=NOW)
    remember(ledger, 1, "young", at=NOW + 1)
    ledger.write(lambda book: book.forget(NOW, NOW))
    assert ledger.write(lambda book: book.remembered(1, "old")) is None
    assert ledger.write(lambda book: book.remembered(1, "young")) is not None


def refused(ledger: Ledger, host: int = 1, reasons: str = "no-cal-free", at: int = NOW, key: str = "PC1") -> int:
    """Refuse as the use case does: an equal refusal within the hour is the same event."""

    def act(book: Book) -> int:
        holder = book.holder(HolderKind.DEVICE, key, key)
        number = book.same_refusal(holder.id, host, reasons, at - 3600)
        if number is None:
            number = book.new_id()
            book.append({"id": number, "at": at, "kind": "refusal"})
            book.note_refusal(holder.id, host, reasons, number, at)
        return number

    return ledger.write(act)


def test_an_equal_refusal_within_the_hour_is_the_same_event(ledger):
    first = refused(ledger)
    assert refused(ledger, at=NOW + 3599) == first
    later = refused(ledger, at=NOW + 3600)
    assert later != first
    assert refused(ledger, at=NOW + 3601) == later


def test_another_holder_host_or_reason_is_another_refusal(ledger):
    assert (
        len({refused(ledger), refused(ledger, host=2), refused(ledger, key="PC2"), refused(ledger, reasons="x")}) == 4
    )


def test_a_forgotten_refusal_begins_anew(ledger):
    first = refused(ledger)
    ledger.write(lambda book: book.forget(NOW, NOW))
    assert refused(ledger) != first


def test_a_warning_is_due_once_within_its_time(ledger):
    asked = [("21 x", 0), ("21 x", 99), ("21 y", 99), ("21 x", 100), ("21 x", 101), ("21 x", 199), ("21 x", 200)]
    due = [ledger.write(lambda book, x=x, at=at: book.due(x, NOW + at, 100)) for x, at in asked]
    assert due == [True, False, True, True, False, False, True]


# --- what is durable ---


@pytest.mark.parametrize("kind", ["sqlite", POSTGRESQL])
def test_what_was_written_is_there_when_the_ledger_is_opened_again(request, tmp_path, kind):
    place = request.getfixturevalue("postgresql_database") if kind == "postgresql" else tmp_path
    pack = a_key_pack(total=3, row=1)
    with LEDGERS[kind](place, SetClock()) as first:
        first.write(lambda book: book.set_server(a_server()))
        first.write(lambda book: install(book, pack))
        _, held = given(first, pack)
        number = remember(first, 1, "r1")
    with LEDGERS[kind](place, SetClock()) as again:
        assert again.write(lambda book: book.server()) == a_server()
        assert again.write(lambda book: book.shelf().by_id) == {pack.id: pack}
        assert number_of(again, held) == held
        assert again.write(lambda book: book.remembered(1, "r1"))["id"] == number
        claimed, next_license = given(again, pack, "PC2")
        assert claimed == Claim(pack, Seat(pack.id, 2))
        assert next_license.id > number


# --- transactions ---


def test_acts_in_a_group_see_each_other_and_keep_their_order(ledger, pack):
    acts: list[Callable[[Book], Any]] = [lambda book, n=n: give(book, pack, f"PC{n}") for n in range(4)]
    results = ledger.write_all(acts)
    assert [x and x[0].seat.n for x in results] == [1, 2, 3, None]
    assert ledger.write(lambda book: book.held(pack, NOW)) == 3


def test_an_act_that_refuses_its_input_does_not_stand_in_the_way_of_the_others(ledger, pack):
    def wrong(_book: Book) -> None:
        raise LicensingError(Problem.MALFORMED, "that is wrong")

    before, error, after = ledger.write_all(
        [lambda book: give(book, pack, "A"), wrong, lambda book: give(book, pack, "B")]
    )
    assert isinstance(error, LicensingError)
    assert [before[0].seat.n, after[0].seat.n] == [1, 2]
    assert ledger.write(lambda book: book.held(pack, NOW)) == 2


def test_the_error_of_a_single_act_is_raised(ledger):
    def wrong(_book: Book) -> None:
        raise LicensingError(Problem.CONFLICT, "that was asked before")

    with pytest.raises(LicensingError, match="asked before"):
        ledger.write(wrong)


def test_no_acts_are_no_work(ledger):
    assert ledger.write_all([]) == []
