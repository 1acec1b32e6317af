"""The worker behind the memories: one sync per tick, in a thread that stops with the server."""

import logging
import threading

from reconciler.emulator import git_addresses, git_fetch, snapshots, sync_claims
from reconciler.emulator.file_tree import NewFile
from reconciler.emulator.git_addresses import AddressError
from reconciler.emulator.git_process import StoppedError, SyncError
from reconciler.emulator.snapshots import LIMITS, Limits
from reconciler.emulator.store import Store
from reconciler.emulator.sync_claims import Claim

CLONE_SECONDS = 120.0
STOP_SECONDS = 10.0
UNKNOWN = "memory source sync failed"
logger = logging.getLogger(__name__)


class SyncWorker:
    """Syncs memories from their repositories; `step` does one, `start` goes on until `stop`."""

    def __init__(
        self, store: Store, *, base: str | None, spelling: str, limits: Limits = LIMITS, seconds: float = CLONE_SECONDS
    ) -> None:
        self._store = store
        self._base = base
        self._spelling = spelling
        self._limits = limits
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        sync_claims.prepare(store)

    def step(self) -> str | None:
        """Sync the memory that has waited longest and give its id; None when none waits."""
        claim = sync_claims.claim(self._store)
        if claim is None:
            return None
        try:
            files = self._files(claim)
            sync_claims.complete(self._store, claim, files, spelling=self._spelling)
        except StoppedError:
            sync_claims.release(self._store, claim)
        except SyncError as error:
            sync_claims.fail(self._store, claim, str(error))
        except Exception:
            logger.exception("sync of %s failed", claim.memory)
            sync_claims.fail(self._store, claim, UNKNOWN)
        return claim.memory

    def start(self, *, poll: float) -> None:
        """Begin to work: at once, then every `poll` seconds."""
        self._thread = threading.Thread(target=self._run, args=(poll,), name="memory-sync", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the work; a sync that is under way is given up, and its memory waits again."""
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=STOP_SECONDS)

    def _run(self, poll: float) -> None:
        """Do a step per tick."""
        while not self._stop.is_set():
            try:
                self.step()
            except Exception:
                logger.exception("the sync worker missed a tick")
            self._stop.wait(poll)

    def _files(self, claim: Claim) -> list[NewFile]:
        """Fetch the repository of a memory and read its files."""
        source = claim.source
        is_github = source["provider"] == "github"
        try:
            remote = git_addresses.remote(source, self._base)
        except AddressError as error:
            raise SyncError(git_fetch.not_found(is_github=is_github)) from error
        with git_fetch.fetched(
            remote, source["branch"], is_github=is_github, stop=self._stop, seconds=self._seconds
        ) as repository:
            files = snapshots.taken(repository, source["root_folder"], self._limits)
        if self._stop.is_set():
            raise StoppedError
        return files
