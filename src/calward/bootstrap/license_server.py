"""How is a license server put together from its settings?

The data folder holds ``ledger.db`` (unless another database is named), ``server.key`` (who this license server is; signs requests
and checkpoints), ``license.key`` (signs issued licenses), ``wire.key`` with ``wire.pem`` (vouches for hosts in the licensing
protocol) and, where asked for, a certificate of our own. Only its owner may look in.
"""

import asyncio
import base64
import contextlib
import os
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from calward.adapters.backup.restoring import refuse_unfinished
from calward.adapters.certificates import fingerprint_of, reachable
from calward.adapters.clearinghouse_client import HttpClearinghouse
from calward.adapters.ladders import load_ladder
from calward.adapters.signing import (
    Ed25519Signer,
    create_key_file,
    load_signer,
    parse_public_key,
    replace_key_file,
    seal,
    verify,
)
from calward.adapters.signing.wire_authority import open_wire_authority
from calward.adapters.store.audit_desk import SqlAuditDesk
from calward.adapters.store.engines import dialect_of, open_reader, open_scanner, sqlite_path
from calward.adapters.store.host_tokens import SqlHostTokens
from calward.adapters.store.ledger import SqlLedger
from calward.adapters.store.migrate import migrate
from calward.adapters.store.reader import SqlReader
from calward.adapters.store.standing import SqlTree
from calward.adapters.store.tree import AuditLog, log_origin
from calward.adapters.store.writer import GroupWriter
from calward.adapters.system import SystemClock, SystemEntropy
from calward.app.estates.own_estate import take_counts
from calward.app.licensing.activate_online import activate_online, asked_online
from calward.app.licensing.change_server import make_server
from calward.app.licensing.contact import contact_online
from calward.app.licensing.quarantine import enter_quarantine
from calward.app.licensing.records import LogKey
from calward.app.licensing.set_up import offer_set_up
from calward.app.licensing.signed_things import Signatures
from calward.app.licensing.sweep import sweep
from calward.app.licensing.take_orders import Desk
from calward.app.licensing.watch_checkpoints import CheckpointWatch, WatchedKey
from calward.app.ports import Book, Clock, Entropy
from calward.bootstrap.data_folder import keep_id, private_file, private_folder
from calward.config import ServerConfig
from calward.domain.acceptance import NotAccepted
from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder
from calward.domain.notes import parse_checkpoint, parse_note
from calward.domain.parties import Server
from calward.domain.quarantine import Cause, Quarantine
from calward.domain.reasons import Reason
from calward.domain.roles import Principal, Role
from calward.domain.settings import SECONDS_PER_DAY
from calward.domain.statements import check_server_id
from calward.entrypoints.api.agent_routes import agent_routes
from calward.entrypoints.api.app import make_app
from calward.entrypoints.api.health import Metrics, health_routes
from calward.entrypoints.api.host_routes import HostDesk, host_routes, hosts_first
from calward.entrypoints.api.services import Services
from calward.insight.diagnoser import diagnose_counts

__all__ = ["SERVER_ROLE", "LicenseServer"]

log = structlog.get_logger(__name__)

ID_FILE = "server.id"
SERVER_ROLE, LICENSE_ROLE = "license-server", "issued-licenses"
LOST_KEY = (
    "the ledger is there, but {path}, which has signed its audit trail, is not: put a copy back; if it is lost for good, start once "
    "with --new-key (checkpoints signed before will no longer verify, and the server must be activated anew)"
)
SWEEP_EVERY = 3600
"""Seconds between two sweeps (design 3)."""
COUNTS_FRESH_FOR = 5
"""Seconds for which /metrics tells the same numbers of CALs."""
CONTACT_EVERY = 3600
"""Seconds between two regular words to the clearinghouse; each act that asks it is one too."""
RENEW_EVERY = 6 * 3600
RENEW_WITHIN = 15 * SECONDS_PER_DAY
"""The right to issue is renewed when no more is left of its 30 days: two weeks in which the clearinghouse may be away (design 5)."""


class LicenseServer:
    """All parts of one license server, plugged together. ``close`` gives back what it holds.

    ``clock`` and ``entropy`` are the system's unless a simulated history is being written.
    """

    def __init__(self, config: ServerConfig, *, clock: Clock | None = None, entropy: Entropy | None = None) -> None:
        self.config = config
        self.url = f"{'https' if config.tls_certificate else 'http'}://{config.listen}"  # Port 0 is another one once it listens.
        self.clock, self.entropy = clock or SystemClock(), entropy or SystemEntropy()
        private_folder(config.data_dir)
        refuse_unfinished(config.data_dir)
        url = config.database_url
        if dialect_of(url) == "sqlite":
            private_file(sqlite_path(url))
        migrate(url)
        postgresql = not url.startswith("sqlite")
        self.ledger = SqlLedger(url, entropy=self.entropy, clock=None if postgresql else self.clock)
        self.engine = open_reader(url)
        self.ladder: Ladder = load_ladder(config.ladder)
        self._had_a_key = self.ledger.write(lambda book: book.event(1)) is not None
        self.key = self._key("server.key", SERVER_ROLE)  # Before the first event: a crash in between loses nothing.
        self.server = self.ledger.write(self._server)
        keep_id(config.data_dir / ID_FILE, self.server.id)
        self.license_key = self._key("license.key", LICENSE_ROLE, checks=False)
        self.wire_authority = open_wire_authority(config.data_dir, now=self.clock.now())
        self.signatures = Signatures(
            roots=frozenset(parse_public_key(x) for x in config.roots.split(",") if x.strip()),
            verify=verify,
            public_key=self.key.public_key,
            seal=lambda kind, payload: seal(kind, payload, self.key),
        )
        self.reader = SqlReader(self.engine)
        self.scanner = SqlReader(open_scanner(url))
        self.fingerprint = fingerprint_of(Path(config.tls_certificate)) if config.tls_certificate else None
        self.audit_log = AuditLog(self.ledger, self.engine, log_origin(self.server), self.key, self.clock)
        key = WatchedKey(self.audit_log.origin, self.key.public_key, verify)
        self.watch = CheckpointWatch(self.ledger, SqlTree(self.engine), key)
        self.host_tokens = SqlHostTokens(self.engine, self.clock)
        # While one connection to PostgreSQL waits for its process, another one decides; SQLite has one connection that writes.
        self.pens = [self.ledger] + ([SqlLedger(url, entropy=self.entropy, clock=None)] if postgresql else [])
        self.writer = GroupWriter(*self.pens)
        self.metrics = Metrics()
        self._counted_at = -COUNTS_FRESH_FOR
        self._ready_at = -1
        self._limited: Reason | None = None
        self.one_question = threading.Lock()
        self._checkpoint_header: dict[str, str] = {}

    def close(self) -> None:
        """Give back connections and files."""
        for pen in self.pens:
            pen.close()
        self.engine.dispose()
        self.scanner.engine.dispose()

    def app(self) -> ASGIApp:
        """The whole application: routes for hosts, administration, health."""
        desk, services = self.desk(), self.services()
        hosts = [*host_routes(desk), *agent_routes(desk, services, self.wire_authority)]
        health = health_routes(self._ready, self.metrics, self._refresh)
        everything = Starlette(routes=[*hosts, *health, Mount("", make_app(services))], lifespan=self.lifespan)
        return hosts_first(everything, hosts)

    def desk(self) -> HostDesk:
        """What the routes for hosts need."""
        return HostDesk(
            submit=self.writer.submit,
            host_of=self.host_tokens.host_of,
            entropy=self.entropy,
            seal=lambda kind, payload: seal(kind, payload, self.license_key),
            server_id=self.server.id,
            headers=lambda: self._checkpoint_header,
            echo=self.config.bench_echo,
            is_news=self.watch.is_news,
            compare=self.watch.compare,
            count=self.metrics.count,
        )

    def services(self) -> Services:
        """What the administration API needs."""
        key = LogKey(self.audit_log.origin, (self.key.public_key,), verify)
        return Services(
            ledger=self.ledger,
            reader=self.reader,
            host_tokens=self.host_tokens,
            ladder=self.ladder,
            clock=self.clock,
            entropy=self.entropy,
            signatures=self.signatures,
            clearinghouse=HttpClearinghouse,
            clearinghouse_address=self._clearinghouse,
            one_question=self.one_question,
            audit=SqlAuditDesk(self.audit_log, self.engine, key, self.ladder),
            local=_local,
            fingerprint=self.fingerprint,
            addresses=lambda: (reachable(self.url),),
            license_keys=lambda: (self.license_key.public_key,),
            headers=lambda: self._checkpoint_header,
            renew_within=lambda: RENEW_WITHIN if self._clearinghouse() else None,
            new_license_key=self.new_license_key,
        )

    def set_up_code(self) -> str | None:
        """A new one-time code for the first license administrator, as long as there is none."""
        if self.reader.has_administrator(self.clock.now()):
            return None
        code = self.ledger.write(
            lambda book: offer_set_up(book, now=book.now(), entropy=self.entropy, fingerprint=self.fingerprint)
        )
        return code.text()

    def renew(self) -> None:
        """Renew the right to issue online where it ends soon; a server that was never activated, or was deactivated, stays so."""
        until = self.ledger.write(lambda book: book.server().issue_until)
        if until is None or until > self.clock.now() + RENEW_WITHIN:
            return
        address = self._clearinghouse()
        if not address:
            return
        with self.one_question, HttpClearinghouse(address) as clearinghouse:
            found = activate_online(self.ledger, clearinghouse, self.signatures, self.entropy, by="renewal")
        if isinstance(found, NotAccepted):
            log.warning("activation.not_accepted", reason=found.reason, detail=found.detail)

    def contact(self) -> None:
        """The regular word to the clearinghouse: what is held here; orders and packs that wait are taken, the right is renewed.

        A server that was never activated, or was deactivated, is silent by itself.
        """
        address = self._clearinghouse()
        if not address or self.ledger.write(lambda book: book.server().issue_until) is None:
            return
        taking = Desk(self.signatures, self.ladder, self.entropy, "contact", self.new_license_key)
        note = self.services().audit.checkpoint
        with self.one_question, HttpClearinghouse(address) as clearinghouse:
            said = contact_online(self.ledger, clearinghouse, taking, note)
        if said.refused:
            log.warning("contact.not_accepted", reason=said.refused.reason, detail=said.refused.detail)
        for one in said.taken:
            if not one.accepted:
                log.warning("contact.not_taken", kind=one.kind, reasons=one.reasons, detail=one.detail)

    def _clearinghouse(self) -> str | None:
        """Where the right to issue is renewed: as the settings say, else where an administrator has activated it online."""
        return self.config.clearinghouse or self.ledger.write(asked_online)

    def places(self, code: str | None) -> dict[str, str]:
        """Where everything is, once it listens at ``url``."""
        url, socket = self.url, self.config.socket_path
        found = {
            "url": reachable(url),
            "socket": str(socket.absolute()) if socket else None,
            "fingerprint": self.fingerprint.hex() if self.fingerprint else None,
            "setup": f"{reachable(url)}/setup?code={code}" if code else None,
        }
        return {kind: place for kind, place in found.items() if place}

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Any) -> AsyncIterator[None]:  # noqa: ANN401 - Starlette's application
        """What runs beside the routes: the writer, the audit trail's tree, the sweep."""
        self.writer.start()
        acts = (
            (1, self._tend),
            (60, self._note_hosts),
            (SWEEP_EVERY, self._sweep),
            (RENEW_EVERY, self.renew),
            (CONTACT_EVERY, self.contact),
            (self.config.findings_every_seconds, self._diagnose),
        )
        beside = [asyncio.create_task(_every(seconds, act)) for seconds, act in acts if seconds]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await asyncio.to_thread(self.writer.stop)
            await asyncio.to_thread(self._tend)

    def _server(self, book: Book) -> Server:
        """The server's state, made at the first start."""
        try:
            return book.server()
        except LicensingError as error:
            if error.problem is not Problem.NOT_FOUND:
                raise
        version = self.ladder.canonical(self.config.server_version or self.ladder.newest)
        known = self._known_id()
        made = Server(
            id=known or self.entropy.token(16).hex(),
            name=self.config.name,
            version=version,
            family=self.ladder.family_of(version),
            ladder=self.config.ladder,
        )
        now = book.now()
        make_server(made, book, now=now, by="first start")
        if known:  # That one may have issued what this ledger will never know.
            enter_quarantine(Quarantine(Cause.ANEW, now, 0), book, now=now, by="first start")
        return book.server()

    def _known_id(self) -> str | None:
        """The id of the license server that was here before its ledger was lost: as the settings say, or as it has left it here."""
        file = self.config.data_dir / ID_FILE
        found = self.config.server_id or (file.read_text(encoding="ascii").strip() if file.is_file() else "")
        return check_server_id(found) if found else None

    def _key(self, name: str, role: str, *, checks: bool = True) -> Ed25519Signer:
        path = self.config.data_dir / name
        if not path.exists():
            if role == SERVER_ROLE and self._had_a_key and not self.config.new_key:
                raise LicensingError(Problem.NOT_FOUND, LOST_KEY.format(path=path), field="data_dir")
            create_key_file(path, role, self.entropy.token(32))
        return load_signer(path, role, checks=checks)

    def _tend(self) -> None:
        """Each second: fold the events into the tree, and have its newest checkpoint at hand."""
        self.metrics.tree_size.set(self.audit_log.tend())
        self._publish(self.audit_log.latest_checkpoint())
        self.watch.settle()

    def _publish(self, note: str) -> None:
        """Let a checkpoint go out with answers, and know it again when hosts show it."""
        checkpoint, header = parse_checkpoint(parse_note(note).text), base64.b64encode(note.encode())
        self.watch.publish(header, checkpoint.size, checkpoint.root)
        server = self.reader.server()
        self.metrics.quarantined.set(server is not None and server.quarantined_at is not None)
        since = (
            {} if server is None or server.recovered_at is None else {"Calward-Ledger-Since": str(server.recovered_at)}
        )
        self._checkpoint_header = {"Calward-Checkpoint": header.decode()} | since

    def new_license_key(self) -> str:
        """Exchange the key that signs licenses: what it has signed is void once hosts have heard of it. The new one's id."""
        path = self.config.data_dir / "license.key"
        replace_key_file(path, LICENSE_ROLE, self.entropy.token(32))
        self.license_key = load_signer(path, LICENSE_ROLE, checks=False)
        return self.license_key.keyid

    def _note_hosts(self) -> None:
        """Each minute: write down which hosts have asked."""
        self.host_tokens.keep_seen(self.ledger)

    def _diagnose(self) -> None:
        """Count findings for /metrics, as far as counts tell them: a list of a million licenses would not fit in here."""
        now = self.clock.now()
        counts = take_counts(self.scanner, self.ladder, now=now, addresses=(reachable(self.url),))
        self.metrics.tell(diagnose_counts(counts), now)

    def _sweep(self) -> None:
        while self.ledger.write(lambda book: sweep(book, now=book.now())):
            pass

    def _ready(self) -> str | None:
        """Whether the ledger can be written, and why only temporary licenses are given; asked at most once a second, because
        anybody may ask.
        """
        now = self.clock.now()
        if now != self._ready_at:
            self._limited = self.ledger.write(lambda book: book.server()).blocked(now)
            self._ready_at = now
        return self._limited

    def _refresh(self, metrics: Metrics) -> None:
        """Count CALs for /metrics; not at each question, because anybody may ask, and a million CALs take a while."""
        now, installed, free = self.clock.now(), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        if 0 <= now - self._counted_at < COUNTS_FRESH_FOR:
            return
        self._counted_at = now
        for row in self.scanner.packs(now):
            unexpired = row.pack.expires_at > now  # Else its CALs are worth nothing, held or not.
            cal = (row.pack.version, row.pack.type.value)
            installed[cal] += row.pack.total * unexpired
            free[cal] += (row.pack.total - row.issued) * unexpired
        for gauge, counts in ((metrics.installed, installed), (metrics.free, free)):
            gauge.clear()  # Else a CAL whose last pack was removed would be told for ever.
            for cal, number in counts.items():
                gauge.labels(*cal).set(number)


def _local(uid: int) -> Principal | None:
    """Who a peer of the Unix socket is: root and the service's own user administer, nobody else (design 6)."""
    mine = uid in {0, os.geteuid()}
    return Principal(f"local:{uid}", Role.LICENSE_ADMINISTRATOR) if mine else None


async def _every(seconds: int, act: Callable[[], None]) -> None:
    """Do something again and again in a thread; a failure is logged, and the next time is another chance.

    A database that is away fails each second: its traceback is logged once, until something else happens.
    """
    told = ""
    while True:
        try:
            await asyncio.to_thread(act)
            told = ""
        except Exception as error:
            kind = type(error).__name__
            log.exception("background.failed", act=act.__name__, error=kind, exc_info=kind != told)
            told = kind
        await asyncio.sleep(seconds)
