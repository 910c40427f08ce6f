"""A mixed estate with a history of months, to look at: told as data, played through the same use cases as real life.

Imported by ``bootstrap.devrun`` and tests. It knows license server and clearinghouse, which do not know each other; nothing else may.
"""
