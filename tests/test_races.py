"""Two applies started together, each from its own clone of one real remote: one applies, the other writes nothing."""

import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from reconciler.errors import LedgerLocked, LedgerMoved
from reconciler.ledger.git import Git
from reconciler.ledger.git_backend import GitBackend
from reconciler.ledger.keeper import Keeper
from reconciler.ledger.lock import lock_of
from reconciler.manifest.config import Config
from reconciler.reconcile import apply_plan, plan_afresh
from reconciler.settings import settings

from .conftest import OWNER

ROUNDS = 50


def git(*arguments):
    """Run git as a user would."""
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def clones(tmp_path, monkeypatch):
    """Give two clones of one bare remote, free of what the machine's git settings say."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    remote = tmp_path / "remote.git"
    git("init", "-q", "--bare", "--initial-branch=main", str(remote))
    us = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    seed = tmp_path / "seed"
    git("init", "-q", "--initial-branch=main", str(seed))
    git("-C", str(seed), *us, "commit", "-q", "--allow-empty", "-m", "Begin")
    git("-C", str(seed), "push", "-q", str(remote), "main")
    for name in ("alice", "bob"):
        git("clone", "-q", f"file://{remote}", str(tmp_path / name))
    return {name: tmp_path / name for name in ("alice", "bob")}


class Runner:
    """Somebody who applies from a clone of their own, as one run after another."""

    def __init__(self, world, name, clone):
        self.world, self.name = world, name
        self.backend = GitBackend(Git(clone), OWNER, remote="origin")
        self.settings = settings(env={}, manifests=(str(world.folder),), parallelism=1)
        self.reader, self.writer = world.reader(), world.writer()

    @property
    def keeper(self):
        """Hold the ledger for one run."""
        return Keeper(self.backend, lock_of({"GITHUB_ACTOR": self.name}), commit="c" * 40)

    def plan(self):
        """Plan with the ledger as this clone sees it."""
        return plan_afresh(self.settings, client=self.reader, read_ledger=self.backend.read, config=Config())

    def apply(self, plan, gate):
        """Apply together with the other one; say how it ended."""
        gate.wait(30)
        try:
            applied = apply_plan(
                plan,
                self.settings,
                client=self.writer,
                keeper=self.keeper,
                listen=lambda _news: None,
                recheck=True,
            )
        except (LedgerLocked, LedgerMoved) as error:
            return type(error).__name__
        return "applied" if applied.exit_codes == (0,) else repr(applied)


@pytest.mark.timeout(300)
def test_of_two_applies_at_once_one_writes(world, clones):
    """Fifty times from the very first run on, one applies, and the server sees the writes of that one alone."""
    runners = [Runner(world, name, clone) for name, clone in clones.items()]
    ends = Counter()
    with ThreadPoolExecutor(2) as pool:
        for number in range(ROUNDS):
            name = f"new-{number}" if number % 10 == 0 else "triage"
            world.agent(name, description=f"{number}.")
            world.wanted()
            plans = list(pool.map(Runner.plan, runners))
            assert plans[0].serial == plans[1].serial
            assert plans[0].digest == plans[1].digest
            world.forget()
            gate = Barrier(2)
            ended = sorted(pool.map(Runner.apply, runners, plans, [gate, gate]))
            assert ended[1] == "applied", (number, ended)
            assert ended[0] in ("LedgerLocked", "LedgerMoved"), (number, ended)
            assert len(world.writes) == len(plans[0].writes), (number, world.lines)
            ends[ended[0]] += 1
    assert ends.total() == ROUNDS
    plan = runners[0].plan()
    assert plan.is_empty
    assert runners[1].backend.holder() is None
    names = [item["name"] for item in world.live("agents")]
    assert len(names) == len(set(names)) == len(runners[1].backend.read().entries)
