"""What the license server does: install a key pack, issue, confirm, renew, revoke, release, enroll a host.

Knows nothing of ``calward.app.clearinghouse``: they are two programs with two sets of keys. Imported by entrypoints,
adapters, scenarios and bootstrap.
"""
