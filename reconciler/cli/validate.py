"""`reconciler validate`: manifests checked, offline."""

from __future__ import annotations

import sys
from collections import Counter

from reconciler.cli import options
from reconciler.cli.console import Console
from reconciler.settings import Settings


@options.verb("validate", options.MANIFESTS, options.SINCE)
def command(*, settings: Settings, console: Console) -> int:
    """Check manifests without asking the platform anything.

    Every fault is reported with its file, line and column. Exit code 0 when there is none, 1 otherwise. With --since,
    faults that were there already, in files that nobody touched, are left out.
    """
    from reconciler.plan.select import Selection, select
    from reconciler.reconcile import read_manifests, read_past

    past = read_past(settings)
    declared = read_manifests(settings.manifests, stdin=sys.stdin.buffer, past=past)
    since = past.touched(declared) if past else None
    chosen, _ = select(declared, Selection(settings.orgs, settings.target, settings.exclude, since))
    kinds = Counter(one.kind for one in chosen)
    listed = ", ".join(f"{count} {kind.plural if count != 1 else kind.noun}" for kind, count in kinds.items())
    whole = f"{len(chosen)} resources" if since is None else f"{len(chosen)} of {len(declared)} resources"
    about = f", touched since {since.ref} or tied to what was" if since else ""
    if since and not chosen:
        console.text([f"Valid: nothing that is declared was touched since {since.ref}."])
    else:
        console.text([f"Valid: {whole}{about} ({listed})."])
    return console.end()
