"""Is each pack usable in one place at a time, whatever is moved, changed, lost and found again?"""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from calward.app.scenarios.memory_ledger import MemoryLedger
from tests.support.scenarios import a_step, played

SERVERS = ("LS1", "LS2", "LS3")
PACKS = ("A", "B")
ESTATE = "".join(
    [
        *(f'[[server]]\nname = "{name}"\nversion = "2019"\n' for name in SERVERS),
        *(
            f'[[pack]]\nserver = "LS1"\nid = "{name}"\nversion = "2016"\ntype = "per-device"\ntotal = 2\n'
            for name in PACKS
        ),
        *(f'[[host]]\nname = "{x}"\nversion = "2012"\nmode = "per-device"\nservers = ["{x}"]\n' for x in SERVERS),
    ]
)
SERVER = st.sampled_from([f'"{name}"' for name in SERVERS])
PACK = st.sampled_from([f'"{name}"' for name in PACKS])
STATE = st.sampled_from(['"connected"', '"unreachable"', '"dead"'])
MOVE = st.fixed_dictionaries({"do": st.just("move"), "pack": PACK, "from": SERVER, "to": SERVER, "source": STATE})
ACTS = st.one_of(
    MOVE,
    MOVE,
    MOVE,
    st.fixed_dictionaries({"do": st.just("connect"), "host": SERVER, "device": st.sampled_from(['"PC1"', '"PC2"'])}),
    st.fixed_dictionaries(
        {"do": st.sampled_from(["down", "up", "activate", "deactivate", "rebuild"]), "server": SERVER}
    ),
    st.fixed_dictionaries(
        {"do": st.sampled_from(["downgrade", "upgrade"]), "pack": PACK, "to": st.sampled_from(['"2012"', '"2016"'])}
    ),
)
STORIES = st.lists(st.tuples(st.sampled_from((0, 1, 9, 31, 32)), ACTS), min_size=1, max_size=15)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def text_of(story) -> str:
    now, steps = BEGIN, []
    for days, act in story:
        now += timedelta(days=days, minutes=1)
        keys = {key: value for key, value in act.items() if key != "do"}
        steps.append(a_step(act["do"], at=now.isoformat(), **keys))
    return "".join(steps)


def usable_at_the_end(text: str) -> list[tuple[str, int]]:
    """Each pack that can be issued from, with its CALs, once for every license server that could."""
    made: list[MemoryLedger] = []

    def make_ledger(entropy):
        made.append(MemoryLedger(entropy))
        return made[-1]

    [*_, last] = played(text, estate=ESTATE, make_ledger=make_ledger).played
    newest = {ledger.server().name: ledger for ledger in made}  # A rebuilt server has a new one.
    return sorted(
        (pack.id, pack.total)
        for ledger in newest.values()
        if ledger.server().blocked(last.step.at) is None
        for pack in ledger.shelf().packs
        if pack.transfer is None
    )


@given(STORIES)
def test_no_pack_is_usable_in_two_places(story):
    usable = [name for name, _ in usable_at_the_end(text_of(story))]
    assert len(usable) == len(set(usable))


@given(STORIES)
def test_no_pack_is_lost_once_every_server_is_back(story):
    back = "".join(
        a_step(do, at="2030-01-01T00:00:00Z", server=f'"{name}"') for do in ("up", "activate") for name in SERVERS
    )
    assert usable_at_the_end(text_of(story) + back) == [("A", 2), ("B", 2)]
