"""A license server with a ledger in memory, to whom tests say in short words what happens."""

from typing import Any

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.confirm_license import ConfirmLicense, confirm_license
from calward.app.licensing.foresee import foresee
from calward.app.licensing.free_license import FreeLicense, release_license, revoke_license
from calward.app.licensing.install_key_pack import InstallKeyPack, RemoveKeyPack, install_key_pack, remove_key_pack
from calward.app.licensing.issue_license import issue_license
from calward.app.licensing.sweep import sweep
from calward.app.scenarios.memory_ledger import MemoryLedger
from calward.domain.cals import CalType
from calward.domain.events import Event
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.licenses import NEVER, License
from calward.domain.parties import Host, Server
from calward.domain.settings import Settings, changed
from tests.support.builders import DEVICE, a_host, a_question, a_server, ladder
from tests.support.clocks import CountedEntropy, SetClock


class Office:
    """``ask`` uses a new request id each time, unless the test names one; ``log_on`` is ask and confirm."""

    def __init__(self, server: Server | None = None, **rules: Any) -> None:
        self.clock, self.entropy = SetClock(), CountedEntropy()
        self.book = MemoryLedger(self.entropy, self.clock)
        self.book.set_server(server or a_server(settings=changed(Settings(), rules)))
        self._asked = 0

    @property
    def now(self) -> int:
        return self.clock.now()

    def pass_days(self, days: float) -> None:
        self.clock.pass_days(days)

    def install(self, version: str = "2016", type_: CalType = DEVICE, *, total: int = 2, **changes: Any) -> KeyPack:
        values: dict[str, Any] = {"id": PackId(f"{version}/{type_}"), "expires_at": NEVER} | changes
        done = self.try_install(InstallKeyPack(version=version, type=type_, total=total, by="root", **values))
        assert isinstance(done, Done)
        return self.book.shelf().by_id[values["id"]]

    def try_install(self, command: InstallKeyPack) -> Done | RefusedAct:
        return install_key_pack(command, self.book, ladder(), now=self.now)

    def remove(self, pack: str) -> Done | RefusedAct:
        return remove_key_pack(RemoveKeyPack(PackId(pack), by="root"), self.book, now=self.now)

    def ask(self, host: Host | None = None, who: str = "PC1", request_id: str | None = None, **changes: Any) -> Event:
        self._asked += 1
        question = a_question(host or a_host(), who, request_id or f"new {self._asked}", **changes)
        return issue_license(question, self.book, now=self.now, entropy=self.entropy)

    def foresee(self, host: Host | None = None, who: str = "PC1") -> Event:
        return foresee(a_question(host or a_host(), who), self.book, now=self.now)

    def confirm(self, license_: int, host: Host | None = None) -> Done | RefusedAct:
        return confirm_license(ConfirmLicense(host or a_host(), license_), self.book, now=self.now)

    def log_on(self, host: Host | None = None, who: str = "PC1") -> Event:
        event = self.ask(host, who)
        assert isinstance(self.confirm(event["license"], host), Done)
        return event

    def full(self, host: Host | None = None, who: str = "PC1") -> Event:
        """Log on twice: the second license of a device can be a full one."""
        self.log_on(host, who)
        return self.log_on(host, who)

    def revoke(self, license_: int) -> Done | RefusedAct:
        return revoke_license(FreeLicense(license_, "root"), self.book, now=self.now)

    def release(self, license_: int) -> Done | RefusedAct:
        return release_license(FreeLicense(license_, "root"), self.book, now=self.now)

    def sweep(self) -> int:
        return sweep(self.book, now=self.now)

    def license(self, number: int) -> License:
        found = self.book.license(number)
        assert found is not None
        return found

    def held(self, pack: KeyPack) -> int:
        return self.book.held(pack, self.now)

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        return [event for event in self.book.events() if kind in (None, event["kind"])]
