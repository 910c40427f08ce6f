"""The license server's HTTP API: host routes on plain Starlette with msgspec, administration on FastAPI.

Imported by bootstrap and tests.
"""
