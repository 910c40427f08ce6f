"""Questions in line: bounded, in time, and whoever gives up frees nobody's place before the thread is free."""

import asyncio
import threading
import time

import pytest

from calward.entrypoints.agent.turns import Allowance, Turns


def overdue(allowance: Allowance) -> bool:
    return allowance.to_ask() <= 0


@pytest.fixture
def gate():
    found = threading.Event()
    yield found
    found.set()


async def wait_until(holds) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in a thread.
            await asyncio.sleep(0.005)


def test_an_allowance_keeps_a_part_back_to_decide():
    long, short = Allowance.of(3.0), Allowance.of(1.0)
    assert long.whole - long.asking == pytest.approx(0.75)
    assert short.whole - short.asking == pytest.approx(0.25)
    assert 2.15 < long.to_ask() <= 2.25 < long.to_decide() <= 3.0
    assert long.overdue().to_ask() <= 0 < long.overdue().to_decide()


def test_a_question_with_time_is_served_with_it():
    async def main():
        turns = Turns("t")
        try:
            return await turns.serve(overdue, Allowance.of(5))
        finally:
            turns.stop()

    assert asyncio.run(main()) is False


def test_who_finds_the_line_full_is_served_at_once_without_license_servers(gate):
    async def main():
        turns = Turns("t", at_once=2, waiting=3)
        held = [asyncio.ensure_future(turns.serve(lambda _: gate.wait(20), Allowance.of(20))) for _ in range(5)]
        await asyncio.sleep(0)
        begun = time.monotonic()
        late = await asyncio.gather(*(turns.serve(overdue, Allowance.of(20)) for _ in range(100)))
        took = time.monotonic() - begun
        gate.set()
        assert await asyncio.gather(*held) == [True] * 5
        turns.stop()
        return late, took

    late, took = asyncio.run(main())
    assert late == [True] * 100
    assert took < 10


def test_whoever_stands_in_line_for_half_of_the_time_is_served_without_license_servers(gate):
    async def main():
        turns = Turns("t", at_once=1)
        held = asyncio.ensure_future(turns.serve(lambda _: gate.wait(20), Allowance.of(20)))
        await asyncio.sleep(0)
        late = await turns.serve(lambda allowance: (overdue(allowance), allowance.to_decide() > 0), Allowance.of(1))
        gate.set()
        await held
        turns.stop()
        return late

    assert asyncio.run(main()) == (True, True)


def test_where_the_line_moves_they_stay_in_it(gate):
    async def main():
        turns = Turns("t", at_once=2)
        first, second = threading.Event(), gate
        held = [
            asyncio.ensure_future(turns.serve(lambda _, one=one: one.wait(20), Allowance.of(20)))
            for one in (first, second)
        ]
        await asyncio.sleep(0)
        waits = asyncio.ensure_future(turns.serve(lambda _: second.wait(20), Allowance.of(20)))
        last = asyncio.ensure_future(turns.serve(overdue, Allowance.of(2)))
        await asyncio.sleep(0)
        first.set()
        done, _ = await asyncio.wait({last}, timeout=1.2)  # Half of its time for servers is 0.85 seconds.
        second.set()
        await asyncio.gather(*held, waits)
        late = await last
        turns.stop()
        return bool(done), late

    assert asyncio.run(main()) == (False, False)


def test_a_place_is_free_when_its_thread_is_not_when_the_asker_leaves(gate):
    async def main():
        turns = Turns("t", at_once=1, waiting=0)
        held = asyncio.ensure_future(turns.serve(lambda _: gate.wait(20), Allowance.of(20)))
        await wait_until(turns._free.locked)
        held.cancel()
        await asyncio.gather(held, return_exceptions=True)
        first = await turns.serve(overdue, Allowance.of(20))
        gate.set()
        await wait_until(lambda: not turns._free.locked())
        second = await turns.serve(overdue, Allowance.of(20))
        turns.stop()
        return first, second

    assert asyncio.run(main()) == (True, False)


def test_what_goes_wrong_in_the_work_is_the_askers_and_the_place_is_free_again():
    def breaks(_: Allowance) -> None:
        raise LookupError("nobody")

    async def main():
        turns = Turns("t", at_once=1, waiting=0)
        with pytest.raises(LookupError, match="nobody"):
            await turns.serve(breaks, Allowance.of(5))
        await wait_until(lambda: not turns._free.locked())
        turns.stop()

    asyncio.run(main())
