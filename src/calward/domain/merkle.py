"""Which hash stands for a list of events, and how is it shown that one is in the list or that the list only grew?

The tree of RFC 6962, section 2.1: a leaf is SHA-256(0x00 || bytes), a node SHA-256(0x01 || left || right). The two prefixes keep a
leaf from being passed off as a node.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from calward.domain.errors import LicensingError, Problem

__all__ = [
    "EMPTY_ROOT",
    "Frontier",
    "consistency_proof",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "verify_consistency",
    "verify_inclusion",
]

HASH_SIZE = 32
_SIZE_BYTES = 8

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962, 2.1)."""


def leaf_hash(leaf: bytes) -> bytes:
    """Hash the bytes of one leaf; 32 bytes."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighboring subtrees of 32 bytes each into their parent; 32 bytes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The compact range of a tree: the roots of its full subtrees, largest first, one per bit set in ``size``.

    All that is needed to go on appending and to know the root; it takes 32 bytes per level and never looks back at a leaf.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a frontier whose number of hashes does not belong to its size: LicensingError(MALFORMED)."""
        fits = 0 <= self.size < 1 << (8 * _SIZE_BYTES) and len(self.hashes) == self.size.bit_count()
        if not fits or any(len(one) != HASH_SIZE for one in self.hashes):
            raise LicensingError(
                Problem.MALFORMED, f"{len(self.hashes)} hashes are no frontier of a tree with {self.size} leaves"
            )

    def append(self, leaf: bytes) -> "Frontier":
        """Add one leaf *hash* (of ``leaf_hash``)."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> "Frontier":
        """Add many leaf hashes in order; one node hash per leaf on average, memory of the frontier only."""
        sha256 = hashlib.sha256
        size, hashes = self.size, list(self.hashes)
        for leaf in leaves:
            # Like adding one to a binary number: each trailing one bit is a full subtree that becomes a left sibling.
            node, carry = leaf, size
            while carry & 1:
                node = sha256(b"\x01" + hashes.pop() + node).digest()
                carry >>= 1
            hashes.append(node)
            size += 1
        return Frontier(size, tuple(hashes))

    def root(self) -> bytes:
        """The root of the tree of these leaves; 32 bytes."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root

    def to_bytes(self) -> bytes:
        """Render for storage: the size as 8 bytes, big end first, then the hashes."""
        return self.size.to_bytes(_SIZE_BYTES, "big") + b"".join(self.hashes)

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Frontier":
        """Read what ``to_bytes`` wrote; raises LicensingError(MALFORMED)."""
        if len(stored) < _SIZE_BYTES or (len(stored) - _SIZE_BYTES) % HASH_SIZE:
            raise LicensingError(Problem.MALFORMED, f"{len(stored)} bytes are no stored frontier of a Merkle tree")
        hashes = tuple(stored[at : at + HASH_SIZE] for at in range(_SIZE_BYTES, len(stored), HASH_SIZE))
        return cls(int.from_bytes(stored[:_SIZE_BYTES], "big"), hashes)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Prove that leaf ``index`` (from 0) is in the tree of these leaf hashes: its siblings, the nearest first.

    Raises: LicensingError(NOT_FOUND): there is no such leaf.
    Source: RFC 6962, 2.1.1.
    """
    if not 0 <= index < len(leaves):
        raise LicensingError(Problem.NOT_FOUND, f"a tree of {len(leaves)} leaves has no leaf {index}")
    low, high = 0, len(leaves)
    siblings: list[bytes] = []
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            siblings.append(_root(leaves, middle, high))
            high = middle
        else:
            siblings.append(_root(leaves, low, middle))
            low = middle
    return tuple(reversed(siblings))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``proof`` shows that the leaf hash ``leaf`` stands at ``index`` in the tree of ``size`` leaves with this root.

    Source: RFC 9162, 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    place, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(sibling, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and node == root


def consistency_proof(leaves: Sequence[bytes], first: int) -> tuple[bytes, ...]:
    """Prove that the tree of the first ``first`` of these leaf hashes is the beginning of the tree of all of them.

    Raises: LicensingError(NOT_FOUND): there are not so many leaves.
    Source: RFC 6962, 2.1.2. The empty tree is the beginning of every tree and needs no proof.
    """
    if not 0 <= first <= len(leaves):
        raise LicensingError(Problem.NOT_FOUND, f"a tree of {len(leaves)} leaves never had {first}")
    if first in (0, len(leaves)):
        return ()
    low, high, whole = 0, len(leaves), True
    nodes: list[bytes] = []
    while first != high:
        middle = low + _split(high - low)
        if first <= middle:
            nodes.append(_root(leaves, middle, high))
            high = middle
        else:
            nodes.append(_root(leaves, low, middle))
            low, whole = middle, False
    # The old root itself is known to whoever verifies; it is left out when it is a whole subtree from leaf 0.
    start = () if whole else (_root(leaves, low, high),)
    return (*start, *reversed(nodes))


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows that the tree of ``first`` leaves is the beginning of the tree of ``second`` leaves.

    Source: RFC 9162, 2.1.4.2.
    """
    if first in (0, second):
        return not proof and first_root == (EMPTY_ROOT if first == 0 else second_root)
    if not 0 < first < second or not proof:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old, *rest = proof if place else (first_root, *proof)
    return _fold_consistency(place, last, old, rest) == (first_root, second_root)


def _fold_consistency(place: int, last: int, start: bytes, nodes: Iterable[bytes]) -> tuple[bytes, bytes] | None:
    """The two roots that a proof leads to, or None when it is too long or too short."""
    old = new = start
    for node in nodes:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node_hash(node, old), node_hash(node, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, node)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None


def _split(count: int) -> int:
    """The largest power of two below ``count``, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _root(leaves: Sequence[bytes], low: int, high: int) -> bytes:
    return Frontier().extend(leaves[low:high]).root()
