"""Keys that the platform shows once: on their way from the answer to where they belong, and nowhere else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import assert_never

from reconciler.errors import KeyUndelivered
from reconciler.kinds.fields import VARIABLE
from reconciler.kinds.key_to import Command, EnvFile, KeyTo, told
from reconciler.kinds.taint import Tainted, opened
from reconciler.resource import Address

PATIENCE = 60.0
"""So many seconds a command may take."""
_LONGEST = 4096
_LINE = re.compile(rf"\s*(?:#.*|(?:export\s+)?{VARIABLE[1:-1]}\s*=.*)?")
_writing = threading.Lock()


def ensure_deliverable(wanted: Iterable[tuple[KeyTo, Address]]) -> None:
    """Check that every key will have somewhere to go, before the first write. Raises KeyUndelivered."""
    for key_to, address in wanted:
        why = _obstacle(key_to)
        if why:
            raise KeyUndelivered(
                f"the key of {address} could not go to {told(key_to)}: {why}",
                hint="nothing was written; mend that, or change key_to of the channel",
            )


def deliver(key: object, key_to: KeyTo, address: Address) -> None:
    """Hand a key over as its answer brought it. Raises KeyUndelivered: the key is lost then, another can be made."""
    why = _handed_over(key, key_to, address) if isinstance(key, Tainted) else "the answer holds no key"
    if why:
        raise KeyUndelivered(
            f"{address}: the platform made its key, which could not be handed to {told(key_to)} and is lost: {why}",
            hint=f"mend that; reconciler apply --rotate '{address}' makes another key and hands it over",
        )


def _obstacle(key_to: KeyTo) -> str | None:
    match key_to:
        case EnvFile(path):
            return _unwritable(Path(path))
        case Command(argv):
            return None if shutil.which(argv[0]) else f"there is no program {argv[0]}"
        case _:
            assert_never(key_to)


def _unwritable(path: Path) -> str | None:
    """Say why a file cannot be replaced by one with another line, None when it can."""
    folder = next(one for one in path.absolute().parents if one.exists())  # those below it are made
    if not folder.is_dir():
        return f"{folder} is no folder"
    if ".git" in {part.casefold() for part in folder.resolve().parts}:
        return "it leads into git's own folder"
    if path.is_symlink():
        return "it is a link, and a plain file would take its place: name the file that it leads to"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {folder} cannot be written to"
    try:
        _lines(path)
    except (OSError, ValueError) as error:
        return _reason(error)
    return None


def _handed_over(key: Tainted, key_to: KeyTo, address: Address) -> str | None:
    """Hand a key over; return why that was not possible."""
    value = opened(key)
    if not value.isascii() or not value.isprintable() or " " in value or not 0 < len(value) <= _LONGEST:
        return "it has a form that no key has"
    try:
        match key_to:
            case EnvFile(path, variable):
                with _writing:
                    _write(Path(path), variable, value)
            case Command(argv):
                return _told_to(argv, value, address)
            case _:
                assert_never(key_to)
    except (OSError, ValueError) as error:
        return _reason(error)
    return None


def _lines(path: Path) -> list[str]:
    """Return the lines of a file of variables, none for a file that is not there. Raises OSError and ValueError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    lines = text.split("\n")
    odd = next((number for number, line in enumerate(lines, 1) if not _LINE.fullmatch(line)), None)
    if odd is not None:
        raise ValueError(f"line {odd} of it is not NAME=value, so it is no file of variables")
    return lines[:-1] if lines[-1] == "" else lines


def _write(path: Path, variable: str, value: str) -> None:
    """Replace a file by one of its owner alone (0600) in which the variable has the value, all at once."""
    own = re.compile(rf"\s*(?:export\s+)?{variable}\s*=.*")
    lines, said = _lines(path), f"{variable}={value}"
    place = next((number for number, line in enumerate(lines) if own.fullmatch(line)), None)
    kept = [line for line in lines if not own.fullmatch(line)]
    kept.insert(len(kept) if place is None else place, said)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write("\n".join([*kept, ""]))
            stream.flush()
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _told_to(argv: tuple[str, ...], value: str, address: Address) -> str | None:
    """Run a command with the value on its standard input; whatever it prints may hold it, so nobody hears of that."""
    env = {name: one for name, one in os.environ.items() if name != "EVERRUNS_API_KEY"}
    try:
        done = subprocess.run(  # noqa: S603 - what the manifest says, without a shell
            argv,
            input=value.encode("ascii"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
            env=env | {"RECONCILER_ADDRESS": str(address)},
        )
    except subprocess.TimeoutExpired:
        return f"the command did not end within {PATIENCE:.0f} s"
    return f"the command ended with exit code {done.returncode}" if done.returncode else None


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    return (error.strerror or "it cannot be written") if isinstance(error, OSError) else str(error)
