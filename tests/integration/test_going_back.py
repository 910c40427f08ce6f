"""A license server whose ledger goes back in time: noticed before a CAL goes out twice, and led out of it."""

import base64
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from calward.adapters.signing import verify
from calward.app.licensing.activate_online import activate_online
from calward.app.licensing.change_server import deactivate_server
from calward.app.licensing.contact import ask_online
from calward.app.licensing.quarantine import leave_quarantine, quarantine_of
from calward.app.licensing.recover import missing_packs
from calward.app.licensing.request_packs import ask, to_recover
from calward.app.licensing.take_orders import Desk, take
from calward.app.sessionhost.heartbeats import HeartbeatReport
from calward.bootstrap.backup import create_backup, restore_backup
from calward.config import ServerConfig
from calward.domain.acceptance import AcceptanceRefusal
from calward.domain.issued_license import IssuedLicense, KnownServer, PresentedRefusal, accept_license
from calward.domain.pack_requests import RecoverReason
from calward.domain.quarantine import Cause
from calward.domain.statements import Channel
from tests.support.asking_server import AskingServer
from tests.support.going_back import GoingBack, Line

PASSPHRASE = "a long passphrase"


@pytest.fixture
def office(tmp_path):
    return GoingBack(tmp_path)


def config_of(office) -> ServerConfig:
    return ServerConfig(data_dir=office.data)


def back_up(office, name="yesterday.tar"):
    return create_backup(config_of(office), office.folder / name, PASSPHRASE, clock=office.clock)[0]


def restore(office, backup, **options):
    return restore_backup(backup, config_of(office), PASSPHRASE, clock=office.clock, **options)


def quarantine(served):
    return served.server.ledger.write(quarantine_of)


def cause_of(served):
    found = quarantine(served)
    return found.cause if found else None


def desk_of(served) -> Desk:
    one = served.server
    return Desk(one.signatures, one.ladder, one.entropy, "tests", one.keys.exchange_license_key)


def recover(office, served, reason=RecoverReason.RESTORED):
    one = served.server
    request = one.ledger.write(lambda book: ask(to_recover(reason), book, one.signatures, one.entropy, now=book.now()))
    return ask_online(request, one.ledger, Line(office.house), desk_of(served), one.audit_log.store_checkpoint)


def holds(served) -> bool:
    return bool(served.server.services().audit.verify(None)["holds"])


def presented(served, host, signed, device):
    """What the agent of a host says of a license that a client shows, after the next heartbeat."""
    now = datetime.fromtimestamp(served.server.clock.now(), UTC)
    heard = host.client(served).heartbeat(HeartbeatReport("1"), seconds=20, now=now)
    known = KnownServer("LS1", heard.server_id, frozenset(heard.license_keys), heard.revoked)
    return accept_license(signed, servers=[known], device_id=device, now=now, verify=verify)


def went_back(office):
    """PC1 holds a full license since yesterday; PC2 got one today, of which yesterday's backup knows nothing."""
    with office.serving() as served:
        office.set_up(served, total=2)
        host = office.enroll(served)
        for device in ("PC1", "PC2", "PC3"):
            host.prove(served, device)
        assert host.ask(served, "PC1").full
        served.tell()
        host.ask(served, "PC1")
        backup = back_up(office)
        office.clock.pass_days(1)
        lost = host.full(served, "PC2")
        assert lost.full
        served.tell()
        host.ask(served, "PC1")
    office.clock.pass_days(1)
    restore(office, backup, replace=True)
    return host, lost, backup


def test_yesterdays_ledger_is_noticed_at_the_first_request_of_a_known_host(office, tmp_path):
    with office.serving() as served:
        office.set_up(served)
        host = office.enroll(served)
        for device in ("PC1", "PC2"):
            host.prove(served, device)
        served.tell()
        assert host.ask(served, "PC1").full
    shutil.copytree(office.data, tmp_path / "yesterday")
    office.clock.pass_days(1)
    with office.serving() as served:
        assert host.ask(served, "PC2").full
        served.tell()
        assert host.ask(served, "PC2").full
    shutil.rmtree(office.data)
    shutil.copytree(tmp_path / "yesterday", office.data)
    with office.serving() as served:
        answer = host.ask(served, "PC2")
        assert answer.license is not None
        assert not answer.full
        assert "ledger-rolled-back" in answer.reasons
        found = quarantine(served)
        assert (found.cause, found.by) == (Cause.OLDER, "host:SH1")
        assert found.seen > found.own > 0
        assert holds(served)


def test_a_restored_backup_gives_no_full_license_before_anybody_was_heard(office):
    host, _, _ = went_back(office)
    with office.serving() as served:
        assert cause_of(served) is Cause.RESTORED
        answer = host.ask(served, "PC2")
        assert not answer.full
        assert answer.reasons == ("ledger-rolled-back",)
        assert cause_of(served) is Cause.OLDER


def test_what_it_had_given_runs_on_meanwhile(office):
    host, _, _ = went_back(office)
    with office.serving() as served:
        kept = host.ask(served, "PC1")
        assert kept.full
        assert kept.license.change == "kept"


def test_accepting_the_loss_ends_it_and_makes_every_license_of_the_lost_time_void(office):
    host, lost, _ = went_back(office)
    with office.serving() as served:
        old_key = served.server.keys.license.public_key
        assert isinstance(presented(served, host, lost.signed, "PC2"), IssuedLicense)
        host.ask(served, "PC2")
        office.clock.pass_days(1)
        said = recover(office, served)
        assert said.refused is None
        assert {one.kind: one.outcome for one in said.taken if one.kind in {"register", "key-pack"}} == {
            "register": "recovered",
            "key-pack": "renewed",
        }
        assert cause_of(served) is None
        assert holds(served)
        served.tell()
        new_key = served.server.keys.license.public_key
        assert new_key != old_key
        # Two CALs, one of them with PC1 as before; the one of the lost time goes out again, to PC3.
        assert host.ask(served, "PC1").full
        assert host.ask(served, "PC3").full
        assert not host.ask(served, "PC2").full
        assert cause_of(served) is None
        assert presented(served, host, lost.signed, "PC2").reason is PresentedRefusal.FOREIGN


def test_a_host_that_heard_of_the_loss_does_not_complain_of_it_again(office):
    host, _, _ = went_back(office)
    with office.serving() as served:
        host.ask(served, "PC2")
        office.clock.pass_days(1)
        recover(office, served)
        served.tell()
        office.clock.pass_days(1)
        host.ask(served, "PC1")
        served.tell()
        host.ask(served, "PC1")
        newest = base64.b64decode(host.checkpoints.newest("https://ls1")).decode()
        assert int(newest.splitlines()[1]) <= served.server.audit_log.frontier().size
        assert cause_of(served) is None


def test_after_a_recovery_going_back_again_is_noticed(office, tmp_path):
    host, _, _ = went_back(office)
    with office.serving() as served:
        host.ask(served, "PC2")
        office.clock.pass_days(1)
        recover(office, served)
    shutil.copytree(office.data, tmp_path / "recovered")
    with office.serving() as served:
        office.clock.pass_days(1)
        for device in ("PC7", "PC8", "PC9"):
            host.ask(served, device)
        served.tell()
        host.ask(served, "PC1")
    shutil.rmtree(office.data)
    shutil.copytree(tmp_path / "recovered", office.data)
    with office.serving() as served:
        assert not host.ask(served, "PC2").full
        assert cause_of(served) is Cause.OLDER


def test_a_newer_backup_ends_it_by_itself_once_every_host_has_confirmed_it(office):
    with office.serving() as served:
        office.set_up(served)
        first, second = office.enroll(served, "SH1"), office.enroll(served, "SH2")
        for host in (first, second):
            host.ask(served, "PC1")
        first.prove(served, "PC5")
        served.tell()
        for host in (first, second):
            host.ask(served, "PC1")
        served.server._note_hosts()
    backup = back_up(office)
    office.clock.pass_days(1)
    restore(office, backup)
    with office.serving() as served:
        assert not first.ask(served, "PC5").full
        served.tell()
        assert cause_of(served) is Cause.RESTORED
        second.ask(served, "PC1")
        served.tell()
        served.tell()
        assert cause_of(served) is None
        assert first.ask(served, "PC5").full
        assert holds(served)


def test_a_clone_on_another_port_is_noticed_by_the_host_that_knows_both(office, tmp_path):
    with office.serving() as served:
        office.set_up(served)
        host = office.enroll(served)
        host.prove(served, "PC1")
        served.tell()
        host.ask(served, "PC1")
    shutil.copytree(office.data, tmp_path / "clone")
    with office.serving() as one, office.serving(tmp_path / "clone") as other:
        other.tell()
        host.ask(other, "PC2", name="https://ls1-clone")
        host.prove(one, "PC3")
        one.tell()
        assert host.ask(one, "PC3").full
        assert not host.ask(other, "PC3", name="https://ls1-clone").full
        assert cause_of(other) is Cause.OLDER
        assert cause_of(one) is None


def test_two_histories_of_a_size_below_the_present_one_are_told_apart(office, tmp_path):
    with office.serving() as served:
        office.set_up(served)
        host = office.enroll(served)
        served.tell()
        host.ask(served, "PC1")
    shutil.copytree(office.data, tmp_path / "clone")
    with office.serving() as one:
        host.ask(one, "PC2")
        one.tell()
        host.ask(one, "PC1")
    with office.serving(tmp_path / "clone") as other:
        stranger = office.enroll(other, "SH9")
        for device in ("PC4", "PC5", "PC6", "PC7"):
            stranger.ask(other, device)
        other.tell()
        host.ask(other, "PC1")
        other.tell()  # Below its size, so it takes a look at the events.
        assert cause_of(other) is Cause.OTHER


def test_the_clearinghouse_notices_it_too_and_says_both_ways_out(office):
    with office.serving() as served:
        office.set_up(served)
        host = office.enroll(served)
        backup = back_up(office)
        host.ask(served, "PC1")
        served.contact()
    restore(office, backup, replace=True)
    with office.serving() as served:
        said = served.contact()
        assert said.refused.reason is AcceptanceRefusal.LEDGER_ROLLED_BACK
        found = quarantine(served)
        assert (found.cause, found.by) == (Cause.OLDER, "clearinghouse")
        recover(office, served)
        assert cause_of(served) is None
        assert served.contact().refused is None


def test_without_a_clearinghouse_at_hand_it_goes_by_two_files(office):
    host, _, _ = went_back(office)
    with office.serving() as served:
        one = served.server
        host.ask(served, "PC2")
        wanted = to_recover(RecoverReason.RESTORED)
        request, again = (
            one.ledger.write(lambda book: ask(wanted, book, one.signatures, one.entropy, now=book.now()))
            for _ in range(2)
        )
        assert request == again
        answer = office.house.answer(request, Channel.FILE)
        results = take(answer, one.ledger, desk_of(served))
        assert all(result.accepted for result in results), results
        assert cause_of(served) is None
        key = one.keys.license.public_key
        take(answer, one.ledger, desk_of(served))  # Twice changes nothing.
        assert one.keys.license.public_key == key


def move_away(office, served) -> None:
    """Another license server asks for all packs, and this one hands them over."""
    [(purchase, _)] = office.house.overview().purchases
    other = AskingServer(office.house, bytes.fromhex(office.roots), "LS2", "2025")
    other.activate()
    other.ask(other.move(SimpleNamespace(server_id=served.server.server.id), proof=purchase.proof))
    assert all(taken.accepted for taken in served.contact().taken)


def test_a_pack_that_left_in_the_lost_time_is_gone_and_cannot_be_put_back_by_its_old_file(office):
    with office.serving() as served:
        office.set_up(served)
        host = office.enroll(served)
        assert host.full(served, "PC1").full
        statement = served.server.ledger.write(lambda book: book._select("SELECT statement FROM pack", ())[0][0])
        backup = back_up(office)
        move_away(office, served)
        assert served.server.ledger.write(lambda book: book.shelf().packs) == ()
    office.clock.pass_days(1)
    restore(office, backup, replace=True)
    with office.serving() as served:
        one = served.server
        assert len(one.ledger.write(lambda book: book.shelf().packs)) == 1
        assert recover(office, served).refused is None
        assert one.ledger.write(lambda book: book.shelf().packs) == ()
        assert cause_of(served) is None
        assert not host.ask(served, "PC1").full
        [again] = take(bytes(statement), one.ledger, desk_of(served))
        assert again.reasons == ("replayed",)
        assert holds(served)


@contextmanager
def anew(office):
    """The ledger is lost, the keys are not."""
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (office.data / name).unlink(missing_ok=True)
    with office.serving() as served:
        yield served


def test_a_lost_ledger_is_rebuilt_from_the_register_without_papers(office):
    with office.serving() as served:
        office.set_up(served, total=3)
        server_id = served.server.server.id
        [pack] = served.server.ledger.write(lambda book: book.shelf().packs)
    office.clock.pass_days(1)
    with anew(office) as served:
        one = served.server
        assert one.server.id == server_id
        assert cause_of(served) is Cause.ANEW
        activate_online(one.ledger, Line(office.house), one.signatures, one.entropy, by="tests")
        said = recover(office, served, RecoverReason.REBUILD)
        assert said.refused is None
        [back] = one.ledger.write(lambda book: book.shelf().packs)
        assert (back.id, back.total, back.generation) == (pack.id, 3, pack.generation + 1)
        assert cause_of(served) is None
        assert one.ledger.write(missing_packs) == ()
        host = office.enroll(served, "SH2")
        assert host.full(served, "PC1").full
        assert holds(served)


def test_a_server_that_is_known_by_its_id_alone_is_rebuilt_under_it(office, tmp_path):
    with office.serving() as served:
        server_id = served.server.server.id
    (tmp_path / "new").mkdir()
    with office.serving(tmp_path / "new", server_id=server_id) as served:
        assert served.server.server.id == server_id
        assert cause_of(served) is Cause.ANEW


def test_what_leaves_quarantine_twice_has_left_once(office):
    with office.serving() as served:
        one = served.server
        done = one.ledger.write(lambda book: leave_quarantine(book, now=book.now(), by="tests", how="recovered"))
        assert (done.outcome, done.event) == ("released", 0)
        assert one.ledger.write(lambda book: deactivate_server(book, now=book.now(), by="tests")).outcome == "refused"
