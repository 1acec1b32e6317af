"""Subjects that are files of the user's: manifests, the texts beside them, and reconciler.yaml."""

import atexit
import random
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from reconciler.manifest.config import read_config
from reconciler.plan.file import Origin, dumps, loads
from reconciler.plan.owned import Ledger, Owner
from reconciler.plan.plan import OrgRef, Situation, build
from reconciler.plan.rules import Rules
from reconciler.reconcile import read_manifests
from reconciler.report import events
from reconciler.report.plan_text import plan_text
from reconciler.report.style import Style
from reconciler.resource import Desired

from .judge import Input, Subject, Wrong
from .mutate import damaged, mutated, nasty, spelled

HERE = Path(__file__).parents[2]
STYLE = Style(color=True, width=100)
_OWNER = Owner("example.com/acme/fleet", "manifests", "test")
_CONFIGS = (
    """\
ledger: {backend: git, branch: reconciler-ledger, remote: origin, lock_lasts: 1h}
environment: production
removal: {percent: 30, floor: 5, per_kind: {Agent: {percent: 10}, Memory: {floor: 1}}}
adopt: exact
max_sync_age: 7d
""",
    "ledger:\n  backend: file\n  path: .reconciler/ledger  # beside it\nadopt: never\n",
    "environment: staging\n",
)


@cache
def manifests() -> tuple[bytes, ...]:
    """Return the texts of all manifests: the example, the scenarios', and a few that are wrong already."""
    wrong = sorted((HERE / "tests/bad").rglob("*.yaml"))[::7]
    texts = [path.read_text() for path in wrong] + [*_right()]
    return tuple(re.sub("file: [^ }\n]+", "file: prompt.md", text).encode() for text in texts)


@cache
def _right() -> tuple[str, ...]:
    texts = [path.read_text() for path in sorted((HERE / "manifests").rglob("*.yaml"))]
    for path in sorted((HERE / "tests/scenarios").rglob("*.yaml")):
        scenario = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
        found = scenario.get("manifests")
        texts += [found] if isinstance(found, str) else found.values() if isinstance(found, dict) else []
    return tuple(text for text in texts if isinstance(text, str) and "$" not in text.replace("$schema", ""))


@cache
def _trees() -> tuple[Any, ...]:
    """Return the documents of every manifest that is right, their texts in the one file that is there."""
    trees = [tree for text in _right() for tree in yaml.load_all(text, Loader=yaml.CSafeLoader)]
    return tuple(_at_hand(tree) for tree in trees if isinstance(tree, dict) and "kind" in tree)


def _at_hand(tree: Any) -> Any:
    match tree:
        case {"file": str()}:
            return {"file": "prompt.md"}
        case dict():
            return {key: _at_hand(item) for key, item in tree.items()}
        case list():
            return [_at_hand(item) for item in tree]
    return tree


@cache
def folder(name: str) -> Path:
    """Return a folder of this process's own for one use, gone with it."""
    made = tempfile.mkdtemp(prefix=f"fuzz-{name}-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)


def _manifest_tree(rng: random.Random) -> Input:
    trees = [rng.choice(_trees()) for _ in range(rng.choice((1, 1, 2, 4)))]
    broken = rng.randrange(len(trees))
    texts = [spelled(mutated(tree, rng) if n == broken else tree, rng) for n, tree in enumerate(trees)]
    return _manifest(b"\n---\n".join(texts))


def _manifest_bytes(rng: random.Random) -> Input:
    return _manifest(damaged(rng.choice(manifests()), rng, others=manifests()))


def _manifest(data: bytes) -> Input:
    return Input(data, lambda: _read(data))


def _beside(rng: random.Random) -> Input:
    """Make a good manifest whose text in a file of its own is a bad one."""
    text = damaged(rng.choice(manifests()), rng)
    name = rng.choice(("prompt.md", "prompt.md", "a\u0301.md", "sub/../prompt.md", str(nasty(rng))[:300]))
    tree = {
        "apiVersion": "everruns.reconciler/v1",
        "kind": "Agent",
        "metadata": {"name": "triage"},
        "spec": {"system_prompt": {"file": name}},
    }
    manifest = spelled(tree, rng)
    return Input((manifest, text), lambda: _read(manifest, beside=text))


def _read(data: bytes, *, beside: bytes = b"Help.\n") -> None:
    """Read a manifest as every verb does; what is sound is planned, shown, saved and read back."""
    place = folder("fleet")
    (place / "fleet.yaml").write_bytes(data)
    (place / "prompt.md").write_bytes(beside)
    try:
        declared = read_manifests([str(place)])
    finally:
        (place / "fleet.yaml").unlink()
    show_plan_of(declared)


def show_plan_of(declared: list[Desired] | tuple[Desired, ...] | Any) -> None:
    """Plan against a platform that has nothing, and tell of it in every way."""
    orgs = {one.address.org: OrgRef(None, one.address.org) for one in declared}
    situation = Situation({}, orgs, id_of=lambda _address: None)
    plan = build(declared, situation, Rules(Ledger(_OWNER)))
    if isinstance(plan, list):
        return
    "\n".join(plan_text(plan, style=STYLE)).encode()
    for change in plan.changes:
        events.line(events.change(change))
    events.line(events.plan_made(plan))
    saved = dumps(plan, plan_id="a" * 32, origin=Origin("https://api.example.com", ("manifests",)))
    if loads(saved, name="plan.json").plan.digest != plan.digest:
        raise Wrong("a plan that is read back is another one")


def _config_tree(rng: random.Random) -> Input:
    tree = yaml.safe_load(rng.choice(_CONFIGS))
    return _config(spelled(mutated(tree, rng), rng))


def _config_bytes(rng: random.Random) -> Input:
    texts = [text.encode() for text in _CONFIGS]
    return _config(damaged(rng.choice(texts), rng, others=texts))


def _config(data: bytes) -> Input:
    def feed() -> None:
        path = folder("rules") / "reconciler.yaml"
        path.write_bytes(data)
        try:
            read_config([str(folder("rules"))])
        finally:
            path.unlink()

    return Input(data, feed, placed=lambda error: "reconciler.yaml" in error.message or hasattr(error, "faults"))


FILES = (
    Subject("manifest, tree", 22, _manifest_tree),
    Subject("manifest, bytes", 20, _manifest_bytes),
    Subject("text beside a manifest", 3, _beside),
    Subject("reconciler.yaml, tree", 5, _config_tree),
    Subject("reconciler.yaml, bytes", 3, _config_bytes),
)
