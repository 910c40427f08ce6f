"""Estates that are looked at: snapshots kept, exports that appear, who is told of findings."""
