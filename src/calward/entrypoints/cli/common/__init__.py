"""What all commands share: the tables and forms of results, errors and exit codes, the server that is asked, options in common."""
