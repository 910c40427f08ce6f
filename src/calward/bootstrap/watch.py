"""What does it take to watch an estate: a look, those who are told, and what they were told?"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from calward.adapters.estates.estate_folder import EstateFolder
from calward.adapters.estates.export_folder import ExportFolder
from calward.adapters.estates.findings_metrics import write_metrics
from calward.adapters.estates.notices import Mail, Webhook
from calward.adapters.estates.snooze_file import own_snoozes
from calward.adapters.estates.told_file import ToldFile
from calward.adapters.estates.watch_config import WatchConfig, load_watch_config
from calward.adapters.one_process import only_process
from calward.adapters.stopping import pause
from calward.adapters.system import SystemClock
from calward.app.estates.import_estate import ImportFile
from calward.app.estates.watch import Look, Outcome, Receiver, send_trial, tell_changes
from calward.bootstrap.estates import import_estate, open_snoozes
from calward.domain.answers import rfc3339
from calward.domain.errors import LicensingError, Problem
from calward.insight.diagnoser.diagnose import Result, diagnose
from calward.insight.estate import Estate, Source
from calward.insight.snoozes import snoozed
from calward.insight.thresholds import judge
from calward.insight.watching import Seen, severe_enough

__all__ = ["Watcher", "try_receivers"]

_TWO: Final = "another calward watch tells about {name} already, with what it has told in {place}: two would tell everything twice"
_ONE_OF_THEM: Final = (
    "end one of them, or give this one a memory of its own by XDG_STATE_HOME (or, of an imported estate, by --estates)"
)


class Watcher:
    """Looks at snapshots and tells what has changed; ``show`` prints, as one receiver more.

    From its first look on, or its first import, it is the only one that tells about an estate; ``close`` lets others do it.
    """

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
        self._receivers = {"output": show, **_receivers(self._config)}
        self._locks, self._locked = ExitStack(), set[Path]()

    def close(self) -> None:
        """Let others watch."""
        self._locks.close()

    def look(self, estate: Estate) -> Outcome:
        """Look at one snapshot and tell what has changed since each receiver was last told.

        Raises: LicensingError: CONFLICT: another process tells about this estate already.
        """
        place = self._told_at(estate)
        self._hold(place, estate.name)
        seen = self._seen(estate)
        look = Look(estate.name, rfc3339(estate.taken_at), seen, self._config.settle)
        return tell_changes(look, self._receivers, ToldFile(place))

    def import_fresh(self, source: Path, name: str, ladder: str) -> Estate | None:
        """Import the fresh exports of a folder as one snapshot, None where there are none; raises LicensingError.

        That they are imported is written afterwards: a crash between both imports them twice, never not at all.
        """
        try:
            self._store.history(name)
        except LicensingError as error:
            if error.problem is not Problem.NOT_FOUND:  # A name that no estate can have makes no file either.
                raise
        place = self._store.folder / name
        self._hold(place / "told.json", name)
        folder = ExportFolder(source, place / "watched.json")
        files = [_import_file(path) for path in folder.take()]
        if not files:
            return None
        made = import_estate(self._store, name, files, ladder, None, lambda _file, _rows: None)
        folder.imported()
        return made

    def _seen(self, estate: Estate) -> Seen:
        """Diagnose a snapshot, and judge the thresholds; all that is open is counted for Prometheus, whatever is told."""
        now = SystemClock().now()
        found, judged = diagnose(estate), judge(estate, self._config.thresholds)
        snoozes = open_snoozes(estate, self._store, self._environment).read()
        counted, accepted = snoozed((*found.findings, *judged.findings), snoozes, now)
        if self._metrics is not None:
            write_metrics(self._metrics, estate.name, estate.taken_at, now, counted)
        return Seen(
            findings=severe_enough(counted, self._config.least),
            at=now,
            unseen=judged.unseen | {one.check.id for one in found.checked if one.result is Result.NOT_CHECKED},
            snoozed=frozenset(finding.key for finding, _ in accepted),
        )

    def _told_at(self, estate: Estate) -> Path:
        if estate.source is Source.IMPORT:
            return self._store.folder / estate.name / "told.json"
        snoozes = own_snoozes(self._environment, estate.facts.get("server_id", estate.name))
        return snoozes.parent.parent / "told" / snoozes.name

    def _hold(self, place: Path, name: str) -> None:
        """Be the only process that tells about an estate, until ``close``; raises LicensingError(CONFLICT)."""
        if place in self._locked:
            return
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            detail = f"{str(place.parent)!a} cannot be written: {error.strerror}"
            raise LicensingError(Problem.UNAVAILABLE, detail) from None
        lock = place.with_suffix(".lock")
        self._locks.enter_context(only_process(lock, _TWO.format(name=name, place=place), _ONE_OF_THEM))
        self._locked.add(place)


def try_receivers(config: Path) -> Outcome:
    """Send a notice that is a test to everybody whom the settings name; raises LicensingError where there is nobody."""
    receivers = _receivers(load_watch_config(config))
    if not receivers:
        raise LicensingError(Problem.MALFORMED, f"{str(config)!a} names nobody: it has neither [mail] nor [webhook]")
    return send_trial(receivers, rfc3339(SystemClock().now()))


def _receivers(config: WatchConfig) -> dict[str, Receiver]:
    now: Callable[[], int] = SystemClock().now
    receivers: dict[str, Receiver] = {}
    if config.mail is not None:
        receivers["mail"] = Mail(config.mail, now)
    if config.webhook is not None:
        receivers["webhook"] = Webhook(config.webhook, now, pause)
    return receivers


def _import_file(path: Path) -> ImportFile:
    """A file; ``SERVER=NAME`` says whose it is, as ``calward estate import`` has it."""
    server, equals, _ = path.name.partition("=")
    return ImportFile(path, server if equals and server else None)
