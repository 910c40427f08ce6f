"""Whatever comes from outside is read or is a RemoteProtocolError, nothing else; and it takes few steps and little memory.

Right bytes are broken as peers and attackers break them: bits turned, ends cut, parts moved from one message to another,
lengths that say too much or too little. A step is a line of calward.wire that runs: what a clock would say of them is the
machine's affair. ``HYPOTHESIS_PROFILE=nightly`` asks for fifty times as many; tests/fuzz goes on without an end.
"""

import sys
import tracemalloc
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdpele.certificates import CertificateChain
from tests.support.wire_targets import DECODERS, SESSIONS, TARGETS, seeds, session_seeds

SEEDS = {**seeds(), **session_seeds()}
EVERY_SEED = [one for group in SEEDS.values() for one in group]
INTERESTING = [0, 1, 2, 3, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
MOST_STEPS, STEPS_PER_BYTE = 2_000, 40
MOST_MEMORY, MEMORY_PER_BYTE = 200_000, 60


def places(draw, data, size=0):
    return draw(st.integers(0, max(0, len(data) - size)))


def turned(draw, data):
    """One bit is another."""
    place = places(draw, data, 1)
    return data[:place] + bytes([data[place] ^ 1 << draw(st.integers(0, 7))]) + data[place + 1 :]


def cut(draw, data):
    return data[: places(draw, data)]


def without(draw, data):
    """A part is missing."""
    start, end = sorted((places(draw, data), places(draw, data)))
    return data[:start] + data[end:]


def spliced(draw, data):
    """A part of another message stands in it."""
    other = draw(st.sampled_from(EVERY_SEED))
    start, end = sorted((places(draw, other), places(draw, other)))
    place = places(draw, data)
    return data[:place] + other[start : min(end, start + 300)] + data[place:]


def doubled(draw, data):
    start, end = sorted((places(draw, data), places(draw, data)))
    return data[:end] + data[start:]


def with_length(draw, data):
    """What may be a length is another one: a number that is near a border, or near the length of what there is."""
    size = draw(st.sampled_from([1, 2, 4]))
    place = places(draw, data, size)
    value = draw(
        st.one_of(st.sampled_from(INTERESTING), st.integers(-3, 3).map(lambda by: len(data) - place - size + by))
    )
    number = (value % (1 << 8 * size)).to_bytes(size, draw(st.sampled_from(["little", "big"])))
    return data[:place] + number + data[place + size :]


MUTATIONS = [turned, cut, without, spliced, doubled, with_length, with_length]


@st.composite
def broken(draw, name):
    data = draw(st.sampled_from(SEEDS[name]))
    for _ in range(draw(st.integers(1, 4))):
        if data:
            data = draw(st.sampled_from(MUTATIONS))(draw, data)
    return data


class Steps:
    """Counts the lines of calward.wire that run."""

    count = 0

    def __call__(self, frame, event, arg):
        if not frame.f_globals.get("__name__", "").startswith("calward.wire"):
            return None
        self.count += event == "line"
        return self


@contextmanager
def counted():
    steps, before = Steps(), sys.gettrace()
    sys.settrace(steps)
    try:
        yield steps
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
def test_any_bytes_are_read_or_refused(name, data):
    given_ = data.draw(st.one_of(broken(name), broken(name), st.binary(max_size=200)))
    with suppress(RemoteProtocolError):
        TARGETS[name](given_)


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.data())
def test_the_steps_it_takes_are_bounded_by_the_bytes_there_are(name, data):
    given_ = data.draw(broken(name))
    with counted() as steps, suppress(RemoteProtocolError):
        TARGETS[name](given_)
    assert steps.count <= MOST_STEPS + STEPS_PER_BYTE * len(given_)


HUGE = b"\xff" * 60_000
GREEDY = {
    "a stream of the smallest packets": ("stream", b"\x00\x02" * 30_000),
    "a chain of 200 empty certificates": ("certificate", CertificateChain((b"",) * 200).encode()),
    "a chain that announces 4 GiB": ("certificate", bytes.fromhex("02000000 02000000 ffffffff")),
    "a key of 16384 bits": ("certificate", bytes.fromhex("01000000 01000000 01000000 0600 ffff 52534131") + HUGE),
    "four billion scopes": ("license request", SEEDS["license request"][0][:-22] + b"\xff\xff\xff\xff" + bytes(60_000)),
    "a name of 4 GiB": ("license request", bytes(36) + b"\xfe\xff\xff\xff" + HUGE),
    "a license of 4 GiB": ("new license info", bytes(4) + b"\xff\xff\xff\xff" + HUGE),
    "65535 channels": ("SC_NET", b"\xeb\x03\xff\xff" + bytes(60_000)),
    "a certificate of 4 GiB": ("SC_SECURITY", bytes.fromhex("02000000 02000000 20000000 ffffffff") + HUGE),
    "a message of 0xff only": ("preamble", HUGE),
}


@pytest.mark.parametrize("case", GREEDY)
def test_what_is_made_to_be_expensive_is_not(case):
    name, data = GREEDY[case]
    with counted() as steps, suppress(RemoteProtocolError):
        TARGETS[name](data)
    assert steps.count <= MOST_STEPS + STEPS_PER_BYTE * len(data)
    tracemalloc.start()
    try:
        with suppress(RemoteProtocolError):
            TARGETS[name](data)
        assert tracemalloc.get_traced_memory()[1] <= MOST_MEMORY + MEMORY_PER_BYTE * len(data)
    finally:
        tracemalloc.stop()


def test_what_the_tests_begin_with_is_right():
    assert SEEDS.keys() == TARGETS.keys() == {*DECODERS, *SESSIONS}
    for name, group in SEEDS.items():
        for one in group:
            with counted() as steps:
                TARGETS[name](one)
            assert steps.count
