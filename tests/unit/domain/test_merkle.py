"""Merkle tree: the published vectors, and every proof of every small tree."""

import pytest

from calward.domain.errors import LicensingError, Problem
from calward.domain.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

# The eight leaves and the roots of their beginnings that Certificate Transparency implementations test against.
LEAVES = [
    leaf_hash(bytes.fromhex(one))
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
MANY = [leaf_hash(bytes([n])) for n in range(20)]


def root_of(leaves: list[bytes]) -> bytes:
    return Frontier().extend(leaves).root()


def by_the_definition(leaves: list[bytes]) -> bytes:
    """The tree hash as RFC 6962 2.1 writes it, without any cleverness."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(by_the_definition(leaves[:split]), by_the_definition(leaves[split:]))


@pytest.mark.parametrize("size", range(9))
def test_the_published_roots_come_out(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]


@pytest.mark.parametrize("size", range(21))
def test_the_root_is_that_of_the_definition(size: int) -> None:
    assert root_of(MANY[:size]) == by_the_definition(MANY[:size])


def test_the_published_inclusion_proof_comes_out() -> None:
    assert [one.hex() for one in inclusion_proof(LEAVES, 5)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_the_published_consistency_proof_comes_out() -> None:
    assert [one.hex() for one in consistency_proof(LEAVES, 6)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_appending_one_by_one_is_the_same_as_all_at_once() -> None:
    frontier = Frontier()
    for leaf in MANY:
        frontier = frontier.append(leaf)
    assert frontier == Frontier().extend(MANY)


@pytest.mark.parametrize("size", range(1, 21))
def test_every_leaf_is_proven_and_nothing_else_is(size: int) -> None:
    root = root_of(MANY[:size])
    for index in range(size):
        proof = inclusion_proof(MANY[:size], index)
        assert verify_inclusion(MANY[index], index, size, proof, root)
        assert not verify_inclusion(leaf_hash(b"other"), index, size, proof, root)
        assert not verify_inclusion(MANY[index], index, size, (*proof, root), root)
        assert not any(verify_inclusion(MANY[index], at, size, proof, root) for at in range(size) if at != index)
        if proof:
            assert not verify_inclusion(MANY[index], index, size, proof[:-1], root)


@pytest.mark.parametrize("index", [-1, 3])
def test_a_leaf_that_is_not_there_has_no_proof(index: int) -> None:
    with pytest.raises(LicensingError) as caught:
        inclusion_proof(MANY[:3], index)
    assert caught.value.problem is Problem.NOT_FOUND
    assert not verify_inclusion(MANY[0], index, 3, (), root_of(MANY[:3]))


@pytest.mark.parametrize("second", range(21))
def test_every_growth_is_proven_and_no_other_history_is(second: int) -> None:
    new = root_of(MANY[:second])
    for first in range(second + 1):
        old, proof = root_of(MANY[:first]), consistency_proof(MANY[:second], first)
        assert verify_consistency(first, second, old, new, proof)
        assert not verify_consistency(first, second, leaf_hash(b"other"), new, proof)
        assert not verify_consistency(first, second, old, new, (*proof, old))
        if proof:
            assert not verify_consistency(first, second, old, leaf_hash(b"other"), proof)
            assert not verify_consistency(first, second, old, new, proof[:-1])


def test_a_tree_never_shrinks() -> None:
    with pytest.raises(LicensingError) as caught:
        consistency_proof(MANY[:3], 4)
    assert caught.value.problem is Problem.NOT_FOUND
    assert not verify_consistency(4, 3, root_of(MANY[:4]), root_of(MANY[:3]), ())
    assert not verify_consistency(-1, 3, EMPTY_ROOT, root_of(MANY[:3]), ())


@pytest.mark.parametrize("size", [0, 1, 7, 8, 20])
def test_a_stored_frontier_goes_on_where_it_stopped(size: int) -> None:
    stored = Frontier().extend(MANY[:size]).to_bytes()
    assert Frontier.from_bytes(stored).extend(MANY[size:]).root() == root_of(MANY)


@pytest.mark.parametrize(
    "stored", [b"", b"\x00" * 7, b"\x00" * 40, b"\xff" * 8, b"\x00" * 9, (3).to_bytes(8, "big") + b"x" * 33]
)
def test_a_damaged_frontier_is_refused(stored: bytes) -> None:
    with pytest.raises(LicensingError) as caught:
        Frontier.from_bytes(stored)
    assert caught.value.problem is Problem.MALFORMED


def test_a_frontier_takes_only_whole_hashes() -> None:
    with pytest.raises(LicensingError):
        Frontier(1, (b"short",))
