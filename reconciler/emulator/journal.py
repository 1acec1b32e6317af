"""The last requests that came in: what was sent, what was answered, which faults happened."""

import threading
from collections import deque
from collections.abc import Iterable
from typing import Any

MOST = 1000


class Journal:
    """Keeps the last thousand requests, without headers and bodies."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[tuple[str, str, int | None, tuple[str, ...]]] = deque(maxlen=MOST)
        self._total = 0

    def add(self, method: str, path: str, status: int | None, faults: Iterable[str] = ()) -> None:
        """Note a request; one whose connection was cut has no status."""
        with self._lock:
            self._total += 1
            self._entries.append((method, path, status, tuple(faults)))

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._total = 0
            self._entries.clear()

    def describe(self) -> dict[str, Any]:
        """List them, oldest first, with how many there were in all."""
        with self._lock:
            entries = list(self._entries)
            total = self._total
        names = ("method", "path", "status", "faults")
        return {"total": total, "requests": [dict(zip(names, entry, strict=True)) for entry in entries]}
