"""How is something done again and again beside the routes?"""

import asyncio
from collections.abc import Callable

import structlog

__all__ = ["every"]

log = structlog.get_logger(__name__)


async def every(seconds: int, act: Callable[[], None]) -> None:
    """Do something again and again in a thread; a failure is logged, and the next time is another chance.

    A database that is away fails each second: its traceback is logged once, until something else happens.
    """
    told = ""
    while True:
        try:
            await asyncio.to_thread(act)
            told = ""
        except Exception as error:
            kind = type(error).__name__
            log.exception("background.failed", act=act.__name__, error=kind, exc_info=kind != told)
            told = kind
        await asyncio.sleep(seconds)
