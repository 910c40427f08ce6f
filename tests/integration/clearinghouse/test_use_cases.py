"""Clearinghouse: what it signs a license server accepts; nothing signed is lost, nothing is signed twice."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from calward.adapters.clearinghouse import SqliteClearinghouseStore
from calward.adapters.signing import verify
from calward.app.clearinghouse.activate_license_server import ActivateLicenseServer
from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.clearinghouse.ports import Book
from calward.app.clearinghouse.sign_key_pack import SignKeyPack
from calward.domain.acceptance import (
    AcceptanceRefusal,
    NotAccepted,
    ServerIdentity,
    accept_activation,
    accept_key_pack,
    accept_keyring,
)
from calward.domain.cals import CalType
from calward.domain.envelope import decode_envelope
from calward.domain.errors import LicensingError, Problem
from calward.domain.operators import Operator, OperatorRole
from calward.domain.statements import Activation, Channel, KeyPackStatement, PayloadType
from calward.domain.trust import Keyring, Trust
from tests.support.clearinghouses import ClearinghouseWiring
from tests.support.signed import (
    DAY,
    NOW,
    OTHER_SERVER_ID,
    SERVER,
    SERVER_ID,
    STRANGER,
    a_request,
    sealed,
)

REQUEST = sealed(a_request())
WHO = ServerIdentity(SERVER_ID, SERVER.public_key, a_request().nonce)


T = TypeVar("T")


class CrashedError(Exception):
    pass


def a_sale(**changes: Any) -> SignKeyPack:
    sale = SignKeyPack(
        order="A-1",
        server_id=SERVER_ID,
        ladder="windows-server",
        version="2008r2",
        cal_type=CalType.PER_DEVICE,
        total=10,
    )
    return replace(sale, **changes)


def by_file(**changes: Any) -> ActivateLicenseServer:
    return replace(ActivateLicenseServer(REQUEST, Channel.FILE), **changes)


def trust_of(desk: Clearinghouse, root_key: bytes) -> Trust:
    keyring = accept_keyring(desk.keyring()[1], roots=frozenset({root_key}), now=NOW, verify=verify)
    assert isinstance(keyring, Keyring)
    return Trust(frozenset({root_key}), keyring)


def problem_of(call: Callable[[], object]) -> Problem:
    with pytest.raises(LicensingError) as caught:
        call()
    return caught.value.problem


def activated(desk: Clearinghouse, root_key: bytes, command: ActivateLicenseServer) -> Activation:
    envelope = desk.activate(command)
    assert isinstance(envelope, bytes)
    found = accept_activation(envelope, trust=trust_of(desk, root_key), server=WHO, now=NOW, verify=verify)
    assert isinstance(found, Activation)
    return found


def test_the_license_server_accepts_its_activation_and_its_pack(desk: Clearinghouse, root_key: bytes) -> None:
    assert activated(desk, root_key, by_file()).clearinghouse == "Example CALs"
    pack = accept_key_pack(
        desk.sign_pack(a_sale()),
        trust=trust_of(desk, root_key),
        server_id=SERVER_ID,
        ladder=desk.load_ladder("windows-server"),
        server_version="2008",
        now=NOW,
        verify=verify,
    )
    assert isinstance(pack, KeyPackStatement)
    assert (pack.version, pack.cal_type, pack.total) == ("2008R2", CalType.PER_DEVICE, 10)


@pytest.mark.parametrize(
    ("command", "until"),
    [
        (by_file(channel=Channel.ONLINE), NOW + 30 * DAY),
        (by_file(), NOW + 180 * DAY),
        (by_file(until=NOW + DAY), NOW + DAY),
        (by_file(perpetual=True), None),
    ],
)
def test_the_right_to_issue_lasts_as_long_as_it_should(
    desk: Clearinghouse, root_key: bytes, command: ActivateLicenseServer, until: object
) -> None:
    assert activated(desk, root_key, command).issue_until == until


def test_asking_again_renews_the_right(desk: Clearinghouse, root_key: bytes, wiring: ClearinghouseWiring) -> None:
    first = activated(desk, root_key, by_file(channel=Channel.ONLINE))
    wiring.clock.pass_days(10)
    again = sealed(a_request(nonce="00" * 16, server_name="LS1 renamed"))
    envelope = desk.activate(ActivateLicenseServer(again, Channel.ONLINE))
    assert isinstance(envelope, bytes)
    second = accept_activation(
        envelope, trust=trust_of(desk, root_key), server=replace(WHO, nonce=None), now=NOW, verify=verify
    )
    assert isinstance(second, Activation)
    assert first.issue_until is not None
    assert second.issue_until == first.issue_until + 10 * DAY
    assert [one.name for one in desk.overview().servers] == ["LS1 renamed"]


def test_the_same_request_gets_the_same_bytes_later_too(desk: Clearinghouse, wiring: ClearinghouseWiring) -> None:
    first = desk.activate(by_file())
    wiring.clock.pass_days(1)
    assert desk.activate(by_file()) == first
    assert desk.activate(by_file(request=REQUEST + b"\n")) == first
    assert desk.activate(by_file(perpetual=True)) != first


def test_the_same_order_gets_the_same_pack(desk: Clearinghouse, wiring: ClearinghouseWiring) -> None:
    desk.activate(by_file())
    first = desk.sign_pack(a_sale())
    wiring.clock.pass_days(1)
    assert desk.sign_pack(a_sale(version="2008R2")) == first
    assert desk.sign_pack(a_sale(order="A-2")) != first
    assert len({one.pack_id for one in desk.overview().packs}) == 2


@pytest.mark.parametrize(
    "change", [{"total": 11}, {"version": "2012"}, {"cal_type": CalType.PER_USER}, {"expires_at": NOW + DAY}]
)
def test_an_order_is_good_for_one_sale(desk: Clearinghouse, change: dict[str, Any]) -> None:
    desk.activate(by_file())
    desk.sign_pack(a_sale())
    assert problem_of(lambda: desk.sign_pack(a_sale(**change))) is Problem.CONFLICT
    assert len(desk.overview().packs) == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"server_id": OTHER_SERVER_ID}, Problem.NOT_FOUND),
        ({"server_id": "no id"}, Problem.MALFORMED),
        ({"version": "2050"}, Problem.NOT_FOUND),
        ({"ladder": "nowhere"}, Problem.NOT_FOUND),
        ({"ladder": "../../../etc/passwd"}, Problem.NOT_FOUND),
        ({"ladder": "/dev/zero"}, Problem.NOT_FOUND),
        ({"total": 0}, Problem.MALFORMED),
        ({"total": 10**9}, Problem.MALFORMED),
        ({"expires_at": NOW}, Problem.MALFORMED),
        ({"order": ""}, Problem.MALFORMED),
        ({"order": "a\x1b[2Jb"}, Problem.MALFORMED),
    ],
)
def test_a_sale_that_no_server_could_use_is_not_signed(
    desk: Clearinghouse, change: dict[str, Any], problem: Problem
) -> None:
    desk.activate(by_file())
    assert problem_of(lambda: desk.sign_pack(a_sale(**change))) is problem
    assert not desk.overview().packs
    assert not desk.overview().unfinished


def test_a_ladder_of_the_folder_can_be_sold(desk: Clearinghouse, folder: Path) -> None:
    (folder / "ladders").mkdir()
    own = Path(__file__).parents[2] / "support" / "harbor.toml"
    (folder / "ladders" / "harbor.toml").write_bytes(own.read_bytes())
    ladder = desk.load_ladder("harbor")
    desk.activate(by_file())
    assert b"key-pack" in desk.sign_pack(a_sale(ladder="harbor", version=ladder.newest))


def test_a_server_id_belongs_to_the_key_that_came_first(desk: Clearinghouse) -> None:
    desk.activate(by_file())
    thief = sealed(a_request(server_key=STRANGER.public_key), STRANGER)
    assert problem_of(lambda: desk.activate(by_file(request=thief))) is Problem.CONFLICT
    assert [one.public_key for one in desk.overview().servers] == [SERVER.public_key]


@pytest.mark.parametrize("request_bytes", [b"", b"{}", REQUEST[:-10], REQUEST.replace(b"a", b"b", 1)])
def test_a_damaged_request_registers_nobody(desk: Clearinghouse, request_bytes: bytes) -> None:
    refused = desk.activate(by_file(request=request_bytes))
    assert isinstance(refused, NotAccepted)
    assert not desk.overview().servers


def test_a_pack_is_no_activation_request(desk: Clearinghouse) -> None:
    desk.activate(by_file())
    refused = desk.activate(by_file(request=desk.sign_pack(a_sale())))
    assert isinstance(refused, NotAccepted)
    assert refused.reason is AcceptanceRefusal.WRONG_PAYLOAD_TYPE


@pytest.mark.parametrize("change", [{"until": NOW}, {"until": NOW + DAY, "perpetual": True}])
def test_an_end_that_makes_no_sense_is_refused(desk: Clearinghouse, change: dict[str, Any]) -> None:
    assert problem_of(lambda: desk.activate(by_file(**change))) is Problem.MALFORMED


@dataclass
class CrashingSigner:
    """Signs or not, and the program ends before anybody hears of it."""

    public_key: bytes
    keyid: str

    def sign(self, message: bytes) -> bytes:
        raise CrashedError


def test_a_crash_before_signing_leaves_a_plan_that_the_next_try_finishes(
    desk: Clearinghouse, wiring: ClearinghouseWiring, folder: Path
) -> None:
    desk.activate(by_file())
    broken = replace(desk, pack_signer=CrashingSigner(desk.pack_signer.public_key, desk.pack_signer.keyid))
    with pytest.raises(CrashedError):
        broken.sign_pack(a_sale())
    assert [one.order for one in desk.overview().unfinished] == ["A-1"]

    after = wiring.open_clearinghouse(folder)
    wiring.clock.pass_days(1)
    envelope = after.sign_pack(a_sale())
    (pack,) = after.overview().packs
    assert pack.issued_at == NOW, "the plan of then was signed, not a new one"
    assert not after.overview().unfinished
    assert after.sign_pack(a_sale()) == envelope


def test_a_crash_after_signing_gives_the_same_signature_again(desk: Clearinghouse, folder: Path) -> None:
    class Lost(SqliteClearinghouseStore):
        writes = 0

        def write(self, act: Callable[[Book], T]) -> T:
            self.writes += 1
            if self.writes == 2:
                raise CrashedError
            return super().write(act)

    class Heard:
        def __init__(self) -> None:
            self.public_key, self.keyid = desk.pack_signer.public_key, desk.pack_signer.keyid
            self.signatures: list[bytes] = []

        def sign(self, message: bytes) -> bytes:
            self.signatures.append(desk.pack_signer.sign(message))
            return self.signatures[-1]

    desk.activate(by_file())
    heard = Heard()
    with pytest.raises(CrashedError):
        replace(desk, store=Lost(folder / "clearinghouse.db"), pack_signer=heard).sign_pack(a_sale())
    assert [one.value for one in decode_envelope(desk.sign_pack(a_sale())).signatures] == heard.signatures


def test_the_keyring_is_signed_anew_by_the_root_that_was_kept_elsewhere(
    desk: Clearinghouse, root_key: bytes, wiring: ClearinghouseWiring, folder: Path, tmp_path: Path
) -> None:
    away = tmp_path / "safe.key"
    (folder / "root.key").rename(away)
    assert problem_of(lambda: wiring.publish_keyring(folder, None, 30, None)) is Problem.NOT_FOUND
    envelope = wiring.publish_keyring(folder, "New name", 30, away)
    keyring = accept_keyring(envelope, roots=frozenset({root_key}), now=NOW, verify=verify, newest=1)
    assert isinstance(keyring, Keyring)
    assert (keyring.version, keyring.clearinghouse) == (2, "New name")
    assert keyring.expires_at == NOW + timedelta(days=30)
    assert desk.keyring() == (keyring, envelope)
    assert (folder / "keyring.json").read_bytes() == envelope + b"\n"


def test_the_root_of_another_clearinghouse_signs_nothing_here(
    desk: Clearinghouse, wiring: ClearinghouseWiring, folder: Path, tmp_path: Path
) -> None:
    wiring.init_clearinghouse(tmp_path / "other", "Other", 30)
    other = tmp_path / "other" / "root.key"
    assert problem_of(lambda: wiring.publish_keyring(folder, None, 30, other)) is Problem.FORBIDDEN
    assert desk.keyring()[0].version == 1


def test_a_clearinghouse_works_without_its_root_key(
    desk: Clearinghouse, wiring: ClearinghouseWiring, folder: Path
) -> None:
    (folder / "root.key").unlink()
    assert isinstance(wiring.open_clearinghouse(folder).activate(by_file()), bytes)


def test_a_clearinghouse_is_made_once(desk: Clearinghouse, wiring: ClearinghouseWiring, folder: Path) -> None:
    assert problem_of(lambda: wiring.init_clearinghouse(folder, "Again", 30)) is Problem.CONFLICT
    assert desk.keyring()[0].clearinghouse == "Example CALs"


def test_a_folder_without_a_clearinghouse_says_how_to_make_one(wiring: ClearinghouseWiring, tmp_path: Path) -> None:
    with pytest.raises(LicensingError, match="clearinghouse init"):
        wiring.open_clearinghouse(tmp_path)


def test_an_operator_is_known_by_the_token_that_was_shown_once(desk: Clearinghouse, folder: Path) -> None:
    token = desk.name_operator("shop")
    assert desk.operator_of(token) == Operator("shop", OperatorRole.SELLER)
    assert desk.operator_of(token + "0") is None
    assert desk.operator_of("\ud800") is None
    assert problem_of(lambda: desk.name_operator("shop")) is Problem.CONFLICT
    assert token.encode() not in (folder / "clearinghouse.db").read_bytes()


def test_keyrings_count_up_past_one_that_was_never_signed(
    desk: Clearinghouse, wiring: ClearinghouseWiring, folder: Path
) -> None:
    with pytest.raises(CrashedError):
        desk.publish_keyring("Example CALs", CrashingSigner(b"", ""), 30)
    assert desk.keyring()[0].version == 1
    wiring.publish_keyring(folder, None, 30, None)
    assert desk.keyring()[0].version == 3
    assert len(desk.store.read(lambda book: book.papers.intents(PayloadType.KEYRING))) == 3
