"""Subjects that the tool wrote itself: plan files, ledgers and their locks.

A journal of runs belongs here too, as soon as there is one: `Subject("journal, tree", ...)`, lines cut and mixed.
"""

import random
from functools import cache
from typing import Any

import orjson

from reconciler.errors import LedgerDamaged, PlanFileError, ReconcilerError
from reconciler.ledger import lock as locks
from reconciler.ledger.codec import dumps as ledger_text
from reconciler.ledger.codec import loads as ledger_of
from reconciler.ledger.lock import lock_of
from reconciler.plan.digest import digest
from reconciler.plan.file import Origin, dumps, loads
from reconciler.report import events
from reconciler.report.outcome_text import applied_text
from reconciler.report.plan_text import plan_text

from . import stage
from .files import STYLE
from .judge import Input, Subject, Wrong
from .mutate import damaged, mutated, spelled
from .stage import Liar, sane, site, still_time


@cache
def _plan_text() -> bytes:
    origin = Origin(stage.LOCAL_URL, ("manifests",), "c" * 40, "commit c")
    return dumps(sane().plan, plan_id="a" * 32, origin=origin)


@cache
def _ledger_text() -> bytes:
    return next(site().ledger.glob("*.json")).read_bytes()


def _plan_tree(rng: random.Random) -> Input:
    """Make a plan file with a change in it and the checksum of what it says now: as by hand, but with care."""
    tree = orjson.loads(_plan_text())
    del tree["checksum"]
    data = spelled(mutated(tree, rng))
    try:
        sealed = orjson.loads(data)
        sealed["checksum"] = digest(sealed)
        data = orjson.dumps(sealed)
    except (ValueError, TypeError, RecursionError):  # no JSON, no map, or nothing that can have a checksum
        pass
    return _plan(data)


def _plan_bytes(rng: random.Random) -> Input:
    return _plan(damaged(_plan_text(), rng, others=(_ledger_text(),)))


def _plan(data: bytes) -> Input:
    def feed() -> None:
        plan = loads(data, name="plan.json").plan
        "\n".join(plan_text(plan, style=STYLE)).encode()
        for change in plan.changes:
            events.line(events.change(change))
        events.line(events.plan_made(plan))
        if plan.is_empty or plan.refusals:
            return
        backend = site().backend()
        with site().platform() as app, still_time():
            liar = Liar(app)
            try:
                applied = stage.apply(liar, plan, backend, site().settings(), recheck=True)
            finally:
                if any(id_ in one.target for one in liar.writes for id_ in site().foreign):
                    raise Wrong(f"wrote to what is not ours: {liar.writes}")
        "\n".join(applied_text(applied, style=STYLE)).encode()

    return Input(data, feed, placed=_is_placed)


def _is_placed(error: ReconcilerError) -> bool:
    return not isinstance(error, PlanFileError | LedgerDamaged) or ".json" in error.message


def _ledger_tree(rng: random.Random) -> Input:
    return _ledger(spelled(mutated(orjson.loads(_ledger_text()), rng)), plans=rng.random() < 0.2)


def _ledger_bytes(rng: random.Random) -> Input:
    return _ledger(damaged(_ledger_text(), rng, others=(_plan_text(),)), plans=False)


def _ledger(data: bytes, *, plans: bool) -> Input:
    def feed() -> None:
        read = ledger_of(data, place="here.json")
        if ledger_of(ledger_text(read), place="there.json") != read:
            raise Wrong("a ledger that is written and read back is another one")
        if plans:
            backend = site().backend()
            backend._path.write_bytes(data)
            with site().platform() as app, still_time():
                plan = stage.make_plan(Liar(app), backend, site().settings())
            "\n".join(plan_text(plan, style=STYLE)).encode()

    return Input(data, feed, placed=_is_placed)


def _lock(rng: random.Random) -> Input:
    good = locks.dumps(lock_of({}))
    tree: Any = orjson.loads(good)
    data = spelled(mutated(tree, rng)) if rng.random() < 0.5 else damaged(good, rng)

    def feed() -> None:
        found = locks.loads(data)
        raise locks.locked(found, place="branch x" if found.is_stale else "branch y")

    return Input(data, feed)


RECORDS = (
    Subject("plan file, tree", 9, _plan_tree),
    Subject("plan file, bytes", 3, _plan_bytes),
    Subject("ledger, tree", 8, _ledger_tree),
    Subject("ledger, bytes", 3, _ledger_bytes),
    Subject("lock of a ledger", 3, _lock),
)
