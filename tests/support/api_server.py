"""A license server's whole HTTP API in one process, on a ledger in a file, with a clearinghouse of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from calward.adapters.signing import seal, verify
from calward.adapters.signing.wire_authority import open_wire_authority
from calward.adapters.store.audit_desk import SqlAuditDesk
from calward.adapters.store.engines import open_reader
from calward.adapters.store.host_tokens import SqlHostTokens
from calward.adapters.store.ledger import SqlLedger
from calward.adapters.store.reader import SqlReader
from calward.adapters.store.tree import AuditLog, log_origin
from calward.app.licensing.change_server import make_server
from calward.app.licensing.enroll_host import AddHost, add_host, enroll_host
from calward.app.licensing.install_key_pack import InstallKeyPack, install_key_pack
from calward.app.licensing.make_token import MakeToken, make_token
from calward.app.licensing.records import LogKey
from calward.app.licensing.signed_things import Signatures
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.domain.key_packs import PackId
from calward.domain.licenses import NEVER
from calward.domain.roles import Principal, Role
from calward.domain.statements import Activation, ActivationRequest, Channel, KeyPackStatement, PayloadType, Program
from calward.domain.trust import Keyring, RoleKey
from calward.domain.trust import Role as KeyRole
from calward.entrypoints.api.agent_routes import agent_routes
from calward.entrypoints.api.app import make_app
from calward.entrypoints.api.host_routes import HostDesk, host_routes
from calward.entrypoints.api.services import Services
from tests.support.builders import DEVICE, a_server, ladder
from tests.support.clocks import CountedEntropy, SetClock
from tests.support.ledgers import _migrated_file
from tests.support.signed import ACTIVATION, PACK, ROOT, SERVER

SERVICE_UID = 4711


class FakeClearinghouse:
    """Answers every activation request, for 30 days."""

    def __init__(self, clock: SetClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def keyring(self, version: int = 1) -> bytes:
        keys = (RoleKey(KeyRole.PACK, PACK.public_key), RoleKey(KeyRole.ACTIVATION, ACTIVATION.public_key))
        ring = Keyring("Example CH", version, self.now(), self.now() + timedelta(days=365), keys)
        return seal(PayloadType.KEYRING, ring.to_payload(), ROOT)

    def close(self) -> None:
        """Nothing is held."""

    def activate(self, request: bytes, **changes: Any) -> bytes:
        from calward.domain.envelope import decode_envelope

        asked = ActivationRequest.from_payload(decode_envelope(request).payload)
        values: dict[str, Any] = {
            "server_id": asked.server_id,
            "server_name": asked.server_name,
            "server_key": asked.server_key,
            "clearinghouse": "Example CH",
            "channel": Channel.ONLINE,
            "nonce": asked.nonce,
            "issued_at": self.now(),
            "issue_until": self.now() + timedelta(days=30),
        } | changes
        return seal(PayloadType.ACTIVATION, Activation(**values).to_payload(), ACTIVATION)

    def ask(self, bundle: bytes) -> bytes | NotAccepted:
        """Activates whoever asks; everything else is unknown here."""
        from calward.domain.bundle import join, split
        from calward.domain.pack_acceptance import payload_type_of

        first = split(bundle)[0]
        if payload_type_of(first) is PayloadType.ACTIVATION_REQUEST:
            return join([self.keyring(), self.activate(first)])
        if payload_type_of(first) in {PayloadType.CONTACT, PayloadType.DEACTIVATION}:
            return join([self.keyring()])
        return NotAccepted(AcceptanceRefusal.NUMBER_UNKNOWN, "nothing was bought under these numbers")

    def pack(self, version: str = "2016", total: int = 2, number: int = 1, **changes: Any) -> bytes:
        values: dict[str, Any] = {
            "pack_id": f"{number:032x}",
            "generation": 1,
            "server_id": a_server().id,
            "ladder": "windows-server",
            "version": version,
            "cal_type": DEVICE,
            "total": total,
            "program": Program.RETAIL,
            "issued_at": self.now(),
            "expires_at": self.now() + timedelta(days=365),
            "bought_as": version,
        } | changes
        return seal(PayloadType.KEY_PACK, KeyPackStatement(**values).to_payload(), PACK)


@dataclass
class ApiServer:
    """The application and everything under it; ``client`` carries no token."""

    services: Services
    app: Starlette
    client: TestClient
    clock: SetClock
    ledger: SqlLedger
    clearinghouse: FakeClearinghouse

    def admin(self, role: Role = Role.LICENSE_ADMINISTRATOR, name: str | None = None) -> dict[str, str]:
        """Headers with a new token of this role."""
        command = MakeToken(name or f"test {role}", role, "tests")
        made = self.ledger.write(lambda book: make_token(command, book, now=book.now(), entropy=self.services.entropy))
        return {"Authorization": f"Bearer {made.token}"}

    def host(self, name: str = "SH1", version: str = "2016", mode: CalType = DEVICE, **more: Any) -> dict[str, str]:
        """Headers with the token of a newly enrolled host."""
        entropy = self.services.entropy
        command = AddHost(name, version, mode, "tests", **more)
        given = self.ledger.write(lambda book: add_host(command, book, ladder(), now=book.now(), entropy=entropy))
        joined = self.ledger.write(lambda book: enroll_host(given.code.text(), book, now=book.now(), entropy=entropy))
        return {"Authorization": f"Bearer {joined.token}"}

    def install(
        self, name: str = "P1", version: str = "2016", type_: CalType = DEVICE, total: int = 2, end: int = NEVER
    ) -> None:
        command = InstallKeyPack(PackId(name), version, type_, total, end, "tests")
        self.ledger.write(lambda book: install_key_pack(command, book, ladder(), now=book.now()))

    def ask(self, host: dict[str, str], who: str, request_id: str = "") -> dict[str, Any]:
        """A host of either mode asks; a device's name is its hardware id."""
        device = {"device": {"name": f"name of {who}", "hardware_id": who}}
        mode = self.client.get("/api/v1/host", headers=host).json()["mode"]
        body = {"request_id": request_id or f"{who} {self.clock.now()}"}
        body |= device if mode == "per-device" else {"user": who}
        answer = self.client.post("/api/v1/licenses:request", json=body, headers=host)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def prove(self, host: dict[str, str], device: str) -> dict[str, Any]:
        """A device gets its temporary license, logs on, and asks again."""
        first = self.ask(host, device, f"first {device}")
        confirmed = self.client.post("/api/v1/licenses:confirm", json={"license": first["license"]["id"]}, headers=host)
        assert confirmed.json()["outcome"] == "confirmed", confirmed.text
        return self.ask(host, device, f"second {device}")


def local_principal(uid: int) -> Principal | None:
    """Root, or the service's own user."""
    return Principal(f"local:{uid}", Role.LICENSE_ADMINISTRATOR) if uid in {0, SERVICE_UID} else None


@contextmanager
def an_api_server(
    folder: Path, *, activated: bool = True, url: str | None = None, **changes: Any
) -> Iterator[ApiServer]:
    """A server with an empty ledger, activated for good unless the test says otherwise.

    ``url``: an empty, migrated database; otherwise SQLite in ``folder``. ``changes``: of the services.
    """
    if url is None:
        shutil.copy(_migrated_file(), folder / "ledger.db")
        url = f"sqlite:///{folder / 'ledger.db'}"
    clock, entropy = SetClock(), CountedEntropy()
    ledger, reader = SqlLedger(url, entropy=entropy, clock=clock), SqlReader(open_reader(url))
    server = a_server(activated=activated)
    ledger.write(lambda book: make_server(server, book, now=book.now(), by="tests"))
    app, services, clearinghouse = _application(ledger, reader, clock, entropy, folder, changes)
    with TestClient(app, raise_server_exceptions=True) as client:
        yield ApiServer(services, app, client, clock, ledger, clearinghouse)
    ledger.close()
    reader.engine.dispose()


def _application(
    ledger: SqlLedger,
    reader: SqlReader,
    clock: SetClock,
    entropy: CountedEntropy,
    folder: Path,
    changes: dict[str, Any],
) -> tuple[Starlette, Services, FakeClearinghouse]:
    server = a_server()
    clearinghouse = FakeClearinghouse(clock)
    log = AuditLog(ledger, reader.engine, log_origin(server), SERVER, clock)
    key = LogKey(log_origin(server), (SERVER.public_key,), verify)
    tokens = SqlHostTokens(reader.engine, clock)
    services = Services(
        ledger=ledger,
        reader=reader,
        host_tokens=tokens,
        ladder=ladder(),
        clock=clock,
        entropy=entropy,
        signatures=Signatures(
            frozenset({ROOT.public_key}), verify, SERVER.public_key, lambda kind, body: seal(kind, body, SERVER)
        ),
        clearinghouse=lambda _address: clearinghouse,
        audit=SqlAuditDesk(log, reader.engine, key, ladder()),
        local=local_principal,
        addresses=lambda: ("https://ls1.example",),
        license_keys=lambda: (SERVER.public_key,),
        headers=lambda: {"Calward-Checkpoint": "bm90ZQ=="},
    )

    services = replace(services, **changes)

    async def submit(acts: Any, render: Any) -> bytes:
        return render([_result(ledger, act) for act in acts])

    desk = HostDesk(
        submit=submit,
        host_of=tokens.host_of,
        entropy=entropy,
        seal=services.signatures.seal,
        server_id=server.id,
        headers=services.headers,
    )
    authority = open_wire_authority(folder, now=clock.now())
    agents = agent_routes(desk, services, authority)
    routes = [*host_routes(desk), *agents, Mount("", make_app(services))]
    return Starlette(routes=routes), services, clearinghouse


def _result(ledger: SqlLedger, act: Any) -> Any:
    try:
        return ledger.write(act)
    except LicensingError as error:
        return error
