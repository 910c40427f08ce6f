"""A license server that hosts reach over HTTP, with its clearinghouse near by; its folder can be copied and put back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import uvicorn

from calward.adapters.network.http_exchange import Address
from calward.adapters.network.license_server_client import LicenseServerClient
from calward.adapters.sessionhost.checkpoints import HostCheckpoints
from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.clearinghouse.sign_key_pack import SignKeyPack
from calward.app.demo.stage import NearClearinghouse
from calward.app.licensing.activate_online import activate_online
from calward.app.licensing.acts import Done
from calward.app.licensing.contact import Said, contact_online
from calward.app.licensing.enroll_host import AddHost, add_host
from calward.app.licensing.signed_things import install_signed_pack
from calward.app.licensing.take_orders import Desk
from calward.bootstrap.clearinghouse import init_clearinghouse
from calward.bootstrap.license_server import LicenseServer
from calward.config import ServerConfig
from calward.domain.acceptance import NotAccepted
from calward.domain.cals import CalType
from calward.domain.heard import Heard
from calward.domain.statements import NO_END, Channel, Program
from tests.support.clocks import CountedEntropy, SetClock

SECONDS = 20.0


class Line(NearClearinghouse):
    """A line to a clearinghouse in the same process that also takes requests about packs."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def ask(self, bundle: bytes) -> bytes | NotAccepted:
        return self.desk.answer(bundle, Channel.ONLINE)


@dataclass
class Served:
    """A license server while it listens."""

    server: LicenseServer
    url: str
    house: Clearinghouse

    def tell(self) -> None:
        """What happens each second: events get into the tree, the checkpoint goes out, what hosts showed is looked at."""
        self.server._tend()

    def contact(self) -> Said:
        """Say the regular word to the clearinghouse."""
        one = self.server
        desk = Desk(one.signatures, one.ladder, one.entropy, "tests", one.keys.exchange_license_key)
        with Line(self.house) as line:
            return contact_online(one.ledger, line, desk, one.audit_log.store_checkpoint)


@dataclass
class GoingBack:
    """The clearinghouse, the time, and the folder of the license server (``data``), which runs only inside ``serving``."""

    folder: Path
    clock: SetClock = field(default_factory=SetClock)
    data: Path = field(init=False)

    def __post_init__(self) -> None:
        self.data = self.folder / "ls"
        entropy = CountedEntropy()
        self.house, root = init_clearinghouse(self.folder / "ch", "Example", 1000, self.clock, entropy)
        self.roots = root.hex()

    @contextmanager
    def serving(self, data: Path | None = None, **settings: Any) -> Iterator[Served]:
        config = ServerConfig(data_dir=data or self.data, roots=self.roots, name="LS1", **settings)
        one = LicenseServer(config, clock=self.clock)
        web = uvicorn.Server(uvicorn.Config(one.app(), host="127.0.0.1", port=0, log_config=None, lifespan="on"))
        socket = web.config.bind_socket()
        socket.listen(64)  # Who comes before the server is ready waits.
        thread = threading.Thread(target=web.run, args=([socket],), daemon=True)
        thread.start()
        try:
            yield Served(one, f"http://127.0.0.1:{socket.getsockname()[1]}", self.house)
        finally:
            web.should_exit = True
            thread.join(30)
            one.close()

    def set_up(self, served: Served, total: int = 5) -> None:
        """Activate it and install a pack for devices."""
        one = served.server
        activate_online(one.ledger, Line(self.house), one.signatures, one.entropy, by="tests")
        self.sell(served, total)

    def sell(self, served: Served, total: int = 5, order: str = "O1") -> None:
        sale = SignKeyPack(
            order, served.server.server.id, "windows-server", "2016", CalType.PER_DEVICE, total, Program.RETAIL, NO_END
        )
        pack = self.house.sign_pack(sale)
        one = served.server

        def install(book: Any) -> Any:
            return install_signed_pack(pack, book, one.signatures, one.ladder, now=book.now(), by="tests")

        assert isinstance(one.ledger.write(install), Done)

    def enroll(self, served: Served, name: str = "SH1") -> "HostOf":
        """A session host, with a memory that outlives the server."""
        one = served.server

        def add(book: Any) -> Any:
            command = AddHost(name, "2016", CalType.PER_DEVICE, "tests")
            return add_host(command, book, one.ladder, now=book.now(), entropy=one.entropy)

        code = one.ledger.write(add).code.text()
        token = LicenseServerClient(Address.parse(served.url)).enroll(code, seconds=SECONDS).token
        complaints: list[str] = []
        return HostOf(token, HostCheckpoints(self.folder / f"host-{name}", complaints.append), complaints)


@dataclass
class HostOf:
    """A session host. The server is known to it by one name, wherever it listens today."""

    token: str
    checkpoints: HostCheckpoints
    complaints: list[str]
    asked: int = 0

    def client(self, served: Served, name: str = "https://ls1") -> LicenseServerClient:
        address = Address.parse(served.url)
        named = Address(name, address.host, address.port)
        return LicenseServerClient(named, self.token, self.checkpoints)

    def ask(self, served: Served, device: str, name: str = "https://ls1") -> Heard:
        self.asked += 1
        request = f"{id(self)}-{self.asked}"
        return self.client(served, name).request_for_device(device, device, request, full_only=False, seconds=SECONDS)

    def prove(self, served: Served, device: str) -> None:
        """A device gets its temporary license and logs on: the next request gets a full one where one may be given."""
        first = self.ask(served, device).license
        assert first is not None
        self.client(served).confirm(first.id, seconds=SECONDS)

    def full(self, served: Served, device: str) -> Heard:
        self.prove(served, device)
        return self.ask(served, device)
