"""httpx without its own command line, whose rich, pygments and click cost a third of the import."""

from __future__ import annotations

import sys
from types import ModuleType

if "httpx" not in sys.modules:
    _stand_in = ModuleType("httpx._main")
    vars(_stand_in)["main"] = lambda: None
    sys.modules.setdefault("httpx._main", _stand_in)

import httpx

__all__ = ["httpx"]
