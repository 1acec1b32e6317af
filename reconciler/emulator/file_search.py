"""Searching the files of a memory; RE2 stands in for the server's expressions, so that no pattern takes long."""

from typing import Any

from reconciler.emulator import file_tree, path_patterns
from reconciler.emulator.file_tree import Entry
from reconciler.emulator.path_patterns import PatternError
from reconciler.emulator.problems import ProblemError, unfilled
from reconciler.emulator.store import Store

MOST_BYTES = 1024 * 1024
# It bounds the length of a compiled pattern, and with it the time that each byte takes.
MOST_MEMORY = 1024 * 1024


def matching(store: Store, memory: str, pattern: str, path_pattern: str | None) -> list[Entry]:
    """Find the text files of one MiB at most whose content matches, by path."""
    wanted = _compiled(pattern)
    try:
        fits = path_patterns.matcher(path_pattern or "")
    except PatternError as error:
        raise _refused(f"path_pattern: {error}") from error
    candidates = (entry for entry in file_tree.files(store, memory, most=MOST_BYTES) if fits(entry.path))
    return [entry for entry in candidates if _is_found(wanted, file_tree.content(store, memory, entry.path))]


def _is_found(wanted: Any, data: bytes) -> bool:
    """Tell whether a content is text and matches."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return wanted.search(data) is not None


def _compiled(pattern: str) -> Any:
    """Read a regular expression; an empty one is none."""
    try:
        import re2  # noqa: PLC0415 - the extra is optional, and only a search pays for it
    except ImportError:
        raise unfilled(501, "searching needs the extra `search` of everruns-reconciler here") from None
    if not pattern:
        raise _refused("empty pattern")
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = MOST_MEMORY
    try:
        return re2.compile(pattern, options)
    except UnicodeEncodeError as error:
        raise _refused(f"pattern: {error}") from error
    except re2.error as error:
        raise _refused(f"pattern: {error.args[0].decode(errors='replace')}") from error


def _refused(fault: str) -> ProblemError:
    """Refuse a pattern with 400."""
    return unfilled(400, f"invalid pattern: {fault}")
