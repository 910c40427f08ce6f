"""How is somebody outside asked whether a device may connect, and what if there is no answer?"""

import asyncio
from collections.abc import Callable

from calward.app.sessionhost.check_device import DeviceQuestion
from calward.domain.grace import HostOutcome
from calward.entrypoints.relay.settings import Decide
from calward.wire.relay import Ask, Verdict

__all__ = ["decided", "question_of"]


def question_of(ask: Ask, *, connection: str, peer: str) -> DeviceQuestion:
    """Say in the host's words what the relay asks."""
    client = ask.client
    return DeviceQuestion(
        hardware_id=client.hardware_id if client else None,
        name=ask.name,
        presented=client.license if client else None,
        connection=connection,
        peer=peer,
        user=ask.user,
    )


async def decided(decide: Decide, question: DeviceQuestion, seconds: float, log: Callable[[str], None]) -> Verdict:
    """Ask; whatever goes wrong there, and a decision that does not come within so many seconds, lets nobody in."""
    try:
        async with asyncio.timeout(seconds):
            found = await decide(question)
    except Exception as error:  # noqa: BLE001 - whatever has gone wrong there: nobody is let in by it.
        log(f"no decision about {question.name!a}, so it is refused: {error!r}")
        return Verdict(granted=False, no_server=True)
    granted = found.admission.outcome is not HostOutcome.REFUSED
    return Verdict(granted=granted, token=found.token, no_server=found.no_server)
