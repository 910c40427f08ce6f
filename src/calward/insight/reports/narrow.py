"""Which part of an estate is a report about?"""

from dataclasses import dataclass, replace

from calward.insight.estate import Estate, PackType

__all__ = ["Part", "narrow"]


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
