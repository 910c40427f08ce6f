"""How does a help page show its examples? As lines that can be copied: rich-click by itself runs broken ones into the left margin."""

import re
from collections.abc import Iterator
from copy import copy
from inspect import cleandoc
from textwrap import wrap
from types import MethodType
from typing import Final

import rich_click as click

__all__ = ["examples_apart", "help_parts"]

_MARK: Final = "\b\n"
"""What click keeps lines apart by; in our help it stands before the examples only."""
_INDENT: Final = "   "
_CONTINUED: Final = " \\"
_OPTION: Final = re.compile(r"(?<=\s)(--?[\w-]+) (?=[^-\s])", re.ASCII)
_TIE: Final = "\0"
"""Between an option and what follows it: it is no place to break a line."""


def help_parts(text: str) -> tuple[str, list[str]]:
    """A help's own words, and its examples, a command line each."""
    words, _, block = cleandoc(text).partition(_MARK)
    return words.strip(), [line.strip() for line in block.splitlines()[1:] if line.strip()]


def examples_apart(command: click.Command) -> None:
    """Let a command write its examples below its words, on lines that a shell takes as they stand."""
    # On the instance: commands are made by click's decorators all over the place, of two classes.
    command.format_help_text = MethodType(_write, command)  # type: ignore[method-assign]


def _write(command: click.RichCommand, context: click.RichContext, formatter: click.RichHelpFormatter) -> None:
    words, examples = help_parts(command.help or "")
    plain = copy(command)
    plain.help = words
    type(command).format_help_text(plain, context, formatter)
    if examples:
        title = "Example:" if len(examples) == 1 else "Examples:"
        formatter.write(
            "\n".join([f" {title}", *_lines(examples, formatter.width - 1), ""]), highlight=False, markup=False
        )


def _lines(examples: list[str], width: int) -> Iterator[str]:
    for example in examples:
        room = width - len(_INDENT) - len(_CONTINUED)
        kept = _OPTION.sub(rf"\1{_TIE}", example)
        broken = wrap(kept, room, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        yield f"{_CONTINUED}\n".join(f"{_INDENT}{line}" for line in broken).replace(_TIE, " ")
