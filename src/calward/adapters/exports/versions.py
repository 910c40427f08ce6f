"""Which version of the ladder does a row mean, and whom are its CALs for?

The number decides: names come in every language. All names and numbers of versions stand in the ladder's file.
"""

import re
from typing import Final

from calward.adapters.exports.values import number, text
from calward.adapters.exports.wmi import PRODUCT_CODES, PRODUCT_TYPES
from calward.domain.ladder import Ladder, Rung
from calward.insight.estate import PackType

__all__ = ["Versions", "type_of"]

_IDS: Final = ("wmi_product_version_id", "wmi_documented_id")
_CODE: Final = "product_code_version"
_BUILDS: Final = "os_builds"
_OS_VERSION: Final = re.compile(r"\d{1,2}\.\d{1,2}[. ]+\(?(\d{4,5})\)?(?:\.\d{1,5})?", re.ASCII)
"""An operating system's number: 10.0.17763, as directories write it 10.0 (17763)."""
_PRODUCT_CODE: Final = re.compile(r"([A-Z]\d\d)-(\d{1,2}\.\d\d)(?:-[A-Z]{1,4})?", re.ASCII | re.IGNORECASE)
_WORD: Final = r"(?<![0-9a-z]){}(?![0-9a-z])"
_PIECES: Final = re.compile(r"\d+|[^\W\d_]+", re.ASCII)
_MOST_CACHED: Final = 4096


class Versions:
    """Looks versions up in one ladder; remembers, as a file has few of them and many rows."""

    def __init__(self, ladder: Ladder) -> None:
        self.ladder = ladder
        self._by_number = {key: _first(ladder, key) for key in (*_IDS, _CODE)}
        self._by_build = {
            build: rung.id for rung in ladder.rungs for build in str(rung.foreign.get(_BUILDS, "")).split()
        }
        self._patterns = [(rung, _pattern(rung)) for rung in ladder.rungs]
        self._cache: dict[tuple[str, str, str], str | None] = {}

    def of(self, version_id: object, name: object, product_code: object = None) -> str | None:
        """The oldest version of the family that a row means; None where it says none or one that the ladder lacks."""
        key = text(version_id), text(name), text(product_code)
        if key not in self._cache:
            if len(self._cache) >= _MOST_CACHED:
                self._cache.clear()
            self._cache[key] = self._look_up(*key)
        return self._cache[key]

    def named(self, name: object) -> str | None:
        """The version whose id or title a text holds, such as that of a host's operating system, the newest of one family; or whose build it has."""
        written = text(name)
        if match := _OS_VERSION.fullmatch(written):
            return self._by_build.get(match[1])
        found = self._named(written)
        return found[-1].id if found else None

    def _look_up(self, version_id: str, name: str, product_code: str) -> str | None:
        try:
            wanted = number(version_id)
        except ValueError:
            wanted = None
        if wanted is not None:
            for key in _IDS:
                if str(wanted) in self._by_number[key]:
                    return self._by_number[key][str(wanted)]
        if (match := _PRODUCT_CODE.search(product_code)) and match[2] in self._by_number[_CODE]:
            return self._by_number[_CODE][match[2]]
        found = self._named(name)
        return found[0].id if found else None

    def _named(self, name: str) -> list[Rung]:
        """All versions that a text names, if they are of one family: "2008 or 2008 R2" is one, "2008 to 2016" none."""
        found = [rung for rung, pattern in self._patterns if pattern.search(name.casefold())]
        return found if len({rung.family for rung in found}) == 1 else []


def type_of(product_type: object, product_code: object, words: object) -> PackType | None:
    """Whom CALs are for: by the number, else by the product code, else by words such as "RDS Per User CAL".

    None where a row does not say.
    """
    try:
        found = PRODUCT_TYPES.get(number(product_type) if product_type is not None else None)  # type: ignore[arg-type]
    except ValueError:
        found = _worded(text(product_type))
    if found is not None:
        return found
    if match := _PRODUCT_CODE.search(text(product_code)):
        return PRODUCT_CODES.get(match[1].upper()) or _worded(text(words))
    return _worded(text(words)) or _worded(text(product_code))


_WORDS: Final = (
    (re.compile(r"built.?in|integriert|intégré", re.IGNORECASE), PackType.BUILT_IN),
    (
        re.compile(r"per.?device|pro.?ger[äa]t|par.?p[ée]riph[ée]rique|por.?dispositivo|device", re.IGNORECASE),
        PackType.PER_DEVICE,
    ),
    (
        re.compile(r"per.?user|pro.?(?:be)?nutzer|par.?utilisateur|por.?usuario|per.?utente|user", re.IGNORECASE),
        PackType.PER_USER,
    ),
)


def _worded(words: str) -> PackType | None:
    return next((type_ for pattern, type_ in _WORDS if pattern.search(words)), None)


def _first(ladder: Ladder, key: str) -> dict[str, str]:
    """The oldest version with each number."""
    found: dict[str, str] = {}
    for rung in ladder.rungs:
        if key in rung.foreign:
            found.setdefault(str(rung.foreign[key]), rung.id)
    return found


def _pattern(rung: Rung) -> re.Pattern[str]:
    """The id as a word of its own, blanks or not between its letters and numbers: "2008R2" and "2008 R2"."""
    pieces = _PIECES.findall(rung.id.casefold()) or [rung.id.casefold()]
    return re.compile(_WORD.format(r"[\s._-]?".join(map(re.escape, pieces))))
