"""The agent of a session host: a daemon that PAM's helper and the relay ask. Imported by ``bootstrap.agent`` and tests.

``desk``: what it does for whom; ``pam_desk``: for PAM's helper. ``proving``: what follows from a logon. ``turns``: who waits.
``door``: its socket. ``running``: its life. ``outside``: what it needs.
"""
