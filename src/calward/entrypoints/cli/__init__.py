"""The command line ``calward``: one file per group of commands; what they need comes in ``ctx.obj`` (``common/wiring.py``).

Imported by bootstrap and tests. ``root.py`` holds the root group and loads a command's file only when it is asked for.
"""
