"""Schemathesis over the emulator: every phase and every check, from one seed."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any
from unittest.mock import patch

import requests
import schemathesis
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.transport.wsgi import WSGI_TRANSPORT

from reconciler.emulator import clock, create_app, ids

from .deviations import amended
from .planted import acquainted, plant
from .published import covered
from .rulings import RULINGS, Ruling, said

SEED = 20260731
TOKEN = "evr_pat_generated"
CACHED = 1024


@dataclass(frozen=True)
class Run:
    """One run over a part of the paths: a pattern of them, and how many cases each phase has at the least."""

    paths: str
    least: Mapping[str, int]


def _least(examples: int, coverage: int, fuzzing: int, stateful: int) -> dict[str, int]:
    return {"examples": examples, "coverage": coverage, "fuzzing": fuzzing, "stateful": stateful}


# A little below what there were when this was written, some ten thousand in all.
RUNS = {
    "agents": Run("/v1/agents", _least(40, 1800, 350, 60)),
    "harnesses": Run("/v1/(harnesses|capabilities)", _least(20, 500, 150, 500)),
    "orgs": Run("/v1/(orgs|resolve-org)", _least(18, 110, 180, 500)),
    "apps": Run("/v1/apps", _least(25, 700, 250, 70)),
    "rest": Run("/v1/(?!(agents|harnesses|capabilities|orgs|resolve-org|apps)(/|$))", _least(80, 1100, 500, 280)),
}


@dataclass
class Findings:
    """What a run found: cases, what was answered, each kind of failure with a case that shows it, rulings applied."""

    cases: int = 0
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: dict[tuple[str, str, str], str] = field(default_factory=dict)
    applied: Counter[Ruling] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)

    def never_succeeded(self, operations: set[str]) -> set[str]:
        """Give the operations that were never answered with success."""
        return operations - {ident for ident, status in self.answered if status < 300}

    def __str__(self) -> str:
        """Write the failures, each with the request that shows it."""
        return "\n\n".join(f"{' · '.join(kind)}\n{shown}" for kind, shown in self.failures.items())


def chosen(paths: str) -> frozenset[str]:
    """Give the ids of the operations that are served below the paths of a pattern."""
    return frozenset(ident for ident, path in covered(amended()).items() if re.match(paths, path))


def operation_id(case: Any) -> str:
    """Give the id of the operation that a case is of."""
    return str(case.operation.definition.raw["operationId"])


def examined(operations: Iterable[str], *, most: int) -> Findings:
    """Run everything that schemathesis has, on some operations of a fresh emulator, and gather what it finds.

    Nothing random is left: not in ids and times, and not in the words that hypothesis finds in whatever happens to be
    imported.
    """
    with (
        patch.object(ids, "new", _numbered()),
        patch.object(clock, "now", _ticking()),
        patch.object(providers, "_get_local_constants", Constants),
        patch.object(providers, "CONSTANTS_CACHE", type(providers.CONSTANTS_CACHE)(CACHED)),
    ):
        return _examined(operations, most=most)


def _numbered() -> Callable[[str], str]:
    """Make ids that follow one upon another, so that a run can be repeated to the letter."""
    numbers = count(2**64)
    return lambda prefix: f"{prefix}_{next(numbers):032x}"


def _ticking() -> Callable[[], str]:
    """Make a clock that goes on by a second whenever it is read; names are made of its time."""
    seconds = count(datetime(2026, 8, 1, tzinfo=UTC).timestamp())
    return lambda: clock.stamp(datetime.fromtimestamp(next(seconds), UTC))


def _examined(operations: Iterable[str], *, most: int) -> Findings:
    findings = Findings()
    app = create_app(default_org=True, tokens={TOKEN: "owner"})
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Org-Id": ids.DEFAULT_ORG}
    generation = {"max-examples": most, "deterministic": True, "no-shrink": True, "database": "none"}
    config = SchemathesisConfig.from_dict(
        {"seed": SEED, "headers": headers, "base-url": "http://emulator/", "continue-on-failure": True}
        | {"generation": generation, "phases": {"stateful": {"generation": {"max-examples": 4 * most}}}}
    )
    schema = schemathesis.openapi.from_dict(acquainted(amended(), plant(app, headers)), config=config).include(
        operation_id=sorted(operations)
    )
    schema.app = app

    @schema.hooks.hook("filter_failure")
    def judge(_context: Any, failure: Any, case: Any, response: Any) -> bool:
        ident, name = operation_id(case), type(failure).__name__
        ruling = next((one for one in RULINGS if one.excuses(name, ident, case, response)), None)
        if ruling:
            findings.applied[ruling] += 1
        return ruling is None

    try:
        with patch.object(WSGI_TRANSPORT, "send", partial(_sent, WSGI_TRANSPORT.send)):
            for event in from_schema(schema).execute():
                _gather(findings, event)
    finally:
        app.close()
    return findings


def _sent(send: Any, case: Any, **options: Any) -> Any:
    """Send with a session always: without one, the probes of `ignored_auth` end in a TypeError of the WSGI client."""
    return send(case, **{"session": requests.Session(), **options})


def _gather(findings: Findings, event: Any) -> None:
    """Take what one event tells."""
    if isinstance(event, events.FatalError):
        raise event.exception
    if isinstance(event, events.NonFatalError):
        findings.failures["error", str(event.label), str(event.phase)] = str(event.value)
    if not isinstance(event, events.ScenarioFinished):
        return
    recorder = event.recorder
    for ident, interaction in recorder.interactions.items():
        findings.cases += 1
        findings.phases[event.phase.value] += 1
        findings.answered[operation_id(recorder.cases[ident].value), interaction.response.status_code] += 1
    for ident, checks in recorder.checks.items():
        for check in [one for one in checks if one.failure_info]:
            _note(findings, recorder.cases[ident].value, recorder.interactions[ident].response, check)


def _note(findings: Findings, case: Any, response: Any, check: Any) -> None:
    """Keep the first failure of each kind."""
    failure = check.failure_info.failure
    told = said(response) if response.status_code >= 400 else failure.message
    kind = (type(failure).__name__, operation_id(case), f"{response.status_code} {told[:60]}")
    shown = (f"{failure.title}: {failure.message[:900]}", check.failure_info.code_sample[:900], response.content[:300])
    findings.failures.setdefault(kind, "\n".join(map(str, shown)))


def insist(name: str, *, most: int = 30) -> None:
    """Insist that a run finds nothing, with enough cases, a success of every operation and a use of every ruling."""
    run = RUNS[name]
    operations = chosen(run.paths)
    findings = examined(operations, most=most)
    assert not findings.failures, str(findings)
    never = findings.never_succeeded(set(operations))
    assert not never, never
    few = {phase: findings.phases[phase] for phase, least in run.least.items() if findings.phases[phase] < least}
    assert not few, few
    unused = [f"{one.fact}: {one.reason}" for one in RULINGS if one.run == name and one not in findings.applied]
    assert not unused, unused
