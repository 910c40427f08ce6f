"""The door for PAM: ``pam_exec`` starts it for each logon, with what it has to know in the environment.

Imports no framework: the user waits while it loads (docs/decisions/0010). Imported by ``bootstrap.pam`` and tests.
"""
