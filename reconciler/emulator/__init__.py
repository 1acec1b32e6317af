"""A stand-in for the Everruns HTTP API over SQLite; it shares no code with the rest of the package."""

from reconciler.emulator.app import create_app
from reconciler.emulator.git_addresses import AddressError
from reconciler.emulator.server import serve

__all__ = ["AddressError", "create_app", "serve"]
