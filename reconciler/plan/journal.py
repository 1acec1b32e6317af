"""What the journal of a run says: its records as values, one a line (`journal_lines.py`).

    run       once, first: who applies what to where
    intent    before each write: what is about to be sent
    answer    after it: what came back
    outcome   once for each step
    end       once, when the run ended by itself
    settled   when a later run found out what the open intents of a dead one came to

No record holds a value of a manifest, a body, a header or a text of the server: names, ids, methods, paths and
numbers are all there is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any, Literal

from reconciler.errors import Exit
from reconciler.kinds import KINDS
from reconciler.kinds.traits import apart, switches
from reconciler.plan.change import Change
from reconciler.plan.digest import digest
from reconciler.plan.owned import Owner

SCHEMA = "everruns.reconciler/journal/v1"
_ID = re.compile(r"[a-z]{1,20}_[0-9a-f]{32}")
_CODES = frozenset(  # everruns-api/orgs-apps-errors.md, 4.2: a server could put anything in their place
    "internal_error not_found conflict already_exists feature_not_enabled rate_limited database_pool_exhausted "
    "bad_gateway unauthorized forbidden unprocessable bad_request invalid_change_reason reason_required "
    "manager_context_changed agent_name_too_long agent_already_exists".split()
)

Became = Literal["done", "adopted", "failed", "conflicted", "blocked", "not_started"]


class Finding(Enum):
    """What an open intent came to, as far as reading shows."""

    CARRIED_OUT = "carried_out"
    NOT_CARRIED_OUT = "not_carried_out"
    PARTLY = "partly"
    UNREADABLE = "unreadable"
    MOOT = "moot"
    KEY_LOST = "key_lost"
    NOT_SEEN = "not_seen"


@dataclass(frozen=True, slots=True)
class Head:
    """The first record: which run it is, from when (UTC), whose, against what, and of how many steps.

    `who`, `host` and `pid` are those of the run's lock; `ci` is the address of a CI run.
    """

    run: str
    at: str
    who: str
    host: str
    pid: int
    repository: str
    root: str
    environment: str
    api_url: str
    steps: int
    commit: str | None = None
    ci: str | None = None
    schema: str = SCHEMA
    type: Literal["run"] = "run"

    @property
    def owner(self) -> Owner:
        """Whose ledger the run was about."""
        return Owner(self.repository, self.root, self.environment)


@dataclass(frozen=True, slots=True)
class Intent:
    """A write that is about to be sent.

    `id` is that of the resource, known before or chosen by us. `content` is the digest of what the step is to do,
    secrets as references. `one_time` says that the answer would hold a key that is shown once.
    """

    n: int
    at: str
    step: str
    address: str
    action: str
    method: str
    path: str
    request_id: str
    id: str | None = None
    content: str | None = None
    one_time: bool = False
    type: Literal["intent"] = "intent"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for the intent of the same number: accepted without an `error`, else its class.

    `ambiguous` says that the write may have been carried out all the same; `id` is that of what was made.
    """

    n: int
    at: str
    status: int | None = None
    error: str | None = None
    ambiguous: bool = False
    id: str | None = None
    type: Literal["answer"] = "answer"


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of a step; `message` is in our words, never the server's."""

    at: str
    step: str
    became: Became
    message: str | None = None
    type: Literal["outcome"] = "outcome"


@dataclass(frozen=True, slots=True)
class End:
    """The run's own last word; `error` is the class of what ended it before its outcomes were known."""

    at: str
    exit_codes: tuple[int, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None
    type: Literal["end"] = "end"


@dataclass(frozen=True, slots=True)
class Settled:
    """What the open intents came to, by their numbers, as another run found out by reading."""

    at: str
    by: str
    findings: Mapping[int, Finding] = field(default_factory=dict)
    type: Literal["settled"] = "settled"


Record = Head | Intent | Answer | StepOutcome | End | Settled


@dataclass(frozen=True, slots=True)
class Damage:
    """A line (from 1) that says nothing, and why."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Log:
    """All that a journal says; `damage` is what cannot be read, `is_newer` that a later version wrote it.

    A last line that was cut short is no damage: its run was killed while it wrote.
    """

    records: tuple[Record, ...] = ()
    damage: tuple[Damage, ...] = ()
    is_newer: bool = False

    @property
    def head(self) -> Head | None:
        """Which run it is, where that can be read."""
        return next((one for one in self.records if isinstance(one, Head)), None)

    @property
    def intents(self) -> tuple[Intent, ...]:
        """Every write that was about to be sent."""
        return tuple(one for one in self.records if isinstance(one, Intent))

    @property
    def answers(self) -> Mapping[int, Answer]:
        """What came back, by the number of the intent."""
        return {one.n: one for one in self.records if isinstance(one, Answer)}

    @property
    def in_doubt(self) -> tuple[Intent, ...]:
        """Every write whose fate the run did not learn, and whose step it did not settle."""
        settled = {one.step for one in self.outcomes.values() if one.became in ("done", "adopted")}
        answers = self.answers
        return tuple(
            one
            for one in self.intents
            if one.step not in settled and ((answer := answers.get(one.n)) is None or answer.ambiguous)
        )

    @property
    def outcomes(self) -> Mapping[str, StepOutcome]:
        """What became of each step that has an outcome."""
        return {one.step: one for one in self.records if isinstance(one, StepOutcome)}

    @property
    def end(self) -> End | None:
        """The run's own last word, if it had one."""
        return next((one for one in reversed(self.records) if isinstance(one, End)), None)

    @property
    def settled(self) -> Settled | None:
        """Who settled it, if anybody did."""
        return next((one for one in reversed(self.records) if isinstance(one, Settled)), None)

    @property
    def open(self) -> tuple[Intent, ...]:
        """The writes of which it does not say whether they were carried out, or whether their key was handed over."""
        answers, outcomes = self.answers, self.outcomes
        return tuple(
            one
            for one in self.intents
            if one.n not in answers
            or (one.step not in outcomes and (answers[one.n].ambiguous or _has_key(one, answers[one.n])))
        )

    @property
    def counts(self) -> Mapping[str, int]:
        """How many steps came to what."""
        return Counter(one.became for one in self.outcomes.values())


def _has_key(intent: Intent, answer: Answer) -> bool:
    """Say whether an answer brought a key that is shown once."""
    return intent.one_time and answer.error is None


class Standing(Enum):
    """How a run ended, or that it did not; the value is the word people read."""

    DONE = "done"
    PARTLY = "partly"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_CONVERGED = "not converged"
    RUNNING = "running"
    SETTLED = "settled"
    UNFINISHED = "unfinished"
    NEWER = "of a newer version"
    DAMAGED = "damaged"


def standing(log: Log, *, is_held: bool) -> Standing:
    """Say how a run ended; a journal that is held is that of a run that is alive."""
    if log.is_newer:
        return Standing.NEWER
    if is_held:
        return Standing.RUNNING
    if log.end is not None:
        codes = log.end.exit_codes
        return next((word for code, word in _BY_CODE.items() if code in codes), Standing.DONE)
    if log.settled is not None:
        return Standing.SETTLED
    if log.head is None:
        return Standing.DAMAGED if log.damage else Standing.INTERRUPTED  # killed before it began
    return Standing.UNFINISHED


_BY_CODE = {
    Exit.INTERRUPTED: Standing.INTERRUPTED,
    Exit.ERROR: Standing.FAILED,
    Exit.STALE_PLAN: Standing.FAILED,
    Exit.PARTLY_APPLIED: Standing.PARTLY,
    Exit.NOT_CONVERGED: Standing.NOT_CONVERGED,
}


def content_of(change: Change) -> str:
    """Return the digest of what a step is to do and of what it found, secrets as references."""
    fields = [[list(one.path), one.old, one.new] for one in change.fields]
    return digest([change.action.value, change.id, fields, change.body, change.then, change.frees])[:39]


def told_path(path: str, words: Collection[str] = ()) -> str:
    """Return a path as a journal may say it: of ids, and of words that we know, of which `words` are more.

    A link of the platform could hold anything.

    >>> told_path("/v1/agents"), told_path("/v1/agents?token=1"), told_path("/v1/agents/hunter2")
    ('/v1/agents', '(a link of the platform)', '(a link of the platform)')
    """
    is_ours = all(part in words or part in _known_words() or told_id(part) for part in path.split("/"))
    return path if is_ours else "(a link of the platform)"


@cache
def _known_words() -> frozenset[str]:
    """Return every word that our own paths are made of, but for those of a creation that has a path of its own."""
    collections = {part for kind in KINDS for part in kind.wire.collection.split("/")}
    return frozenset(
        collections
        | {call for kind in KINDS for one in switches(kind).values() for call in (one.on, one.off)}
        | {part for kind in KINDS if kind.release for part in kind.release.choose.split("/")}
        | {kind.resync for kind in KINDS if kind.resync}
        | {one.path for kind in KINDS for one in apart(kind).values()}
    )


def told_id(value: Any) -> str | None:
    """Return an id as a journal may say it; None for anything that is not one."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def told_code(value: str | None) -> str | None:
    """Return an error code as a journal may say it; None for one that is none of the platform's."""
    return value if value in _CODES else None
