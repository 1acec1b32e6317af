"""`reconciler emulator`: the stand-in platform on a port of this machine."""

from __future__ import annotations

import click

from reconciler.errors import UsageError


@click.command("emulator")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8790,
    show_default=True,
    help="Port to listen on; 0 takes any free one.",
)
@click.option("--data", metavar="FILE", help="SQLite file to keep the data in [default: memory].")
@click.option(
    "--git-base",
    metavar="URL|DIR",
    help="Where the repositories of memories are cloned from: BASE/owner/repo.git for GitHub, BASE/host/path.git for "
    "others [default: their real addresses].",
)
@click.option(
    "--sync-poll",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="How often a waiting memory is synced; 0 never.",
)
def command(port: int, data: str | None, git_base: str | None, sync_poll: float) -> int:
    """Serve a stand-in of the platform on this machine, until interrupted.

    \b
    export EVERRUNS_API_URL=http://127.0.0.1:8790 EVERRUNS_API_KEY=evr_pat_local
    reconciler plan
    """
    try:
        from reconciler.emulator import AddressError, serve
    except ImportError as error:
        raise UsageError(
            f"the emulator needs a package that is not installed ({error.name})",
            hint="pip install 'everruns-reconciler[emulator]'",
        ) from error
    import sqlite3

    kept = data or "memory"

    def ready(url: str) -> None:
        click.echo(f"Emulator at {url} (data: {kept}); any key is taken, for example evr_pat_local. Ctrl-C stops it.")

    try:
        serve(port=port, data=data, git_base=git_base, sync_poll=sync_poll, on_ready=ready)
    except AddressError as error:
        raise UsageError(str(error), hint="choose another --git-base") from error
    except OSError as error:
        raise UsageError(
            f"cannot serve on port {port}: {error.strerror or error}", hint="choose another --port"
        ) from error
    except sqlite3.Error as error:
        raise UsageError(f"cannot keep data in {kept}: {error}", hint="choose another --data") from error
    return 0
