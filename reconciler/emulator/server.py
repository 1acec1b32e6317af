"""Serving in the foreground: from the switches to a port, until SIGTERM or SIGINT."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import IO, Any

from reconciler.emulator.access_log import AccessLog
from reconciler.emulator.app import create_app

SYNC_POLL = 60.0


def serve(
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    access_log: str | None = None,
    sync_poll: float = SYNC_POLL,
    on_ready: Callable[[str], None] | None = None,
    **options: Any,
) -> None:
    """Serve until a signal comes; port 0 takes any free one and `on_ready` is told the base URL.

    `access_log` is a file to append to, or `-` for standard output; memories are synced every `sync_poll` seconds, 0
    never. All other options are those of `create_app`.
    """
    from reconciler.emulator.sockets import Listener  # noqa: PLC0415 - waitress is only needed here

    app = create_app(sync_poll=sync_poll, **options)
    with contextlib.closing(app), _opened(access_log) as stream:
        listener = Listener(AccessLog(app, stream) if stream else app, host=host, port=port)
        with _stopped_by_signals(listener.stop):
            if on_ready:
                on_ready(listener.url)
            listener.run()


@contextlib.contextmanager
def _opened(target: str | None) -> Iterator[IO[str] | None]:
    """Open the access log."""
    if target is None or target == "-":
        yield sys.stdout if target else None
        return
    with open(target, "a", encoding="utf-8") as stream:  # noqa: PTH123 - a path or a device, as it was given
        yield stream


@contextlib.contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first SIGTERM or SIGINT stop the server, and a second one end the process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(_number: int, _frame: Any) -> None:
        restore()
        stop()

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        restore()
