"""Which Calward is this: ``calward version``."""

import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

import rich_click as click

from calward.entrypoints.cli.common.output import print_json, say

__all__ = ["version"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def version(*, as_json: bool) -> None:
    """Show which Calward this is.

    \b
    Examples:
      calward version
      calward version --json
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    facts = {"calward": _calward(), "python": platform.python_version(), "system": platform.system()}
    print_json(facts) if as_json else say(f"calward {facts['calward']} (Python {facts['python']})")


def _calward() -> str:
    try:
        return version_of("calward")
    except PackageNotFoundError:
        return "unknown: it runs from a folder and is not installed"
