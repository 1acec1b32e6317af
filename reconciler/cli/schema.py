"""`reconciler schema`: the JSON Schema of manifests, written or checked."""

from __future__ import annotations

from pathlib import Path

import click

from reconciler.errors import Exit, UsageError


@click.command("schema")
@click.option("--out", default="schemas", metavar="FOLDER", show_default=True, help="Where to write it.")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 when the file there is stale.")
def command(out: str, check: bool) -> int:
    """Write the JSON Schema of manifests, so that editors complete and check them.

    \b
    First line of a manifest:
    # yaml-language-server: $schema=../schemas/manifest.schema.json
    """
    from reconciler.manifest.schema import FILE_NAME, schema_bytes

    path, fresh = Path(out) / FILE_NAME, schema_bytes()
    try:
        stale = not path.exists() or path.read_bytes() != fresh
        if check:
            click.echo(f"{path} is {'stale: run reconciler schema' if stale else 'up to date'}")
            return int(Exit.ERROR if stale else Exit.DONE)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(fresh)
    except OSError as error:
        raise UsageError(f"cannot use {path}: {error.strerror}", hint="choose another --out") from error
    click.echo(f"{'Wrote' if stale else 'Up to date:'} {path}")
    return int(Exit.DONE)
