"""How are the parts put together? A file for each program or task; ``program`` is the command line's, and knows all others.

The only room that knows adapters and entrypoints at once. Nothing imports it but ``python -m calward``, tests and benchmarks.
"""
