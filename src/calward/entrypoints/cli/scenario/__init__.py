"""Commands that play scenario files."""
