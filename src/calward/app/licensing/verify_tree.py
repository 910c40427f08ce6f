"""Are the events still those that the Merkle tree was made of, and is every checkpoint one of the tree's past states?"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from calward.app.licensing.findings import Audit
from calward.app.licensing.records import LogKey, Records, StoredEvent
from calward.domain.errors import LicensingError
from calward.domain.merkle import EMPTY_ROOT, Frontier, leaf_hash
from calward.domain.notes import Checkpoint, parse_checkpoint, parse_note, verify_note
from calward.domain.replay_state import Check

__all__ = ["check_tree"]


class _Claim(NamedTuple):
    """What somebody says that the tree once was."""

    what: Check
    where: str
    size: int
    root: bytes


def check_tree(
    records: Records, log: LogKey, kept: Sequence[str], audit: Audit, chunks: Iterable[Sequence[StoredEvent]]
) -> None:
    """Make the tree anew from ``chunks``, all placed events in order, and compare what is claimed about it."""
    checkpoints = _checkpoints(records, log, kept, audit)
    claims = _stored_frontier(records, checkpoints, audit) + checkpoints
    sizes, roots, tree = {claim.size for claim in claims}, {0: EMPTY_ROOT}, Frontier()
    for chunk in chunks:
        _check_places(chunk, tree.size, audit)
        tree = _grow(tree, [leaf_hash(stored.body.encode()) for stored in chunk], sizes, roots)
    audit.size, audit.root = tree.size, tree.root()
    if records.placed_at_once and audit.events != tree.size:
        missing = f"{audit.events - tree.size} events without one"
        audit.note(Check.ORDER, "the events", "a place in the tree for each", missing)
    _compare(claims, roots, tree.size, audit)


def _stored_frontier(records: Records, checkpoints: Sequence[_Claim], audit: Audit) -> list[_Claim]:
    body = records.frontier()
    if body is None:
        # A checkpoint is made of a stored tree; a young ledger has neither.
        if size := max((claim.size for claim in checkpoints), default=0):
            audit.note(Check.TREE, "the stored tree", f"a tree of at least {size} events", "no row")
        return []
    try:
        frontier = Frontier.from_bytes(body)
    except LicensingError as error:
        audit.note(Check.TREE, "the stored tree", "the frontier of a tree", error.detail)
        return []
    return [_Claim(Check.TREE, f"the stored tree of {frontier.size} events", frontier.size, frontier.root())]


def _checkpoints(records: Records, log: LogKey, kept: Sequence[str], audit: Audit) -> list[_Claim]:
    stored = [(f"the stored checkpoint of {size} events", size, note) for size, note in records.checkpoints()]
    outside = [(f"checkpoint {number} kept outside", None, note) for number, note in enumerate(kept, 1)]
    found = []
    for where, size, note in [*stored, *outside]:
        checkpoint = _believed(note, log, where, audit)
        if checkpoint and size not in {None, checkpoint.size}:
            audit.note(Check.CHECKPOINT, where, f"a checkpoint of {size} events", f"one of {checkpoint.size}")
        elif checkpoint:
            found.append(_Claim(Check.CHECKPOINT, where, checkpoint.size, checkpoint.root))
    return found


def _believed(body: str, log: LogKey, where: str, audit: Audit) -> Checkpoint | None:
    """The checkpoint of a note that this log signed, or None with a finding."""
    try:
        note = parse_note(body)
        checkpoint = parse_checkpoint(note.text)
    except LicensingError as error:
        audit.note(Check.CHECKPOINT, where, "a signed checkpoint", error.detail)
        return None
    if checkpoint.origin != log.origin:
        audit.note(Check.CHECKPOINT, where, f"a checkpoint of {log.origin}", f"one of {checkpoint.origin!a}")
        return None
    if not any(verify_note(note, log.origin, key, log.verify) for key in log.public_keys):
        audit.note(Check.CHECKPOINT, where, "a signature of this license server", "none that is good")
        return None
    return checkpoint


def _check_places(chunk: Sequence[StoredEvent], before: int, audit: Audit) -> None:
    """Places are counted from 1, without a gap."""
    expected = before + 1
    for stored in chunk:
        if stored.position != expected:
            audit.note(Check.ORDER, f"event {stored.id}", f"place {expected} in the tree", f"place {stored.position}")
            return  # Those after it are shifted by the same.
        expected += 1


def _grow(tree: Frontier, leaves: Sequence[bytes], sizes: set[int], roots: dict[int, bytes]) -> Frontier:
    """Append leaves; remember the roots of the sizes about which something is claimed."""
    done, first = 0, tree.size
    for size in sorted(x for x in sizes if first < x <= first + len(leaves)):
        tree, done = tree.extend(leaves[done : size - first]), size - first
        roots[size] = tree.root()
    return tree.extend(leaves[done:])


def _compare(claims: Iterable[_Claim], roots: dict[int, bytes], size: int, audit: Audit) -> None:
    """Each claim must be a past state; the largest that is one says from where on events were changed."""
    unchanged = max((x.size for x in claims if roots.get(x.size) == x.root), default=0)
    for claim in claims:
        root = roots.get(claim.size)
        if root is None:
            found = f"only {size}: events are missing, or an old copy was put back"
            audit.note(claim.what, claim.where, f"at least {claim.size} events", found)
        elif root != claim.root:
            audit.note(
                claim.what,
                claim.where,
                f"root {claim.root.hex()}",
                f"root {root.hex()}: an event after place {unchanged} was changed, left out, put in or moved",
            )
