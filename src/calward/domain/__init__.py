"""RULES: which license opens which host, who gets one, when it ends.

Pure functions of plain values: no clock, socket, file, randomness, log or framework is imported here (import-linter holds this).
Everything else in Calward may import this package; it imports nothing of Calward's.
"""
