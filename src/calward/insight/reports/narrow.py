"""Which part of an estate is a report about?"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from calward.domain.ladder import Ladder
from calward.insight.estate import Estate, PackType
from calward.insight.reports.pools import Pool

__all__ = ["Part", "narrow", "narrow_pools"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an estate; None: all. Versions of one family are one; names are compared without case."""

    type: PackType | None = None
    version: str | None = None
    server: str | None = None

    @property
    def words(self) -> str:
        """What a head says; "" for all."""
        said = (("type", self.type), ("version", self.version), ("license server", self.server))
        return ", ".join(f"{name} {value}" for name, value in said if value is not None)


def narrow(estate: Estate, part: Part) -> Estate:
    """The estate with only what is asked for.

    Raises: LicensingError: the ladder has no such version.
    """
    rank = None if part.version is None else estate.ladder.family_of(part.version)
    server = None if part.server is None else part.server.casefold()

    def fits(version: str | None, type_: PackType, of: str) -> bool:
        if part.type is not None and type_ is not part.type:
            return False
        if server is not None and of.casefold() != server:
            return False
        return rank is None or (version is not None and estate.ladder.family_of(version) == rank)

    if not part.words:
        return estate
    return replace(
        estate,
        servers=[one for one in estate.servers if server in (None, one.name.casefold())],
        packs=[one for one in estate.packs if fits(one.version, one.type, one.server)],
        licenses=[one for one in estate.licenses if fits(one.version, one.type, one.server)],
        failures=[one for one in estate.failures if fits(one.version, one.type, one.server)],
    )


def narrow_pools(found: Iterable[Pool], part: Part | None, ladder: Ladder) -> list[Pool]:
    """The sums with only what is asked for, of one license server; raises like ``narrow``."""
    rank = None if part is None or part.version is None else ladder.family_of(part.version)
    type_ = None if part is None else part.type
    return [one for one in found if rank in (None, one.rank) and type_ in (None, one.type)]
