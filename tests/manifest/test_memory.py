"""Holding on to memory is asked of glibc alone, and never in the way of a run."""

import ctypes
from types import SimpleNamespace

from reconciler.manifest import memory


def test_glibc_is_asked(monkeypatch):
    """Threads share one place, and what is freed is kept."""
    asked = {}
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace(mallopt=asked.__setitem__))
    memory.hold_on()
    assert asked == {-8: 1, -3: 32 * 2**20, -1: 2**31 - 1}


def test_another_library_is_left_alone(monkeypatch):
    """Where there is no such call, or no library to be found, nothing happens."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace())
    memory.hold_on()

    def missing(_name):
        raise OSError("no such library")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    memory.hold_on()
