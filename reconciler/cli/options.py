"""Flags that several verbs share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from reconciler.settings import DEFAULT_PARALLELISM, MAX_PARALLELISM, Settings, settings

F = TypeVar("F", bound=Callable[..., Any])


def manifests(command: F) -> F:
    """Say where the manifests are and which of them a run is about."""
    for option in (
        click.option("--exclude", multiple=True, metavar="GLOB", help="Leave these addresses out, as 'Agent/old-*'."),
        click.option("--target", multiple=True, metavar="GLOB", help="Only these addresses, and what they stand on."),
        click.option("--org", "orgs", multiple=True, metavar="NAME", help="Only this organization."),
        click.option(
            "-f",
            "--manifests",
            "paths",
            multiple=True,
            metavar="PATH",
            help="Folder, file or - for stdin [default: manifests].",
        ),
    ):
        command = option(command)
    return command


def platform(command: F) -> F:
    """Say which platform, and how hard to work it."""
    for option in (
        click.option(
            "--parallelism",
            type=click.IntRange(1, MAX_PARALLELISM),
            default=DEFAULT_PARALLELISM,
            show_default=True,
            help="Most requests at once.",
        ),
        click.option("--api-url", metavar="URL", help="The API's address [env: EVERRUNS_API_URL]."),
        click.option("--local", is_flag=True, help="Use the embedded emulator; its data lies in .reconciler/."),
    ):
        command = option(command)
    return command


def output(command: F) -> F:
    """Say how to print."""
    for option in (
        click.option("--no-color", is_flag=True, help="No colours [also: NO_COLOR]."),
        click.option("--json", "as_json", is_flag=True, help="Print events, one JSON object a line."),
    ):
        command = option(command)
    return command


def read(**flags: Any) -> Settings:
    """Combine a verb's flags with the environment."""
    return settings(env=os.environ, **flags)
