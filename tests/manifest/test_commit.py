"""The commit that manifests stand at, in words."""

import sys
from pathlib import Path

import pytest
from git import Repo

from reconciler.manifest.commit import commit_in_words, commit_of, stand_of


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """Give a repository of one commit, free of what the machine's git settings say."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    with Repo.init(tmp_path / "fleet", initial_branch="main") as repo:
        (tmp_path / "fleet" / "agents").mkdir()
        commit(repo, "Shorten the triage prompt")
        yield repo


def commit(repo, message):
    """Commit the manifest `agents/a.yaml` with a message."""
    path = f"{repo.working_dir}/agents/a.yaml"
    with open(path, "a") as stream:  # noqa: PTH123
        stream.write("# a line\n")
    repo.index.add([path])
    from git import Actor  # noqa: PLC0415

    return repo.index.commit(message, author=Actor("A", "a@example.com"), committer=Actor("A", "a@example.com"))


@pytest.mark.parametrize("below", ["", "/agents", "/agents/a.yaml"])
def test_a_commit_is_its_number_and_subject(repo, below):
    """From a folder or a file anywhere in the repository: twelve digits and the first line."""
    sha = repo.head.commit.hexsha
    assert commit_in_words(repo.working_dir + below) == f"{sha[:12]} Shorten the triage prompt"


def test_stdin_stands_in_the_working_folder(repo, monkeypatch):
    """What is piped in is told by the commit of the folder that the user stands in."""
    monkeypatch.chdir(repo.working_dir)
    assert commit_in_words("-") == commit_in_words(".") == commit_in_words(repo.working_dir)


def test_changes_that_are_not_committed_are_told(repo):
    """A file that differs from its commit is mentioned, what is no manifest and unknown to git is not."""
    words = commit_in_words(repo.working_dir)
    with open(f"{repo.working_dir}/plan.json", "w") as stream:  # noqa: PTH123
        stream.write("new")
    assert commit_in_words(repo.working_dir) == words
    with open(f"{repo.working_dir}/agents/a.yaml", "a") as stream:  # noqa: PTH123
        stream.write("changed")
    assert commit_in_words(repo.working_dir) == f"{words} (with uncommitted changes)"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Subject\n\nThe body is left out.", "Subject"),
        ("Größe für 日本 geändert", "Größe für 日本 geändert"),
        ("Ring \a the\tbell \x1b[31m", "Ring  thebell [31m"),
        ("Rotate xoxb-123456789012-abcdefABCDEF now", "Rotate [...] now"),
        ("Use evr_pat_" + "0a" * 32, "Use [...]"),
        ("Revert 0123456789abcdef0123456789abcdef01234567", "Revert [...]"),
        ("Token=ghp_abcdefghij1234567890", "[...]"),
        ("A-word-that-is-long-and-has-no-digit stays", "A-word-that-is-long-and-has-no-digit stays"),
        ("12345678901234567890123 stays", "12345678901234567890123 stays"),
        ("Short 0a1b2c3d stays", "Short 0a1b2c3d stays"),
        ("long " * 100, ("long " * 100)[:200]),
    ],
)
def test_a_subject_is_fit_for_the_change_history(repo, message, words):
    """One printable line, at most 200 characters, without what looks like a credential: the platform refuses those."""
    sha = commit(repo, message).hexsha
    assert commit_in_words(repo.working_dir) == f"{sha[:12]} {words}"


def test_outside_git_there_is_nothing_to_say(tmp_path, monkeypatch):
    """No repository, no commit in it, or no such path: None, and no exception."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert commit_in_words(str(tmp_path)) is None
    assert commit_in_words(str(tmp_path / "nowhere")) is None
    Repo.init(tmp_path / "empty").close()
    assert commit_in_words(str(tmp_path / "empty")) is None


def test_a_bare_repository_has_no_changes(repo, tmp_path):
    """A bare clone has commits and no files."""
    with repo.clone(tmp_path / "bare.git", bare=True) as bare:
        assert commit_in_words(str(bare.git_dir)) == commit_in_words(repo.working_dir)


def test_without_git_there_is_nothing_to_say(repo, monkeypatch):
    """Where gitpython cannot find git, a reason goes without the commit."""
    monkeypatch.setitem(sys.modules, "git", None)
    assert commit_in_words(repo.working_dir) is None


def test_a_stand_that_no_commit_holds_is_marked(repo):
    """Changed and new manifests are marked, whatever else of the repository changed; stdin stands in no commit."""
    top = Path(repo.working_dir)
    agents = [str(top / "agents")]
    (top / "README.md").write_text("new")
    repo.index.add(["README.md"])
    (top / "agents" / "plan.json").write_text("{}")
    assert stand_of(agents) == commit_of(agents[0])
    (top / "agents" / "b.yaml").write_text("new")
    assert stand_of(agents) == f"{commit_of(agents[0])}+"
    (top / "agents" / "b.yaml").unlink()
    (top / "agents" / "a.yaml").write_text("changed")
    assert stand_of(agents) == f"{commit_of(agents[0])}+"
    repo.git.checkout("--", "agents")
    assert stand_of(agents) == commit_of(agents[0])
    assert stand_of([*agents, "-"]) == f"{commit_of(agents[0])}+"
