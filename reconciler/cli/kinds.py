"""`reconciler kinds`: what can be declared, with every field and its rules."""

from __future__ import annotations

import click

from reconciler.cli import options
from reconciler.cli.console import Console
from reconciler.errors import UsageError
from reconciler.report import events


@options.verb(
    "kinds",
    own=(
        click.argument("kind", required=False),
        click.option("--markdown", is_flag=True, help="Print the page docs/kinds.md."),
    ),
)
def command(*, console: Console, kind: str | None, markdown: bool, **_settings: object) -> int:
    """List every kind with its fields: references, order of lists, what is write-only, what can be cleared and how.

    With a KIND it is about that one alone. Needs neither manifests nor the platform.
    """
    from reconciler.kinds import BY_NAME, KINDS
    from reconciler.kinds.describe import described
    from reconciler.manifest.suggest import suggest
    from reconciler.report.kinds_text import kinds_markdown, kinds_text

    if markdown and console.as_json:
        raise UsageError("--markdown and --json are two forms of the same", hint="leave one out")
    if kind is not None and kind not in BY_NAME:
        raise UsageError(f"{kind}: no kind has this name", hint=suggest(kind, list(BY_NAME)))
    facts = [described(one) for one in KINDS if kind in (None, one.name)]
    for one in facts:
        console.event(events.kind(one))
    console.text(kinds_markdown(facts) if markdown else kinds_text(facts, style=console.style))
    return console.end()
