"""A device at a session host: what its client presents, who is asked, what decides. [MS-RDPELE] 3.2.5.3 to 3.2.5.5."""

from dataclasses import replace
from datetime import timedelta

import pytest

from calward.adapters.ladders import load_ladder
from calward.adapters.signing.ed25519 import Ed25519Signer, seal, verify
from calward.app.sessionhost.check_device import CheckDevice, DeviceCheck, DeviceQuestion, check_device
from calward.app.sessionhost.ports import HostPolicy, Memory
from calward.domain.cals import CalType, HolderKind
from calward.domain.errors import Problem
from calward.domain.grace import GraceState
from calward.domain.heard import Heard, HeldLicense
from calward.domain.issued_license import IssuedLicense, KnownServer
from calward.domain.licenses import Change, Status
from calward.domain.statements import PayloadType
from calward.ladders import DEFAULT_LADDER
from tests.support.session_host import NOW, FakeServer, MemoryInMemory, trouble

HARDWARE = bytes.fromhex("00000104") + bytes(range(16))
DEVICE = HARDWARE.hex()
SERVERS = {"one": "1" * 32, "two": "2" * 32}
SIGNERS = {name: Ed25519Signer(name.ljust(32).encode()) for name in SERVERS}
GRACE = GraceState(NOW - timedelta(days=1), None, observed_at=NOW)
PAST = GraceState(NOW - timedelta(days=1), NOW - timedelta(days=1), observed_at=NOW)


def signed(server="one", *, version="2022", status=Status.ACTIVE, days=60.0, device=DEVICE, name="L1") -> bytes:
    ends = (NOW + timedelta(days=days)).replace(microsecond=0)
    pack = "P1" if status is Status.ACTIVE else None
    issued = IssuedLicense(
        SERVERS[server], "SH1", HolderKind.DEVICE, device, name, version, CalType.PER_DEVICE, status, ends, pack, Change.NEW
    )  # fmt: skip
    return seal(PayloadType.LICENSE, issued.to_payload(), SIGNERS[server])


def gives(server="one", *, status=Status.ACTIVE, name="L9", change="new", days=60.0) -> Heard:
    held = HeldLicense(name, "2022", CalType.PER_DEVICE, status, NOW + timedelta(days=days), "P1", change, server)
    return Heard(held, (), "D1", signed(server, status=status, name=name, days=days))


CANNOT = Heard(None, ("no-cal-free",), "D2")
DOWN = trouble()
VALID = signed()
NEARLY = signed(days=3)
TEMPORARY = signed(status=Status.TEMPORARY)
OLD = signed(version="2019")
EXPIRED = signed(days=-1)
FOREIGN = b"\x30\x82 somebody else's license"


class Host:
    def __init__(self, *servers: FakeServer, state=PAST, mode="per-device", revoked=()):
        policy = HostPolicy("2022", mode, 120, NOW) if mode else None
        self.servers, self.memory = servers, MemoryInMemory(Memory(grace=state, policy=policy))
        self.known = [
            KnownServer(name, server_id, frozenset({SIGNERS[name].public_key}), frozenset(revoked))
            for name, server_id in SERVERS.items()
        ]
        self.complaints: list[str] = []

    def connect(self, presented=None, *, hardware=HARDWARE, name="PC1", store=True):
        return check_device(
            CheckDevice(DeviceQuestion(hardware, name, presented), NOW, "id-1", store=store),
            servers=self.servers,
            memory=self.memory,
            check=DeviceCheck(self.known, load_ladder(DEFAULT_LADDER), verify),
            time_left=lambda: 3.0,
            complain=self.complaints.append,
        )


def outcome(verdict) -> str:
    """Granted with a new token, granted by the old one, grace, or the error that a client gets: 6 or 8."""
    match str(verdict.admission.outcome):
        case "granted":
            return "new" if verdict.token else "old"
        case "refused":
            return "6" if verdict.no_server else "8"
        case other:
            return other


@pytest.mark.parametrize(("presented", "server", "in_grace", "after_grace"), [
    # what the client presents | what the license server does | in grace | after grace
    (VALID, gives(), "new", "new"),              # We always ask: the answer may be a renewal.
    (VALID, DOWN, "old", "old"),
    (TEMPORARY, gives(), "new", "new"),
    (NEARLY, gives(), "new", "new"),
    (OLD, gives(), "new", "new"),
    (EXPIRED, gives(), "new", "new"),
    (TEMPORARY, DOWN, "old", "old"),
    (NEARLY, DOWN, "old", "old"),
    (OLD, DOWN, "grace", "6"),                   # Of an older version than the host: it does not open this one.
    (EXPIRED, DOWN, "grace", "6"),
    (EXPIRED, CANNOT, "grace", "8"),
    (OLD, CANNOT, "grace", "8"),
    (None, gives(), "new", "new"),
    (None, gives(status=Status.TEMPORARY), "new", "new"),
    (None, DOWN, "grace", "6"),
    (None, CANNOT, "grace", "8"),
    (FOREIGN, gives(), "new", "new"),            # Counts as nothing, never as an error.
    (FOREIGN, DOWN, "grace", "6"),
    (FOREIGN, CANNOT, "grace", "8"),
])  # fmt: skip
def test_the_table_of_what_is_presented_and_what_the_server_does(presented, server, in_grace, after_grace):
    no_budget = GraceState(PAST.first_connection, PAST.first_full, timedelta(days=120), NOW, answering=False)
    assert outcome(Host(FakeServer(server), state=GRACE).connect(presented)) == in_grace
    assert outcome(Host(FakeServer(server), state=no_budget).connect(presented)) == after_grace


@pytest.mark.parametrize(("presented", "two", "expected"), [
    (None, gives("two", status=Status.TEMPORARY), "new"),
    (TEMPORARY, gives("two"), "new"),
    (EXPIRED, gives("two"), "new"),
    (EXPIRED, CANNOT, "8"),
    (VALID, gives("two"), "new"),
    (VALID, CANNOT, "old"),                                        # The first gave it and is only away.
    (VALID, gives("two", status=Status.TEMPORARY), "old"),         # It keeps the better one.
    (TEMPORARY, CANNOT, "old"),
])  # fmt: skip
def test_the_first_server_is_down_and_the_second_answers(presented, two, expected):
    host = Host(FakeServer(DOWN, name="one"), FakeServer(two, name="two"))
    assert outcome(host.connect(presented)) == expected


def test_its_own_server_takes_a_license_back_by_giving_none():
    assert outcome(Host(FakeServer(CANNOT)).connect(VALID)) == "8"


def test_a_device_without_the_license_in_hand_is_known_by_what_the_host_remembers():
    host = Host(FakeServer(gives(), DOWN))
    host.connect()
    assert outcome(host.connect()) == "old"
    assert host.connect().admission.license.id == "L9"


def test_a_revoked_license_opens_nothing_while_no_server_answers():
    no_budget = GraceState(PAST.first_connection, PAST.first_full, timedelta(days=120), NOW, answering=False)
    host = Host(FakeServer(DOWN), state=no_budget, revoked={"L1"})
    assert outcome(host.connect(VALID)) == "6"
    assert "revoked" in host.complaints[0]


def test_a_revoked_license_that_is_only_remembered_opens_nothing_either():
    no_budget = GraceState(PAST.first_connection, PAST.first_full, timedelta(days=120), NOW, answering=False)
    host = Host(FakeServer(gives(), DOWN), revoked={"L9"})
    host.connect()
    host.memory.host = Memory(grace=no_budget, policy=host.memory.host.policy)
    assert outcome(host.connect()) == "6"


def test_another_devices_license_counts_for_nothing():
    assert outcome(Host(FakeServer(DOWN)).connect(signed(device="else"))) == "grace"


@pytest.mark.parametrize(("answer", "stored"), [
    (gives(change="kept", name="L1"), False),
    (gives(change="renewed", name="L1", days=90), True),
    (gives(change="upgraded", name="L2"), True),
    (gives("two", change="kept", name="L1"), True),
])  # fmt: skip
def test_a_license_that_is_kept_is_not_written_again_on_the_client(answer, stored):
    """Its statement is another one: what was done is signed too."""
    presented = signed()
    verdict = Host(FakeServer(replace(answer, signed=b"another statement"))).connect(presented)
    assert (verdict.token is not None) is stored
    assert verdict.admission.license == answer.license


def test_what_is_presented_is_not_stored_again_and_storing_can_be_off():
    heard = gives()
    assert Host(FakeServer(heard)).connect(heard.signed).token is None
    assert Host(FakeServer(heard)).connect().token == heard.signed
    assert Host(FakeServer(heard)).connect(store=False).token is None


@pytest.mark.parametrize("mode", ["per-user", "admin", "none"])
def test_a_host_that_is_not_licensed_per_device_lets_devices_through_and_asks_nobody(mode):
    host = Host(FakeServer(CANNOT), mode=mode)
    verdict = host.connect(None, hardware=None, name="")
    assert (outcome(verdict), verdict.token, host.servers[0].asked) == ("old", None, [])


def test_a_device_that_nothing_tells_apart_is_refused_with_its_own_reason():
    verdict = Host(FakeServer(gives())).connect(hardware=None, name="")
    assert verdict.admission.reasons == ("device-without-identity",)
    assert outcome(verdict) == "8"


def test_a_host_that_has_never_heard_its_mode_asks_for_it():
    host = Host(FakeServer(gives()), mode=None)  # The fake one says per user.
    assert outcome(host.connect()) == "old"
    assert host.memory.host.policy.mode == "per-user"


def test_a_host_that_has_never_heard_of_a_server_is_a_new_host():
    host = Host(FakeServer(DOWN, grace_days=trouble(Problem.UNREACHABLE)), mode=None, state=GraceState())
    assert outcome(host.connect(VALID)) == "grace"
