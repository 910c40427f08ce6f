"""What the clearinghouse does: activate a license server, sign a key pack for it, publish its keys.

Knows nothing of ``calward.app.licensing``: they are two programs with two sets of keys. Imported by the clearinghouse's
entrypoints and adapters and by bootstrap.
"""
