"""How does a result look that is neither a table nor JSON? ``--output yaml`` and ``--output csv``, as pure functions of the document."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from calward.entrypoints.cli.common.safe_text import safe

__all__ = ["csv_text", "rows_of", "yaml_text"]

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_/-]*", re.ASCII)
_WORDS: Final = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
"""What YAML takes for something else than a text, depending on its version."""
_FORMULA: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""How a cell begins that a spreadsheet runs; a name is somebody's choice."""


def rows_of(document: object) -> list[Mapping[str, Any]]:
    """The rows of a result: the items of a list, else the one thing that it is."""
    if isinstance(document, Mapping):
        items = document.get("items")
        return [one for one in items if isinstance(one, Mapping)] if isinstance(items, list) else [document]
    if isinstance(document, list):
        return [one if isinstance(one, Mapping) else {"value": one} for one in document]
    return [{"value": document}]


def csv_text(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, headers: bool) -> str:
    """CSV as of RFC 4180, a line for each row; without ``columns`` every key there is. Lists are words with blanks between."""
    keys = columns or list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.writer(text)
    if headers and keys:
        writer.writerow(keys)
    writer.writerows([_csv_cell(row.get(key)) for key in keys] for row in rows)
    return text.getvalue()


def _csv_cell(value: object) -> object:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return value
        case list() if all(isinstance(one, str) for one in value):
            return _harmless(" ".join(value))
        case list() | dict():
            return json.dumps(value)
    return _harmless(str(value))


def _harmless(text: str) -> str:
    shown = safe(text)
    return f"'{shown}" if shown.lstrip(" ").startswith(_FORMULA) or text.startswith(_FORMULA) else shown


def yaml_text(document: object) -> str:
    """YAML 1.2 in block style; a text that is not plainly a word stands in quotation marks."""
    return "".join(f"{line}\n" for line in _yaml(document))


def _yaml(value: object) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _beneath(f"{_scalar(str(key))}:", one, indent="  ")
    elif isinstance(value, list) and value:
        for one in value:
            first, *rest = _yaml(one)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield _scalar(value)


def _beneath(key: str, value: object, indent: str) -> Iterator[str]:
    if isinstance(value, (Mapping, list)) and value:
        yield key
        yield from (f"{indent}{line}" for line in _yaml(value))
    else:
        yield f"{key} {_scalar(value)}"


def _scalar(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool() | int() | float():
            return json.dumps(value)
        case Mapping():
            return "{}"
        case list():
            return "[]"
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return '"' + "".join(map(_yaml_letter, text)) + '"'


def _yaml_letter(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"
