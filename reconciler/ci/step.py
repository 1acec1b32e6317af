"""What a step tells its job: outputs, the summary, annotations; GitHub's files and workflow commands.

docs.github.com/actions, "Workflow commands": at most 10 annotations of a type and step are shown.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from reconciler.errors import LocatedFault, OutputError

Level = Literal["error", "warning", "notice"]
_LEVELS: Mapping[Level, int] = {"error": 0, "warning": 1, "notice": 2}
_MOST = 10
_MOST_TEXT = 4_000
_IN_CLEAR = "a secret "


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark on a line of a file, or on the whole job; of several of a level the least `rank` matters most."""

    level: Level
    title: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    rank: int = 1


def fault_annotations(faults: Iterable[LocatedFault]) -> Iterator[Annotation]:
    """Yield faults as annotations; a secret that stands in clear matters most."""
    for fault in faults:
        text = f"{fault.message}\n{fault.hint}" if fault.hint else fault.message
        rank = 0 if fault.message.startswith(_IN_CLEAR) else 1
        yield Annotation("error", "Manifest", text, fault.path, fault.line, fault.column, rank)


def commands(annotations: Iterable[Annotation], *, top: Path) -> Iterator[str]:
    """Yield the workflow commands of annotations, worst first; of more than fit, the last says how many are left.

    Files are told from the `top` of the checkout, as GitHub knows them.
    """
    ordered = sorted(annotations, key=lambda one: (_LEVELS[one.level], one.rank))
    for level, group in groupby(ordered, key=lambda one: one.level):
        found = list(group)
        shown = found if len(found) <= _MOST else found[: _MOST - 1]
        yield from (_command(one, top) for one in shown)
        if left := len(found) - len(shown):
            yield _command(Annotation(level, "And more", f"and {left} more: see the summary of this job"), top)


def _command(one: Annotation, top: Path) -> str:
    properties = {"title": one.title}
    if one.file:
        path = os.path.relpath(one.file, top)
        properties |= {"file": path, "line": str(one.line or 1)} | ({"col": str(one.column)} if one.column else {})
    told = ",".join(f"{name}={_property(text)}" for name, text in properties.items())
    return f"::{one.level} {told}::{_message(one.message[:_MOST_TEXT])}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def write_outputs(file: Path | None, values: Mapping[str, str]) -> None:
    """Append outputs of the step, each between delimiters that nobody can guess. Raises OutputError."""
    if file is None:
        return
    end = f"end-{secrets.token_hex(16)}"
    _append(file, "".join(f"{name}<<{end}\n{value}\n{end}\n" for name, value in values.items()))


def write_summary(file: Path | None, text: str) -> None:
    """Append Markdown to the summary of the step. Raises OutputError."""
    if file is not None:
        _append(file, text)


def _append(file: Path, text: str) -> None:
    try:
        with file.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise OutputError(f"cannot write {file}: {error.strerror}", hint="GitHub names this file") from error


def lines_quiet(token: str) -> Sequence[str]:
    """Return the commands around text of others, so that no line of it is taken for a command."""
    return (f"::stop-commands::{token}", f"::{token}::")
