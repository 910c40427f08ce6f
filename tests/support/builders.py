"""Builders of what the rules are about: each states only what matters to its test."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from calward.app.licensing.issue_license import IssueLicense
from calward.domain.cals import CalType, HolderKind
from calward.domain.issuing import Asking, Claim, Decision, Wanted, conclude, plan
from calward.domain.key_packs import KeyPack, PackId, Shelf
from calward.domain.ladder import Ladder
from calward.domain.licenses import NEVER, Holder, License, Seat, Status
from calward.domain.parties import Host, Server
from calward.domain.settings import Settings, changed
from tests.support.clocks import DAY, NOW
from tests.support.ladders import windows_server

DEVICE, USER = CalType.PER_DEVICE, CalType.PER_USER


@lru_cache
def ladder() -> Ladder:
    return windows_server()


def family(version: str) -> int:
    return ladder().family_of(version)


def a_server(version: str = "2025", *, activated: bool = True, **changes: Any) -> Server:
    values: dict[str, Any] = {"issue_until": NEVER if activated else None} | changes
    return Server("5e" * 16, "LS1", version, family(version), "windows-server", **values)


def a_host(version: str = "2016", mode: CalType = DEVICE, *, number: int = 1, **changes: Any) -> Host:
    values: dict[str, Any] = {"name": f"SH{number}"} | changes
    return Host(number, version=version, family=family(version), mode=mode, **values)


def a_key_pack(
    version: str = "2016", type_: CalType = DEVICE, *, total: int = 2, row: int = 1, **changes: Any
) -> KeyPack:
    values: dict[str, Any] = {"id": PackId(f"P{row}"), "installed_at": NOW - 100 * DAY, "expires_at": NEVER} | changes
    return KeyPack(row=row, version=version, family=family(version), type=type_, total=total, **values)


def a_license(
    version: str = "2016", status: Status = Status.ACTIVE, type_: CalType = DEVICE, *, days: float = 30, **changes: Any
) -> License:
    """A license that ends in so many days (ended, where negative); a full one holds CAL 1 of pack P1."""
    values: dict[str, Any] = {
        "id": 1,
        "holder": 1,
        "seat": Seat(PackId("P1"), 1) if status is Status.ACTIVE else None,
        "issued_at": NOW - 30 * DAY,
        "expires_at": NOW + int(days * DAY),
        "decision": 1,
    } | changes
    return License(type=type_, status=status, version=version, family=family(version), **values)


def a_holder(kind: HolderKind = HolderKind.DEVICE, **changes: Any) -> Holder:
    name = "0A1B2C" if kind is HolderKind.DEVICE else "alice"
    values: dict[str, Any] = {"id": 1, "key": name, "label": name, "token": f"{kind.value[0]}:{'A' * 22}"} | changes
    return Holder(kind=kind, **values)


def an_asking(version: str = "2016", mode: CalType = DEVICE, packs: Iterable[KeyPack] = (), **changes: Any) -> Asking:
    """A proven device (or a user) without licenses asks an activated server; ``rules``: the settings that differ."""
    rules = changes.pop("rules", {})
    values: dict[str, Any] = {
        "now": NOW,
        "licenses": (),
        "proven_at": NOW - 50 * DAY if mode is DEVICE else None,
        "blocked": None,
        "settings": changed(Settings(), rules),
        "full_days": 60,
    } | changes
    return Asking(host_version=version, host_family=family(version), mode=mode, shelf=Shelf.of(packs), **values)


def decide(asking: Asking, free: Iterable[KeyPack] = ()) -> Decision:
    """Both halves of a decision, where only the packs of ``free`` have a free CAL."""
    planned = plan(asking)
    if isinstance(planned, Decision):
        return planned
    return conclude(asking, planned, _claim(planned, list(free)), prevented_free=_prevented(planned, list(free)))


def _claim(wanted: Wanted, free: list[KeyPack]) -> Claim | None:
    return next((Claim(pack, Seat(pack.id, 1)) for pack in wanted.candidates if pack in free), None)


def _prevented(wanted: Wanted, free: list[KeyPack]) -> int:
    return sum(pack in free for pack in wanted.prevented)


def a_question(host: Host, who: str = "PC1", request_id: str = "r1", **changes: Any) -> IssueLicense:
    """A host asks for a holder of its own mode, unless the test says otherwise."""
    values: dict[str, Any] = {"kind": host.mode.holder_kind, "key": who, "label": who} | changes
    return IssueLicense(host, request_id, **values)
