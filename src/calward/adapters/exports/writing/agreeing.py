"""What does a list of packs say of a license, so that its row need not?"""

from collections.abc import Iterable

from calward.insight.estate import EstateLicense, EstatePack, PackType

__all__ = ["Packs"]


class Packs:
    """Packs by license server and id, as a reader of both files finds them."""

    def __init__(self, packs: Iterable[EstatePack]) -> None:
        self._types: dict[tuple[str, str], set[PackType]] = {}
        self._versions: dict[tuple[str, str], set[str | None]] = {}
        for one in packs:
            self._types.setdefault((one.server, one.id), set()).add(one.type)
            self._versions.setdefault((one.server, one.id), set()).add(one.version)

    def tell(self, one: EstateLicense) -> bool:
        """Whether type and version of a license follow from its pack."""
        key = one.server, one.pack or ""
        return self._types.get(key) == {one.type} and self._versions.get(key) == {one.version}
