"""The branch of a ledger with anything on it: what stands there is read as a file of it is, by real git."""

import random
import subprocess

import pytest

from reconciler.errors import LedgerError
from reconciler.ledger.backend import key_of
from reconciler.ledger.codec import dumps
from reconciler.ledger.git import Git
from reconciler.ledger.git_backend import BRANCH, GitBackend
from reconciler.ledger.lock import dumps as lock_text
from reconciler.ledger.lock import lock_of
from reconciler.plan.owned import Ledger

from .mutate import damaged
from .stage import OWNER


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Give a repository whose remote is a bare one beside it."""
    top = tmp_path_factory.mktemp("branch")
    subprocess.run(["git", "init", "-q", "--bare", top / "remote.git"], check=True)
    subprocess.run(["git", "init", "-q", top / "clone"], check=True)
    subprocess.run(["git", "-C", top / "clone", "remote", "add", "origin", top / "remote.git"], check=True)
    return Git(top / "clone")


@pytest.mark.parametrize("seed", range(24))
def test_a_branch_with_anything_on_it(clone, seed):
    """What is damaged, and what is no ledger's, is told with the branch; a damaged lock is somebody's."""
    rng = random.Random(seed)
    key, ledger, lock = key_of(OWNER), dumps(Ledger(OWNER, serial=3)), lock_text(lock_of({}))
    files = {f"{key}.json": ledger, f"{key}.lock": lock, "README.md": b"# x\n"}
    changed = rng.choice([*files])
    files[changed] = damaged(files[changed], rng, others=(ledger, lock))
    if rng.random() < 0.3:
        files[rng.choice(["x", "\u00e9.json", "a b.lock", "-x"])] = rng.randbytes(50)
    if rng.random() < 0.2:
        del files[f"{key}.json"]
    tree = clone.tree({name: clone.blob(data) for name, data in files.items()})
    commit = clone.commit(tree, parent=None, message="x")
    clone.push(
        commit, remote="origin", ref=f"refs/heads/{BRANCH}", expected=clone.tip("origin", f"refs/heads/{BRANCH}")
    )
    backend = GitBackend(clone, OWNER, remote="origin")
    told = None
    try:
        assert backend.read().owner == OWNER
        assert (backend.holder() is None) is (f"{key}.lock" not in files)
        assert isinstance(backend.neighbours(), list)
    except LedgerError as error:
        told = error.message
    if told is not None:
        assert f"branch {BRANCH}" in told
        assert changed == f"{key}.json" or "is no ledger's branch" in told
