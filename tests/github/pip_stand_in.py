"""What stands for pip in a job of these tests: nothing is downloaded or built, what is there already is linked.

It takes the command of the action and nothing else, and insists on what pip would insist on: the constraints can be
read and allow every version that they name once, the source is a project, and has the extra that is asked for. Then the
packages of the tests' own environment are made visible, and the project's program is written, as pip writes it.
"""

import argparse
import sys
import sysconfig
import tomllib
from pathlib import Path


def main() -> None:
    """Install one project, named as `FOLDER[extra]`."""
    given = argparse.ArgumentParser(prog="pip install")
    given.add_argument("command", choices=["install"])
    given.add_argument("--quiet", action="store_true", required=True)
    given.add_argument("--disable-pip-version-check", action="store_true")
    given.add_argument("--constraint", type=Path, required=True)
    given.add_argument("project")
    asked = given.parse_args()
    lines = [line for line in asked.constraint.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    if not lines or any(line.count("==") != 1 for line in lines):
        sys.exit(f"{asked.constraint}: not a list of versions")
    source, _, extra = asked.project.rstrip("]").partition("[")
    project = tomllib.loads((Path(source) / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if extra and extra not in project["optional-dependencies"]:
        sys.exit(f"{source} has no extra {extra}")
    site, beside = Path(sysconfig.get_path("purelib")), Path(__file__).with_name("linked.txt")
    (site / "linked.pth").write_text(beside.read_text(encoding="utf-8"), encoding="utf-8")
    for name, target in project["scripts"].items():
        module, _, function = target.partition(":")
        program = Path(sysconfig.get_path("scripts")) / name
        program.write_text(f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n")
        program.chmod(0o755)


if __name__ == "__main__":
    main()
