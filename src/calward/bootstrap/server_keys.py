"""Which private keys does a license server have, and when is one made?"""

from calward.adapters.signing import Ed25519Signer, create_key_file, load_signer, replace_key_file
from calward.app.ports import Entropy
from calward.config import ServerConfig
from calward.domain.errors import LicensingError, Problem

__all__ = ["SERVER_ROLE", "ServerKeys"]

SERVER_ROLE, LICENSE_ROLE = "license-server", "issued-licenses"
LOST_KEY = (
    "the ledger is there, but {path}, which has signed its audit trail, is not: put a copy back; if it is lost for good, start once "
    "with --new-key (checkpoints signed before will no longer verify, and the server must be activated anew)"
)


class ServerKeys:
    """``server`` signs requests and checkpoints, ``license`` signs issued licenses; files of the data folder, made where missing.

    ``had_one``: the ledger has events, so that there was a server's key: then raises LicensingError(NOT_FOUND) where it is missing,
    unless the settings allow a new one.
    """

    def __init__(self, config: ServerConfig, entropy: Entropy, *, had_one: bool) -> None:
        self._folder, self._entropy = config.data_dir, entropy
        missing = self._folder / "server.key"
        if had_one and not config.new_key and not missing.exists():
            raise LicensingError(Problem.NOT_FOUND, LOST_KEY.format(path=missing), field="data_dir")
        self.server = self._opened("server.key", SERVER_ROLE)
        self.license = self._opened("license.key", LICENSE_ROLE, checks=False)

    def exchange_license_key(self) -> str:
        """Exchange the key that signs licenses: what it has signed is void once hosts have heard of it. The new one's id."""
        replace_key_file(self._folder / "license.key", LICENSE_ROLE, self._entropy.token(32))
        self.license = self._opened("license.key", LICENSE_ROLE, checks=False)
        return self.license.keyid

    def _opened(self, name: str, role: str, *, checks: bool = True) -> Ed25519Signer:
        path = self._folder / name
        if not path.exists():
            create_key_file(path, role, self._entropy.token(32))
        return load_signer(path, role, checks=checks)
