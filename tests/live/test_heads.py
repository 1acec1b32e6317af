"""When branches last moved: asked of real repositories, and never a failure where they cannot be asked."""

from datetime import UTC, datetime

import pytest
from git import Actor, Repo

from reconciler.kinds.kind import Origin
from reconciler.live.heads import heads

WHO = Actor("Fitter", "fitter@example.com")
URL = "https://git.example.com/docs.git"


@pytest.fixture
def docs(tmp_path, monkeypatch):
    """Give a repository that git finds under its https address on this machine, with one commit."""
    with Repo.init(tmp_path / "docs.git", initial_branch="main") as repo:
        commit = repo.index.commit(
            "Begin",
            author=WHO,
            committer=WHO,
            author_date="2020-01-01T00:00:00+0000",
            commit_date="2026-11-02T10:00:00+0000",
        )
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{tmp_path.as_uri()}/.insteadOf")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://git.example.com/")
        yield commit.hexsha


def test_head_and_its_time(docs):
    """The head of a branch comes with the time at which it was committed."""
    found = heads([Origin(URL, "main")], parallelism=2)
    assert found[Origin(URL, "main")].commit == docs
    assert found[Origin(URL, "main")].at == datetime(2026, 11, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "origin",
    [
        Origin(URL, "no-such-branch"),
        Origin("https://git.example.com/absent.git", "main"),
        Origin("https://fitter:sesame@git.example.com/docs.git", "main"),
        Origin("ext::sh -c touch% stolen", "main"),
        Origin("--upload-pack=touch stolen", "main"),
    ],
)
def test_what_cannot_be_asked_is_left_out(docs, origin):
    """A branch, repository or address that leads nowhere, or where none should be led to, is no failure."""
    assert heads([origin, Origin(URL, "main")], parallelism=2).keys() == {Origin(URL, "main")}
