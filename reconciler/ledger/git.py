"""Git by its plumbing: objects, and references on a remote; the work tree, the index and hooks are never touched."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from reconciler.errors import LedgerError
from reconciler.git_environment import of_its_own

_PATIENCE: Final = 120  # seconds for one command; a remote that does not answer must not hold a run for ever
_PAUSE: Final = 0.1
_QUIET: Final = ("-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", "-c", "maintenance.auto=false")
_ABSENT: Final = "couldn't find remote ref"
_MOVED: Final = (
    "stale info",
    "fetch first",
    "non-fast-forward",
    "incorrect old value",
    "cannot lock ref",
    "failed to update ref",
    "reference already exists",
    "failed to lock",
)
_FORBIDDEN: Final = (
    "protected branch",
    "hook declined",
    "gh006",
    "gh013",
    "deny updating",
    "rejected by",
    "not allowed",
    "permission",
    "denied",
    "not granted",
    "unauthorized",
    "authentication failed",
    "could not read username",
    "read-only",
    "403",
    "401",
)


class Pushed(Enum):
    """What became of a push: it went through, or the branch was not where it was expected."""

    DONE = "done"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command of git ended."""

    code: int
    out: bytes
    err: str

    @property
    def why(self) -> str:
        """The line of its complaint that says most."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        telling = [line for line in lines if line.lower().startswith(("fatal:", "error:", "remote: error", "!"))]
        return without_login((telling or lines or [f"git ended with {self.code}"])[0])


def without_login(text: str) -> str:
    """Take user names and passwords out of addresses in a text.

    >>> without_login("fatal: https://x:token@example.com/a not found")
    'fatal: https://example.com/a not found'
    """
    words = text.split(" ")
    return " ".join(_bare(word) if "://" in word else word for word in words)


def _bare(url: str) -> str:
    before, _, after = url.partition("://")
    host, slash, path = after.partition("/")
    return f"{before}://{host.rpartition('@')[2]}{slash}{path}"


class Git:
    """A repository, spoken to by commands; raises LedgerError where one fails."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._env = of_its_own()

    def run(self, *arguments: str, data: bytes = b"", env: Mapping[str, str] | None = None) -> Ran:
        """Run a command to its end, whatever that is."""
        command = ("git", "-C", str(self.folder), *_QUIET, *arguments)
        try:
            done = subprocess.run(  # noqa: S603 - a list of words, no shell
                command,
                input=data,
                capture_output=True,
                check=False,
                timeout=_PATIENCE,
                env={**self._env, **(env or {})},
            )
        except FileNotFoundError as error:
            raise LedgerError("git is not installed", hint="install it, or use ledger: {backend: file}") from error
        except subprocess.TimeoutExpired as error:
            message = f"git {arguments[0]} did not end within {_PATIENCE} seconds"
            raise LedgerError(message, hint="check the network and the remote, then run again") from error
        return Ran(done.returncode, done.stdout, done.stderr.decode(errors="replace"))

    def ask(self, *arguments: str, data: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """Return what a command prints, which must not fail."""
        ran = self.run(*arguments, data=data, env=env)
        if ran.code:
            raise LedgerError(f"git {arguments[0]}: {ran.why}", hint="check the repository with git fsck")
        return ran.out.decode(errors="replace").strip()

    # --- objects ---

    def blob(self, data: bytes) -> str:
        """Store a text; return its id."""
        return self.ask("hash-object", "-w", "--no-filters", "--stdin", data=data)

    def tree(self, files: Mapping[str, str]) -> str:
        """Store a folder of blobs by their names; return its id."""
        lines = (f"100644 blob {blob}\t{name}\0" for name, blob in sorted(files.items()))
        return self.ask("mktree", "--missing", "-z", data="".join(lines).encode())

    def commit(self, tree: str, *, parent: str | None, message: str) -> str:
        """Store a commit by nobody in particular, so that none has to be configured; return its id."""
        us = {"NAME": "reconciler", "EMAIL": "reconciler@localhost"}
        env = {f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in us.items()}
        above = () if parent is None else ("-p", parent)
        return self.ask("commit-tree", "--no-gpg-sign", tree, *above, data=message.encode(), env=env)

    def files(self, commit: str) -> dict[str, str]:
        """Return what is in a commit's top folder, ids by names."""
        entries = self.ask("ls-tree", "-z", commit).split("\0")
        split = [entry.partition("\t") for entry in entries if entry]
        return {name: head.split()[2] for head, _, name in split}

    def text(self, blob: str) -> bytes:
        """Return the text of a blob."""
        ran = self.run("cat-file", "blob", blob)
        if ran.code:
            raise LedgerError(f"git cat-file: {ran.why}", hint="check the repository with git fsck")
        return ran.out

    # --- the remote ---

    def tip(self, remote: str, ref: str) -> str | None:
        """Return the commit that a reference of a remote stands at, fetched; None when there is no such reference.

        No reference of this repository is moved for it, so that readers in one clone do not meet.
        """
        for _ in range(5):  # it may move between the question and the fetch
            ran = self.run("ls-remote", remote, ref)
            if ran.code:
                raise unreachable(remote, ran)
            commit = _listed(ran, ref)
            if commit is None or self._is_whole(commit):
                return commit
            fetched = self._fetch(remote, ref)
            if fetched.code and _ABSENT not in fetched.err and ".lock" not in fetched.err:
                raise unreachable(remote, fetched)
            if self.run("cat-file", "-e", commit).code == 0:  # a partial clone fetches what is in it when it is read
                return commit
            time.sleep(_PAUSE)
        raise LedgerError(f"{ref} of {remote} moves faster than it can be read", hint="run again")

    def push(self, commit: str, *, remote: str, ref: str, expected: str | None) -> Pushed:
        """Move a reference of a remote from where it is expected (None: nowhere) to a commit, or leave it alone."""
        ran = self.run(
            "push",
            "--porcelain",
            "--no-verify",
            "--no-signed",
            "--no-follow-tags",
            "--recurse-submodules=no",
            f"--force-with-lease={ref}:{expected or ''}",
            remote,
            f"{commit}:{ref}",
        )
        if ran.code == 0:
            return Pushed.DONE
        said = (ran.out.decode(errors="replace") + ran.err).lower()
        now = self.run("ls-remote", remote, ref)
        if now.code == 0 and _listed(now, ref) == commit:
            return Pushed.DONE  # it went through, and only the answer was lost
        if now.code == 0 and any(word in said for word in _MOVED):
            return Pushed.MOVED
        if any(word in said for word in _FORBIDDEN):
            raise _forbidden(remote, ref, ran)
        raise unreachable(remote, ran)

    def _is_whole(self, commit: str) -> bool:
        """Say whether a commit with its files is here, without asking a remote for what is missing."""
        found = self.run("rev-list", "--objects", "--no-walk", "--quiet", commit, env={"GIT_NO_LAZY_FETCH": "1"})
        return found.code == 0

    def _fetch(self, remote: str, ref: str) -> Ran:
        shallow = self.ask("rev-parse", "--is-shallow-repository") == "true"
        depth = ("--depth=1",) if shallow else ()  # in a full clone this would make it a shallow one
        return self.run(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--refmap=", "--recurse-submodules=no", *depth,
            remote, ref,
        )  # fmt: skip


def _listed(ran: Ran, ref: str) -> str | None:
    """Return the commit of exactly this reference: git lists all whose names end like it."""
    pairs = (line.split("\t") for line in ran.out.decode(errors="replace").splitlines())
    return next((commit for commit, name in pairs if name == ref), None)


def unreachable(remote: str, ran: Ran) -> LedgerError:
    """Say that a remote cannot be read."""
    return LedgerError(
        f"the ledger's remote {without_login(remote)} cannot be reached: {ran.why}",
        hint="check the network and git's access to it (git ls-remote), or keep the ledger in a file: "
        "ledger: {backend: file} in reconciler.yaml",
    )


def _forbidden(remote: str, ref: str, ran: Ran) -> LedgerError:
    branch = ref.removeprefix("refs/heads/")
    complaint: Sequence[str] = [line for line in ran.out.decode(errors="replace").splitlines() if line.startswith("!")]
    why = complaint[0].rpartition("\t")[2] if complaint else ran.why
    return LedgerError(
        f"the ledger cannot be written: no permission to push {branch} to {without_login(remote)}: {why}",
        hint=f"let this key push to {branch} (in GitHub Actions: permissions: {{contents: write}}) and do not protect "
        "that branch, or keep the ledger in a file: ledger: {backend: file} in reconciler.yaml",
    )
