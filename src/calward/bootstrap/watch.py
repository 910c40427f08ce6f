"""What does it take to watch an estate: a look, those who are told, and what they were told?"""

from collections.abc import Callable, Mapping
from pathlib import Path

from calward.adapters.estate_folder import EstateFolder
from calward.adapters.export_folder import ExportFolder
from calward.adapters.findings_metrics import write_metrics
from calward.adapters.notices import Mail, Webhook
from calward.adapters.snooze_file import own_snoozes
from calward.adapters.stopping import pause
from calward.adapters.system import SystemClock
from calward.adapters.told_file import ToldFile
from calward.adapters.watch_config import WatchConfig, load_watch_config
from calward.app.estates.import_estate import ImportFile
from calward.app.estates.watch import Look, Outcome, Receiver, tell_changes
from calward.bootstrap.estates import import_estate, open_snoozes
from calward.domain.answers import rfc3339
from calward.domain.errors import LicensingError, Problem
from calward.insight.diagnoser.diagnose import Result, diagnose
from calward.insight.estate import Estate, Source
from calward.insight.snoozes import snoozed
from calward.insight.watching import severe_enough

__all__ = ["Watcher", "import_fresh"]


class Watcher:
    """Looks at snapshots and tells what has changed; ``show`` prints, as one receiver more."""

    def __init__(
        self,
        config: Path | None,
        store: EstateFolder,
        environment: Mapping[str, str],
        metrics: Path | None,
        show: Receiver,
    ) -> None:
        """Read the settings; raises LicensingError."""
        self._config = WatchConfig() if config is None else load_watch_config(config)
        self._store, self._environment, self._metrics = store, environment, metrics
        self._receivers = {"output": show, **_receivers(self._config, SystemClock().now)}

    def look(self, estate: Estate) -> Outcome:
        """Diagnose one snapshot and tell what has changed since each receiver was last told; raises LicensingError."""
        now = SystemClock().now()
        found = diagnose(estate)
        counted = snoozed(found.findings, open_snoozes(estate, self._store, self._environment).read(), now).open
        if self._metrics is not None:
            write_metrics(self._metrics, estate.name, estate.taken_at, now, counted)
        unseen = frozenset(one.check.id for one in found.checked if one.result is Result.NOT_CHECKED)
        look = Look(estate.name, rfc3339(estate.taken_at), severe_enough(counted, self._config.least), unseen)
        return tell_changes(look, self._receivers, ToldFile(self._told_at(estate)))

    def _told_at(self, estate: Estate) -> Path:
        if estate.source is Source.IMPORT:
            return self._store.folder / estate.name / "told.json"
        snoozes = own_snoozes(self._environment, estate.facts.get("server_id", estate.name))
        return snoozes.parent.parent / "told" / snoozes.name


def _receivers(config: WatchConfig, now: Callable[[], int]) -> dict[str, Receiver]:
    receivers: dict[str, Receiver] = {}
    if config.mail is not None:
        receivers["mail"] = Mail(config.mail, now)
    if config.webhook is not None:
        receivers["webhook"] = Webhook(config.webhook, now, pause)
    return receivers


def import_fresh(source: Path, store: EstateFolder, name: str, ladder: str) -> Estate | None:
    """Import the fresh exports of a folder as one snapshot, None where there are none; raises LicensingError.

    That they are imported is written afterwards: a crash between both imports them twice, never not at all.
    """
    try:
        store.history(name)
    except LicensingError as error:
        if error.problem is not Problem.NOT_FOUND:  # A name that no estate can have makes no file either.
            raise
    folder = ExportFolder(source, store.folder / name / "watched.json")
    files = [_import_file(path) for path in folder.take()]
    if not files:
        return None
    made = import_estate(store, name, files, ladder, None, lambda _file, _rows: None)
    folder.imported()
    return made


def _import_file(path: Path) -> ImportFile:
    """A file; ``SERVER=NAME`` says whose it is, as ``calward estate import`` has it."""
    server, equals, _ = path.name.partition("=")
    return ImportFile(path, server if equals and server else None)
