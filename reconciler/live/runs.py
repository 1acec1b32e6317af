"""The journals of past runs, in `.reconciler/runs/`: found, read, settled, and in the end removed."""

from __future__ import annotations

import fcntl
import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from reconciler.errors import JournalError, UsageError
from reconciler.live.journal import Journal, stamp, unwritable
from reconciler.plan.change import Action
from reconciler.plan.journal import Damage, Finding, Head, Log, Settled, Standing, standing
from reconciler.plan.journal_lines import LARGEST, dumps, loads
from reconciler.plan.owned import Owner

MAY_ARRIVE = 60.0
"""For so many seconds after it was sent a write whose fate nobody knows may still be carried out."""
KEPT = 100
"""Of so many runs the journals are kept; one that did not end is kept until it is settled."""
_AT = re.compile(rb'"at":"([0-9TZ:.-]+)"')
_TAIL = 8 * 1024
_LAST_WORDS = (b'"type":"end"', b'"type":"settled"')


@dataclass(frozen=True, slots=True)
class PastRun:
    """A journal as found: its file, what it says, and whether its run is alive."""

    path: Path
    log: Log
    standing: Standing

    @property
    def id(self) -> str:
        """What the run is called."""
        return self.path.stem

    @property
    def at(self) -> str:
        """When it began, nothing where its journal does not say."""
        return self.log.head.at if self.log.head else ""


@dataclass(frozen=True, slots=True)
class Runs:
    """A folder of journals, one file for each run."""

    folder: Path

    def begin(self, head: Head) -> Journal:
        """Begin the journal of a run, now; the oldest beyond what is kept are removed. Raises JournalError."""
        path = self.folder / f"{head.run}.jsonl"
        try:
            self._prepare()
            journal = Journal(path)
            try:
                journal.begin(replace(head, at=stamp()))
            except JournalError:
                journal.close()
                with suppress(OSError):
                    path.unlink()
                raise
        except JournalError as error:
            raise JournalError(f"{error.message}; nothing was written", hint=error.hint) from error
        self._prune()
        return journal

    def _prepare(self) -> None:
        """Make the folder, hidden from git."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not (ignore := self.folder / ".gitignore").exists():
                ignore.write_text("*\n", encoding="utf-8")
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def all(self) -> list[PastRun]:
        """Return every run, the latest first. Raises JournalError when the folder cannot be read."""
        return sorted((_read(path) for path in self._files()), key=lambda one: (one.at, one.id), reverse=True)

    def unfinished(self, owner: Owner, *, api_url: str) -> list[PastRun]:
        """Return the runs of an owner on a platform that did not end and were not settled, the oldest first."""
        found = [_read(path) for path in self._files() if not _is_over(path)]
        mine = [one for one in found if one.standing is Standing.UNFINISHED and _is_of(one.log, owner, api_url)]
        return sorted(mine, key=lambda one: one.at)

    def on_their_way(self, owner: Owner, *, api_url: str) -> dict[str, float]:
        """Return, by step, for how many seconds what was sent may still arrive: nobody knows its fate.

        That matters of what makes something: a create, a version, another key.

        Only the last `MAY_ARRIVE` seconds count. Raises JournalError when the folder cannot be read.
        """
        since = time.time() - MAY_ARRIVE
        recent = [path for path in self._files() if _changed(path) >= since]
        logs = [log for log in (_read(path).log for path in recent) if _is_of(log, owner, api_url)]
        sent = {intent.step: _moment(intent.at) for log in logs for intent in log.in_doubt if intent.action in _MAKING}
        return {step: moment - since for step, moment in sent.items() if moment > since}

    def find(self, text: str) -> PastRun:
        """Return the run whose id begins like this. Raises UsageError for none and for several."""
        found = [path for path in self._files() if path.stem.startswith(text)]
        exact = [path for path in found if path.stem == text]
        if len(exact or found) == 1:
            return _read((exact or found)[0])
        several = ", ".join(sorted(path.stem for path in found)[:5])
        why = f"several runs begin like this: {several}" if found else f"no run is called that in {self.folder}"
        raise UsageError(f"{text}: {why}", hint="reconciler runs list shows them")

    def settle(self, run: PastRun, *, by: str, findings: Mapping[int, Finding]) -> None:
        """Note at the end of a dead run's journal what its open intents came to; left alone if it lives after all."""
        line = dumps(Settled(stamp(), by, dict(findings)))
        try:
            handle = os.open(run.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            raise unwritable(run.path, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            size = os.fstat(handle).st_size
            is_torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            os.write(handle, b"\n" + line if is_torn else line)
            os.fsync(handle)
        except BlockingIOError:
            return
        except OSError as error:
            raise unwritable(run.path, error) from error
        finally:
            os.close(handle)

    def _files(self) -> Sequence[Path]:
        try:
            return [path for path in self.folder.glob("*.jsonl") if path.is_file()]
        except OSError as error:
            raise JournalError(f"cannot read {self.folder}: {error.strerror}", hint="check its permissions") from error

    def _prune(self) -> None:
        """Remove the journals of the oldest runs; what stands in the way is no reason not to run."""
        with suppress(OSError, JournalError):
            files = self._files()
            if len(files) > KEPT:
                for path in sorted(files, key=_began, reverse=True)[KEPT:]:
                    if _is_over(path):
                        path.unlink()


_MAKING = frozenset(one.value for one in (Action.CREATE, Action.RELEASE, Action.ROTATE))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _moment(at: str) -> float:
    """Read a time as a journal spells it; what is none is long ago."""
    try:
        return datetime.fromisoformat(at).timestamp()
    except ValueError:
        return 0.0


def _began(path: Path) -> str:
    """Return when a run began, as the first line of its journal says; nothing where it does not."""
    with suppress(OSError), path.open("rb") as file:
        found = _AT.search(file.readline(_TAIL))
        return found[1].decode() if found else ""
    return ""


def _is_over(path: Path) -> bool:
    """Say by its last line whether a run ended or was settled, without reading all of it."""
    with suppress(OSError), path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        lines = file.read(_TAIL).split(b"\n")
        return len(lines) > 1 and not lines[-1] and any(word in lines[-2] for word in _LAST_WORDS)
    return False


def _is_of(log: Log, owner: Owner, api_url: str) -> bool:
    return log.head is not None and log.head.owner == owner and log.head.api_url == api_url.rstrip("/")


def _read(path: Path) -> PastRun:
    """Read a journal; one that cannot be read is a damaged one."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        return PastRun(path, Log(damage=(Damage(0, f"it cannot be read: {error.strerror}"),)), Standing.DAMAGED)
    try:
        is_held = _is_held(handle)
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        return PastRun(path, Log(damage=(Damage(0, f"it cannot be read: {error.strerror}"),)), Standing.DAMAGED)
    finally:
        os.close(handle)
    log = loads(data) if len(data) <= LARGEST else Log(damage=(Damage(0, "it is too large to be read"),))
    return PastRun(path, log, standing(log, is_held=is_held))


def _is_held(handle: int) -> bool:
    """Say whether the run that writes a journal is alive."""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(handle, fcntl.LOCK_UN)
    return False
