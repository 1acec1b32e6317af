"""Owners, ledgers, locks, and real repositories with a bare remote, free of what the machine's git settings say."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.kinds.fields import SecretRef
from reconciler.kinds.taint import Tainted
from reconciler.ledger.file_backend import FileBackend
from reconciler.ledger.fingerprint import fingerprint
from reconciler.ledger.git import Git
from reconciler.ledger.git_backend import GitBackend
from reconciler.ledger.lock import lock_of
from reconciler.plan.owned import Entry, Ledger, Owner, field_digest, pointer
from reconciler.resource import Address

OWNER = Owner("example.com/acme/fleet", "manifests", "production")
TRIAGE = Address("acme", "Agent", "triage")
BOT = Address("acme", "App", "bot")
NIGHTLY = Address("acme", "Channel", "nightly", "bot")
TIME = "2026-11-02T10:00:00Z"


def known(*addresses: Address, owner: Owner = OWNER, serial: int = 0, secret: str | None = None) -> Ledger:
    """Give a ledger that knows these addresses, each with two fields."""
    secrets = {("config", "bot_token"): secret} if secret else {}
    return Ledger(owner, serial).with_applied(
        {
            address: Entry(
                id=f"id_{number:032x}",
                applied_at=TIME,
                commit="a1b2c3d" * 5,
                fields={
                    "/display_name": field_digest(str(address)),
                    pointer(("config", "a/b")): field_digest(number),
                },
                secrets={pointer(path): fingerprint(tainted(value)) for path, value in secrets.items()},
            )
            for number, address in enumerate(addresses)
        }
    )


def tainted(value: str) -> Tainted:
    """Give a secret's value as if it had been read from the environment."""
    return Tainted(SecretRef(source="env", name="TOKEN"), value)


def lock_by(who: str, **options):
    """Make a lock of somebody."""
    return lock_of({"GITHUB_ACTOR": who}, **options)


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder as a user would; return what it prints."""
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass(frozen=True)
class Repositories:
    """A bare remote with one commit on main, and clones of it on demand."""

    folder: Path

    @property
    def remote(self) -> Path:
        """The bare repository."""
        return self.folder / "remote.git"

    def clone(self, name: str, *options: str) -> Path:
        """Clone the remote over its transport, not by links."""
        git(self.folder, "clone", "-q", *options, f"file://{self.remote}", name)
        return self.folder / name

    def branch(self, *arguments: str) -> str:
        """Ask about the ledger's branch in the remote."""
        return git(self.remote, *arguments)


@pytest.fixture
def plain_git(monkeypatch, tmp_path):
    """Take away everything that git knows from elsewhere, a committer included."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def repositories(tmp_path, plain_git) -> Repositories:
    """Give a bare remote whose main has a few commits with manifests."""
    found = Repositories(tmp_path)
    git(tmp_path, "init", "-q", "--bare", "--initial-branch=main", str(found.remote))
    git(tmp_path, "init", "-q", "--initial-branch=main", "seed")
    seed = tmp_path / "seed"
    (seed / "manifests").mkdir()
    us = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    for number in range(3):
        (seed / "manifests" / "a.yaml").write_text(f"# {number}\n")
        git(seed, "add", "-A")
        git(seed, *us, "commit", "-qm", f"Commit {number}")
    git(seed, "push", "-q", str(found.remote), "main")
    return found


@pytest.fixture
def clone(repositories) -> Path:
    """Give a clone of the remote."""
    return repositories.clone("clone")


def on_branch(clone: Path, *, owner: Owner = OWNER, branch: str = "reconciler-ledger") -> GitBackend:
    """Give the backend on a branch of a clone's origin."""
    return GitBackend(Git(clone), owner, remote="origin", branch=branch)


@pytest.fixture(params=["file", "git"])
def reopen(request, tmp_path) -> Callable[[], FileBackend | GitBackend]:
    """Open the same ledger again and again, as runs do one after another; of each kind of backend."""
    if request.param == "file":
        return lambda owner=OWNER: FileBackend(tmp_path / "ledger", owner)
    clone = request.getfixturevalue("clone")
    return lambda owner=OWNER: on_branch(clone, owner=owner)
