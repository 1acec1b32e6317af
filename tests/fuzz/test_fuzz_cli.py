"""The nastiest inputs through the real program: an exit code of ours, no traceback, and memory that is bounded."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

ROOT = Path(__file__).parents[2]
MEMORY = 500 * 2**20
"""Of data that is the process's own (RLIMIT_DATA); address space that is only reserved is no memory."""
AGENT = "apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata: {name: triage}\nspec: {system_prompt: Help.}\n"
ORGANIZATION = "apiVersion: everruns.reconciler/v1\nkind: Organization\nmetadata: {name: acme}\nspec: {}\n"
LEDGER = {"format": "everruns.reconciler/ledger", "version": 1, "serial": 1, "orgs": {}, "org_ids": {}, "begun": []}
PLAN = {"format": "everruns.reconciler/plan/v1"}

MANIFESTS = {
    "nothing": b"",
    "spaces": b" \n" * 100_000,
    "nul": b"\x00" * 1_000,
    "bytes": bytes(range(256)) * 100,
    "utf-16": ("\ufeff" + AGENT).encode("utf-16"),
    "brackets": b"[" * 1_000_000,
    "braces": b"{a: " * 200_000,
    "dashes": b"- " * 500_000,
    "questions": b"? " * 300_000,
    "documents": b"---\n" * 500_000,
    "agents of one name": (AGENT + "---\n").encode() * 2_000,
    "unknown keys": AGENT.encode() + b"".join(b"k%d: 1\n" % number for number in range(20_000)),
    "wrong items": AGENT.replace("}\n", ", tags: [" + "1, " * 50_000 + "]}\n").encode(),
    "aliases": b"a: &a [x]\n" + b"".join(b"k%d: [*a, *a]\n" % n for n in range(50_000)),
    "laughs": b"a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)),
    "a long key": b"k" * 3_000_000 + b": 1\n",
    "a long text": AGENT.replace("Help.", "x" * 5_000_000).encode(),
    "a long number": AGENT.replace("Help.", "9" * 1_000_000).encode(),
    "anchors": b"".join(b"- &a%d x\n" % n for n in range(100_000)),
    "tags": b"".join(b"%%TAG !a%d! tag:x,2000:\n" % n for n in range(50_000)) + b"---\na: 1\n",
    "a quote": b'a: "' + b"\\u0000" * 100_000,
    "surrogates": b'a: "' + b"\\ud800" * 1_000 + b'"\n',
    "too large": b"#" * (17 * 2**20),
}
EMPTY = {"nothing", "spaces", "documents"}
"""What declares nothing, and is no fault beside what does."""
RULES = {
    "nul": b"\x00",
    "a list": b"- x\n" * 50_000,
    "deep": b"{a: " * 10_000,
    "bytes": b"\xff" * 1_000,
    "too large": b"#" * (17 * 2**20),
    "huge": b"removal: {floor: " + b"9" * 10_000 + b"}\n",
}
PLANS = {
    "nothing": b"",
    "nul": b"\x00" * 100,
    "deep": b'{"format":"everruns.reconciler/plan/v1","changes":' + b"[" * 1_000 + b"]" * 1_000 + b"}",
    "wrong": orjson.dumps(PLAN | {"changes": [7] * 100_000}),
    "a long format": orjson.dumps({"format": "x" * 5_000_000}),
}
LEDGERS = {
    "nothing": b"",
    "bytes": b"\xff\x00" * 1_000,
    "deep": b"[" * 100_000,
    "wrong": orjson.dumps(LEDGER | {"orgs": {"k" * 100_000: {"x": [1] * 10_000}}}),
    "a huge number": orjson.dumps(LEDGER).replace(b'"serial":1', b'"serial":' + b"9" * 5_000),
}


def _run(folder, *args):
    """Run the program as somebody would, with little memory; return its exit code and all that it printed."""

    def limited():
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))

    ran = subprocess.run(
        [sys.executable, "-m", "reconciler", *args],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder)},
        capture_output=True,
        timeout=60,
        preexec_fn=limited,
        check=False,
    )
    printed = ran.stdout + ran.stderr
    assert b"Traceback" not in printed, printed[-3_000:]
    assert b"MemoryError" not in printed
    assert b"\x00" not in printed
    return ran.returncode, printed.decode()


@pytest.fixture
def desk(tmp_path):
    """Give a folder with one sound manifest."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests/fleet.yaml").write_text(AGENT)
    (tmp_path / "manifests/organization.yaml").write_text(ORGANIZATION)
    return tmp_path


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests(desk, name):
    """A manifest is valid, or its faults are told with their file, line and column."""
    (desk / "manifests/fleet.yaml").write_bytes(MANIFESTS[name])
    code, printed = _run(desk, "validate")
    assert code == (0 if name in EMPTY else 1), printed[-500:]
    assert ("manifests/fleet.yaml:" in printed) is bool(code)


@pytest.mark.parametrize("name", RULES)
def test_rules(desk, name):
    """A reconciler.yaml that cannot be read is named, and nothing is planned by the default rules instead."""
    (desk / "manifests/reconciler.yaml").write_bytes(RULES[name])
    code, printed = _run(desk, "plan", "--local")
    assert code in (1, 64)
    assert "reconciler.yaml" in printed


@pytest.mark.parametrize("name", PLANS)
def test_plan_files(desk, name):
    """A plan file that is none is named, and nothing is written."""
    (desk / "plan.json").write_bytes(PLANS[name])
    code, printed = _run(desk, "apply", "--local", "plan.json")
    assert code == 1
    assert "plan.json" in printed
    assert len(printed) < 5_000


@pytest.mark.parametrize("name", LEDGERS)
def test_ledgers(desk, name):
    """A ledger that is none is named, with the way out, and nothing is planned without it."""
    assert _run(desk, "apply", "--local", "--auto-approve")[0] == 0
    (ledger,) = desk.rglob("*ledger*/*.json")
    ledger.write_bytes(LEDGERS[name])
    code, printed = _run(desk, "plan", "--local")
    assert code == 1
    assert ledger.name in printed
    assert "ledger rebuild" in printed
    assert len(printed) < 5_000
