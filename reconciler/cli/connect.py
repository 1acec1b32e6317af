"""From Settings to clients: the real platform, or the embedded emulator in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.errors import UsageError
from reconciler.live.client import ReadClient, WriteClient, open_reader, open_writer
from reconciler.live.endpoint import Endpoint
from reconciler.settings import STATE_FOLDER, Settings

if TYPE_CHECKING:
    from reconciler.cli.options import LedgerName
    from reconciler.ledger.backend import Backend
    from reconciler.ledger.keeper import Keeper
    from reconciler.ledger.lock import Lock
    from reconciler.live.runs import Runs
    from reconciler.manifest.config import Config

_WORTH_A_WORD = 2.0


@contextmanager
def reading(settings: Settings) -> Iterator[ReadClient]:
    """Open a client that can only read, for as long as the block lasts."""
    client = open_reader(_endpoint(settings))
    try:
        yield client
    finally:
        client.close()


@contextmanager
def writing(settings: Settings) -> Iterator[WriteClient]:
    """Open a client that can write, for as long as the block lasts."""
    client = open_writer(_endpoint(settings), runs=runs_here())
    try:
        yield client
    finally:
        client.close()


def runs_here() -> Runs:
    """Return the journals of the runs of this folder."""
    from reconciler.live.runs import Runs

    return Runs(runs_folder())


def runs_folder() -> Path:
    """Return where journals are kept, which need not be there."""
    return Path(STATE_FOLDER) / "runs"


def ledger_of(settings: Settings, *, backend: LedgerName | None = None) -> tuple[Backend, Config]:
    """Find the ledger of a run's manifests, and the rules in their reconciler.yaml; a given backend wins over those.

    Raises LedgerError when it cannot be found, ManifestError for faults in the rules,
    UsageError for what --local has not.
    """
    from reconciler.ledger.choose import Wish, choose
    from reconciler.manifest.config import read_config

    if settings.local and backend == "git":
        raise UsageError("--local keeps its ledger in a file beside the emulator's data", hint="leave --ledger git out")
    config = read_config(settings.manifests)
    place = config.ledger
    wish = Wish(
        backend=backend or place.backend,
        path=place.path,
        branch=place.branch,
        remote=place.remote,
        environment=config.environment,
    )
    return choose(settings.manifests, api_url=settings.api_url, wish=wish, local=settings.local), config


def keeper_of(
    settings: Settings, *, backend: LedgerName | None, wait: int, env: Mapping[str, str], commit: str | None
) -> tuple[Keeper, Config]:
    """Find the ledger of a run that writes, and the rules; raises what `ledger_of` does."""
    from reconciler.ledger.keeper import Keeper

    place, config = ledger_of(settings, backend=backend)
    return Keeper(place, lock_for(config, env), wait=wait, commit=commit), config


def lock_for(config: Config, env: Mapping[str, str]) -> Lock:
    """Make this run's lock, which lasts as long as the rules say."""
    from reconciler.ledger.lock import LASTS, lock_of

    return lock_of(env, lasts=config.ledger.lock_lasts or LASTS)


def _endpoint(settings: Settings) -> Endpoint:
    return Endpoint(
        url=settings.api_url,
        key=settings.api_key,
        reason=settings.reason,
        app=_emulator if settings.local else None,
        connections=settings.parallelism,
        waiting=_tell_of_waiting,
        log=_aside if settings.debug else None,
        timeout=settings.timeout,
    )


def _tell_of_waiting(seconds: float, why: str) -> None:
    """Say on standard error why nothing seems to happen; what is over in a moment is not worth a word."""
    if seconds >= _WORTH_A_WORD:
        _aside(f"waiting {seconds:.0f} s, {why}")


def _aside(line: str) -> None:
    """Print a line on standard error."""
    with suppress(OSError, ValueError):  # whoever reads it may be gone, and the work goes on
        click.echo(line, err=True)


def _emulator() -> Any:
    """Start the emulator in this process, its data in `.reconciler/`."""
    try:
        from reconciler.emulator import create_app
    except ImportError as error:
        raise UsageError(
            f"the embedded emulator needs a package that is not installed ({error.name})",
            hint="pip install 'everruns-reconciler[emulator]'",
        ) from error
    import sqlite3

    from reconciler.cli.crash import log_without_values

    log_without_values()
    data = state_folder() / "emulator.sqlite"
    try:
        data.touch(mode=0o600)  # what is applied to it holds secrets
        return create_app(data=str(data))
    except (sqlite3.Error, OSError) as error:
        hint = f"remove {data} to begin with an empty emulator"
        raise UsageError(f"cannot use {data}: {error}", hint=hint) from error


def state_folder() -> Path:
    """Return the folder of what this tool keeps between runs, made and hidden from git on first use."""
    folder = Path(STATE_FOLDER)
    try:
        folder.mkdir(exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot use {folder}/: {error.strerror}", hint="run in a folder you can write to") from error
    return folder
