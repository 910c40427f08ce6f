"""QUESTIONS before a change: who needs which CALs, what fails on which day, and what is cheapest to buy?

Imported by use cases, entrypoints and tests; imports the domain and the snapshot. ``plan`` is the way in.
"""

from calward.insight.planner.plan import PlanResult, Timed, plan
from calward.insight.planner.purchase import Price, cheapest

__all__ = ["PlanResult", "Price", "Timed", "cheapest", "plan"]
