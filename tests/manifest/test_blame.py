"""Who last touched a document: git's blame in one value, asked of this clone alone."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from reconciler.errors import Source, SourceFile
from reconciler.manifest.blame import last_touched, lines_of

ONE = "# the first\nkind: Agent\nspec:\n  n: 1\n"
TWO = "---\nkind: App\nspec:\n  channels:\n    - name: a\n      type: x\n    - name: b\n"


@pytest.fixture
def git(tmp_path, monkeypatch):
    """Stand in a repository whose manifests lie in `fleet/m`; return what runs git in it, at a time in hours."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "fleet/m").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "fleet")

    def run(*words, hour=0, who="Ada", committed=None):
        dates = {"AUTHOR": hour, "COMMITTER": hour if committed is None else committed}
        stamps = {f"GIT_{role}_DATE": f"2026-01-01T{at:02}:00:00+02:00" for role, at in dates.items()}
        names = {f"GIT_{role}_{field}": who for role in dates for field in ("NAME", "EMAIL")}
        command = ["git", *words]
        done = subprocess.run(
            command, env={**os.environ, **stamps, **names}, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    return run


def commit(git, text, subject, **how):
    """Commit the manifest with a text; return the short id."""
    Path("m/a.yaml").write_text(text)
    git("add", "-A")
    git("commit", "--quiet", "--no-gpg-sign", "-m", subject, **how)
    return git("rev-parse", "HEAD")[:12]


def source(text, *, index=0, path="m/a.yaml"):
    """Make the source of a document."""
    return Source(SourceFile(path, text), index, 1)


def touched(text, index=0, path="m/a.yaml"):
    """Return what last touched a document of the manifest."""
    one = source(text, index=index, path=path)
    return last_touched(one, lines_of(one))


@pytest.mark.parametrize(
    ("index", "path", "lines"),
    [
        (0, (), range(1, 5)),
        (1, (), range(5, 12)),
        (0, ("spec",), range(3, 5)),
        (1, ("spec", "channels", 0), range(9, 11)),
        (1, ("spec", "channels", 1, "name"), range(11, 12)),
        (1, ("spec", "channels", 1, "absent"), range(11, 12)),
    ],
)
def test_lines_of_a_document_or_of_a_part(index, path, lines):
    """A document has its lines with the comments above it; a channel has its own."""
    assert lines_of(source(ONE + TWO, index=index), path) == lines


def test_lines_are_counted_as_git_counts_them():
    """Only a line feed ends a line; a byte order mark and a later syntax error change nothing."""
    assert lines_of(source("\ufeffa: 'x\u2028y'\r\nb: 1\r\n--- [\n"), ("b",)) == range(2, 3)
    assert lines_of(source("a: 1\n--- [\n")) == range(1, 2)


def test_the_last_commit_of_the_lines_is_named(git):
    """The newest commit among those of a document's lines, whatever happened to the other one."""
    commit(git, ONE + TWO, "Begin", hour=1)
    second = commit(git, ONE.replace("n: 1", "n: 2") + TWO, "Shorten\n\nbody", hour=2, who="Bo \x1b[1m")
    third = commit(git, ONE.replace("n: 1", "n: 2") + TWO + "      type: y\n", "Type it", hour=3)
    text = Path("m/a.yaml").read_text()
    one, two = touched(text), touched(text, 1)
    assert (one.commit, one.author, one.subject) == (second, "Bo [1m", "Shorten")
    assert one.date == datetime(2026, 1, 1, 0, tzinfo=UTC)
    assert one.date.utcoffset() == timezone(timedelta(hours=2)).utcoffset(None)
    assert str(one) == f"{second} 2026-01-01 Bo [1m: Shorten"
    assert (two.commit, two.author) == (third, "Ada")
    assert not one.has_uncommitted
    assert not one.is_boundary


def test_last_is_what_was_committed_last(git):
    """An old change that was rebased onto a newer one came later."""
    commit(git, ONE, "New work", hour=5)
    rebased = commit(git, ONE.replace("n: 1", "n: 2"), "Old work", hour=1, committed=6)
    assert touched(Path("m/a.yaml").read_text()).commit == rebased


def test_lines_that_are_not_committed_are_told(git):
    """Uncommitted lines are said beside the last commit, or alone where there is none."""
    first = commit(git, ONE, "Begin")
    Path("m/a.yaml").write_text(ONE.replace("n: 1", "n: 2") + TWO)
    one, two = touched(ONE + TWO), touched(ONE + TWO, 1)
    assert (one.commit, one.has_uncommitted) == (first, True)
    assert str(one).endswith("Ada: Begin (with uncommitted changes)")
    assert (two.commit, two.has_uncommitted, str(two)) == (None, True, "not committed yet")


def test_nothing_is_known_outside_git(git, tmp_path):
    """No repository, no commit, no such file, a file that git does not know, more lines than it has: None."""
    Path("m/a.yaml").write_text(ONE)
    assert touched(ONE) is None
    commit(git, ONE, "Begin")
    Path("m/new.yaml").write_text(ONE)
    (tmp_path / "outside.yaml").write_text(ONE)
    assert touched(ONE, path="m/new.yaml") is None
    assert touched(ONE, path="m/absent.yaml") is None
    assert touched(ONE, path="absent/a.yaml") is None
    assert touched(ONE, path="<stdin>") is None
    assert touched(ONE, path=str(tmp_path / "outside.yaml")) is None
    assert last_touched(source(ONE), range(50, 60)) is None


def test_a_detached_head_and_another_folder(git, tmp_path, monkeypatch):
    """Neither a branch nor the working folder matters; what stands at HEAD counts, not what came later."""
    first = commit(git, ONE, "Begin")
    commit(git, ONE.replace("n: 1", "n: 2"), "Later", hour=1)
    git("checkout", "--quiet", "--detach", first)
    assert touched(ONE).commit == first
    place = str(tmp_path / "fleet/m/a.yaml")
    monkeypatch.chdir(tmp_path)
    assert touched(ONE, path=place).commit == first


def test_a_hook_speaks_of_another_repository(git, tmp_path, monkeypatch):
    """The environment of a git hook, about another repository, does not lead astray."""
    first = commit(git, ONE, "Begin")
    git("init", "--quiet", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    assert touched(ONE).commit == first


def test_a_shallow_clone_says_that_it_ends(git, tmp_path, monkeypatch):
    """Where history is cut off, the commit is the last that is known, and that is said."""
    commit(git, ONE, "Begin")
    last = commit(git, ONE + "# more\n", "Later", hour=1)
    git("clone", "--quiet", "--depth=1", f"file://{tmp_path}/fleet", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    one = touched(ONE + "# more\n")
    assert (one.commit, one.is_boundary) == (last, True)
    assert str(one).endswith("Ada: Later (this clone knows nothing older)")


def test_the_first_commit_is_no_boundary(git):
    """The commit that begins a whole history is not told as the end of a clone."""
    commit(git, ONE, "Begin")
    assert touched(ONE).is_boundary is False


def test_a_partial_clone_fetches_nothing(git, tmp_path, monkeypatch):
    """What a partial clone has not is not fetched for this: no answer, and no object more than before."""
    commit(git, ONE, "Begin")
    commit(git, ONE.replace("n: 1", "n: 2"), "Later", hour=1)
    git("config", "uploadpack.allowFilter", "true")
    git("clone", "--quiet", "--filter=blob:none", f"file://{tmp_path}/fleet", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    before = sorted(Path(".git/objects").rglob("*"))
    assert touched(ONE) is None
    assert sorted(Path(".git/objects").rglob("*")) == before


def test_nothing_is_written(git):
    """Index, work tree and references are as they were, times included."""
    commit(git, ONE, "Begin")
    os.utime("m/a.yaml", (1, 1))
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    assert touched(ONE) is not None
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == before


def test_without_git_there_is_nothing_to_say(git, monkeypatch):
    """Where gitpython cannot find git, nobody is named."""
    commit(git, ONE, "Begin")
    monkeypatch.setitem(sys.modules, "git", None)
    assert touched(ONE) is None
