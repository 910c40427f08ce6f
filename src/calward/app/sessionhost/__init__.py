"""What a session host does: ask for a license at logon, bind it to the session, forget it when the session closes.

Runs on the host, not on the license server: in the agent, a daemon, or where none runs
in one short-lived process for each logon (the PAM helper).
Knows nothing of ``calward.app.licensing``. Imported by entrypoints, adapters, tests and ``bootstrap.pam``; imports the
pure rules only, because a user waits while it loads.
"""
