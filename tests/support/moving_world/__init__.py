"""A small world in virtual time, from one seed: two license servers, a clearinghouse, session hosts, and everything that can go wrong."""
