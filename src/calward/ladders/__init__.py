"""DATA: the version ladders that Calward ships, one TOML file each.

The files are read by ``calward.adapters.ladders`` and by nothing else; any layer may import the default's name.
What the keys mean stands in ``calward.domain.ladder.parse_ladder``.
"""

from typing import Final

__all__ = ["DEFAULT_LADDER"]

DEFAULT_LADDER: Final = "windows-server"
"""The ladder where nobody names one."""
