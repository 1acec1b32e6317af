"""What the verbs of `ci` share: what flags say of a job, text kept from being taken for commands, and how it ends."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial, wraps
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from reconciler.ci.environment import Workflow, read_environment
from reconciler.ci.marker import Fleet
from reconciler.ci.step import Annotation, commands, fault_annotations, lines_quiet, write_outputs, write_summary
from reconciler.ci.values import ending
from reconciler.cli import options
from reconciler.cli.outputs import Into
from reconciler.defect import defect_of
from reconciler.errors import (
    Exit,
    Interrupted,
    LedgerError,
    LocatedFault,
    ManifestError,
    OutputError,
    ReconcilerError,
    UsageError,
    worst,
)

if TYPE_CHECKING:
    from reconciler.ci.forge import Forge
    from reconciler.cli.console import Console
    from reconciler.report.sheet import Sheet

UNNAMED = "default"
"""What an environment is called of which nothing is known, as its rules cannot be read."""


class Given(NamedTuple):
    """What flags say of a job: what to call the environment, who its token speaks as, where files are left."""

    environment: str | None
    author: str | None
    folder: str

    @property
    def is_named(self) -> bool:
        """Whether the environment is called as a flag says, not as its ledger does."""
        return self.environment is not None


def verb(name: str, *groups: Sequence[options.Flag], own: Sequence[options.Flag] = ()) -> Callable[..., click.Command]:
    """Make a command as `options.verb` does, whose flags of a job are one value, `given`."""

    def decorate(run: options.Verb) -> click.Command:
        @wraps(run)
        def call(*, environment: str | None, author: str | None, folder: str, **flags: Any) -> int:
            return run(given=Given(environment, author, folder), **flags)

        return options.verb(name, *groups, options.JOB, own=own)(call)

    return decorate


@dataclass
class Job:
    """A verb's run in a job: what it learns on the way, and tells in the end.

    `sheets` go to the summary, `values` to the outputs, `annotations` to lines of files.
    """

    workflow: Workflow
    console: Console
    folder: Path
    environment: str
    author: str | None
    manifests: Sequence[str] = ()
    sheets: list[Sheet] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    faults: Sequence[LocatedFault] = ()
    unkept: list[Exit] = field(default_factory=list)

    @cached_property
    def forge(self) -> Forge:
        """GitHub, connected to when it is asked for; raises UsageError without a token."""
        from reconciler.ci.forge import Forge

        return Forge(self.workflow, author=self.author)

    @property
    def fleet(self) -> Fleet:
        """What comments and issues are found by: the environment as it is called, and where the manifests are."""
        return Fleet(self.environment, self._root)

    @cached_property
    def _root(self) -> str:
        from reconciler.ledger.checkout import checkout_of, root_of

        try:
            return root_of(self.manifests, top=checkout_of(self.manifests).top)
        except LedgerError:  # of several repositories: no run gets further than to say so
            return ",".join(self.manifests)

    def failed(self, error: ReconcilerError, *, verb: str, facts: Mapping[str, str]) -> Sheet:
        """Take an error for the end of the run: annotate it, and return what is to be said of it."""
        from reconciler.ci.documents import failure

        if isinstance(error, ManifestError):
            from reconciler.manifest.locate import located

            self.faults = located(error.faults)
            self.annotations += fault_annotations(self.faults)
        else:
            hint = f"\n{error.hint}" if error.hint else ""
            self.annotations.append(Annotation("error", f"reconciler {verb.lower()}", f"{error.message}{hint}"))
        return failure(verb, error, environment=self.environment, faults=self.faults, facts=facts)

    def attempt(self, act: Callable[[], object]) -> ReconcilerError | None:
        """Do one of the last things, and tell aside why it failed: nothing may keep the next one from being done."""
        try:
            act()
        except ReconcilerError as caught:
            error = caught
        except KeyboardInterrupt:
            error = Interrupted("interrupted at the end of the run")
        except Exception as caught:  # noqa: BLE001 - a defect must not hide what the run did
            error = defect_of(caught)
        else:
            return None
        with suppress(OSError, OutputError):
            self.console.aside(error)
        return error

    def try_to_tell(self, tell: Callable[[], None], *, may_fail: bool) -> Sequence[Exit]:
        """Tell GitHub something; where that fails, say so, and return the exit code of it, none where it may fail."""
        error = self.attempt(tell)
        if error is None:
            return []
        self.annotations.append(Annotation("notice" if may_fail else "error", "Not told on GitHub", error.message))
        return [] if may_fail else [Exit.INTERRUPTED if isinstance(error, Interrupted) else Exit.ERROR]

    def keep(self, *codes: Exit, error: ReconcilerError | None, values: Mapping[str, str]) -> None:
        """Leave behind what must outlive the job, before GitHub is told, which may take minutes.

        These are documents, outputs and summary. What cannot be written is told, and ends no other way a run that
        failed by itself.
        """
        from reconciler.ci.documents import summary

        found = _found(codes, error)
        acts: list[Callable[[], object]] = [
            lambda: self.console.keep(*_codes(found)),
            lambda: self.output({**values, "environment": self.environment, "folder": str(self.folder)}, found),
        ]
        acts += [partial(self._sum_up, partial(summary, one, link=self.workflow.run_url)) for one in self.sheets]
        self.unkept += [Exit.ERROR for act in acts if self.attempt(act)]

    def output(self, values: Mapping[str, str], found: Sequence[Exit]) -> None:
        """Write outputs, and how the run ends so far: of an output that is written twice the last one counts."""
        write_outputs(self.workflow.output, {**values, **ending(found)})

    def _sum_up(self, text: Callable[[], str]) -> None:
        write_summary(self.workflow.summary, text())

    def end(self, *codes: Exit, error: ReconcilerError | None, values: Mapping[str, str] = MappingProxyType({})) -> int:
        """Write the outputs that came last, end the console's run and return the exit code that wins."""
        found = _found(codes, error)
        if self.unkept and worst(found) in _WELL:
            found = (*found, *self.unkept)
        if self.attempt(lambda: self.output(values, found)) and worst(found) in _WELL:
            found = (*found, Exit.ERROR)
        return self.console.fail(error) if error else self.console.end(*_codes(found))


_WELL = (Exit.DONE, Exit.CHANGES_PENDING, Exit.DRIFT_FOUND)


def _found(codes: Sequence[Exit], error: ReconcilerError | None) -> Sequence[Exit]:
    return (*codes, *((error.exit_code,) if error else ())) or (Exit.DONE,)


def _codes(found: Sequence[Exit]) -> Sequence[Exit]:
    """Leave out what is told as an output and fails no job."""
    return [one for one in found if one is not Exit.CHANGES_PENDING] or [Exit.DONE]


@contextmanager
def job(console: Console, *, verb: str, given: Given, manifests: Sequence[str]) -> Iterator[Job]:
    """Open a job: its folder is made, and what it prints cannot be taken for commands; annotations come last.

    Raises UsageError outside of GitHub Actions, and for a format that would stand between commands.
    """
    workflow = read_environment(os.environ)
    if console.outputs.stdout != "text":
        raise UsageError(
            f"--format {console.outputs.stdout}: GitHub reads the standard output of a job for commands",
            hint=f"give it a file: --format {console.outputs.stdout}=FILE",
        )
    place = _made(given.folder, verb=verb)
    files = tuple(Into(form, str(place / f"{verb}.{form}")) for form in ("html", "json"))
    console.outputs = console.outputs._replace(files=(*console.outputs.files, *files))
    begun = Job(workflow, console, place, given.environment or UNNAMED, given.author, manifests)
    silent, loud = lines_quiet(secrets.token_hex(16))
    beside = console.as_json  # events have standard output for themselves; GitHub reads both
    click.echo(silent, err=beside)
    try:
        yield begun
    finally:
        sys.stdout.flush()
        click.echo(loud, err=beside)
        for line in commands(begun.annotations, top=top()):
            click.echo(line, err=beside)
        if "forge" in begun.__dict__:
            begun.forge.close()


def top() -> Path:
    """Return the top of the checkout, from which GitHub names files."""
    return Path(os.environ.get("GITHUB_WORKSPACE") or ".")


LEFT: Mapping[str, Sequence[str]] = {
    "plan": ("plan.html", "plan.json"),
    "apply": ("apply.html", "apply.json", "applied.plan", "journal.jsonl"),
    "drift": ("drift.html", "drift.json"),
}
"""What each verb leaves in its folder."""


def _made(folder: str, *, verb: str) -> Path:
    """Make the folder, which git ignores where it is new; what an earlier call of the verb left is removed."""
    place = Path(folder)
    try:
        if not place.is_dir():
            place.mkdir(parents=True)
            (place / ".gitignore").write_text("*\n", encoding="utf-8")
        for name in LEFT[verb]:
            (place / name).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"--folder {folder}: {error.strerror}", hint="name a folder that can be written") from error
    return place
