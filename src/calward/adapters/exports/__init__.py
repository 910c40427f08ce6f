"""PORTS MADE REAL: files that other systems export, and the words in which they are written.

One file a concern: bytes to lines (``text``), lines to rows (``tables``, ``json_rows``), whose rows they are (``recognize``), what
stands in a cell (``values``, ``moments``, ``versions``), and what a row means (``rows``). The names and numbers themselves are tables in
``wmi`` and ``columns``, which the writers of reports share. Imported by bootstrap.
"""
