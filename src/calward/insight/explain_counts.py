"""What CALs were there when a license or a refusal came about, in the order in which a license server looks, and which lay idle beside it?"""

from collections.abc import Iterator

from calward.insight.diagnoser.pool_checks import free_for
from calward.insight.diagnoser.view import NO_FAMILY, Pool, PoolKey, View
from calward.insight.estate import PackType

__all__ = ["looked_at"]


def looked_at(view: View, key: PoolKey) -> list[str]:
    """What is free of the own family and of newer ones; what is free and does not help follows where nothing else is."""
    server, type_, family = key
    steps = []
    for own, pool in view.suiting(server, type_, family):
        which = "of its own version" if own == family else "of a newer version"
        steps.append(f"{which}: {_free(pool)} {view.cal(type_, own)} CALs free")
    steps = steps or [f"no {type_.value} CAL of this version or newer was bought for {server}"]
    return steps if free_for(view, key) else [*steps, *_idle(view, key)]


def _idle(view: View, key: PoolKey) -> Iterator[str]:
    """Free CALs of the same server that are too old, or of the other type."""
    server, type_, family = key
    other = PackType.PER_USER if type_ is PackType.PER_DEVICE else PackType.PER_DEVICE
    for (where, kind, own), pool in sorted(view.pools.items(), key=lambda item: item[0][2]):
        if where != server or pool.free == 0 or NO_FAMILY in (own, family):
            continue
        if kind is type_ and own < family:
            yield f"of an older version: {_free(pool)} {view.cal(kind, own)} CALs free, which do not open its host"
        elif kind is other and own >= family:
            yield f"of the other type: {_free(pool)} {view.cal(kind, own)} CALs free, which a host set to {type_.value} does not take"


def _free(pool: Pool) -> str:
    return "unlimited" if pool.total is None else f"{pool.free or 0:,} of {pool.total:,}"
