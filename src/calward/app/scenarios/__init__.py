"""The scenario runner: plays a written story through the real use cases, on a ledger in memory.

Imported by entrypoints, tests and bootstrap; imports the use cases of the license server.
"""
