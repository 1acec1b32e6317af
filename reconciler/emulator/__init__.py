"""A stand-in for the Everruns HTTP API over SQLite; it shares no code with the rest of the package."""

from reconciler.emulator.app import create_app
from reconciler.emulator.git_addresses import AddressError
from reconciler.emulator.limits import LimitError
from reconciler.emulator.server import HostError, serve

__all__ = ["AddressError", "HostError", "LimitError", "create_app", "serve"]
