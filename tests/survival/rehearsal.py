"""The run on one page against the emulator in this process: an apply under faults, then clean ones."""

import gc
import shutil
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator import create_app
from reconciler.errors import ReconcilerError
from reconciler.ledger.file_backend import FileBackend
from reconciler.ledger.keeper import Keeper
from reconciler.ledger.lock import lock_of
from reconciler.live.client import open_reader, open_writer
from reconciler.live.endpoint import Endpoint
from reconciler.manifest.config import Config
from reconciler.plan.outcome import Applied, Failed
from reconciler.plan.owned import Owner
from reconciler.plan.plan import Plan
from reconciler.reconcile import apply_plan, make_plan, read_manifests, want
from reconciler.settings import LOCAL_KEY, LOCAL_URL, settings

from . import fleet, kept_keys
from .documents import KEYS
from .expected import SOMEBODY, Expected, foreseeing
from .others import Others
from .rows import restore, rows
from .schedules import Schedule, kind_of
from .syncing import Synced
from .verdict import Tried
from .wire import STILL, Wire, without_waiting

OWNER = Owner("example.com/acme/fleet", "manifests", "survival")
MOST_RUNS = 4


@dataclass
class Rehearsal:
    """A platform, manifests and a ledger; every try begins with all of them as they were."""

    emulator: Any
    folder: Path
    expected: Any = None
    config: Config = field(default_factory=Config)
    opened: list[Any] = field(default_factory=list)

    @property
    def backend(self) -> FileBackend:
        """Where the ledger is kept."""
        return FileBackend(self.folder / "ledger", OWNER)

    @property
    def endpoint(self) -> Endpoint:
        """Where the platform is."""
        return Endpoint(url=LOCAL_URL, key=LOCAL_KEY, app=lambda: Wire(Synced(self.emulator)), clock=STILL)

    def build(self) -> None:
        """Apply what was there before, put foreign things beside it, take the pictures, and apply once undisturbed."""
        with foreseeing(self.emulator) as seen:
            self._apply(fleet.before())
            seen.meddled()
            shutil.copytree(self.folder / "ledger", self.folder / "saved")
            self._apply(fleet.after())
        self.expected = seen.expected

    def _apply(self, documents: fleet.Documents) -> None:
        (self.folder / "fleet.yaml").write_text(fleet.text(documents))
        told = self.run()
        assert told.codes in ((), (0,)), told

    def reset(self) -> None:
        """Put platform and ledger back to what they were."""
        restore(self.emulator, self.expected.picture)
        shutil.rmtree(self.folder / "ledger")
        shutil.copytree(self.folder / "saved", self.folder / "ledger")
        (self.folder / KEYS).unlink(missing_ok=True)
        self.emulator.faults.replace([])

    def run(self) -> "Told":
        """Plan and apply, one request at a time, as the command line does without asking."""
        try:
            plan = self._plan()
            if plan.is_empty:
                return Told((), repr(plan))
            return _told(self._carry_out(plan))
        except ReconcilerError as error:
            return Told((int(error.exit_code),), f"{error!r} {error.hint}")
        except Exception:  # noqa: BLE001 - a traceback is what must never be, and is told with the seed
            return Told((), "", defects=(traceback.format_exc(),))
        finally:
            for client in self.opened:
                client.close()
            self.opened.clear()
            gc.unfreeze()

    def left(self) -> list[str]:
        """Say what a plan would still do."""
        try:
            plan = self._plan()
        except ReconcilerError as error:
            return [f"plan: {error!r}"]
        return [f"plan: {step.action.value} {step.address} {step.notes} {step.fields}" for step in plan.steps]

    def _plan(self) -> Plan:
        chosen = settings(env={}, manifests=(str(self.folder / "fleet.yaml"),), parallelism=1)
        wanted = want(read_manifests(chosen.manifests), chosen, ledger=self.backend.read(), config=self.config)
        client = open_reader(self.endpoint)
        self.opened.append(client)
        return make_plan(wanted, chosen, client=client)

    def _carry_out(self, plan: Plan) -> Applied:
        client = open_writer(self.endpoint)
        self.opened.append(client)
        keeper = Keeper(self.backend, lock_of({}), commit="c" * 40)
        chosen = settings(env={}, parallelism=1)
        return apply_plan(plan, chosen, client=client, keeper=keeper, listen=lambda _news: None, recheck=False)

    def tried(self, schedule: Schedule) -> Tried:
        """Apply under the faults of a schedule, then without, until all is as it should be."""
        self.reset()
        self.config = Config(adopt=schedule.adopt)
        others = Others()
        others.watch(self.emulator)
        self.emulator.faults.replace(schedule.faults, seed=schedule.seed)
        under = self.run()
        fired = [one["fault"] for one in self.emulator.faults.describe()["faults"] if one["fired"]]
        self.emulator.faults.replace([])
        story = [f"faults: {'; '.join(schedule.faults)}", f"under them: {under.codes} {under.text[:600]}"]
        first = self._run_clean(others)
        runs, rest = 1, first
        while rest and runs < MOST_RUNS:
            runs, rest = runs + 1, self._run_clean(others)
        kinds = tuple(sorted({kind_of(one) for one in fired})) or ("no fault met",)
        faults = [*under.defects, *_secrets_in(under.text), *first]
        return Tried(
            (*kinds, "all schedules"),
            str(schedule.seed),
            None if rest else runs,
            (*story, *faults) if faults else (),
        )

    def _run_clean(self, others: Others) -> list[str]:
        """Run once, and say what is not as it should be."""
        told = self.run()
        expected: Expected = self.expected
        faults = [*told.defects, *_secrets_in(told.text)]
        faults += [f"apply ended with {told.codes}: {told.text[:1200]}"] if told.codes not in ((), (0,)) else []
        left = self.left()
        now = rows(self.emulator)
        faults += kept_keys.dead(now, self.folder / KEYS)
        return faults + left + expected.faults(now, self.backend.read().entries, others)


@dataclass(frozen=True)
class Told:
    """How a run ended: its exit codes (none when there was nothing to do), what it says, and defects of ours in it."""

    codes: tuple[int, ...]
    text: str
    defects: tuple[str, ...] = ()


def _told(applied: Applied) -> Told:
    failed = [one for one in applied.outcomes if isinstance(one, Failed)]
    told = [f"{one.change.address}: {one.error!r} {one.error.hint}" for one in failed]
    defects = [one for one in told if "defect of reconciler" in one]
    others = [
        repr(one) for one in (*applied.outcomes, *applied.remainders) if type(one).__name__ not in ("Done", "Failed")
    ]
    text = "\n".join([*told, *others, repr(applied.unproved), repr(applied.unrecorded)])
    return Told(tuple(int(code) for code in applied.exit_codes), text, tuple(defects))


def _secrets_in(text: str) -> list[str]:
    return [f"the value of {name} was told" for name, value in fleet.SECRETS.items() if value in text]


@contextmanager
def rehearsed(folder: Path) -> Iterator[Rehearsal]:
    """Open a rehearsal in a folder."""
    emulator = create_app(seed=fleet.foreign_seed(), tokens={SOMEBODY: "admin", LOCAL_KEY: "owner"})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in fleet.SECRETS.items():
            patch.setenv(name, value)
        rehearsal = Rehearsal(emulator, folder)
        without_waiting(patch)
        try:
            rehearsal.build()
            yield rehearsal
        finally:
            emulator.close()
