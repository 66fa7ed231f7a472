"""Intervals, sample sizes and the statistics behind a finding: pure functions on numbers, no input or output."""
