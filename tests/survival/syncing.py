"""The platform's worker that fetches the files of memories, at once: before any memory is read, nothing waits."""

from typing import Any

from reconciler.emulator import sync_claims
from reconciler.emulator.file_tree import NewFile

FILES = [NewFile("/README.md", b"Fetched.\n")]


class Synced:
    """A WSGI application before the emulator; every repository holds one file."""

    def __init__(self, emulator: Any) -> None:
        self.emulator = emulator
        sync_claims.prepare(emulator.store)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Pass a request on."""
        if environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].startswith("/v1/memories"):
            fetch(self.emulator)
        return self.emulator(environ, start_response)


def fetch(emulator: Any) -> None:
    """Fetch whatever waits."""
    store = emulator.store
    with store.transaction():
        while claim := sync_claims.claim(store):
            assert sync_claims.complete(store, claim, FILES, spelling="synced")
