"""What every backend does, in a file and on a branch of a real remote."""

import threading
import time

import pytest

from reconciler.errors import LedgerDamaged, LedgerError, LedgerLocked, LedgerMoved
from reconciler.ledger.backend import key_of
from reconciler.plan.owned import Ledger

from .conftest import BOT, NIGHTLY, OWNER, TRIAGE, known, lock_by


def test_nothing_written_is_an_empty_ledger(reopen):
    """Where nothing was ever written the ledger is empty, and nobody holds it."""
    assert reopen().read() == Ledger(OWNER)
    assert reopen().holder() is None


def test_written_is_read_back(reopen):
    """What is written is read back by the next run, one serial on, and the lock is gone."""
    backend = reopen()
    with backend.lock(lock_by("alice")) as stale:
        written = backend.write(known(TRIAGE, BOT, NIGHTLY, secret="s3cret"), message="Apply")
        assert reopen().holder() is None
    assert stale is None
    assert (written.serial, written) == (1, reopen().read())
    with backend.lock(lock_by("alice"), serial=1):
        assert backend.write(written.without([BOT]), message="Apply").serial == 2
    assert set(reopen().read().entries) == {TRIAGE, NIGHTLY}


def test_the_lock_says_whose_it_is(reopen):
    """While a run holds the ledger, another fails at once and is told who, where and since when."""
    mine = lock_by("alice")
    with reopen().lock(mine):
        holder = reopen().holder()
        assert (holder.id, holder.who, holder.pid) == (mine.id, "alice", mine.pid)
        with pytest.raises(LedgerLocked, match=f"locked by alice on .* since {mine.started_at}") as caught:
            reopen().lock(lock_by("bob")).__enter__()
        assert "unlock" in caught.value.hint
        assert reopen().holder().id == mine.id
    assert reopen().holder() is None


def test_a_block_that_fails_releases(reopen):
    """Whatever ends the block, an interrupt too, releases the lock and leaves the ledger as it was."""
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), reopen().lock(lock_by("alice")):
            raise error
        assert reopen().holder() is None
    assert reopen().read() == Ledger(OWNER)


def test_a_checkpoint_keeps_the_lock(reopen):
    """What is announced before the first write is there for the next run even if this one dies."""
    backend = reopen()
    with backend.lock(lock_by("alice")):
        announced = backend.checkpoint(Ledger(OWNER).with_begun([TRIAGE]), message="Begin")
        assert reopen().holder().who == "alice"
        assert reopen().read().begun == {TRIAGE}
        backend.checkpoint(announced.with_applied(known(TRIAGE).entries), message="Go on")
    assert reopen().holder() is None
    assert (reopen().read().serial, reopen().read().begun) == (2, frozenset())


def test_waiting_for_the_lock(reopen):
    """With patience a run begins when the other has ended, and not before."""
    held, ended = threading.Event(), []

    def hold() -> None:
        backend = reopen()
        with backend.lock(lock_by("alice")):
            held.set()
            time.sleep(0.4)
            ended.append(time.monotonic())

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(30)
    with reopen().lock(lock_by("bob"), wait=30):
        assert ended
        assert reopen().holder().who == "bob"
    thread.join()


def test_planned_with_another_ledger(reopen):
    """A plan made before another run wrote the ledger is stale, and the lock is not taken for it."""
    backend = reopen()
    with backend.lock(lock_by("alice"), serial=0):
        backend.write(known(TRIAGE), message="Apply")
    late = reopen()
    with pytest.raises(LedgerMoved, match=r"another run wrote the ledger .*serial 1, planned with 0") as caught:
        late.lock(lock_by("bob"), serial=0).__enter__()
    assert caught.value.exit_code == 5
    assert reopen().holder() is None


def test_writing_needs_the_lock(reopen):
    """Without the lock, or with one that was given back, nothing is written."""
    backend = reopen()
    with pytest.raises(LedgerMoved):
        backend.write(known(TRIAGE), message="Apply")
    with backend.lock(lock_by("alice")):
        backend.write(known(TRIAGE), message="Apply")
        with pytest.raises(LedgerMoved):
            backend.write(known(BOT), message="Apply")
    assert set(reopen().read().entries) == {TRIAGE}


def test_unlock_takes_the_lock_away(reopen):
    """Who was unlocked by somebody finds out before it writes, even when a third one holds the lock by then."""
    backend, mine = reopen(), lock_by("alice")
    with backend.lock(mine):
        reopen().unlock(mine)
        assert reopen().holder() is None
        reopen().unlock(mine)
        with pytest.raises(LedgerMoved, match="taken away"):
            backend.checkpoint(known(BOT), message="Apply")
        with reopen().lock(lock_by("carol")):
            with pytest.raises(LedgerMoved, match="taken away"):
                backend.write(known(BOT), message="Apply")
            assert reopen().holder().who == "carol"
    assert reopen().read() == Ledger(OWNER)


def test_unlock_takes_no_other_lock(reopen):
    """A lock that changed hands since somebody looked at it stays where it is."""
    with reopen().lock(lock_by("alice")):
        with pytest.raises(LedgerMoved, match="another run's by now: alice on "):
            reopen().unlock(lock_by("bob"))
        assert reopen().holder().who == "alice"


def test_erase_begins_anew_even_when_damaged(reopen, monkeypatch):
    """A ledger that cannot be read can be removed."""
    backend = reopen()
    with monkeypatch.context() as patch, backend.lock(lock_by("alice")):
        patch.setattr("reconciler.ledger.codec.dumps", lambda _ledger: b"{}")
        backend.write(known(TRIAGE), message="Apply")
    with pytest.raises(LedgerDamaged, match="not a ledger"):
        reopen().read()
    with backend.lock(lock_by("alice")):
        backend.erase(message="Begin anew")
    assert reopen().read() == Ledger(OWNER)
    with pytest.raises(LedgerMoved):
        backend.erase(message="Begin anew")


def test_a_fork_does_not_own_what_it_copied(reopen):
    """The ledger of another repository is refused, and said to be whose."""
    backend = reopen()
    with backend.lock(lock_by("alice")):
        backend.write(known(TRIAGE), message="Apply")
    with pytest.raises(LedgerError, match=r"belongs to example.com/acme/fleet") as caught:
        reopen(OWNER._replace(repository="example.com/mallory/fleet")).read()
    assert "ledger rebuild" in caught.value.hint


@pytest.mark.parametrize("other", [{"environment": "staging"}, {"root": "teams/a"}])
def test_owners_do_not_meet(reopen, other):
    """Roots and environments have ledgers and locks of their own in the same place."""
    elsewhere = OWNER._replace(**other)
    ours, theirs = reopen(), reopen(elsewhere)
    with ours.lock(lock_by("alice")), theirs.lock(lock_by("bob")):
        theirs.write(known(BOT, owner=elsewhere), message="Apply")
        ours.write(known(TRIAGE), message="Apply")
    assert set(reopen().read().entries) == {TRIAGE}
    assert set(reopen(elsewhere).read().entries) == {BOT}


def test_keys_are_readable_and_their_own():
    """A key can be read, is a plain file name, and differs where owners do that are spelled alike."""
    assert key_of(OWNER).startswith("manifests-production-")
    odd = [OWNER._replace(root=root) for root in ("a b", "a-b", "a/b", "A b", "..", "é" * 300)]
    keys = {key_of(owner) for owner in odd}
    assert len(keys) == len(odd)
    assert all(len(key) < 80 and key.replace("-", "").isalnum() for key in keys)


def test_neighbours_are_the_other_ledgers_of_a_place(reopen):
    """Whoever begins a ledger can be told which others are kept in the same place."""
    for owner in (OWNER, OWNER._replace(environment="staging")):
        backend = reopen(owner)
        assert backend.owner == owner
        with backend.lock(lock_by("alice")):
            backend.write(known(TRIAGE, owner=owner), message="Apply")
    (other,) = reopen(OWNER).neighbours()
    assert other.startswith("manifests-staging-")
