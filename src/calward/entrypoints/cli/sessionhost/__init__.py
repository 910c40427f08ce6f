"""Commands that run on, or look at, a session host."""
