"""`reconciler emulator`: the stand-in platform on a port of this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isnan
from typing import Any

import click

from reconciler.errors import UsageError

LONGEST_POLL = 7 * 24 * 3600.0
ROLES = ("owner", "admin", "member", "stranger")


def _roles(_context: click.Context, _option: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    """Read every TOKEN=ROLE."""
    tokens: dict[str, str] = {}
    for text in given:
        token, _, role = text.rpartition("=")
        if not token or role not in ROLES:
            raise click.BadParameter(f"expected TOKEN=ROLE, a role being {', '.join(ROLES)}")
        tokens[token] = role
    return tokens


def _number(_context: click.Context, _option: click.Parameter, given: float) -> float:
    """Insist on a number, which NaN is not though no range leaves it out."""
    if isnan(given):
        raise click.BadParameter("nan is not a number of seconds")
    return given


@click.command("emulator")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8790,
    show_default=True,
    help="Port to listen on; 0 takes any free one.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--data", metavar="FILE", help="SQLite file to keep the data in [default: memory].")
@click.option(
    "--profile",
    default="seeds",
    show_default=True,
    metavar="NAME",
    help="Which server to be: seeds as the API pages say, strict with later refusals, frozen without writes to apps; "
    "+unredacted and +no-reasons may be added.",
)
@click.option(
    "--token",
    "tokens",
    callback=_roles,
    multiple=True,
    metavar="TOKEN=ROLE",
    help="Take this token, as owner, admin, member or stranger (repeatable) [default: any token is an owner].",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=N",
    help="Allow so many, such as agents=500 (repeatable), or platform for all the limits that the platform has "
    "[default: none].",
)
@click.option("--seed", metavar="FILE", help="What exists at the start, as YAML; a data file that has data keeps it.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="FAULT",
    help="Misbehave, such as '503 when=after method=POST times=1' (repeatable); --faults-help lists them.",
)
@click.option("--fault-seed", type=int, metavar="N", help="Repeat the random faults of a run [default: a new seed].")
@click.option("--access-log", metavar="FILE", help="Append a line of JSON for every request; - is standard output.")
@click.option(
    "--control/--no-control",
    default=None,
    help="Serve /_emulator/ and take X-Emulator-Fault [default: on this machine's own addresses only].",
)
@click.option(
    "--git-base",
    metavar="URL|DIR",
    help="Where the repositories of memories are cloned from: BASE/owner/repo.git for GitHub, BASE/host/path.git for "
    "others [default: their real addresses].",
)
@click.option(
    "--sync-poll",
    type=click.FloatRange(min=0, max=LONGEST_POLL),
    callback=_number,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How often a waiting memory is synced; 0 never.",
)
@click.option("--faults-help", is_flag=True, help="List the faults with their options, and exit.")
def command(**given: Any) -> int:
    """Serve a stand-in of the platform on this machine, until interrupted.

    \b
    export EVERRUNS_API_URL=http://127.0.0.1:8790 EVERRUNS_API_KEY=evr_pat_local
    reconciler plan
    """
    flags = Flags(**given)
    _ensure_installed()
    if flags.faults_help:
        from reconciler.emulator.faults import manual

        click.echo(manual())
        return 0
    with _refused_in_words(port=flags.port, kept=flags.kept, seed=flags.seed):
        _serve(flags)
    return 0


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says; the help of each option says what it is."""

    port: int
    host: str
    data: str | None
    profile: str
    tokens: dict[str, str]
    limits: Sequence[str]
    seed: str | None
    faults: Sequence[str]
    fault_seed: int | None
    access_log: str | None
    control: bool | None
    git_base: str | None
    sync_poll: float
    faults_help: bool

    @property
    def kept(self) -> str:
        """Where the data is kept, in words."""
        return self.data or "memory"


def _ensure_installed() -> None:
    """Raise UsageError where the emulator's packages are not installed."""
    try:
        import reconciler.emulator  # noqa: F401 - to see whether it can be
    except ImportError as error:
        raise UsageError(
            f"the emulator needs a package that is not installed ({error.name})",
            hint="pip install 'everruns-reconciler[emulator]'",
        ) from error


def _serve(flags: Flags) -> None:
    """Serve until interrupted; raises what the emulator does."""
    from reconciler.emulator import limits, serve
    from reconciler.emulator.fault_book import new_seed
    from reconciler.emulator.seeds import read

    number = new_seed() if flags.fault_seed is None else flags.fault_seed
    serve(
        port=flags.port,
        host=flags.host,
        access_log=flags.access_log,
        on_ready=lambda url: _greet(url, flags, fault_seed=number),
        data=flags.data,
        profile=flags.profile,
        tokens=flags.tokens or None,
        limits=limits.parse(flags.limits),
        seed=read(flags.seed) if flags.seed else None,
        faults=flags.faults,
        fault_seed=number,
        git_base=flags.git_base,
        sync_poll=flags.sync_poll,
        control=_is_local(flags.host) if flags.control is None else flags.control,
    )


def _greet(url: str, flags: Flags, *, fault_seed: int) -> None:
    """Say that the emulator is ready."""
    told = f"data: {flags.kept}" if flags.profile == "seeds" else f"data: {flags.kept}, profile: {flags.profile}"
    takes = "the given tokens are taken" if flags.tokens else "any key is taken, for example evr_pat_local"
    apart = flags.access_log == "-"  # standard output is the log's
    click.echo(f"Emulator at {url} ({told}); {takes}. Ctrl-C stops it.", err=apart)
    if flags.faults:
        again = f"--fault-seed {fault_seed} repeats what is random in them."
        click.echo(f"Faults: {len(flags.faults)}; {again}", err=apart)


@contextmanager
def _refused_in_words(*, port: int, kept: str, seed: str | None) -> Iterator[None]:
    """Turn what keeps the emulator from starting into wrong usage."""
    import sqlite3

    from reconciler.emulator import AddressError, HostError, LimitError
    from reconciler.emulator.faults import FaultError
    from reconciler.emulator.profiles import ProfileError
    from reconciler.emulator.seeds import SeedError

    try:
        yield
    except AddressError as error:
        raise UsageError(str(error), hint="choose another --git-base") from error
    except HostError as error:
        raise UsageError(str(error), hint="choose another --host, such as 127.0.0.1") from error
    except LimitError as error:
        raise UsageError(f"--limit: {error}", hint="docs/emulator.md lists them") from error
    except ProfileError as error:
        raise UsageError(f"--profile: {error}", hint="reconciler emulator --help names them") from error
    except FaultError as error:
        raise UsageError(f"--fault: {error}", hint="reconciler emulator --faults-help lists them") from error
    except SeedError as error:
        message = str(error).replace("\n", f"\n{seed}: ")
        raise UsageError(f"--seed: {seed}: {message}", hint="docs/emulator.md says what a seed looks like") from error
    except OSError as error:
        if error.filename is not None:
            message = f"cannot write to {error.filename}: {error.strerror}"
            raise UsageError(message, hint="choose another --access-log") from error
        message = f"cannot serve on port {port}: {error.strerror or error}"
        raise UsageError(message, hint="choose another --port") from error
    except sqlite3.Error as error:
        raise UsageError(f"cannot keep data in {kept}: {error}", hint="choose another --data") from error


def _is_local(host: str) -> bool:
    """Say whether an address is one that only this machine can reach."""
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
