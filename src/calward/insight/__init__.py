"""QUESTIONS: a snapshot of an estate in, findings out: explain, diagnose, report, plan, forecast.

Pure functions, wherever the snapshot came from: no clock, socket, randomness, log or framework (import-linter holds
this). Imported by app, entrypoints and bootstrap; imports domain and wire.
"""
