"""A new kind is one file and one entry: shown in a copy of the package, with a kind that nobody ever heard of.

The platform has no toys, so that the copy's emulator gets a row as well: identities under another path.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
TOY = '''"""Toy: a thing to play with, as no platform has it."""

from __future__ import annotations

from typing import Annotated

from reconciler.kinds.canonical import picked
from reconciler.kinds.fields import Spec, optional
from reconciler.kinds.markers import Clear
from reconciler.kinds.kind import Kind, Twin, Wire


class ToySpec(Spec):
    """What a manifest may say of a toy."""

    name: str = optional("Display name; the address without it.", example="Teddy bear", min_length=1)
    description: Annotated[str | None, Clear.NULL] = optional("What it is, for people.", example="Soft and brown")
    locale: Annotated[str | None, Clear.NULL] = optional("The language it speaks.", example="de-DE", others=["en"])


TOY = Kind(
    name="Toy",
    plural="toys",
    spec=ToySpec,
    name_field="name",
    twin=Twin.REACTIVATE,
    wire=Wire(
        collection="/v1/toys",
        query={"include_archived": "true"},
        from_wire=lambda wire: picked(wire, "name", "description", "locale"),
        revival={"status": "active"},
    ),
)
'''
MANIFEST = """\
apiVersion: everruns.reconciler/v1
kind: Organization
metadata: {name: nursery}
---
apiVersion: everruns.reconciler/v1
kind: Toy
metadata: {name: bear}
spec: {description: Soft and brown, locale: de-DE}
"""


@dataclass(frozen=True)
class Copy:
    """A copy of the package that knows toys, and a folder to run it in."""

    folder: Path

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a module of the copy."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONPATH": str(self.folder)}
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def run(self, *arguments: str) -> str:
        """Run a verb that must succeed, and give what it says."""
        done = self.python("reconciler", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def declare(self, text: str) -> None:
        """Write the one manifest."""
        (self.folder / "manifests").mkdir(exist_ok=True)
        (self.folder / "manifests/toys.yaml").write_text(text)


def changed(path: Path, *changes: tuple[str, str]) -> None:
    """Change a file of the copy, each text where it stands exactly once."""
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text)


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """Give a copy with one more file and one more entry, and a row in its emulator."""
    folder = tmp_path_factory.mktemp("toys")
    shutil.copytree(TOP / "reconciler", folder / "reconciler", ignore=shutil.ignore_patterns("__pycache__"))
    kinds, emulator = folder / "reconciler/kinds", folder / "reconciler/emulator"
    (kinds / "toy.py").write_text(TOY)
    changed(
        kinds / "__init__.py",
        ("    MODEL,\n    MCP_SERVER,", "    MODEL,\n    TOY,\n    MCP_SERVER,"),
        ("\n\nKINDS", "\nfrom reconciler.kinds.toy import TOY\n\nKINDS"),
    )
    row = (emulator / "identities.py").read_text().replace("agent-identities", "toys")
    (emulator / "toys.py").write_text(row.replace('COLLECTION = "identities"', 'COLLECTION = "toys"'))
    changed(
        emulator / "routes.py",
        ("    sessions,\n    unserved,\n)\nfrom", "    sessions,\n    toys,\n    unserved,\n)\nfrom"),
        ("    chat_sessions,\n    unserved,\n)", "    chat_sessions,\n    toys,\n    unserved,\n)"),
    )
    return Copy(folder)


def test_a_kind_is_one_file_and_one_entry(copied):
    """It is validated, planned, applied, proved, told of, and part of the schema, with no other line changed."""
    copied.declare(MANIFEST)
    assert copied.run("validate") == "Valid: 2 resources (1 organization, 1 toy).\n"
    assert "+ Toy/bear" in copied.run("plan", "--local")
    copied.run("apply", "--local", "--auto-approve")
    assert "No changes." in copied.run("plan", "--local", "--detailed-exitcode")
    copied.declare(MANIFEST.replace("locale: de-DE", "locale: null"))
    assert "~ Toy/bear" in copied.run("plan", "--local")
    copied.run("apply", "--local", "--auto-approve")
    assert "locale" in copied.run("kinds", "Toy")
    copied.run("schema", "--out", "schemas")
    assert (
        "Toy" in json.loads((copied.folder / "schemas/manifest.schema.json").read_text())["properties"]["kind"]["enum"]
    )
    copied.declare(MANIFEST.replace("spec: {", "spec: {colour: red, "))
    wrong = copied.python("reconciler", "validate")
    assert "toys.yaml:8:8: unknown key colour" in wrong.stderr


def test_a_kind_gets_its_tests_for_free(copied):
    """Everything that is generated from the declarations is generated for it as well, and holds."""
    shutil.copytree(TOP / "tests", copied.folder / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOP / "pyproject.toml", copied.folder)
    absent = ", ".join(f'("{method}", "/v1/toys{below}"): "there are no toys"' for method, below in ROUTES)
    changed(copied.folder / "tests/openapi/contract.py", ("ABSENT = {\n", f"ABSENT = {{{absent},\n"))
    ran = copied.python("pytest", "-q", "-p", "no:cacheprovider", "-k", "Toy", "tests/kinds/test_every_kind.py")
    assert ran.returncode == 0, ran.stdout
    passed = int(ran.stdout.rpartition(" passed")[0].split()[-1].rpartition("\n")[2])
    assert passed >= 15


ROUTES = [("get", ""), ("post", ""), ("get", "/{}"), ("patch", "/{}"), ("delete", "/{}")]
