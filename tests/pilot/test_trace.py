"""What several cells of a stage used, put together: times added, peaks kept."""

from __future__ import annotations

from pilotbase.pilot.trace import Usage, together


def test_times_and_output_add_up_and_peaks_stay() -> None:
    first = Usage(wall="0.1", cpu="0.2", memory=5, processes=9, stderr=1)
    second = Usage(wall="0.2", cpu="10", memory=7, processes=2, stderr=4)
    assert together([first, second]) == Usage(wall="0.3", cpu="10.2", memory=7, processes=9, stderr=5)


def test_no_cell_used_nothing() -> None:
    assert together([]) == Usage(wall="0", cpu="0", memory=0, processes=0, stderr=0)
