"""The clearinghouse's HTTP API.

Imported by bootstrap and tests.
"""
