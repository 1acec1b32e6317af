"""Many files are read by several processes: each forked one reads a share and sends back what is in order.

Whatever is out of the ordinary (a fault, a secret, a file that cannot be read, a share that was lost) is left to the
process that asked: it alone finds faults. Below `MANY` files the work is not worth a fork.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from stat import S_ISREG
from typing import Any, BinaryIO, Final, NamedTuple, NoReturn

import orjson

from reconciler.errors import Source, SourceFile
from reconciler.kinds.kind import Shape
from reconciler.manifest.document import Declared, declare
from reconciler.manifest.quick import MAX_CHARS, quick
from reconciler.resource import Document

MANY: Final = 500
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
    size = max(1, -(-len(paths) // _hands(len(paths))))
    own, *others = [paths[start : start + size] for start in range(0, len(paths), size)] or [paths]
    mates: list[_Mate | None] = []
    try:
        mates += (_set_to_work(share, roots) for share in others)
        for path in own:
            yield read_quickly(path, roots=roots)
        for share, mate in zip(others, mates, strict=True):
            yield from _received(mate, len(share))
    finally:
        for mate in filter(None, mates):
            mate.dismiss()


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
    if files < MANY or sys.platform != "linux" or threading.active_count() > 1:
        return 1
    return min(len(os.sched_getaffinity(0)), _MOST_PROCESSES)


@dataclass(frozen=True, slots=True)
class _Mate:
    """Another process at work, and the pipe that its share comes through."""

    pid: int
    pipe: BinaryIO

    def dismiss(self) -> None:
        """End the process, done or not."""
        self.pipe.close()
        with suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def _set_to_work(paths: Sequence[str], roots: Mapping[str, str]) -> _Mate | None:
    """Fork a process that reads files and writes what it got into a pipe; None where the machine has no room for it."""
    try:
        reading, writing = os.pipe()
    except OSError:
        return None
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)  # no signal may find the other process half made
    try:
        pid = os.fork()
        if pid == 0:
            _work(paths, roots, reading=reading, writing=writing)
    except OSError:
        os.close(reading)
        return None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(writing)
    return _Mate(pid, open(reading, "rb"))  # noqa: PTH123 - a descriptor; closed by `dismiss`


def _work(paths: Sequence[str], roots: Mapping[str, str], *, reading: int, writing: int) -> NoReturn:
    """Be the other process, which must not come back from here in any way."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that asked decides
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        os.close(reading)
        with open(writing, "wb") as stream:
            stream.write(b"[%b]" % b",".join(_sendable(read_quickly(path, roots=roots)) for path in paths))
    finally:
        os._exit(0)


def _sendable(ready: Ready | None) -> bytes:
    """Return a file's content as JSON; a spec that holds a secret's name is not plain data, and stays behind."""
    try:
        return orjson.dumps(tuple(ready) if ready else None)
    except TypeError:
        return b"null"


def _received(mate: _Mate | None, count: int) -> Iterator[Ready | None]:
    """Yield what another process read; None for each file when it came to grief."""
    try:
        found = orjson.loads(mate.pipe.read() if mate else b"")
    except (OSError, orjson.JSONDecodeError):
        found = [None] * count
    for ready in found:
        yield Ready(*ready) if ready else None
