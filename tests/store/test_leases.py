"""Leases: one owner at a time, gone when time or the owner's process is over."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta

import pytest

from pilotbase.store.database import embedded
from pilotbase.store.leases import Leases, is_gone, this_owner

START = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Hand()


@pytest.fixture
def leases(file, clock):
    with Leases(embedded(file), clock) as made:
        yield made


def test_one_worker_has_a_pilot_at_a_time(leases):
    assert leases.holder("p") is None
    assert leases.claim("p", "a", 60)
    assert not leases.claim("p", "b", 60)
    assert leases.holder("p") == "a"
    assert leases.claim("q", "b", 60)


def test_a_lease_ends_with_its_time(leases, clock):
    assert leases.claim("p", "a", 60)
    clock.pass_(59.999)
    assert not leases.claim("p", "b", 60)
    clock.pass_(0.001)
    assert leases.holder("p") is None
    assert leases.claim("p", "b", 60)
    assert leases.holder("p") == "b"


def test_renewing_holds_on_unless_someone_took_over(leases, clock):
    assert leases.claim("p", "a", 60)
    clock.pass_(50)
    assert leases.renew("p", "a", 60)
    clock.pass_(50)
    assert not leases.claim("p", "b", 60)
    clock.pass_(100)
    assert leases.renew("p", "a", 60)  # late, but nobody came in between
    clock.pass_(60)
    assert leases.claim("p", "b", 60)
    assert not leases.renew("p", "a", 60)
    assert leases.holder("p") == "b"


def test_one_may_claim_again_what_one_has(leases, clock):
    assert leases.claim("p", "a", 60)
    clock.pass_(50)
    assert leases.claim("p", "a", 60)
    clock.pass_(50)
    assert leases.holder("p") == "a"


def test_releasing_frees_ones_own_lease_and_no_other(leases):
    assert leases.claim("p", "a", 60)
    leases.release("p", "b")
    assert leases.holder("p") == "a"
    leases.release("p", "a")
    assert leases.claim("p", "b", 60)
    leases.release("p", "a")
    assert leases.holder("p") == "b"
    assert not leases.renew("q", "b", 60)


def test_this_process_is_not_gone():
    assert this_owner().split()[1] == str(os.getpid())
    assert not is_gone(this_owner())


linux = pytest.mark.skipif(sys.platform != "linux", reason="needs proc: when a process started")

OWNER = "from pilotbase.store.leases import this_owner; print(this_owner(), flush=True); input()"


@linux
def test_an_owner_is_the_same_all_its_life_and_gone_after_it(start):
    assert this_owner() == this_owner()
    process = start(OWNER.replace("input()", "import time; time.sleep(60)"))
    owner = process.stdout.readline().strip()
    assert owner.split()[1] == str(process.pid)
    assert owner != this_owner()
    assert not is_gone(owner)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet fetched by its parent
    assert is_gone(owner)
    process.wait()
    assert is_gone(owner)


@linux
def test_a_later_process_with_the_same_number_is_another_owner():
    machine, process, token = this_owner().rsplit(" ", 2)
    assert is_gone(f"{machine} {process} {int(token) - 1}")


def test_what_ran_elsewhere_is_never_taken_for_gone():
    _, process, token = this_owner().rsplit(" ", 2)
    for owner in ("", "a", "a b", f"otherhost/boot/pid {process} {token}1", f"otherhost/boot/pid 999999999 {token}"):
        assert not is_gone(owner)


@linux
def test_the_lease_of_a_dead_owner_on_this_machine_is_free_at_once(leases, start):
    process = start(OWNER.replace("input()", "import time; time.sleep(60)"))
    owner = process.stdout.readline().strip()
    assert leases.claim("p", owner, 600)
    assert not leases.claim("p", this_owner(), 60)
    process.kill()
    process.wait()
    assert leases.holder("p") == owner
    assert leases.claim("p", this_owner(), 60)
    assert leases.holder("p") == this_owner()


CLAIMER = """
import os, sys, time
from pathlib import Path
from pilotbase.store.database import embedded
from pilotbase.store.leases import Leases, this_owner
with Leases(embedded(Path(sys.argv[1]))) as leases:
    print("ready", flush=True)
    while not os.path.exists(sys.argv[2]): time.sleep(0.001)
    print(*[number for number in range(60) if leases.claim(f"pilot {number}", this_owner(), 600)], flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("before", ["never claimed", "run out"])
def test_of_two_processes_exactly_one_gets_each_pilot(file, start, tmp_path, before):
    if before == "run out":
        with Leases(embedded(file), lambda: START - timedelta(days=9999)) as leases:
            assert all(leases.claim(f"pilot {number}", "long ago", 1) for number in range(60))
    gate = tmp_path / "gate"
    processes = [start(CLAIMER, file, gate) for _ in range(2)]
    assert [process.stdout.readline() for process in processes] == ["ready\n", "ready\n"]
    gate.touch()
    got = [[int(number) for number in process.stdout.readline().split()] for process in processes]
    assert sorted(got[0] + got[1]) == list(range(60))
