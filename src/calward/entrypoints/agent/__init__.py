"""The agent of a session host: a daemon that PAM's helper and the relay ask. Imported by ``bootstrap_agent`` and tests."""
