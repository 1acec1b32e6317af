"""The stand-in on a port: a threaded server that stops cleanly on SIGTERM and SIGINT."""

import signal
import threading
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.emulator.app import create_app

THREADS = 16
SYNC_POLL = 60.0


def serve(  # noqa: PLR0913 - the switches of the stand-in, all by keyword
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    data: str | None = None,
    profile: str = "seeds",
    tokens: Mapping[str, str] | None = None,
    limits: Mapping[str, int | None] | None = None,
    default_org: bool = False,
    git_base: str | None = None,
    sync_poll: float = SYNC_POLL,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until a signal comes; port 0 takes any free one and `on_ready` is told the base URL.

    Memories are synced every `sync_poll` seconds, 0 never; `git_base` is where the mirrors of their repositories lie.
    """
    from waitress.server import create_server  # type: ignore[import-untyped]  # noqa: PLC0415 - only here

    app = create_app(
        data=data,
        profile=profile,
        tokens=tokens,
        limits=limits,
        default_org=default_org,
        git_base=git_base,
    )
    server = create_server(app, host=host, port=port, threads=THREADS, ident=None)
    if sync_poll:
        app.sync.start(poll=sync_poll)
    restore = _stop_on_signals()
    try:
        if on_ready:
            on_ready(f"http://{host}:{server.effective_port}")
        server.run()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()
        app.close()
        restore()


def _stop_on_signals() -> Callable[[], None]:
    """Make SIGTERM and SIGINT end the server's loop; gives what puts the old handlers back."""
    if threading.current_thread() is not threading.main_thread():
        return lambda: None

    def stop(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore
