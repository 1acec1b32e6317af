"""`reconciler validate`: manifests checked, offline."""

from __future__ import annotations

import sys
from collections import Counter

from reconciler.cli import options
from reconciler.cli.console import Console
from reconciler.settings import Settings


@options.verb("validate", options.MANIFESTS)
def command(*, settings: Settings, console: Console) -> int:
    """Check manifests without asking the platform anything.

    Every fault is reported with its file, line and column. Exit code 0 when there is none, 1 otherwise.
    """
    from reconciler.plan.select import Selection, select
    from reconciler.reconcile import read_manifests

    declared = read_manifests(settings.manifests, stdin=sys.stdin.buffer)
    chosen, _ = select(declared, Selection(settings.orgs, settings.target, settings.exclude))
    kinds = Counter(one.kind for one in chosen)
    listed = ", ".join(f"{count} {kind.plural if count != 1 else kind.noun}" for kind, count in kinds.items())
    console.text([f"Valid: {len(chosen)} resources ({listed})."])
    return console.end()
