"""PORTS MADE REAL: reports as files that people open, send and print, and estates in the words of other systems' tools.

One file a form. Text comes in pieces, so that a million rows need no room. Imported by bootstrap.
"""
