"""PORTS MADE REAL: databases, key files, the system's clock and randomness, files of other systems.

Imported by bootstrap only (and by tests); imports app and what lies under it. Knows no entrypoint.
"""
