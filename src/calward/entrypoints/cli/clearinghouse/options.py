"""Which options have the clearinghouse's commands in common?"""

from datetime import datetime
from pathlib import Path

import rich_click as click

from calward.domain.errors import LicensingError
from calward.domain.fields import parse_moment

__all__ = ["Moment", "dir_option", "json_option", "out_option"]

_DAY_LENGTH = len("2026-01-31")


class Moment(click.ParamType[datetime]):
    """A day, meant to its end, or a time in UTC."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it."""
        if isinstance(value, datetime):
            return value
        text = str(value)
        try:
            return parse_moment(f"{text}T23:59:59Z" if len(text) == _DAY_LENGTH else text, "it")
        except LicensingError:
            self.fail(f"{value!a} is no day like 2027-01-31 and no time like 2027-01-31T08:00:00Z", param, ctx)


dir_option = click.option(
    "--dir",
    "data_dir",
    metavar="DIR",
    required=True,
    envvar="CALWARD_CLEARINGHOUSE_DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="The clearinghouse's folder.  [env: CALWARD_CLEARINGHOUSE_DIR]",
)
out_option = click.option(
    "-o",
    "--output",
    metavar="FILE",
    default="-",
    show_default=True,
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Where to write the signed file; - is the terminal.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
