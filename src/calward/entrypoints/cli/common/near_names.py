"""Which name on the license server may be meant by one that it does not know?"""

from difflib import get_close_matches
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

from calward.domain.errors import LicensingError
from calward.entrypoints.cli.common.wiring import AdminClient

__all__ = ["near_names"]

_KEYS: Final = MappingProxyType({"packs": "id", "hosts": "name", "policies": "group", "tokens": "id"})
"""By collection: the name of a thing in it."""
_MOST: Final = 500
_SHOWN: Final = 3


def near_names(admin: AdminClient, target: str) -> str | None:
    """What is called nearly so, as "A or B", for a target such as ``packs/7f3a:give-up-change``; None where nothing is.

    Lists on a narrow terminal cut ids: the beginning of one is what people have. A license is often asked for by its holder.
    """
    collection, _, rest = target.partition("?")[0].partition("/")
    name = unquote(rest.partition(":")[0])
    if not name:
        return None
    try:
        if collection == "licenses":
            found = admin.ask("GET", "licenses", query={"holder": name, "limit": _SHOWN}).get("items", [])
            return _either([str(one["id"]) for one in found])
        if (key := _KEYS.get(collection)) is None:
            return None
        names = [str(one[key]) for one in admin.ask("GET", collection, query={"limit": _MOST}).get("items", [])]
    except (LicensingError, KeyError):  # Who may not see the list is not told what stands in it.
        return None
    plain = {one.lower(): one for one in names}
    begin = [one for low, one in plain.items() if low.startswith(name.lower().rstrip("…"))]
    return _either(begin or [plain[low] for low in get_close_matches(name.lower(), plain, _SHOWN)])


def _either(names: list[str]) -> str | None:
    return " or ".join(names[:_SHOWN]) or None
