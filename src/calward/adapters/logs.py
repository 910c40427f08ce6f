"""How does the program's log look? For people on a terminal, else one JSON object a line; never with what variables held.

A traceback with the values of variables would show tokens, so that none of the renderers that do so is used.
"""

from typing import TextIO

import structlog

__all__ = ["configure_logs"]


def configure_logs(stream: TextIO) -> None:
    """Log to a stream, which is not the one for results."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *_rendering(people=stream.isatty()),
        ],
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )


def _rendering(*, people: bool) -> list[structlog.typing.Processor]:
    if people:
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
