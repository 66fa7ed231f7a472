"""Property tests draw the same examples on every run, and are not timed: the machine may be shared."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.load_profile("fixed")
