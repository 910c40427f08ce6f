"""How is a text from outside shown so that it cannot do anything to a terminal?"""

__all__ = ["safe"]


def safe(value: object) -> str:
    """Give a text with all that cannot be seen (control and bidirectional characters, line ends) as escapes."""
    text = str(value)
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
