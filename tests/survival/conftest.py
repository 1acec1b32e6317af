"""Stages, one for each module that asks: to set one up takes as long as to try one kill."""

import pytest

from .stage import staged


@pytest.fixture(scope="module")
def on_file(tmp_path_factory):
    """Give a stage whose ledger is a file."""
    with staged(tmp_path_factory.mktemp("file"), "file") as stage:
        yield stage


@pytest.fixture(scope="module")
def on_branch(tmp_path_factory):
    """Give a stage whose ledger is a branch of a git remote."""
    with staged(tmp_path_factory.mktemp("git"), "git") as stage:
        yield stage
