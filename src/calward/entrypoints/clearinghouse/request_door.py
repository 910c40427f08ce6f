"""How does a request of a license server come in, when anybody may knock?

``POST /v1/requests`` takes a bundle of signed requests. Nothing is decoded before its size is known to be small; only what begins with
a release that a known license server has signed may be long, because a list of licenses follows it, and no longer than a list of so
many licenses can be. It waits in a file, not in memory, until it is whole, and long ones are answered one at a time.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import IO, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.clearinghouse.recognize import Sender
from calward.domain.acceptance import NotAccepted
from calward.domain.statements import Channel
from calward.entrypoints.clearinghouse.limits import PER_ADDRESS, PER_SERVER, RateLimit, too_many
from calward.entrypoints.clearinghouse.problems import not_accepted, problem

__all__ = ["BUNDLE_TYPE", "MAX_LONG", "MAX_SMALL", "RequestDoor"]

BUNDLE_TYPE: Final = "application/vnd.calward.bundle"
MAX_SMALL: Final = 64 * 1024
"""Bytes of a body that anybody may send."""
MAX_LONG: Final = 256 * 1024 * 1024
"""Bytes of a body that begins with a release."""
PER_LICENSE: Final = 2048
"""Bytes that one license may take in a list, as the envelope writes it; a usual one takes about 300."""
IN_MEMORY: Final = 1024 * 1024
SMALL_SECONDS: Final = 30
LONG_SECONDS: Final = 600
LONG_AT_ONCE: Final = 2
"""Long bodies that may be on their way at once; the next is told to come again."""


class RequestDoor:
    """The door for license servers. ``by_address``, ``by_server``: how often each may ask."""

    def __init__(
        self, desk: Clearinghouse, *, by_address: RateLimit | None = None, by_server: RateLimit | None = None
    ) -> None:
        self._desk = desk
        self._by_address = by_address or RateLimit(PER_ADDRESS)
        self._by_server = by_server or RateLimit(PER_SERVER)
        self._long = asyncio.Semaphore(LONG_AT_ONCE)
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, request: Request) -> Response:
        """Answer a bundle with a bundle, or with a problem document."""
        if wait := self.knock(request):
            return too_many(wait)
        parts = request.stream()
        try:
            async with asyncio.timeout(SMALL_SECONDS):
                first, whole = await _first(parts)
        except TimeoutError:
            return _too_slow(SMALL_SECONDS)
        line = first.partition(b"\n")[0]
        sender = await run_in_threadpool(self._desk.recognize, line)
        if sender is not None and (wait := self._by_server.take(sender.server_id)):
            return too_many(wait)
        return await self._answer(first) if whole else await self._long_one(sender, first, parts)

    def knock(self, request: Request) -> int:
        """Count a request of an address; the seconds to wait, 0 where it may pass."""
        return self._by_address.take(request.client.host if request.client else "-")

    async def _answer(self, bundle: bytes) -> Response:
        found = await run_in_threadpool(self._desk.answer, bundle, Channel.ONLINE)
        return not_accepted(found) if isinstance(found, NotAccepted) else Response(found, media_type=BUNDLE_TYPE)

    async def _long_one(self, sender: Sender | None, first: bytes, parts: AsyncIterator[bytes]) -> Response:
        most = 0 if sender is None else min(MAX_LONG, MAX_SMALL + sender.licenses * PER_LICENSE)
        if sender is None or not sender.licenses:
            return _too_large(MAX_SMALL)
        if self._long.locked():
            return too_many(LONG_SECONDS // 60)
        async with self._long:
            with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
                file.write(first)
                try:
                    async with asyncio.timeout(LONG_SECONDS):
                        fits = await _spool(parts, file, most)
                except TimeoutError:
                    return _too_slow(LONG_SECONDS)
                if not fits:
                    return _too_large(most)
                async with self._one_at_a_time:
                    return await self._answer(await run_in_threadpool(_whole, file))


async def _first(parts: AsyncIterator[bytes]) -> tuple[bytes, bool]:
    """The beginning of a body, a little more than a small one at most, and whether it is all of it."""
    body = bytearray()
    async for part in parts:
        body += part
        if len(body) > MAX_SMALL:
            return bytes(body), False
    return bytes(body), True


async def _spool(parts: AsyncIterator[bytes], file: IO[bytes], most: int) -> bool:
    """Let the rest of a body follow into the file; False as soon as it is longer than allowed."""
    size = file.tell()
    async for part in parts:
        size += len(part)
        if size > most:
            return False
        await run_in_threadpool(file.write, part)
    return True


def _whole(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _too_large(most: int) -> Response:
    detail = f"the body is larger than {most} bytes: only a release of a known license server with its list may be long"
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", detail)


def _too_slow(seconds: int) -> Response:
    return problem(
        HTTPStatus.REQUEST_TIMEOUT, "too-slow", f"the body did not come within {seconds} seconds: send it again"
    )
