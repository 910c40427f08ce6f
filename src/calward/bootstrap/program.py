"""Which parts make up the program ``calward``? The only file that knows them all.

Loads a part when a command needs it: ``calward matrix`` loads no web server and no database, ``calward license list`` no ledger.
"""

import os
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from calward.entrypoints.cli.common.running import run
from calward.entrypoints.cli.root import cli

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from starlette.types import ASGIApp

    from calward.adapters.estates.estate_folder import EstateFolder
    from calward.adapters.estates.snooze_file import SnoozeFile
    from calward.adapters.exports.writing.wmi_rows import Sums
    from calward.adapters.network.admin_client import HttpAdminClient
    from calward.adapters.network.http_exchange import Address
    from calward.adapters.network.license_server_client import LicenseServerClient
    from calward.adapters.sessionhost.pam_service import PamChange
    from calward.app.clearinghouse.desk import Clearinghouse
    from calward.app.estates.import_estate import ImportFile
    from calward.app.estates.watch import Outcome, Receiver
    from calward.app.sessionhost.diagnosis import Diagnosis
    from calward.bootstrap.watch import Watcher
    from calward.domain.ladder import Ladder
    from calward.domain.trust import Keyring, Role
    from calward.entrypoints.cli.common.wiring import RunOptions, ServeOptions, Where
    from calward.insight.estate import Estate
    from calward.insight.reports.report import Report

__all__ = ["Wiring", "main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code."""
    return run(cli, sys.argv[1:] if arguments is None else arguments, Wiring())


class Wiring:
    """What commands get as their context object: each method loads what it needs."""

    def admin(self, where: "Where") -> "HttpAdminClient":
        """Find the license server and make a client; raises LicensingError(UNREACHABLE) where there is none."""
        from calward.adapters.network.admin_client import HttpAdminClient
        from calward.adapters.sessionhost.config import read_token

        address = self._address(where)
        return HttpAdminClient(address, read_token(where.token_file), ca_file=where.ca_file)

    def address_of(self, where: "Where") -> str:
        """The license server's address, without asking it; raises LicensingError."""
        return self._address(where).name

    def host(self, where: "Where") -> "LicenseServerClient":
        """Make a client with a host's token; without a token file one that can only enroll."""
        from calward.adapters.network.license_server_client import LicenseServerClient
        from calward.adapters.sessionhost.config import read_token

        return LicenseServerClient(self._address(where), read_token(where.token_file))

    def serve(self, options: "ServeOptions", ready: "Callable[[Mapping[str, str]], None]") -> None:
        """Run the license server until stopped; raises LicensingError."""
        from calward.bootstrap.serve import serve
        from calward.config import load_config

        serve(load_config(options.config, os.environ, options.settings), ready=ready)

    def devrun(self, options: "RunOptions", ready: "Callable[[Mapping[str, str]], None]") -> None:
        """Run license server and clearinghouse on loopback until stopped; raises LicensingError."""
        from calward.bootstrap.devrun import devrun

        devrun(options, ready)

    def new_id(self) -> str:
        """An id that no other request has."""
        return secrets.token_urlsafe(18)

    def check_free(self, path: Path) -> None:
        """Refuse a place where no new file can be made; raises LicensingError."""
        from calward.adapters.secret_files import check_free

        check_free(path)

    def write_secret(self, path: Path, secret: str) -> None:
        """Write a token to a new file that only its owner can read; raises LicensingError."""
        from calward.adapters.secret_files import write_secret

        write_secret(path, secret)

    def _address(self, where: "Where") -> "Address":
        from calward.adapters.network.http_exchange import Address
        from calward.adapters.network.server_address import find_server

        url = find_server(where.server, os.environ, Path.cwd())
        return Address.parse(url, where.fingerprint if url.startswith("https:") else None)

    def load_ladder(self, name_or_path: str) -> "Ladder":
        """Load a ladder by its name or the path of its file; raises LicensingError."""
        from calward.adapters.ladders import load_ladder

        return load_ladder(name_or_path)

    def read_scenario_file(self, path: str) -> str:
        """Read a file as text; raises LicensingError."""
        from calward.adapters.scenario_files import read_scenario_file

        return read_scenario_file(path)

    def run_pam(self, stack: str, config: Path | None, environment: Mapping[str, str]) -> int:
        """Answer one question of PAM with an exit code."""
        from calward.bootstrap.pam import run_pam

        return run_pam(stack, config, environment)

    def run_agent(self, config: Path | None, ready: "Callable[[dict[str, str]], None]") -> None:
        """Run the agent of a session host until stopped; raises LicensingError."""
        from calward.bootstrap.agent import run_agent

        run_agent(config, ready)

    def agent_status(self, config: Path | None) -> "dict[str, Any]":
        """Ask the running agent how it is; raises LicensingError."""
        from calward.bootstrap.agent import agent_status

        return agent_status(config)

    def diagnose_host(self, config: Path | None, pam_folder: Path) -> "Diagnosis":
        """Look at everything that licensing needs of this host, and say what is wrong; raises nothing that is expected."""
        from calward.adapters.sessionhost.config import DEFAULT_CONFIG
        from calward.adapters.sessionhost.facts import gather_facts
        from calward.app.sessionhost.diagnosis import diagnose

        return diagnose(gather_facts((config or DEFAULT_CONFIG).absolute(), pam_folder))

    def plan_pam(self, folder: Path, service: str, config: Path | None, *, undo: bool) -> "PamChange":
        """Say what would be changed in the file of a PAM service; raises LicensingError."""
        from calward.adapters.sessionhost.pam_service import plan_install, plan_undo

        if undo:
            return plan_undo(folder, service)
        helper = f"{sys.executable} -I -m calward.bootstrap.pam"
        return plan_install(folder, service, helper, config.absolute() if config else None)

    def probe_rdp(self, host: str, port: int, seconds: float) -> "dict[str, Any]":
        """Ask a session host's licensing phase what it says; raises LicensingError where nothing listens."""
        from calward.adapters.network.rdp_probe import described, probe_host

        return described(probe_host(host, port, seconds=seconds))

    def draw_qr_page(self, content: bytes, title: str) -> str:
        """A page with all codes of a file; raises LicensingError."""
        from calward.adapters.qr_codes import draw_page

        return draw_page(content, title)

    def draw_qr_terminal(self, content: bytes) -> str:
        """The codes as text; raises LicensingError."""
        from calward.adapters.qr_codes import draw_terminal

        return draw_terminal(content)

    def draw_qr_pictures(self, content: bytes) -> list[bytes]:
        """Each code as a PNG; raises LicensingError."""
        from calward.adapters.qr_codes import draw_pictures

        return draw_pictures(content)

    def read_qr_pictures(self, paths: Sequence[Path]) -> bytes:
        """The file whose codes stand in the pictures; raises LicensingError."""
        from calward.adapters.qr_codes import read_pictures

        return read_pictures(paths)

    def open_clearinghouse(self, data_dir: Path) -> "Clearinghouse":
        """Open the clearinghouse in a folder; raises LicensingError."""
        from calward.adapters.system import SystemClock, SystemEntropy
        from calward.bootstrap import clearinghouse

        return clearinghouse.clearinghouse(data_dir, SystemClock(), SystemEntropy())

    def init_clearinghouse(self, data_dir: Path, name: str, days: int) -> "tuple[Clearinghouse, bytes]":
        """Make one; also the root's public key."""
        from calward.adapters.system import SystemClock, SystemEntropy
        from calward.bootstrap import clearinghouse

        return clearinghouse.init_clearinghouse(data_dir, name, days, SystemClock(), SystemEntropy())

    def publish_keyring(self, data_dir: Path, name: str | None, days: int, root_key: Path | None) -> bytes:
        """Sign a new keyring with the root key; the envelope."""
        from calward.adapters.system import SystemClock, SystemEntropy
        from calward.bootstrap import clearinghouse

        return clearinghouse.publish_keyring(data_dir, name, days, root_key, SystemClock(), SystemEntropy())

    def read_passphrase(self, path: Path) -> str:
        """The first line of a file that only its owner can read; raises LicensingError."""
        from calward.adapters.secret_files import read_secret

        return read_secret(path)

    def create_backup(
        self, options: "ServeOptions", house: Path | None, target: Path, passphrase: str
    ) -> "dict[str, Any]":
        """Back up a license server, or the clearinghouse in a folder; raises LicensingError."""
        from calward.bootstrap.backup import create_backup
        from calward.bootstrap.clearinghouse_backup import back_up_house
        from calward.config import load_config

        if house is not None:
            place, made = back_up_house(house, target, passphrase)
        else:
            place, made = create_backup(load_config(options.config, os.environ, options.settings), target, passphrase)
        said = {"file": str(place), "kind": made.kind, "made_at": made.made_at, "release": made.release}
        return said | {"files": {name: size for name, (size, _) in made.files.items()}} | dict(made.facts)

    def verify_backup(self, archive: Path, passphrase: str | None) -> "dict[str, Any]":
        """Look through a backup; raises LicensingError."""
        from calward.bootstrap.clearinghouse_backup import verify_backup

        return verify_backup(archive, passphrase)

    def restore_backup(
        self, archive: Path, options: "ServeOptions", house: Path | None, passphrase: str, *, replace: bool
    ) -> "dict[str, Any]":
        """Put a backup in its place; raises LicensingError."""
        from calward.bootstrap.backup import restore_backup
        from calward.bootstrap.clearinghouse_backup import restore_house
        from calward.config import load_config

        if house is not None:
            return restore_house(archive, house, passphrase, replace=replace)
        config = load_config(options.config, os.environ, options.settings)
        return restore_backup(archive, config, passphrase, replace=replace)

    def encrypt_clearinghouse_keys(self, data_dir: Path) -> list[str]:
        """Encrypt the keys that are not yet; their files."""
        from calward.bootstrap import clearinghouse

        return clearinghouse.encrypt_keys(data_dir)

    def open_clearinghouse_keys(self, data_dir: Path) -> list[str]:
        """Files of private keys that are not encrypted."""
        from calward.bootstrap import clearinghouse

        return clearinghouse.open_keys(data_dir)

    def rotate_clearinghouse_key(
        self, data_dir: Path, role: "Role", keep_days: int, days: int, root_key: Path | None
    ) -> "Keyring":
        """Sign with a new key from now on; the keyring that says so."""
        from calward.adapters.system import SystemClock, SystemEntropy
        from calward.bootstrap import clearinghouse

        times = (keep_days, days, root_key, SystemClock(), SystemEntropy())
        return clearinghouse.rotate_key(data_dir, role, *times)

    def estates(self, folder: Path | None) -> "EstateFolder":
        """The imported estates in a folder, None: in the usual one."""
        from calward.bootstrap.estates import open_estates

        return open_estates(folder, os.environ)

    def import_estate(
        self,
        folder: Path | None,
        name: str,
        files: "Sequence[ImportFile]",
        ladder: str,
        taken_at: int | None,
        progress: Callable[[str, int], None],
    ) -> "Estate":
        """Read files of another system and keep them as a snapshot; raises LicensingError."""
        from calward.bootstrap.estates import import_estate

        return import_estate(self.estates(folder), name, files, ladder, taken_at, progress)

    def estate(self, name: str | None, where: "Where", folder: Path | None) -> "Estate":
        """An imported estate, or the running license server's; raises LicensingError."""
        from calward.bootstrap.estates import find_estate, served_estate

        asked = where.server is not None or bool(os.environ.get("CALWARD_SERVER"))
        return find_estate(name, self.estates(folder), lambda: served_estate(self.admin(where)), asked=asked)

    def snoozes(self, estate: "Estate", folder: Path | None) -> "SnoozeFile":
        """What is accepted of an estate."""
        from calward.bootstrap.estates import open_snoozes

        return open_snoozes(estate, self.estates(folder), os.environ)

    def watcher(self, config: Path | None, folder: Path | None, metrics: Path | None, show: "Receiver") -> "Watcher":
        """What tells changes of an estate; raises LicensingError."""
        from calward.bootstrap.watch import Watcher

        return Watcher(config, self.estates(folder), os.environ, metrics, show)

    def try_receivers(self, config: Path) -> "Outcome":
        """Send a test notice to all whom a watch.toml names; raises LicensingError."""
        from calward.bootstrap.watch import try_receivers

        return try_receivers(config)

    def signals_wait(self) -> "AbstractContextManager[None]":
        """Hold signals back that would end the command in the middle of a step."""
        from calward.adapters.stopping import signals_wait

        return signals_wait()

    def pause(self, seconds: float) -> bool:
        """Wait; True where the command is to end."""
        from calward.adapters.stopping import pause

        return pause(seconds)

    def now(self) -> int:
        """The time."""
        from calward.adapters.system import SystemClock

        return SystemClock().now()

    def report_text(self, found: "Report", form: str, *, bare: bool) -> Iterator[str]:
        """A report as csv, json or html, in pieces."""
        from calward.bootstrap.estates import report_text

        return report_text(found, form, bare=bare)

    def foreign_text(self, estate: "Estate", name: str, *, lsreport: bool, hardware_ids: bool) -> Iterator[str]:
        """A report in the words of other systems' tools; raises LicensingError where they have none for it."""
        from calward.bootstrap.estates import foreign_text

        return foreign_text(estate, name, lsreport=lsreport, hardware_ids=hardware_ids)

    def sums_text(self, estate: "Estate", name: str, sums: Iterable["Sums"]) -> Iterator[str]:
        """Compliance or history with the property names of WMI, in pieces."""
        from calward.bootstrap.estates import sums_text

        return sums_text(estate, name, sums)

    def save_text(self, path: Path, pieces: Iterator[str]) -> None:
        """Write a file whole or not at all; raises LicensingError."""
        from calward.adapters.exports.writing.saving import save_pieces

        save_pieces(path, pieces)

    def save_workbook(self, path: Path, found: "Report") -> None:
        """Write a report as a workbook; raises LicensingError."""
        from calward.adapters.exports.writing.saving import save_workbook

        save_workbook(path, found)

    def serve_asgi(
        self,
        app: "ASGIApp",
        host: str,
        port: int,
        *,
        certificate: Path | None,
        key: Path | None,
        ready: Callable[[str], None],
    ) -> None:
        """Serve until a signal ends it; raises LicensingError."""
        from calward.adapters.network.serving import serve_asgi

        serve_asgi(app, host, port, certificate=certificate, key=key, ready=ready)
