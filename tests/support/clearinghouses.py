"""A clearinghouse in a folder."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import ASGIApp

from calward.app.clearinghouse.desk import Clearinghouse
from calward.bootstrap import clearinghouse
from calward.domain.trust import Keyring, Role
from tests.support.clocks import CountedEntropy, SetClock


@dataclass
class ClearinghouseWiring:
    """What the commands get as their context object; a served app is kept instead of served."""

    clock: SetClock = field(default_factory=SetClock)
    entropy: CountedEntropy = field(default_factory=CountedEntropy)
    served: list[tuple[ASGIApp, str, int]] = field(default_factory=list)

    def open_clearinghouse(self, data_dir: Path) -> Clearinghouse:
        return clearinghouse.clearinghouse(data_dir, self.clock, self.entropy)

    def init_clearinghouse(self, data_dir: Path, name: str, days: int) -> tuple[Clearinghouse, bytes]:
        return clearinghouse.init_clearinghouse(data_dir, name, days, self.clock, self.entropy)

    def publish_keyring(self, data_dir: Path, name: str | None, days: int, root_key: Path | None) -> bytes:
        return clearinghouse.publish_keyring(data_dir, name, days, root_key, self.clock, self.entropy)

    def encrypt_clearinghouse_keys(self, data_dir: Path) -> list[str]:
        return clearinghouse.encrypt_keys(data_dir)

    def open_clearinghouse_keys(self, data_dir: Path) -> list[str]:
        return clearinghouse.open_keys(data_dir)

    def rotate_clearinghouse_key(
        self, data_dir: Path, role: Role, keep_days: int, days: int, root_key: Path | None
    ) -> Keyring:
        times = (keep_days, days, root_key, self.clock, self.entropy)
        return clearinghouse.rotate_key(data_dir, role, *times)

    def serve_asgi(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        certificate: Path | None,
        key: Path | None,
        ready: Callable[[str], None],
    ) -> None:
        self.served.append((app, host, port))
        ready(f"http://{host}:{port}")
