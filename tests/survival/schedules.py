"""Random schedules of faults, each made of a seed: which faults, when, how often, and at what."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.emulator.faults import Fault, parse
from reconciler.resource import Adopt

WRITES = ("POST", "PATCH", "PUT", "DELETE")
LISTS = ("/v1/agents", "/v1/apps", "/v1/memories")
CREATES = (*LISTS, "/v1/orgs")
PARTED = ("/v1/memories", "/v1/orgs")
"""What is created in several calls: files and feature flags follow."""
ACTIONS = ("operation", "href", "relative", "foreign", "none")
PLACES = ("*", "*", "*", "/v1/agents*", "/v1/apps*", "/v1/apps*", "/v1/memories*", "/v1/orgs*", "/v1/sessions*")
MOST_FAULTS = 4
EDITED = (("/v1/agents", "triage-2"), ("/v1/agents", "triage"), ("/v1/agents", "patched"), ("/v1/memories", "docs"))
"""What somebody edits in the UI: a foreign agent, one of ours whose description git says, one where it says none."""

Draw = Callable[[random.Random], str]


@dataclass(frozen=True)
class Schedule:
    """The faults of one try, in the emulator's language."""

    seed: int
    faults: tuple[str, ...]

    @property
    def adopt(self) -> Adopt:
        """The rule of adoption: what others made or archived is only taken over where git says to overwrite.

        Of a conflict that points elsewhere nothing can be settled in the run that met it, and what somebody was quicker
        to make of what takes several calls is but the first of them.
        """
        return "overwrite" if any(_needs_leave(parse(text)) for text in self.faults) else "exact"


def _needs_leave(fault: Fault) -> bool:
    is_partial = fault.name == "conflict" and fault.path in PARTED
    return fault.name == "archived" or fault.options.get("action") == "foreign" or is_partial


def schedule(seed: int) -> Schedule:
    """Make the schedule of a seed."""
    rng = random.Random(seed)
    count = rng.randint(1, MOST_FAULTS)
    return Schedule(seed, tuple(f"{rng.choice(_DRAWS)(rng)} {_when(rng)}" for _ in range(count)))


def kind_of(text: str) -> str:
    """Say in a word or two what a fault does, for the table."""
    fault = parse(text)
    told = [str(fault.options[key]) for key in ("when", "how", "by", "action") if key in fault.options]
    if fault.name == "edit":
        told.append("before a write" if "GET" not in fault.methods else "after a read")
    return " ".join([fault.name, *told])


def _when(rng: random.Random) -> str:
    """Choose after how many requests it begins, how often it happens, and how likely."""
    skip, rate = rng.choice([0, 0, 1, 1, 2, 3, 5, 8, 13]), rng.choice([1, 1, 0.7, 0.4])
    return f"skip={skip} times={rng.randint(1, 4)} rate={rate}"


def _at(rng: random.Random) -> str:
    """Choose what requests it is about: mostly writes."""
    methods = rng.choice(["POST", "PATCH", ",".join(WRITES), ",".join(WRITES), "DELETE,PUT", "GET"])
    return f"method={methods} path='{rng.choice(PLACES)}'"


def _throttled(rng: random.Random) -> str:
    return f"429 retry-after={rng.choice(['none', 1, 2, 7])} {_at(rng)}"


def _failed(rng: random.Random) -> str:
    return f"{rng.choice([500, 502, 503])} when={rng.choice(['before', 'after'])} {_at(rng)}"


def _cut(rng: random.Random) -> str:
    when, how = rng.choice(["before", "after", "body"]), rng.choice(["reset", "close"])
    return f"cut when={when} how={how} {_at(rng)}"


def _late(rng: random.Random) -> str:
    return f"{rng.choice(['latency seconds=0.1..2', 'slow seconds=1..3', 'truncate'])} {_at(rng)}"


def _shifted(rng: random.Random) -> str:
    return f"shift by={rng.choice(['insert', 'archive'])} path={rng.choice(LISTS)}"


def _edited(rng: random.Random) -> str:
    if rng.random() < 1 / 2:
        path, name = rng.choice(EDITED)
        return f"edit field=description name={name} path={path} method=GET"
    return f"edit path='{rng.choice(LISTS)}/*' method=PATCH,PUT,DELETE"


def _refused(rng: random.Random) -> str:
    return f"{rng.choice(['conflict', 'archived'])} action={rng.choice(ACTIONS)} path={rng.choice(CREATES)}"


_DRAWS: tuple[Draw, ...] = (_throttled, _failed, _failed, _cut, _cut, _late, _shifted, _edited, _refused, _refused)
