"""The fuzzer can fail: with a guard taken away it finds the way in, and says which seed leads there."""

import random
import time

import orjson
import pytest

from reconciler.errors import PlanFileError
from reconciler.live import shapes
from reconciler.plan import file_shape

from .judge import Input, Subject, judge, judged
from .mutate import damaged, mutated, spelled
from .subjects import SUBJECTS

NAMED = {subject.name: subject for subject in SUBJECTS}
SOME = range(400)


def _nothing(*_args, **_options):
    """Stand in for a guard."""


def test_a_plan_file_that_nobody_looks_at_is_reported(monkeypatch):
    """Without the look at every member, a right checksum is enough for a crash."""
    monkeypatch.setattr(file_shape, "ensure_shape", _nothing)
    assert judged(NAMED["plan file, tree"], SOME).defects


def test_answers_that_nobody_looks_at_are_reported(monkeypatch):
    """Without the look at the members of live objects, a list is enough for a crash."""
    monkeypatch.setattr(shapes, "_are_objects", lambda *_args: True)
    defects = judged(NAMED["list, tree"], SOME).defects
    assert defects
    assert defects[0].startswith("list, tree, seed ")


def test_a_manifest_that_nobody_decodes_is_reported(monkeypatch):
    """Without the care for bytes that are no text, a manifest is enough for a crash."""

    def careless(data, *, name, folder, loaded):
        raise UnicodeDecodeError("utf-8", data, 0, 1, "as if nobody caught it")

    monkeypatch.setattr("reconciler.manifest.load._read_text", careless)
    assert judged(NAMED["manifest, bytes"], range(40)).defects


def _subject(feed, **options):
    return Subject("made up", 1, lambda _rng: Input("shown", feed, **options))


def _busy():
    until = time.process_time() + 60
    while time.process_time() < until:
        pass


def _unplaced():
    raise PlanFileError("somewhere")


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        (_subject(lambda: 1 / 0), "ZeroDivisionError"),
        (_subject(_busy), "longer than 2.0 s"),
        (_subject(_unplaced, placed=lambda error: "plan.json" in error.message), "no place"),
        (_subject(lambda: (_ for _ in ()).throw(PlanFileError("x" * 50_000))), "a message of 50000 characters"),
    ],
    ids=["crash", "hang", "place", "message"],
)
def test_what_counts_as_a_defect(subject, why):
    """A crash, a hang, an error without its place and a message that nobody reads are told with their seed."""
    verdict = judge(subject, 7)
    assert verdict.outcome == "defect"
    assert verdict.why.startswith("made up, seed 7: 'shown'")
    assert why in verdict.why


def test_hunger_is_a_defect(monkeypatch):
    """What makes the process larger by more than 500 MB is told; to make it so large would blind later tests."""
    monkeypatch.setattr("tests.fuzz.judge._megabytes", iter((100, 700)).__next__)
    assert "took 600 MB" in judge(_subject(_nothing), 7).why


@pytest.mark.parametrize("seed", range(60))
def test_a_seed_makes_the_same_input_every_time(seed):
    """What is reported can be repeated, and what it was made from stays as it was."""
    tree = {"a": [1, {"b": "text"}], "c": None}
    before = orjson.dumps(tree)
    first, second = (spelled(mutated(tree, rng), rng) for rng in (random.Random(seed), random.Random(seed)))
    assert first == second
    assert damaged(before, random.Random(seed)) == damaged(before, random.Random(seed))
    assert orjson.dumps(tree) == before
