"""`python -m reconciler`, and the console script."""

from __future__ import annotations

import gc
import os
import sys
from io import TextIOWrapper


def run() -> None:
    """Run the command line and exit with its code.

    The process ends at once: taking a hundred thousand objects apart first would be a tenth of a large run.
    """
    gc.set_threshold(100_000)  # or it walks again and again what imports build, of which nothing is garbage
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # to look for them costs as much as all our kinds
    from reconciler.cli.main import main

    for stream in (sys.stdout, sys.stderr):  # a character that the locale does not know is spelled out, not an error
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = main(sys.argv[1:])
    if sys.gettrace() is not None:  # a tracer, such as coverage, writes its file on the way out
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # a result that nobody got is none; an aside that nobody heard is no matter
            code = code or (1 if stream is sys.stdout else 0)
    os._exit(code)


if __name__ == "__main__":
    run()
