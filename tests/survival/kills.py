"""The command line is killed at a request, runs once more, and everything must be as if nothing had happened."""

from collections.abc import Iterator, Sequence

from . import fleet, kept_keys
from .documents import KEYS
from .rows import rows
from .stage import FLAGS, Moment, Stage
from .verdict import Tried

MOST_RUNS = 4
EVERYBODY_AT_ONCE = 8


def killed_at(stage: Stage, numbers: Sequence[int], moment: Moment, *, parallelism: int = 1) -> Iterator[Tried]:
    """Kill an apply at each of these requests."""
    for number in numbers:
        yield from _killed(stage, number, moment, parallelism=parallelism)


def _killed(stage: Stage, number: int, moment: Moment, *, parallelism: int) -> Iterator[Tried]:
    stage.reset()
    through = stage.killed(number, moment, parallelism=parallelism)
    what = (stage.gate.struck or "").partition(" ")[0]
    if through is not None:  # with workers side by side the number of requests is not always the same
        return
    crowd = f", {parallelism} at once" if parallelism > 1 else ""
    kind = f"killed {moment} a {'read' if what == 'GET' else 'write'}, ledger in {stage.keeping}{crowd}"
    first = _faults_of_run(stage)
    runs, rest = 1, first
    while rest and runs < MOST_RUNS:
        runs, rest = runs + 1, _faults_of_run(stage)
    yield Tried((kind,), f"{moment}:{number}", None if rest else runs, tuple(first))


def _faults_of_run(stage: Stage) -> list[str]:
    """Run once, and say what is not as it should be."""
    ran = stage.run(*FLAGS)
    faults = [f"apply ended with {ran.code}: {ran.text[-1500:]}"] if ran.code else []
    planned = stage.run("plan", "--detailed-exitcode")
    faults += [f"plan ended with {planned.code}: {planned.text[-1500:]}"] if planned.code else []
    return faults + wrong(stage) + _secrets_in(ran.text + planned.text)


def wrong(stage: Stage) -> list[str]:
    """Say what of platform, ledger and folder is not as after an undisturbed run."""
    now = rows(stage.emulator)
    faults = stage.expected.faults(now, stage.owned().entries)
    faults += kept_keys.dead(now, stage.folder / "manifests" / KEYS)
    return faults + [f"a secret in {name}" for name in stage.told()]


def _secrets_in(text: str) -> list[str]:
    return [f"the value of {name} was printed" for name, value in fleet.SECRETS.items() if value in text]
