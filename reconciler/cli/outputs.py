"""The formats that a run was asked for: which goes to standard output, and which into which file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, get_args

from reconciler.errors import UsageError
from reconciler.report.render import Format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.errors import Exit
    from reconciler.plan.plan import Plan
    from reconciler.report.subject import About
    from reconciler.settings import Settings

KNOWN: tuple[Format, ...] = get_args(Format)


class Into(NamedTuple):
    """A format and the file it goes into."""

    form: Format
    file: str


class Outputs(NamedTuple):
    """What goes to standard output, and what into files."""

    stdout: Format = "text"
    files: tuple[Into, ...] = ()


NOTHING_ELSE = Outputs()
"""Text alone, as it was always."""


def outputs(given: Sequence[str], *, as_json: bool) -> Outputs:
    """Read `--format` as often as it was given, `-` being standard output.

    Raises UsageError for what cannot be done, before anything is.
    """
    loose: list[Format] = []
    files: list[Into] = []
    for one in given:
        name, equals, file = one.partition("=")
        form = next((known for known in KNOWN if known == name), None)
        if form is None:
            raise UsageError(f"--format {one}: no such format", hint=f"known: {', '.join(KNOWN)}")
        if equals and file != "-":
            files.append(Into(form, place_of(f"--format {one}", file)))
        else:
            loose.append(form)
    if as_json and loose:
        raise UsageError(
            f"--format {loose[0]}: --json has standard output for its events",
            hint=f"give it a file: --format {loose[0]}=FILE",
        )
    if len(loose) > 1:
        raise UsageError(
            f"--format {loose[0]} and {loose[1]} would both go to standard output",
            hint=f"give one of them a file: --format {loose[1]}=FILE",
        )
    ensure_apart((f"--format {one.form}", one.file) for one in files)
    return Outputs(loose[0] if loose else "text", tuple(files))


def place_of(flag: str, file: str) -> str:
    """Check that a file can be written where a flag wants it, and return its name. Raises UsageError."""
    path = Path(file)
    if not file or path.is_symlink() or (path.exists() and not path.is_file()):
        raise UsageError(f"{flag}: not a place for a file", hint="name a file, as plan.md")
    if not path.parent.is_dir():
        raise UsageError(f"{flag}: there is no folder {path.parent}", hint=f"mkdir -p {path.parent}")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"{flag}: the folder {path.parent} cannot be written", hint="choose another one")
    return file


def ensure_apart(files: Iterable[tuple[str, str]]) -> None:
    """Check that no two flags, given with their files, write into the same one. Raises UsageError."""
    seen: set[Path] = set()
    for flag, file in files:
        path = Path(file).resolve()
        if path in seen:
            raise UsageError(f"{flag}={file}: another format goes into this file", hint="name two")
        seen.add(path)


def facts_of(settings: Settings, *, plan: Plan | None = None, commit: str | None = None) -> dict[str, str]:
    """Return what a run was made from, by name; the commit is that of the manifests where none is given."""
    from reconciler.manifest.commit import stand_of

    commit = commit or stand_of(settings.manifests)
    facts = {
        "Platform": "the embedded emulator" if settings.local else settings.api_url,
        "Manifests": ", ".join(settings.manifests),
        "Commit": commit or "",
        "Ledger": str(plan.owner) if plan and plan.owner else "",
        "Digest": plan.digest if plan else "",
    }
    return {name: text for name, text in facts.items() if text}


def written(
    files: Sequence[Into], abouts: Sequence[About], *, verb: str, exit_codes: Sequence[Exit]
) -> Iterator[tuple[Into, OSError | None]]:
    """Write each file, whole or not at all; yield it with why it could not be written, None where it was."""
    from reconciler.report.render import render

    for one in files:
        text = render(abouts, one.form, verb=verb, exit_codes=exit_codes)
        temporary = Path(f"{one.file}.{os.getpid()}.part")
        try:
            temporary.write_text(text, encoding="utf-8", newline="\n")
            temporary.replace(one.file)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            yield one, error
        else:
            yield one, None
