"""The ledger: append-only, fenced, durable; damage and lost races are told."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from pilotbase.foundation.chain import ORIGIN, Event, read_chain
from pilotbase.foundation.digests import sha256
from pilotbase.foundation.errors import FaultError
from pilotbase.store.database import embedded
from pilotbase.store.ledger import Ledger, LostRaceError

NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
PILOT = "019ab000-0000-7000-8000-000000000001"
OTHER = "019ab000-0000-7000-8000-000000000002"


@pytest.fixture
def ledger(file):
    with Ledger(embedded(file)) as made:
        yield made


def fill(ledger: Ledger, count: int, pilot: str = PILOT) -> list[Event]:
    return [ledger.append(pilot, "step.done", {"n": number}, at=NOW) for number in range(1, count + 1)]


def test_events_come_back_as_they_were_appended_each_linked_to_the_last(ledger):
    written = fill(ledger, 3)
    assert ledger.events(PILOT) == written
    assert [event.seq for event in written] == [1, 2, 3]
    assert [event.previous for event in written] == [ORIGIN, written[0].digest, written[1].digest]
    assert written[0].at == "2026-11-23T08:15:00.000000Z"


def test_the_extract_is_a_chain_whose_last_line_is_the_head(ledger):
    fill(ledger, 3)
    lines = ledger.extract(PILOT).split(b"\n")
    assert read_chain(lines) == ledger.events(PILOT)
    assert sha256(lines[-1]) == ledger.head(PILOT)


def test_a_pilot_without_events_is_empty(ledger):
    assert ledger.events(PILOT) == []
    assert ledger.extract(PILOT) == b""
    assert ledger.head(PILOT) == ORIGIN
    assert ledger.pilots() == []


def test_pilots_have_chains_of_their_own(ledger):
    fill(ledger, 2, OTHER)
    fill(ledger, 3, PILOT)
    assert ledger.pilots() == [PILOT, OTHER]
    assert (len(ledger.events(PILOT)), len(ledger.events(OTHER))) == (3, 2)


def test_a_body_without_canonical_bytes_appends_nothing(ledger):
    with pytest.raises(FaultError):
        ledger.append(PILOT, "step.done", {"score": 0.5}, at=NOW)
    assert ledger.events(PILOT) == []


def test_a_writer_that_has_not_seen_the_last_event_loses(ledger):
    fill(ledger, 2)
    with pytest.raises(LostRaceError) as caught:
        ledger.append(PILOT, "step.done", {"n": "stale"}, at=NOW, after=1)
    assert caught.value.remedy is not None
    assert ledger.append(PILOT, "step.done", {"n": 3}, at=NOW, after=2).seq == 3
    assert ledger.append(OTHER, "step.done", {"n": 1}, at=NOW, after=0).seq == 1
    with pytest.raises(LostRaceError):
        ledger.append("019ab000-0000-7000-8000-000000000003", "step.done", {}, at=NOW, after=1)


def test_a_writer_overtaken_between_reading_and_writing_loses(file, monkeypatch):
    with Ledger(embedded(file)) as slow, Ledger(embedded(file)) as quick:
        fill(slow, 1)
        look = slow._last

        def look_then_sleep(connection: sa.Connection, pilot: str) -> Event | None:
            seen = look(connection, pilot)
            quick.append(pilot, "step.done", {"by": "quick"}, at=NOW)
            return seen

        monkeypatch.setattr(slow, "_last", look_then_sleep)
        with pytest.raises(LostRaceError, match="event 2 first"):
            slow.append(PILOT, "step.done", {"by": "slow"}, at=NOW)
        assert [event.body for event in quick.events(PILOT)] == [{"n": 1}, {"by": "quick"}]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET bytes = x'00'",
        "UPDATE events SET seq = 9 WHERE seq = 3",
        "DELETE FROM events",
        "DELETE FROM events WHERE seq = 3",
        "INSERT OR REPLACE INTO events SELECT * FROM events WHERE seq = 3",
        "INSERT INTO events SELECT pilot, 5, digest, bytes FROM events WHERE seq = 3",
        "INSERT INTO events SELECT pilot, 0, digest, bytes FROM events WHERE seq = 3",
    ],
)
@pytest.mark.parametrize("door", ["own", "outside"])
def test_nothing_is_changed_removed_or_left_out(ledger, file, door, statement):
    written = fill(ledger, 3)
    if door == "own":
        with pytest.raises(sa.exc.IntegrityError, match="append-only"), ledger.transaction() as connection:
            connection.exec_driver_sql(statement)
    else:
        outside = sqlite3.connect(file)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            outside.execute(statement)
        outside.close()
    assert ledger.events(PILOT) == written


def tamper(file, *statements: str) -> None:
    """Do what only the owner of the file can: take the triggers away first."""
    connection = sqlite3.connect(file)
    for trigger in ("events_no_update", "events_no_delete", "events_in_order"):
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


TAMPERED = {
    "a number changed": "UPDATE events SET bytes = CAST(replace(bytes, '\"n\":2', '\"n\":9') AS BLOB) WHERE seq = 2",
    "not an event": "UPDATE events SET bytes = x'00' WHERE seq = 2",
    "digest changed": "UPDATE events SET digest = replace(digest, substr(digest, 1, 1), '_') WHERE seq = 2",
    "middle removed": "DELETE FROM events WHERE seq = 2",
    "first removed": "DELETE FROM events WHERE seq = 1",
    "numbers moved": "UPDATE events SET seq = seq + 10",
    "under another pilot": "UPDATE events SET pilot = '019ab000-0000-7000-8000-000000000002'",
}


@pytest.mark.parametrize("name", TAMPERED)
def test_damage_is_told_when_the_chain_is_read(ledger, file, name):
    fill(ledger, 3)
    tamper(file, TAMPERED[name])
    pilot = OTHER if name == "under another pilot" else PILOT
    for read in (ledger.events, ledger.extract):
        with pytest.raises(FaultError, match="damaged") as caught:
            read(pilot)
        assert caught.value.remedy is not None


@pytest.mark.parametrize("name", ["a number changed", "not an event", "digest changed", "under another pilot"])
def test_nothing_is_linked_to_a_damaged_last_event(ledger, file, name):
    fill(ledger, 2)
    tamper(file, TAMPERED[name])
    pilot = OTHER if name == "under another pilot" else PILOT
    with pytest.raises(FaultError, match="damaged"):
        ledger.append(pilot, "step.done", {"n": 3}, at=NOW)
    with pytest.raises(FaultError, match="damaged"):
        ledger.head(pilot)


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from pilotbase.store.database import embedded
from pilotbase.store.ledger import Ledger, LostRaceError
file, pilot, name, most = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
with Ledger(embedded(file)) as ledger:
    print("ready", flush=True)
    sys.stdin.readline() if most else None
    seq = 0
    while seq < most or not most:
        try:
            event = ledger.append(pilot, "step.done", {"by": name}, at=datetime.now(UTC), after=seq)
        except LostRaceError:
            print("lost", seq + 1, flush=True)
        else:
            print("won", seq + 1, event.digest, flush=True)
        seq += 1
"""


def test_of_two_processes_exactly_one_wins_each_number(file, start, tmp_path):
    most = 60
    gate = tmp_path / "gate"
    code = WRITER.replace("sys.stdin.readline() if most else None", WAIT.format(gate=str(gate)))
    processes = [start(code, file, PILOT, name, most) for name in ("a", "b")]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    gate.touch()
    won: dict[int, str] = {}
    lost: list[int] = []
    for process in processes:
        told, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        for line in told.splitlines():
            word, number, *digest = line.split()
            if word == "won":
                assert int(number) not in won
                won[int(number)] = digest[0]
            else:
                lost.append(int(number))
    assert sorted(won) == list(range(1, most + 1))
    assert sorted(lost) == sorted(won)
    with Ledger(embedded(file)) as ledger:
        assert {event.seq: event.digest for event in ledger.events(PILOT)} == won


WAIT = "import os, time\n    while not os.path.exists({gate!r}): time.sleep(0.001)"


def test_a_kill_in_the_middle_loses_nothing_that_was_acknowledged(file, start):
    acknowledged: dict[int, str] = {}
    for round_ in range(4):
        process = start(KILLED, file, PILOT)
        for _ in range(20 + 7 * round_):
            _, number, digest = process.stdout.readline().split()
            acknowledged[int(number)] = digest
        process.kill()
        rest, _ = process.communicate(timeout=30)
        whole = [line.split() for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        acknowledged.update({int(number): digest for _, number, digest in whole})
        with Ledger(embedded(file)) as ledger:
            kept = {event.seq: event.digest for event in ledger.events(PILOT)}
        assert acknowledged.items() <= kept.items()
        assert len(kept) <= len(acknowledged) + round_ + 1  # at most the one under way at each kill
    assert len(acknowledged) >= 4 * 20


KILLED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from pilotbase.store.database import embedded
from pilotbase.store.ledger import Ledger
ledger = Ledger(embedded(Path(sys.argv[1])))
while True:
    event = ledger.append(sys.argv[2], "step.done", {"filler": "x" * 2000}, at=datetime.now(UTC))
    print("won", event.seq, event.digest, flush=True)
"""
