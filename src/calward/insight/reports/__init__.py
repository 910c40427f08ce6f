"""QUESTIONS: what an estate holds and uses, as tables that people file, send and print.

A report is a pure function of a snapshot (``catalog`` lists them); how one is written stands in ``calward.adapters.exports.writing``.
Imported by ``app``, ``adapters`` and ``entrypoints``.
"""
