"""What is left of a SQLite ledger when its process is killed at a call? ``python -m tests.support.every_call FOLDER STEP HOW``.

Runs under LD_PRELOAD (``die_at_call.c``). For each call to the operating system it forks a process that plays a day of licensing
and is killed there, then another that goes on from the first act that was not acknowledged, under the same request ids, as hosts and
administrators do. In the end the ledger must be as if nothing had happened. Says how many calls were tried. HOW: "whole" (killed before the call),
"torn" (in the middle of it), "fails" (not killed: the call fails, once, and whoever asked asks again).
"""

import ctypes
import logging
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from calward.app.licensing.change_server import change_settings, make_server
from calward.app.licensing.requests import Request
from calward.domain.errors import LicensingError, Problem
from tests.support.audits import DEVICES_HOST, USERS_HOST, Office, new_sqlite
from tests.support.builders import DEVICE, a_question, a_server

Act = Callable[[Office], Any]
SURVIVED, KILLED, FAILED = range(3)
WAYS = ("whole", "torn", "fails")
DAYS = 40


def together(office: Office, *names: str) -> list[Any]:
    """Users whose questions come in one commit."""
    asks = [Request(a_question(USERS_HOST, name, f"ask {name}"), office.entropy) for name in names]
    answers = office.ledger.write_all(asks)
    for answer in answers:
        if isinstance(answer, LicensingError):
            raise answer
    return answers


def running(office: Office, holder: str) -> int:
    """The number of a holder's newest license; 0 if none runs."""
    with office.reader.connect() as connection:
        query = (
            "SELECT max(l.id) FROM license l JOIN holder h ON h.id = l.holder WHERE h.key = '%s' AND ended_at IS NULL"
        )
        return int(connection.exec_driver_sql(query % holder).scalar() or 0)


A_DAY: tuple[Act, ...] = (
    lambda office: office.act(make_server, a_server(), by="setup"),
    lambda office: office.act(change_settings, {"per_user": "enforce", "user_days": 30}, by="admin"),
    lambda office: office.install("U", 4),
    lambda office: office.install("D", 10, DEVICE),
    lambda office: together(office, "u0", "u1", "u2"),
    lambda office: together(office, "u3", "u4"),
    lambda office: office.ask("PC0", "first", DEVICES_HOST),
    lambda office: office.confirm(running(office, "PC0")),
    lambda office: office.ask("PC0", "second", DEVICES_HOST),
    lambda office: office.log.fold(),
    lambda office: office.release(running(office, "u0")),
    lambda office: office.ask("u4", "now one is free"),
    lambda office: office.revoke(running(office, "PC0")),
    lambda office: office.log.store_checkpoint(),
    lambda office: office.clock.pass_days(DAYS),
    lambda office: office.sweep(),
    lambda office: office.ask("u5", "claims what has expired"),
    lambda office: office.remove("D"),
    lambda office: office.install("D", 2, DEVICE),
    lambda office: office.log.tend(),
)
TIME_PASSES = 14
"""Which act that is: whoever starts later has it behind him."""


def play(url: str, acknowledge: Callable[[int], object], *, start: int = 0) -> Office:
    """Go through the day from an act on, with the clock as it stood then."""
    office = Office(url)
    persist(lambda: office.ledger.write(lambda book: book.now()))
    office.ledger._connection.execute("PRAGMA wal_autocheckpoint = 12")  # So that it happens in the middle, too.
    if start > TIME_PASSES:
        office.clock.pass_days(DAYS)
    for number in range(start, len(A_DAY)):
        persist(partial(A_DAY[number], office), again=number == start)
        acknowledge(number)
    return office


def persist(act: Callable[[], Any], *, again: bool = False) -> None:
    """Ask until it is known; what was done before, though nobody heard of it, has nothing left to do."""
    for _ in range(5):
        try:
            act()
        except LicensingError as error:
            if error.problem is not Problem.UNAVAILABLE:
                if not again:
                    raise
                return
            again = True
        else:
            return
    raise AssertionError(act)


def outcome(office: Office) -> tuple[Any, ...]:
    """What the ledger has come to, without the numbers of events, of which a retry may have made another."""
    assert office.verify().findings == []
    with office.reader.connect() as connection:
        licenses = connection.exec_driver_sql(
            "SELECT h.key, l.status, l.version, l.seat, l.expires_at, l.ended_at, l.ending FROM license l "
            "JOIN holder h ON h.id = l.holder ORDER BY l.id"
        ).all()
        packs = connection.exec_driver_sql("SELECT id, total, removed_at IS NULL FROM pack ORDER BY number").all()
    return tuple(map(tuple, licenses)), tuple(map(tuple, packs)), office.held("U"), office.held("D")


def struck_at(folder: Path, call: int, expected: tuple[Any, ...], how: int) -> int:
    """Strike at this call, go on after it, and compare. Returns FAILED, KILLED, or SURVIVED when there were fewer calls."""
    url = new_sqlite(folder)
    heard, said = os.pipe()
    child = os.fork()
    if not child:
        os._exit(play_until_struck(url, call, how, said))
    os.close(said)
    status = os.waitpid(child, 0)[1]
    with os.fdopen(heard, "rb") as pipe:
        acknowledged = len(pipe.read())
    well = os.waitstatus_to_exitcode(status) in {0, STRUCK, -signal.SIGKILL}
    well = well and in_a_child(lambda: go_on(url, acknowledged, expected))
    shutil.rmtree(folder)
    return FAILED if not well else KILLED if status else SURVIVED


def play_until_struck(url: str, call: int, how: int, said: int) -> int:
    """The exit code of a whole day: 0 if the call was never reached."""
    preloaded.die_at_call(call, how)
    try:
        play(url, lambda _: os.write(said, b".")).close()
    except BaseException:  # noqa: BLE001 - it goes to the one who started us, through the exit code
        traceback.print_exc()
        return 1
    return STRUCK if preloaded.calls_made() >= call else 0


STRUCK = 3
"""Exit code of a process that has gone on although a call had failed."""


def go_on(url: str, acknowledged: int, expected: tuple[Any, ...]) -> None:
    """What is acknowledged is there before anything is repeated, and in the end all is as if nothing had happened."""
    office = Office(url)
    assert office.verify().findings == []
    office.close()
    office = play(url, lambda _: None, start=acknowledged) if acknowledged < len(A_DAY) else Office(url)
    assert outcome(office) == expected
    office.close()


def in_a_child(check: Callable[[], object]) -> bool:
    """Whether a check passes; it runs in a process of its own, so that no connection is ever open across a fork."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    try:
        check()
    except BaseException:  # noqa: BLE001 - it goes to the one who started us, through the exit code
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main() -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )  # We break it on purpose.
    folder, step, how = Path(sys.argv[1]), int(sys.argv[2]), WAYS.index(sys.argv[3])
    office = play(new_sqlite(folder / "whole"), lambda _: None)
    expected = outcome(office)
    office.close()
    call, tried = 1, 0
    while (found := struck_at(folder / str(call), call, expected, how)) == KILLED:
        call, tried = call + step, tried + 1
    sys.stdout.write(f"{'failed' if found == FAILED else 'survived'} at call {call}, {tried} tried\n")


preloaded = ctypes.CDLL(None)
preloaded.die_at_call.argtypes = (ctypes.c_long, ctypes.c_int)
preloaded.calls_made.restype = ctypes.c_long

if __name__ == "__main__":
    main()
