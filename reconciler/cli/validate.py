"""`reconciler validate`: manifests checked, offline."""

from __future__ import annotations

import sys
from collections import Counter

import click

from reconciler.cli import options
from reconciler.cli.console import Console


@click.command("validate")
@options.manifests
@options.output
def command(
    paths: tuple[str, ...],
    orgs: tuple[str, ...],
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    as_json: bool,
    no_color: bool,
) -> int:
    """Check manifests without asking the platform anything.

    Every fault is reported with its file, line and column. Exit code 0 when there is none, 1 otherwise.
    """
    from reconciler.reconcile import read_manifests

    console = Console(as_json=as_json, no_color=no_color)
    console.begin("validate")
    settings = options.read(manifests=paths, orgs=orgs, target=target, exclude=exclude)
    wanted = read_manifests(settings, stdin=sys.stdin.buffer)
    kinds = Counter(one.kind for one in wanted.chosen)
    listed = ", ".join(f"{count} {kind.plural if count != 1 else kind.name.lower()}" for kind, count in kinds.items())
    console.text([f"Valid: {len(wanted.chosen)} resources ({listed})."])
    return console.end()
