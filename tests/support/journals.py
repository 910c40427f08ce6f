"""A session host's log as a list."""

from threading import Lock


class Lines:
    """A ``Journal`` that keeps its lines: pairs of a level and a sentence."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str]] = []
        self._lock = Lock()

    def of(self, level: str) -> list[str]:
        with self._lock:
            return [sentence for one, sentence in self.all if one == level]

    def debug(self, sentence: str) -> None:
        self._add("debug", sentence)

    def info(self, sentence: str) -> None:
        self._add("info", sentence)

    def warning(self, sentence: str) -> None:
        self._add("warning", sentence)

    def _add(self, level: str, sentence: str) -> None:
        with self._lock:
            self.all.append((level, sentence))
