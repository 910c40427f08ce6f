"""USE CASES about plans: read a plan file, begin from a snapshot where it says so.

Imported by entrypoints, bootstrap and tests; imports the planner, and how scenario files are read.
"""
