"""What shares a commit, and who is answered when?"""

import asyncio
import threading

from calward.adapters.store.ledger import GROUP
from calward.adapters.store.writer import GroupWriter

PATIENCE = 20


class Ledger:
    """Keeps how many acts came together; from the second commit on its database waits until somebody lets it go."""

    def __init__(self):
        self.commits = []
        self.may_go_on = threading.Event()

    def write_all(self, acts, meanwhile):
        meanwhile()
        if self.commits:
            assert self.may_go_on.wait(PATIENCE)
        self.commits.append(len(acts))
        return [act(None) for act in acts]


def submitted(*sizes, first_is_waited_for=False):
    """Jobs of so many acts in one turn of the loop: the ledger, and what was answered."""
    ledger = Ledger()

    async def run():
        writer = GroupWriter(ledger)
        writer.start()
        try:
            waiting = [writer.submit([lambda _book, n=n: n] * size, list) for n, size in enumerate(sizes)]
            if first_is_waited_for:
                await asyncio.wait_for(asyncio.shield(waiting[0]), PATIENCE)
            ledger.may_go_on.set()
            return await asyncio.gather(*waiting)
        finally:
            ledger.may_go_on.set()
            writer.stop()

    return ledger, asyncio.run(run())


def test_what_fits_into_a_group_shares_a_commit():
    ledger, answers = submitted(*[1] * GROUP)
    assert ledger.commits == [GROUP]
    assert answers == [[n] for n in range(GROUP)]


def test_what_is_durable_is_answered_while_the_rest_is_written():
    ledger, answers = submitted(GROUP - 6, GROUP - 6, 3, first_is_waited_for=True)
    assert ledger.commits == [GROUP - 6, GROUP - 3]
    assert answers == [[0] * (GROUP - 6), [1] * (GROUP - 6), [2] * 3]


def test_an_answer_is_made_when_the_next_group_no_longer_needs_the_interpreter():
    ledger, order = Ledger(), []

    def write_all(acts, meanwhile):
        order.append(f"decided {len(acts)}")
        meanwhile()
        answered.wait(PATIENCE if len(order) > 1 else 0)
        order.append(f"written {len(acts)}")
        return list(acts)

    ledger.write_all, answered = write_all, threading.Event()

    def answer(results):
        order.append(f"answered {len(results)}")
        answered.set()

    async def run():
        writer = GroupWriter(ledger)
        writer.start()
        try:
            await asyncio.gather(*(writer.submit([None] * size, answer) for size in (GROUP, GROUP - 1)))
        finally:
            writer.stop()

    asyncio.run(run())
    first, last = GROUP, GROUP - 1
    assert order == [
        f"decided {first}", f"written {first}", f"decided {last}", f"answered {first}", f"written {last}", f"answered {last}",
    ]  # fmt: skip


def test_more_than_a_group_from_one_who_asks_goes_to_the_ledger_whole():
    ledger, _ = submitted(2, GROUP + 1, 2)
    assert ledger.commits == [2, GROUP + 1, 2]


def test_while_one_pen_waits_the_other_one_writes():
    slow, quick = Ledger(), Ledger()
    slow.commits.append(0)  # It waits from its first commit on; the quick one never.
    quick.may_go_on.set()
    taken = threading.Event()

    def write_all(acts, meanwhile, write=slow.write_all):
        taken.set()
        return write(acts, meanwhile)

    slow.write_all = write_all

    async def run():
        writer = GroupWriter(slow, quick)
        writer.start()
        try:
            while not taken.is_set():  # Whoever of the two takes it: the quick one gives it back at once.
                first = writer.submit([lambda _book: "first"], list)
                await asyncio.wait([first], timeout=0.05)
            second = await asyncio.wait_for(writer.submit([lambda _book: "second"], list), PATIENCE)
            waits = not first.done()
            slow.may_go_on.set()
            return waits, second, await asyncio.wait_for(first, PATIENCE)
        finally:
            slow.may_go_on.set()
            writer.stop()

    assert asyncio.run(run()) == (True, ["second"], ["first"])
