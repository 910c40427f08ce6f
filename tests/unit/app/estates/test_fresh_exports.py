"""Which files of a folder are taken, and when?"""

from hypothesis import given
from hypothesis import strategies as st

from calward.app.estates.fresh_exports import FolderState, Stamp, after_import, after_look, fresh

stamps = st.builds(Stamp, st.integers(0, 2), st.integers(0, 2))
folders = st.dictionaries(st.sampled_from(["packs.csv", "issued.csv", "hosts.csv"]), stamps)


@given(st.lists(folders, max_size=10))
def test_what_is_taken_was_there_at_the_look_before_and_is_taken_once(looks):
    state, before, have = FolderState(), {}, {}
    for now in looks:
        taken = fresh(state, now)
        have = {name: stamp for name, stamp in have.items() if name in now}
        wanted = {name for name in now if have.get(name) != now[name]}
        assert set(taken) in (set(), wanted)
        assert bool(taken) == (bool(wanted) and all(before.get(name) == now[name] for name in wanted))
        done = {name: now[name] for name in taken}
        state = after_import(after_look(state, now), done, ())
        have |= done
        before = now
        assert fresh(state, now) == () or not taken


def test_contents_are_remembered_once_and_outlive_their_files():
    state = after_import(FolderState(), {"packs.csv": Stamp(1, 1)}, ["a", "b"])
    state = after_import(after_look(state, {}), {}, ["b", "c"])
    assert state.imported == {}
    assert state.digests == ("a", "b", "c")
