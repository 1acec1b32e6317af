"""The journal of a run as it is written: what is about to be sent is on the disk before the platform sees it.

One sync serves every line that was appended before it, so that workers do not queue up for the disk one by one.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Self, assert_never
from urllib.parse import unquote

from reconciler.api_errors import ApiError, is_ambiguous
from reconciler.errors import Exit, JournalError, ReconcilerError
from reconciler.kinds.traits import apart
from reconciler.plan.change import Action, Change
from reconciler.plan.journal import (
    Answer,
    Became,
    End,
    Head,
    Intent,
    Record,
    StepOutcome,
    content_of,
    told_code,
    told_id,
    told_path,
)
from reconciler.plan.journal_lines import dumps
from reconciler.plan.outcome import Applied, Blocked, Conflicted, Done, Failed, NotStarted, Outcome

_PRIVATE = 0o600


@dataclass(slots=True)
class Doing:
    """The change that this thread carries out, and how many writes of it were on the way."""

    change: Change
    begun: int = 0


_doing: ContextVar[Doing | None] = ContextVar("doing", default=None)


@contextmanager
def about(change: Change) -> Iterator[Doing]:
    """Say that what this thread sends in the block is for a change."""
    doing = Doing(change)
    token = _doing.set(doing)
    try:
        yield doing
    finally:
        _doing.reset(token)


class Journal:
    """The file of one run, locked for as long as the run lives; safe for several threads.

    `broken` is why it cannot be written any more: from then on nothing new may be sent.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.broken: JournalError | None = None
        self._numbers = count(1)
        self._turn = threading.Lock()
        self._syncing = threading.Lock()
        self._appended = 0
        self._durable = 0
        self._open: set[int] = set()
        self._told: set[str] = set()
        self._has_ended = False
        try:
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, _PRIVATE)
            fcntl.flock(self._handle, fcntl.LOCK_EX)  # who looks whether it is held, holds it for a moment
        except OSError as error:
            raise unwritable(path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        """Let go of the file; who ends by an error with nothing left open says so, who dies says nothing."""
        if error is not None and not self._open and not self._has_ended:
            code = error.exit_code if isinstance(error, ReconcilerError) else Exit.ERROR
            code = Exit.INTERRUPTED if isinstance(error, KeyboardInterrupt) else code
            with suppress(JournalError):
                self._append(End(stamp(), (int(code),), error=type(error).__name__), durable=True)
        self.close()

    def close(self) -> None:
        """Let go of the file; a write that comes later is not announced any more, so it is not sent."""
        with self._syncing, self._turn:
            self.broken = self.broken or JournalError(f"the journal {self.path} is closed")
            os.close(self._handle)

    def begin(self, head: Head) -> None:
        """Write the first record. Raises JournalError, with nothing left behind."""
        try:
            self._append(head, durable=True)
            _settle(self.path.parent)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def around(self, send: Callable[[], Any], *, method: str, path: str, body: Any, request_id: str) -> Any:
        """Send a write between its intent and its answer; raises JournalError instead of sending unannounced."""
        n = next(self._numbers)
        doing = _doing.get()
        self._append(_intent(n, doing, method=method, path=path, body=body, request_id=request_id), durable=True)
        self._open.add(n)
        if doing is not None:
            doing.begun += 1
        try:
            reply = send()
        except Exception as error:
            self._answered(_refused(n, error))
            raise
        self._answered(Answer(n, stamp(), id=_made(reply)))
        return reply

    def _answered(self, answer: Answer) -> None:
        """Note what came back; where that cannot be noted, the run goes on to its end and starts nothing more."""
        with suppress(JournalError):
            self._append(answer, durable=True)
            if not answer.ambiguous:
                self._open.discard(answer.n)

    def outcome(self, outcome: Outcome) -> None:
        """Note what became of a step; it reaches the disk with the next write's intent, or the end."""
        with suppress(JournalError):
            self._append(_told(outcome), durable=False)
            self._told.add(outcome.change.step)

    def end(self, applied: Applied) -> None:
        """Note what has no outcome yet, and how the run ended."""
        with suppress(JournalError):
            for outcome in applied.outcomes:
                if outcome.change.step not in self._told:
                    self._append(_told(outcome), durable=False)
            counts: Counter[str] = Counter(_told(outcome).became for outcome in applied.outcomes)
            self._append(End(stamp(), tuple(int(code) for code in applied.exit_codes), counts), durable=True)
            self._has_ended = True

    def _append(self, record: Record, *, durable: bool) -> None:
        """Append a record, and wait until it is on the disk if it must be."""
        line = dumps(record)
        with self._turn:
            if self.broken:
                raise self.broken
            try:
                rest = memoryview(line)
                while rest:
                    rest = rest[os.write(self._handle, rest) :]
            except OSError as error:
                raise self._breaks(error) from error
            self._appended += 1
            mine = self._appended
        if durable:
            self._sync(mine)

    def _sync(self, mine: int) -> None:
        """Bring everything appended so far to the disk, unless a sync that began later than `mine` has done so."""
        with self._syncing:
            if self._durable >= mine:
                return
            if self.broken:  # a sync after one that failed succeeds, and brings nothing to the disk
                raise self.broken
            upto = self._appended
            try:
                os.fsync(self._handle)
            except OSError as error:
                raise self._breaks(error) from error
            self._durable = upto

    def _breaks(self, error: OSError) -> JournalError:
        self.broken = self.broken or unwritable(self.path, error)
        return self.broken


_WITH_KEY = (Action.CREATE, Action.ROTATE)


def _intent(n: int, doing: Doing | None, *, method: str, path: str, body: Any, request_id: str) -> Intent:
    change = doing.change if doing else None
    chosen = body.get("id") if isinstance(body, dict) else None
    creation = change.kind.wire.create(change.body, "") if change and change.action in _WITH_KEY else None
    own = _members(change, path) if change else ()
    known = [told_id(part) for part in path.split("/") if told_id(part) and part not in own]
    return Intent(
        n,
        stamp(),
        change.step if change else "",
        str(change.address) if change else "",
        change.action.value if change else "",
        method,
        told_path(path, (*own, *(f"{creation.path}{creation.renewed_by or ''}".split("/") if creation else ()))),
        request_id,
        id=told_id(chosen) or (known[-1] if known and method != "POST" else None),
        content=content_of(change) if change else None,
        one_time=creation is not None and method == "POST" and creation.one_time is not None,
    )


def _members(change: Change, path: str) -> Sequence[str]:
    """Return the parts of a path that name what a change writes apart of its resource, as git spells it: a file."""
    for name, field in apart(change.kind).items():
        below = path.partition(f"/{field.path}/")[2]
        if below and f"/{unquote(below)}" in (change.body.get(name) or ()):
            return below.split("/")
    return ()


def _refused(n: int, error: Exception) -> Answer:
    """Tell an error by its class, status and code: its words may repeat what was sent."""
    problem = error.problem if isinstance(error, ApiError) else None
    code = told_code(problem.code) if problem else None
    name = f"{type(error).__name__} {code}" if code else type(error).__name__
    unsent = isinstance(error, ReconcilerError) and not isinstance(error, ApiError)
    ambiguous = is_ambiguous(error) if isinstance(error, ApiError) else not unsent
    return Answer(n, stamp(), problem.status if problem else None, name, ambiguous=ambiguous)


def _made(reply: Any) -> str | None:
    """Return the id of what an answer says was made: its own, or that of the one resource inside it."""
    if not isinstance(reply, dict):
        return None
    inner = [item.get("id") for item in reply.values() if isinstance(item, dict)]
    return told_id(reply.get("id")) or next((id_ for id_ in map(told_id, inner) if id_), None)


def _told(outcome: Outcome) -> StepOutcome:
    """Put an outcome into our own words."""
    became: Became
    message: str | None = None
    match outcome:
        case Done(_, adopted):
            became = "adopted" if adopted else "done"
        case Failed(_, error):
            answer = _refused(0, error)
            became, message = "failed", " ".join(str(part) for part in (answer.status, answer.error) if part)
        case Conflicted(_, _, fields):
            names = ", ".join(one.name for one in fields[:_MOST_NAMED])
            became, message = "conflicted", f"differs in {names}" if names else "something else is there"
        case Blocked(_, by):
            became, message = "blocked", f"by {by}"
        case NotStarted():
            became = "not_started"
        case _:
            assert_never(outcome)
    return StepOutcome(stamp(), outcome.change.step, became, message)


_MOST_NAMED = 10


def stamp() -> str:
    """Return the time as a journal spells it: UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def unwritable(path: Path, error: OSError) -> JournalError:
    """Say that a journal cannot be written."""
    return JournalError(
        f"cannot write the journal {path}: {error.strerror}",
        hint="what is not noted is not sent: make room, or run in a folder you can write to, then run again",
    )


def _settle(folder: Path) -> None:
    """Bring a new name in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
