"""How is a license server put together from its settings?

The data folder holds ``ledger.db`` (unless another database is named), ``server.key`` (who this license server is; signs requests
and checkpoints), ``license.key`` (signs issued licenses), ``wire.key`` with ``wire.pem`` (vouches for hosts in the licensing
protocol) and, where asked for, a certificate of our own. Only its owner may look in.
"""

import asyncio
import base64
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from calward.adapters.backup.restoring import refuse_unfinished
from calward.adapters.ladders import load_ladder
from calward.adapters.network.certificates import fingerprint_of, reachable
from calward.adapters.signing import (
    parse_public_key,
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
from calward.app.licensing.change_server import make_server
from calward.app.licensing.quarantine import enter_quarantine
from calward.app.licensing.records import LogKey
from calward.app.licensing.set_up import offer_set_up
from calward.app.licensing.signed_things import Signatures
from calward.app.licensing.sweep import sweep
from calward.app.licensing.take_orders import Desk
from calward.app.licensing.watch_checkpoints import CheckpointWatch, WatchedKey
from calward.app.ports import Book, Clock, Entropy
from calward.bootstrap.background import every
from calward.bootstrap.clearinghouse_contact import RENEW_WITHIN, ClearinghouseContact
from calward.bootstrap.data_folder import keep_id, private_file, private_folder
from calward.bootstrap.server_counts import ServerCounts
from calward.bootstrap.server_keys import ServerKeys
from calward.config import ServerConfig
from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder
from calward.domain.notes import parse_checkpoint, parse_note
from calward.domain.parties import Server
from calward.domain.quarantine import Cause, Quarantine
from calward.domain.roles import Principal, Role
from calward.domain.statements import check_server_id
from calward.entrypoints.api.agent_routes import agent_routes
from calward.entrypoints.api.app import make_app
from calward.entrypoints.api.health import health_routes
from calward.entrypoints.api.host_routes import HostDesk, host_routes, hosts_first
from calward.entrypoints.api.services import Services

__all__ = ["CONTACT_EVERY", "LicenseServer"]

log = structlog.get_logger(__name__)

ID_FILE = "server.id"
SWEEP_EVERY = 3600
"""Seconds between two sweeps (design 3)."""
CONTACT_EVERY = 3600
"""Seconds between two regular words to the clearinghouse; each act that asks it is one too."""
RENEW_EVERY = 6 * 3600


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
        had_one = self.ledger.write(lambda book: book.event(1)) is not None
        self.keys = ServerKeys(
            config, self.entropy, had_one=had_one
        )  # Before the first event: a crash in between loses nothing.
        self.server = self.ledger.write(self._server)
        keep_id(config.data_dir / ID_FILE, self.server.id)
        self.wire_authority = open_wire_authority(config.data_dir, now=self.clock.now())
        self.signatures = Signatures(
            roots=frozenset(parse_public_key(x) for x in config.roots.split(",") if x.strip()),
            verify=verify,
            public_key=self.keys.server.public_key,
            seal=lambda kind, payload: seal(kind, payload, self.keys.server),
        )
        self.reader = SqlReader(self.engine)
        self.scanner = SqlReader(open_scanner(url))
        self.fingerprint = fingerprint_of(Path(config.tls_certificate)) if config.tls_certificate else None
        self.audit_log = AuditLog(self.ledger, self.engine, log_origin(self.server), self.keys.server, self.clock)
        key = WatchedKey(self.audit_log.origin, self.keys.server.public_key, verify)
        self.watch = CheckpointWatch(self.ledger, SqlTree(self.engine), key)
        self.host_tokens = SqlHostTokens(self.engine, self.clock)
        # While one connection to PostgreSQL waits for its process, another one decides; SQLite has one connection that writes.
        self.pens = [self.ledger] + ([SqlLedger(url, entropy=self.entropy, clock=None)] if postgresql else [])
        self.writer = GroupWriter(*self.pens)
        self.counts = ServerCounts(self.ledger, self.scanner, self.ladder, self.clock)
        self.clearinghouse = self._clearinghouse_contact()
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
        health = health_routes(self.counts.ready, self.counts.metrics, self.counts.refresh)
        everything = Starlette(routes=[*hosts, *health, Mount("", make_app(services))], lifespan=self.lifespan)
        return hosts_first(everything, hosts)

    def desk(self) -> HostDesk:
        """What the routes for hosts need."""
        return HostDesk(
            submit=self.writer.submit,
            host_of=self.host_tokens.host_of,
            entropy=self.entropy,
            seal=lambda kind, payload: seal(kind, payload, self.keys.license),
            server_id=self.server.id,
            headers=lambda: self._checkpoint_header,
            echo=self.config.bench_echo,
            is_news=self.watch.is_news,
            compare=self.watch.compare,
            count=self.counts.metrics.count,
        )

    def services(self) -> Services:
        """What the administration API needs."""
        return Services(
            ledger=self.ledger,
            reader=self.reader,
            host_tokens=self.host_tokens,
            ladder=self.ladder,
            clock=self.clock,
            entropy=self.entropy,
            signatures=self.signatures,
            clearinghouse=self.clearinghouse.line,
            clearinghouse_address=self.clearinghouse.address,
            one_question=self.clearinghouse.one_question,
            audit=self._audit_desk(),
            local=_local,
            fingerprint=self.fingerprint,
            addresses=lambda: (reachable(self.url),),
            license_keys=lambda: (self.keys.license.public_key,),
            headers=lambda: self._checkpoint_header,
            renew_within=lambda: RENEW_WITHIN if self.clearinghouse.address() else None,
            new_license_key=self.keys.exchange_license_key,
        )

    def _audit_desk(self) -> SqlAuditDesk:
        key = LogKey(self.audit_log.origin, (self.keys.server.public_key,), verify)
        return SqlAuditDesk(self.audit_log, self.engine, key, self.ladder)

    def _clearinghouse_contact(self) -> ClearinghouseContact:
        desk = Desk(self.signatures, self.ladder, self.entropy, "contact", self.keys.exchange_license_key)
        checkpoint = self._audit_desk().checkpoint
        return ClearinghouseContact(self.ledger, desk, self.clock, self.config.clearinghouse, checkpoint)

    def set_up_code(self) -> str | None:
        """A new one-time code for the first license administrator, as long as there is none."""
        if self.reader.has_administrator(self.clock.now()):
            return None
        code = self.ledger.write(
            lambda book: offer_set_up(book, now=book.now(), entropy=self.entropy, fingerprint=self.fingerprint)
        )
        return code.text()

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
            (RENEW_EVERY, self.clearinghouse.renew),
            (CONTACT_EVERY, self.clearinghouse.report),
            (self.config.findings_every_seconds, self._diagnose),
        )
        beside = [asyncio.create_task(every(seconds, act)) for seconds, act in acts if seconds]
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

    def _tend(self) -> None:
        """Each second: fold the events into the tree, and have its newest checkpoint at hand."""
        self.counts.metrics.tree_size.set(self.audit_log.tend())
        self._publish(self.audit_log.latest_checkpoint())
        self.watch.settle()

    def _publish(self, note: str) -> None:
        """Let a checkpoint go out with answers, and know it again when hosts show it."""
        checkpoint, header = parse_checkpoint(parse_note(note).text), base64.b64encode(note.encode())
        self.watch.publish(header, checkpoint.size, checkpoint.root)
        server = self.reader.server()
        self.counts.metrics.quarantined.set(server is not None and server.quarantined_at is not None)
        since = (
            {} if server is None or server.recovered_at is None else {"Calward-Ledger-Since": str(server.recovered_at)}
        )
        self._checkpoint_header = {"Calward-Checkpoint": header.decode()} | since

    def _note_hosts(self) -> None:
        """Each minute: write down which hosts have asked."""
        self.host_tokens.keep_seen(self.ledger)

    def _diagnose(self) -> None:
        self.counts.diagnose(reachable(self.url))

    def _sweep(self) -> None:
        while self.ledger.write(lambda book: sweep(book, now=book.now())):
            pass


def _local(uid: int) -> Principal | None:
    """Who a peer of the Unix socket is: root and the service's own user administer, nobody else (design 6)."""
    mine = uid in {0, os.geteuid()}
    return Principal(f"local:{uid}", Role.LICENSE_ADMINISTRATOR) if mine else None
