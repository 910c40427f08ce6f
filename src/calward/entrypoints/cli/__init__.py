"""The command line ``calward``: one file per group of commands; what they need comes in ``ctx.obj``.

Imported by bootstrap and tests.
"""
