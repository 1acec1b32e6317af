"""Many files are read by several processes: each forked one reads some shares and hands back what is in order.

Whoever is free takes the next share: the process that asked also speaks with the platform, and nobody knows beforehand
how much each will get done. Whatever is out of the ordinary (a fault, a secret, a file that cannot be read, a share
that was lost) is left to the process that asked: it alone finds faults. Below `MANY` files it is not worth a fork.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from io import FileIO
from select import select
from stat import S_ISREG
from struct import Struct
from typing import Any, BinaryIO, Final, NamedTuple, NoReturn

import orjson

from reconciler.errors import Source, SourceFile
from reconciler.kinds.kind import Shape
from reconciler.manifest.document import Declared, declare
from reconciler.manifest.memory import hold_on
from reconciler.manifest.quick import MAX_CHARS, quick
from reconciler.resource import Document

MANY: Final = 500
SHARE: Final = 50
"""So many files, some milliseconds of work, are taken at a time."""
_MOST_SHARES: Final = 16_000
"""As many numbers as a pipe holds."""
_NUMBER: Final = Struct("=I")
_NOTE: Final = Struct("=III")
"""Who has read a share, which one, and how many bytes came of it."""
_MOST_PROCESSES: Final = 8
_STOPS: Final = {signal.SIGINT, signal.SIGTERM}


class Ready(NamedTuple):
    """A file that holds one ordinary document: its text, the document's value, its first line.

    With a `spec`, found valid and in canonical form, the value is without it.
    """

    text: str
    value: Any
    line: int
    spec: Shape | None


def read_together(paths: Sequence[str], *, roots: Mapping[str, str]) -> Generator[Ready | None]:
    """Yield for each path what `read_quickly` says of it, in order; the work is shared where that pays."""
    shares = [paths[start : start + SHARE] for start in range(1, len(paths), SHARE)]
    if len(paths) >= MANY:
        hold_on()
    with ExitStack() as opened:
        crew = _gathered(_hands(len(paths)) - 1, shares, roots, opened)
        yield from (read_quickly(path, roots=roots) for path in paths[:1])  # at once: the caller has more to begin
        for number, share in enumerate(shares):
            if crew:
                yield from crew.outcome(number)
            else:
                yield from (read_quickly(path, roots=roots) for path in share)


def read_quickly(path: str, *, roots: Mapping[str, str]) -> Ready | None:
    """Return what an ordinary file holds, None for any other."""
    try:
        status = os.stat(path)  # noqa: PTH116 - pathlib costs four times as much, here and below
        if not S_ISREG(status.st_mode) or status.st_size > MAX_CHARS:  # a pipe can be read only once
            return None
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123
            text = stream.read(status.st_size + 1).decode()
    except (OSError, UnicodeDecodeError):
        return None
    documents = quick(text)
    if documents is None:
        return None
    (parsed,) = documents
    document = Document(parsed.value, Source(SourceFile(path=path, text=text), 0, parsed.line), folder_of(path))
    declared = declare(document, roots=roots)
    if not isinstance(declared, Declared):
        return Ready(text, parsed.value, parsed.line, None)
    head = {key: value for key, value in parsed.value.items() if key != "spec"}
    return Ready(text, head, parsed.line, declared.spec)


def folder_of(path: str) -> str:
    """Return the folder of a file, `.` for one without."""
    return path.rpartition("/")[0] or "."


def _hands(files: int) -> int:
    """Return how many processes should read: forking is only safe, and only pays, under some conditions."""
    if files < MANY or sys.platform != "linux" or not hasattr(os, "memfd_create") or threading.active_count() > 1:
        return 1
    return min(len(os.sched_getaffinity(0)), _MOST_PROCESSES)


def _gathered(mates: int, shares: Sequence[Sequence[str]], roots: Mapping[str, str], opened: ExitStack) -> _Crew | None:
    """Set others to work, as many as there is room for; None where one process is to read everything."""
    if mates < 1 or not 1 < len(shares) <= _MOST_SHARES:
        return None
    with suppress(OSError):
        todo, numbers = _pipe(opened)
        notes, told = _pipe(opened)
        os.set_blocking(notes.fileno(), False)
        with numbers:
            numbers.write(b"".join(map(_NUMBER.pack, range(len(shares)))))
        crew = _Crew(shares, roots, todo, notes)
        with told, suppress(OSError):  # closed at once, so that its end shows when the last of the others is gone
            for _ in range(mates):
                crew.enlist(told, opened)
        return crew
    return None


def _pipe(opened: ExitStack) -> tuple[FileIO, FileIO]:
    """Return the two ends of a pipe, for reading and for writing."""
    reading, writing = os.pipe()
    return opened.enter_context(FileIO(reading)), opened.enter_context(FileIO(writing, "w"))


@dataclass(slots=True)
class _Mate:
    """Another process at work, and the file in memory to which it adds what it reads; `taken` bytes of it are ours."""

    pid: int
    memory: BinaryIO
    taken: int = 0

    def dismiss(self) -> None:
        """End the process, done or not."""
        with suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


@dataclass(slots=True)
class _Crew:
    """Processes that take the numbers of shares from one pipe, `todo`, and write of each they have read to `notes`.

    What they read lies in memory until it is wanted, so that none of them ever waits for the one that asked.
    """

    shares: Sequence[Sequence[str]]
    roots: Mapping[str, str]
    todo: FileIO
    notes: FileIO
    mates: list[_Mate] = field(default_factory=list)
    outcomes: dict[int, Sequence[Ready | None]] = field(default_factory=dict)

    def outcome(self, number: int) -> Sequence[Ready | None]:
        """Return what a share holds, reading others until it is known; None for each file of one that was lost."""
        while True:
            goes_on = self._listen()
            if number in self.outcomes:
                return self.outcomes.pop(number)
            if mine := self.todo.read(_NUMBER.size):
                (other,) = _NUMBER.unpack(mine)
                self.outcomes[other] = [read_quickly(path, roots=self.roots) for path in self.shares[other]]
            elif goes_on:
                select([self.notes], [], [])
            else:
                return [None] * len(self.shares[number])

    def _listen(self) -> bool:
        """Take what the others have read meanwhile; False when the last of them is gone."""
        told = self.notes.read(_NOTE.size * 1000)
        for who, number, size in _NOTE.iter_unpack(told or b""):
            mate = self.mates[who]
            found = orjson.loads(os.pread(mate.memory.fileno(), size, mate.taken))
            mate.taken += size
            self.outcomes[number] = [Ready(*ready) if ready else None for ready in found]
        return told != b""

    def enlist(self, told: FileIO, opened: ExitStack) -> None:
        """Fork a process that reads shares until there are no more; raises OSError where there is no room for it."""
        memory = opened.enter_context(os.fdopen(os.memfd_create("manifests"), "wb"))
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)  # no signal may find the other process half made
        try:
            pid = os.fork()
            if pid == 0:
                self._work(memory, told)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        mate = _Mate(pid, memory)
        opened.callback(mate.dismiss)
        self.mates.append(mate)

    def _work(self, memory: BinaryIO, told: FileIO) -> NoReturn:
        """Be the other process, which must not come back from here in any way."""
        try:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that asked decides
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
            self.notes.close()  # so that a note to nobody is an error
            while mine := self.todo.read(_NUMBER.size):
                (number,) = _NUMBER.unpack(mine)
                data = b"[%b]" % b",".join(
                    _sendable(read_quickly(path, roots=self.roots)) for path in self.shares[number]
                )
                memory.write(data)
                memory.flush()
                told.write(_NOTE.pack(len(self.mates), number, len(data)))
        finally:
            os._exit(0)


def _sendable(ready: Ready | None) -> bytes:
    """Return a file's content as JSON; a spec that holds a secret's name is not plain data, and stays behind."""
    try:
        return orjson.dumps(tuple(ready) if ready else None)
    except TypeError:
        return b"null"
