"""Builders for plans: small estates that say only what matters."""

from collections.abc import Sequence

from calward.domain.cals import CalType
from calward.insight.estate import (
    Estate,
    EstateHost,
    EstateLicense,
    EstatePack,
    EstateServer,
    LicenseStatus,
    PackType,
    Source,
)
from tests.support.ladders import windows_server

NOW = 1_800_000_000
DAY = 86_400


def a_pack(id_: str, version: str, total: int | None, *, type_: str = "per-user", **more) -> EstatePack:
    return EstatePack(
        id=id_,
        server=more.pop("server", "LS1"),
        version=version,
        type=PackType(type_),
        program=more.pop("program", "Volume"),
        total=total,
        issued=more.pop("issued", 0),
        **more,
    )


def a_host(name: str, version: str, mode: str = "per-user", servers: Sequence[str] = ("LS1",)) -> EstateHost:
    return EstateHost(name, version, CalType(mode), tuple(servers))


def licenses(
    count: int, version: str, *, type_: str = "per-user", first: int = 0, status: str = "active", **more
) -> list[EstateLicense]:
    """So many holders, each with one license; ``first`` tells them from the holders of other calls."""
    user = type_ == "per-user"
    return [
        EstateLicense(
            id=f"{version}-{type_}-{first + n}",
            server=more.get("server", "LS1"),
            pack=more.get("pack"),
            type=PackType(type_),
            status=LicenseStatus(status),
            version=version,
            device=None if user else f"PC{first + n}",
            user=f"user{first + n}" if user else None,
            hardware_id=None if user else f"hw{first + n}",
            issued_at=more.get("issued_at", NOW - 30 * DAY),
            expires_at=more.get("expires_at", NOW + 30 * DAY),
            host=more.get("host"),
        )
        for n in range(count)
    ]


def an_estate(*parts, servers: Sequence[EstateServer] = (EstateServer("LS1", "2025"),)) -> Estate:
    """An estate of these packs, hosts and (lists of) licenses."""
    given = [one for part in parts if isinstance(part, list) for one in part]
    return Estate(
        name="test",
        source=Source.IMPORT,
        taken_at=NOW,
        ladder=windows_server(),
        servers=servers,
        hosts=[one for one in parts if isinstance(one, EstateHost)],
        packs=[one for one in parts if isinstance(one, EstatePack)],
        licenses=given,
    )
