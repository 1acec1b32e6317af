"""The Python that `actions/setup-python` gives in these tests: `-m venv FOLDER` makes a real one, with a pip of ours.

Not real: pip (see `pip_stand_in.py`), as there is no network; and the version, which is that of the tests.
"""

import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]


def python_of(folder: Path) -> Path:
    """Write the program that a job is told of as its Python."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def make(folder: Path) -> None:
    """Make a virtual environment; what it will link are this repository and the packages beside pytest."""
    venv.create(folder, symlinks=True, with_pip=False)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    place = folder / "lib" / version / "site-packages" / "pip"
    place.mkdir()
    (place / "__main__.py").write_text((HERE / "pip_stand_in.py").read_text(encoding="utf-8"), encoding="utf-8")
    packages = [path for path in sys.path if path.endswith("site-packages")]
    (place / "linked.txt").write_text("\n".join([str(REPOSITORY), *packages]), encoding="utf-8")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["-m", "venv", where]:
            make(Path(where))
        case other:
            sys.exit(f"this Python makes virtual environments, and was asked for {other}")
