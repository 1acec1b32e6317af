"""`reconciler ci`: plan, apply and drift as steps of GitHub Actions."""

from __future__ import annotations

import click

from reconciler.cli.ci_apply import command as apply
from reconciler.cli.ci_drift import command as drift
from reconciler.cli.ci_plan import command as plan


@click.group("ci", no_args_is_help=True)
def command() -> None:
    """Plan a pull request, apply what was merged, keep an issue about drift.

    Runs in GitHub Actions: which repository, pull request and commit it is about is read from the job's environment,
    and it speaks with the job's GITHUB_TOKEN. What it needs is in docs/ci-verbs.md.
    """


command.add_command(plan)
command.add_command(apply)
command.add_command(drift)
