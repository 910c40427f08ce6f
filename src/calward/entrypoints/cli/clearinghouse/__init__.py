"""Commands of those who run a clearinghouse."""
