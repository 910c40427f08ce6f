"""What is wrong in an estate? A table of checks, each a pure function over one snapshot, and one question: can X log on to Y?

Imported by app, entrypoints and tests; imports ``calward.insight`` and ``calward.domain`` only.
"""

from calward.insight.diagnoser.diagnose import CHECKS, COUNTED, Checked, Diagnosis, Result, diagnose, diagnose_counts
from calward.insight.diagnoser.scope import Scope

__all__ = ["CHECKS", "COUNTED", "Checked", "Diagnosis", "Result", "Scope", "diagnose", "diagnose_counts"]
