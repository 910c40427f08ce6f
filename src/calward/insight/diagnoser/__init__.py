"""What is wrong in an estate? A table of checks, each a pure function over one snapshot, and one question: can X log on to Y?

Imported by app, entrypoints and tests; imports ``calward.insight`` and ``calward.domain`` only.
"""

from calward.insight.diagnoser.diagnose import CHECKS, Checked, Diagnosis, Result, diagnose
from calward.insight.diagnoser.scope import Scope

__all__ = ["CHECKS", "Checked", "Diagnosis", "Result", "Scope", "diagnose"]
