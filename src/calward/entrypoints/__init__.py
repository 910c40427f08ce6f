"""DOORS: each parses what came in, calls one use case and renders the answer.

Imported by bootstrap only (and by tests); imports app and what lies under it. Knows no adapter: bootstrap hands over
what a door needs.
"""
