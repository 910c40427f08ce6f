"""What does it take to watch an estate: a look, those who are told, and what they were told?"""

from collections.abc import Callable, Mapping
from pathlib import Path

from calward.adapters.estate_folder import EstateFolder
from calward.adapters.findings_metrics import write_metrics
from calward.adapters.notices import Mail, Webhook
from calward.adapters.snooze_file import own_snoozes
from calward.adapters.stopping import pause
from calward.adapters.system import SystemClock
from calward.adapters.told_file import ToldFile
from calward.adapters.watch_config import WatchConfig, load_watch_config
from calward.app.estates.watch import Look, Outcome, Receiver, tell_changes
from calward.bootstrap_estates import open_snoozes
from calward.domain.answers import rfc3339
from calward.insight.diagnoser.diagnose import Result, diagnose
from calward.insight.estate import Estate, Source
from calward.insight.snoozes import snoozed
from calward.insight.watching import severe_enough

__all__ = ["Watcher"]


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
