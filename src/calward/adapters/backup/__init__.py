"""Backups: files in one archive, secrets under a passphrase, and how they come back so that no half of them is ever used.

Imported by ``bootstrap.backup`` and tests, which know what a license server's or a clearinghouse's folder holds.
"""
