"""Searching the files of a memory; Python's regular expressions stand in for the server's."""

import re

from reconciler.emulator import file_tree, path_patterns
from reconciler.emulator.file_tree import Entry
from reconciler.emulator.path_patterns import PatternError
from reconciler.emulator.problems import ProblemError, unfilled
from reconciler.emulator.store import Store

MOST_BYTES = 1024 * 1024


def matching(store: Store, memory: str, pattern: str, path_pattern: str | None) -> list[Entry]:
    """Find the text files of one MiB at most whose content matches, by path."""
    wanted = _compiled(pattern)
    try:
        fits = path_patterns.matcher(path_pattern or "")
    except PatternError as error:
        raise _refused(f"path_pattern: {error}") from error
    candidates = (entry for entry in file_tree.files(store, memory, most=MOST_BYTES) if fits(entry.path))
    return [entry for entry in candidates if _is_found(wanted, file_tree.content(store, memory, entry.path))]


def _is_found(wanted: re.Pattern[str], data: bytes) -> bool:
    """Tell whether a content is text and matches."""
    try:
        return wanted.search(data.decode()) is not None
    except UnicodeDecodeError:
        return False


def _compiled(pattern: str) -> re.Pattern[str]:
    """Read a regular expression; an empty one is none."""
    if not pattern:
        raise _refused("empty pattern")
    try:
        return re.compile(pattern)
    except (re.error, FutureWarning, OverflowError, RecursionError) as error:
        raise _refused(f"pattern: {error}") from error


def _refused(fault: str) -> ProblemError:
    """Refuse a pattern with 400."""
    return unfilled(400, f"invalid pattern: {fault}")
