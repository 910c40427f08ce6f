"""Ed25519 keys: making them, keeping them in files, signing and verifying with them.

Imported by bootstrap and tests. The rules about what is signed, and what is believed, are in ``calward.domain``.
"""
