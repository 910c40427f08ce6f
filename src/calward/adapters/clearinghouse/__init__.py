"""The clearinghouse's memory: one SQLite file with its tables, what they refuse, and how older files become new ones.

Imported by bootstrap and tests.
"""

from calward.adapters.clearinghouse.store import SqliteClearinghouseStore

__all__ = ["SqliteClearinghouseStore"]
