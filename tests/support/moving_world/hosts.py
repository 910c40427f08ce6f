"""How a session host asks a license server, as the doors of both do it: what it has seen is compared before anything is issued."""

import base64
from random import Random
from typing import Any

from calward.app.licensing.confirm_license import ConfirmLicense
from calward.app.licensing.requests import Confirmation, Request
from calward.domain.merkle import Frontier
from calward.domain.notes import Checkpoint, parse_checkpoint, parse_note
from tests.support.builders import a_question
from tests.support.moving_world.copies import Copy
from tests.support.moving_world.world import BrokenError, SessionHost, World


def host_asks(world: World, rng: Random, copy: Copy, session_host: SessionHost, who: str) -> None:
    """Show the newest checkpoint, ask, confirm the logon; the answer, with the server's checkpoint, may get lost."""
    world.later(1)
    shown = session_host.seen.newest(copy.who.id)
    event = world.guarded(copy, lambda: _ask(world, copy, session_host, who, shown))
    if event is None:
        return
    if shown is not None:
        check_noticed(copy, shown)
    if rng.random() < world.network.bad / 2:
        return
    if not copy.header:
        world.guarded(copy, copy.tend)
    session_host.seen.heard(copy.who.id, copy.header.decode(), _since(copy))
    world.count(f"host hears {event.get('kind')} {event.get('status', '')}")
    if event["kind"] == "license" and rng.random() < 0.9:
        world.guarded(
            copy, lambda: copy.ledger.write(Confirmation(ConfirmLicense(session_host.host, event["license"])))
        )


def _ask(world: World, copy: Copy, session_host: SessionHost, who: str, shown: str | None) -> Any:
    host = session_host.host
    if shown is not None:
        header = shown.encode()
        if copy.watch.is_news(host.id, header):
            copy.watch.compare(host, header)
            # What cannot be told at once is looked at within a second: well before the next question here.
            copy.watch.settle()
    world.asked += 1
    request = Request(a_question(host, who, f"r{world.asked}"), copy.entropy)
    event = copy.ledger.write(request)
    if world.asked % 7 == 0 and _answer(copy.ledger.write(request)) != _answer(event):
        raise BrokenError("the same question of a host was answered otherwise")
    return event


def _answer(event: Any) -> tuple[Any, ...]:
    """What the host is told; a refusal that comes again is counted."""
    return tuple(event.get(x) for x in ("kind", "license", "status", "expires", "holder", "reasons"))


def _since(copy: Copy) -> str | None:
    at = copy.server.recovered_at
    return None if at is None else str(at)


def check_noticed(copy: Copy, shown: str) -> None:
    """A host has shown what this ledger does not have: it must be in quarantine, unless that history was given up."""
    seen = read_header(shown)
    server = copy.server
    at = -1 if seen.at is None else int(seen.at.timestamp())
    if server.recovered_at is not None and at <= server.recovered_at:
        return
    leaves = copy.disk.leaves()
    fits = seen.size <= len(leaves) and Frontier().extend(leaves[: seen.size]).root() == seen.root
    if not fits and server.quarantined_at is None:
        raise BrokenError(f"{copy.label} was shown a ledger that it does not have, and goes on")


def read_header(shown: str) -> Checkpoint:
    return parse_checkpoint(parse_note(base64.b64decode(shown).decode()).text)
