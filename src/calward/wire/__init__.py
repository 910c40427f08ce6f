"""BYTES: the licensing protocol without I/O: bytes in, events and bytes out.

Knows no rule and no socket, clock, randomness, log or framework (import-linter holds this). Everything but domain may
import it; it imports nothing of Calward's.
"""
