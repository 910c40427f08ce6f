"""USE CASES about estates of which we keep snapshots: import files of other systems, keep their history, write and read them.

Imported by adapters (which read the files and keep the folders), entrypoints and bootstrap; imports insight and domain.
"""
