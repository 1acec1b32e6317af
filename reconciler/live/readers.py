"""Who carries out reads: threads that can be left at any moment, or the calling thread itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any


@contextmanager
def readers(count: int) -> Iterator[Executor]:
    """Give so many threads to read with; when an error or an interrupt leaves, nobody waits for what is in flight."""
    pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="read")
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _Serial(Executor):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - an executor hands every error to whoever asks for the result
            future.set_exception(error)
        return future


SERIAL = _Serial()
"""Runs each task at once in the calling thread, for reads made from inside a worker."""
