"""THRESHOLDS of one's own: numbers of a snapshot, and from where on they are worth a notice. Imported by whoever watches."""

from calward.insight.thresholds.judging import THRESHOLD_IDS, Judged, judge
from calward.insight.thresholds.measures import MEASURES
from calward.insight.thresholds.threshold import Each, Key, Threshold

__all__ = ["MEASURES", "THRESHOLD_IDS", "Each", "Judged", "Key", "Threshold", "judge"]
