"""Compute: the cell in which candidate code runs, its environment, and the proof that the cell holds."""
