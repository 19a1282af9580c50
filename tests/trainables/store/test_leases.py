"""Leases: never two owners at a time, whatever the order of steps, and nothing kept for ever."""

import multiprocessing
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.trainables.store.failing import InterruptedFiles, make_old
from tests.waiting import wait_until
from trainables.store import leases as leases_module
from trainables.store.files import LocalFiles
from trainables.store.leases import LEASE_SECONDS, Leases

A, B, C = "aaaaaaaa", "bbbbbbbb", "cccccccc"
_TRIALS = [A, B, C, "dddddddd"]


@pytest.fixture
def files(tmp_path: Path) -> LocalFiles:
    return LocalFiles(tmp_path)


def owner(files: LocalFiles, name: str, seconds: float = LEASE_SECONDS) -> Leases:
    return Leases(files, owner=name, seconds=seconds)


def expire(files: LocalFiles) -> None:
    """All leases that stand now are too old, as if their owners had been killed."""
    for path in (files.root / "leases").iterdir():
        make_old(path, LEASE_SECONDS + 10)


def test_one_owner_at_a_time(files: LocalFiles) -> None:
    one, two = owner(files, "one"), owner(files, "two")
    assert one.acquire([A, B]) == {A, B} == one.held()
    assert two.acquire([A, B, C]) == {C}  # of a stack, what is free
    assert one.acquire([A]) == frozenset()  # held already, and so not taken anew
    one.release([A])
    assert two.acquire([A, B]) == {A}
    assert (one.held(), two.held()) == ({B}, {A, C})
    one.release()
    two.release()
    assert files.names("leases") == []


def test_an_expired_lease_is_taken_over_once(files: LocalFiles) -> None:
    one, two, three = (owner(files, name) for name in ("one", "two", "three"))
    one.acquire([A])
    expire(files)
    assert two.acquire([A]) == {A}
    assert three.acquire([A]) == frozenset()
    assert one.renew() == frozenset() == one.held()
    one.release()
    assert three.acquire([A]) == frozenset()
    two.release()
    assert three.acquire([A]) == {A}


def test_renewal_keeps_a_lease(files: LocalFiles) -> None:
    one, two = owner(files, "one"), owner(files, "two")
    one.acquire([A, B])
    for _ in range(4):
        expire(files)
        assert one.renew() == {A, B}
        assert two.acquire([A, B]) == frozenset()
    assert len(files.names("leases")) <= 4  # this generation and the one before
    one.release()
    assert files.names("leases") == []


def test_who_does_not_renew_knows_that_it_holds_nothing(files: LocalFiles) -> None:
    one = owner(files, "one", seconds=0.05)
    assert one.acquire([A]) == {A}
    wait_until(lambda: one.held() == frozenset(), seconds=10)


def test_renewal_in_the_background(files: LocalFiles) -> None:
    one = owner(files, "one", seconds=1.2)
    one.acquire([A])
    with one.renewed():
        wait_until(lambda: f"leases/{A}.3" in files.names("leases"))  # the first lease has expired
        assert one.held() == {A}
    assert files.names("leases") == []


def test_a_renewal_that_fails_is_tried_again(files: LocalFiles, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError("no answer")

    slow = InterruptedFiles(files.root)
    one = Leases(slow, owner="one", seconds=1.2)
    one.acquire([A])
    slow.before_put.append(fail)
    with one.renewed():
        wait_until(lambda: f"leases/{A}.2" in files.names("leases"))
        assert one.held() == {A}
    assert "no answer" in caplog.text


def test_a_file_without_content_expires_too(files: LocalFiles) -> None:
    """As one may be after a power failure: leases are not flushed to disk."""
    files.put(f"leases/{A}.0", b"")
    assert owner(files, "one").acquire([A]) == frozenset()
    expire(files)
    assert owner(files, "one").acquire([A]) == {A}


@pytest.mark.parametrize("generation", [5, 999_999_999, 10**9, 999_999_999_999])
def test_an_old_lease_of_any_generation_does_not_block_its_trial(files: LocalFiles, generation: int) -> None:
    """Somebody made the file. No owner renews so often that the next generation would have no name."""
    one, two = owner(files, "one"), owner(files, "two")
    assert files.put(f"leases/{A}.{generation}", b"{}")
    expire(files)
    assert one.taken([A]) == frozenset()
    assert one.acquire([A]) == {A}
    assert (two.taken([A]), two.acquire([A])) == ({A}, frozenset())
    assert one.renew() == {A}
    one.release()
    assert two.acquire([A]) == {A}


def test_the_last_generation_counts_until_it_expires(files: LocalFiles) -> None:
    one = owner(files, "one")
    assert files.put(f"leases/{A}.999999999", b"{}")
    assert (one.taken([A]), one.acquire([A])) == ({A}, frozenset())


def test_late_takeover_of_a_lease_given_back_and_taken_anew(files: LocalFiles) -> None:
    """Two has judged one's lease expired and is slow; meanwhile one gives it back and three takes it."""
    one, three = owner(files, "one"), owner(files, "three")
    one.acquire([A])
    expire(files)
    taken = []

    def meanwhile() -> None:
        one.release()
        taken.append(three.acquire([A]))

    two = Leases(InterruptedFiles(files.root, [meanwhile]), owner="two")
    assert two.acquire([A]) == frozenset()
    assert taken == [{A}]
    assert files.names("leases") == [f"leases/{A}.0"]
    assert three.renew() == {A}


def test_late_takeover_after_another_took_over_and_went(files: LocalFiles) -> None:
    """`three` has already created and removed the generation of the lease that `two` is about to create."""
    owner(files, "one").acquire([A])
    expire(files)
    three = owner(files, "three")

    def meanwhile() -> None:
        assert three.acquire([A]) == {A}
        for _ in range(3):
            three.renew()

    two = Leases(InterruptedFiles(files.root, [meanwhile]), owner="two")
    assert two.acquire([A]) == frozenset()
    assert three.held() == three.renew() == {A}


def test_late_first_lease_after_another_took_it_and_renewed(files: LocalFiles) -> None:
    three = owner(files, "three")

    def meanwhile() -> None:
        three.acquire([A])
        for _ in range(3):
            three.renew()

    two = Leases(InterruptedFiles(files.root, [meanwhile]), owner="two")
    assert two.acquire([A]) == frozenset()
    assert three.renew() == {A}


def test_a_renewal_in_the_middle_of_a_listing(files: LocalFiles) -> None:
    """`three` renews while `two` lists the leases, so the list may lack the old and the new file of `three`."""
    three, slow = owner(files, "three"), InterruptedFiles(files.root)

    def meanwhile() -> None:
        three.acquire([A])
        three.renew()
        three.renew()
        slow.in_listing.append(three.renew)

    slow.before_put.append(meanwhile)
    assert Leases(slow, owner="two").acquire([A]) == frozenset()
    assert slow.in_listing == []
    assert three.held() == {A}


def test_late_renewal_after_a_takeover(files: LocalFiles) -> None:
    slow = InterruptedFiles(files.root)
    one, two = Leases(slow, owner="one"), owner(files, "two")
    one.acquire([A])

    def meanwhile() -> None:
        expire(files)
        assert two.acquire([A]) == {A}

    slow.before_put.append(meanwhile)
    assert one.renew() == frozenset()
    assert two.held() == {A}


def _work(root: Path, number: int, barrier: Any, said: Any) -> None:
    """Take leases, prove to be alone by a file of a fixed name, and be forgetful now and then."""
    leases_module._RESOLUTION_SECONDS = 0.1
    chance, taken = random.Random(number), []
    barrier.wait()
    until = time.monotonic() + 4
    while time.monotonic() < until:
        leases = Leases(LocalFiles(root), owner=str(number), seconds=1.0)
        for trial_id in leases.acquire(chance.sample(_TRIALS, 3)):
            witness = root / f"alone-{trial_id}"
            try:
                witness.touch(exist_ok=False)
            except FileExistsError:
                said.put(["two at a time"])
                return
            time.sleep(chance.uniform(0, 0.01))
            witness.unlink()
            taken.append(trial_id)
        if chance.random() < 0.9:
            leases.release()  # or else it stays until it expires, as that of a killed worker
    said.put(taken)


def test_racing_processes_never_hold_one_lease_together(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    said, barrier = context.Queue(), context.Barrier(5)
    workers = [context.Process(target=_work, args=(tmp_path, n, barrier, said)) for n in range(5)]
    for worker in workers:
        worker.start()
    taken = [trial_id for _ in workers for trial_id in said.get(timeout=60)]
    for worker in workers:
        worker.join()
    assert "two at a time" not in taken
    assert len(taken) > 50
