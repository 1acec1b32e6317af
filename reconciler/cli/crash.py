"""The ways around `main.py` by which Python prints a traceback, all closed: its messages and lines may hold values."""

from __future__ import annotations

import faulthandler
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

from reconciler.defect import defect_of


def end_tracebacks(argv: Sequence[str]) -> None:
    """Have what escapes from a thread, or from a destructor, told as a defect; dumps of the interpreter are off."""
    if faulthandler.is_enabled():
        faulthandler.disable()

    def tell(error: BaseException | None) -> None:
        if error is None or isinstance(error, SystemExit):
            return
        from reconciler.cli.console import Console

        with suppress(OSError, ValueError):
            Console.for_errors(argv).aside(defect_of(error))

    threading.excepthook = lambda told: tell(told.exc_value)
    sys.unraisablehook = lambda told: tell(told.exc_value)
    sys.excepthook = lambda _type, error, _trace: tell(error)


def log_without_values() -> None:
    """Have the logs of the emulator in this process say where something failed, not with which values."""
    import logging

    class Placed(logging.Formatter):
        """Formats an exception as a defect."""

        def formatException(self, ei: object) -> str:  # noqa: N802 - logging's own name
            """Return the place of an exception."""
            error = ei[1] if isinstance(ei, tuple) else None
            return defect_of(error).message if isinstance(error, BaseException) else ""

    logger = logging.getLogger("reconciler.emulator")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(Placed())
        logger.addHandler(handler)
        logger.propagate = False
