"""A pen writes on from what its holder has read, renews the lease, and copies what it hands out."""

from __future__ import annotations

from fake_base import Ticking

from pilotbase.foundation.text import Text
from pilotbase.line.means import LEASE, Means, Pen, Unwatched
from pilotbase.store.leases import Leases

PILOT = "019ab1c2-7d3e-7f00-8a11-2b3c4d5e6f70"


def test_a_pen_reads_what_was_there_and_writes_on(means: Means) -> None:
    pen = Pen(means, PILOT, "me")
    assert pen.events == ()
    pen.enter("stage.started", {"stage": "intake"})
    again = Pen(means, PILOT, "me")
    again.enter("stage.started", {"stage": "conformance"})
    assert [event.seq for event in again.events] == [1, 2]
    assert again.bodies("stage.started") == [{"stage": "intake"}, {"stage": "conformance"}]
    assert again.bodies("stage.done") == []
    again.bodies("stage.started")[0]["stage"] = "changed"
    assert again.bodies("stage.started")[0]["stage"] == "intake"


def test_every_event_renews_the_lease(means: Means) -> None:
    clock = means.clock
    assert isinstance(clock, Ticking)
    assert means.leases.claim(PILOT, "me", 5)
    pen = Pen(means, PILOT, "me")
    pen.enter("stage.started", {"stage": "intake"})
    for _ in range(60):
        clock()
    assert isinstance(means.leases, Leases)
    assert means.leases.holder(PILOT) == "me"  # five seconds are long over; LEASE is not
    assert LEASE > 60


def test_nobody_is_told() -> None:
    watch = Unwatched()
    watch.stage("intake", 3)
    watch.advance(1)
    watch.note(Text(zh="一", en="one"))
