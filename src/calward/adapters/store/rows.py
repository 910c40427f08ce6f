"""How do rows become values of the domain, and back? The one place where both are seen side by side."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from calward.domain.cals import CalType, HolderKind
from calward.domain.holders import token_of
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.licenses import Ending, Holder, License, Seat, Status
from calward.domain.parties import Host, Server
from calward.domain.settings import Settings, changed

__all__ = [
    "HOLDER",
    "LICENSE",
    "PACK",
    "holder_from",
    "host_from",
    "kind_from",
    "license_from",
    "license_row",
    "pack_from",
    "pack_row",
    "server_from",
    "server_row",
    "status_from",
    "type_from",
    "type_letter",
]

HOLDER = ("id", "kind", "key", "label", "hash", "proven_at")
LICENSE = (
    "id", "holder", "type", "status", "version", "family", "pack", "seat", "issued_at", "expires_at", "decision", "ended_at", "ending",
)  # fmt: skip
PACK = (
    "number", "id", "version", "family", "type", "total", "installed_at", "expires_at",
    "generation", "bought_as", "transfer", "frozen_at", "aside",
)  # fmt: skip

_KINDS = {"d": HolderKind.DEVICE, "u": HolderKind.USER}
_TYPES = {"d": CalType.PER_DEVICE, "u": CalType.PER_USER}
_TYPE_LETTERS = {value: key for key, value in _TYPES.items()}
_STATUSES = {"t": Status.TEMPORARY, "a": Status.ACTIVE, "o": Status.OVER_USED}
_STATUS_LETTERS = {value: key for key, value in _STATUSES.items()}


def kind_from(letter: str) -> HolderKind:
    """A holder's kind from its letter."""
    return _KINDS[letter]


def type_from(letter: str) -> CalType:
    """A CAL type from its letter."""
    return _TYPES[letter]


def type_letter(type_: CalType) -> str:
    """A CAL type's letter."""
    return _TYPE_LETTERS[type_]


def status_from(letter: str) -> Status:
    """A license's status from its letter."""
    return _STATUSES[letter]


def holder_from(row: Sequence[Any]) -> Holder:
    """A holder from a row of ``HOLDER`` columns."""
    number, letter, key, label, digest, proven_at = row
    kind = _KINDS[letter]
    key = key or ""
    return Holder(number, kind, key, label or key, token_of(kind, bytes(digest)), proven_at)


def license_from(row: Sequence[Any], packs: dict[int, PackId]) -> License:
    """A license from a row of ``LICENSE`` columns; ``packs`` names the packs by their rows, removed ones too."""
    number, holder, type_, status, version, family, pack, seat, issued, expires, decision, ended, ending = row
    held = None if pack is None else Seat(packs[pack], seat)
    ended_how = Ending(ending) if ending else None
    return License(
        number,
        holder,
        _TYPES[type_],
        _STATUSES[status],
        version,
        family,
        held,
        issued,
        expires,
        decision,
        ended,
        ended_how,
    )


def license_row(license_: License, pack: int | None) -> tuple[Any, ...]:
    """The ``LICENSE`` columns of a license; ``pack`` is its pack's row."""
    return (
        license_.id,
        license_.holder,
        _TYPE_LETTERS[license_.type],
        _STATUS_LETTERS[license_.status],
        license_.version,
        license_.family,
        pack,
        license_.seat.n if license_.seat else None,
        license_.issued_at,
        license_.expires_at,
        license_.decision,
        license_.ended_at,
        license_.ending.value if license_.ending else None,
    )


def pack_from(row: Sequence[Any]) -> KeyPack:
    """A pack from a row of ``PACK`` columns."""
    number, name, version, family, type_, *rest = row
    return KeyPack(PackId(name), number, version, family, _TYPES[type_], *rest)


def pack_row(pack: KeyPack) -> tuple[Any, ...]:
    """The ``PACK`` columns of a pack."""
    return (
        pack.row, pack.id, pack.version, pack.family, _TYPE_LETTERS[pack.type], pack.total, pack.installed_at, pack.expires_at,
        pack.generation, pack.bought_as, pack.transfer, pack.frozen_at, pack.aside,
    )  # fmt: skip


def server_from(body: str) -> Server:
    """The license server's state from its stored text."""
    found = json.loads(body)
    settings = changed(Settings(), found.pop("settings"))
    return Server(settings=settings, **found)


def server_row(server: Server) -> str:
    """The license server's state as text."""
    found = asdict(server)
    found["settings"] = {
        key: str(value) if not isinstance(value, bool | int) else value for key, value in found["settings"].items()
    }
    return json.dumps(found, sort_keys=True)


def host_from(row: Sequence[Any], mode: str | None = None) -> Host:
    """A host from (id, name, version, family, mode, enrolled?); ``mode``: the policy's, where it sets one."""
    number, name, version, family, own_mode, enrolled = row
    return Host(number, name, version, family, _TYPES[mode or own_mode], bool(enrolled))
