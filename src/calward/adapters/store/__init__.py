"""The ledger on SQLite and on PostgreSQL: tables, statements, the group-committing writer, migrations.

Imported by bootstrap and tests. Rows stay in here: what leaves are values of ``calward.domain``.
"""
