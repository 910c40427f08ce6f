"""How is a text that a stranger chose (a device's name, a user's) kept from doing anything where it is shown?"""

from typing import Final

__all__ = ["for_spreadsheet", "visible"]

_FORMULA: Final = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""How a cell begins that a spreadsheet runs; also in their wide forms, which some of them take for the same."""


def for_spreadsheet(text: str) -> str:
    """The same text, with a quotation mark before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) or text.startswith(_FORMULA) else text


def visible(text: str) -> str:
    """The same text with all that cannot be seen (control and bidirectional characters, line ends) as escapes."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
