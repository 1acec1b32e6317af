"""What was touched since a commit, by what the manifests say, in real repositories."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.errors import UsageError
from reconciler.manifest.load import load
from reconciler.manifest.resolve import resolve
from reconciler.manifest.since import before

ORGANIZATION = "apiVersion: everruns.reconciler/v1\nkind: Organization\nmetadata: {name: acme}\nspec: {}\n"
HEAD = "apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata: {name: %s}\nspec: "
AGENT = HEAD + "{system_prompt: %s}\n"
APP = """\
apiVersion: everruns.reconciler/v1
kind: App
metadata: {name: bot}
spec:
  agent: triage
  harness: generic
  channels:
    - {name: hook, type: webhook, config: {message: Hi., token: {file: ../keys/hook}}}
"""
PROMPT = HEAD + "{system_prompt: {file: ../prompts/triage.md}}\n"


@pytest.fixture
def git(tmp_path, monkeypatch):
    """Stand in a repository whose manifests lie in `fleet`; return what runs git in it."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@acme.example")
    top = tmp_path / "work"
    top.mkdir()
    monkeypatch.chdir(top)

    def run(*words):
        done = subprocess.run(["git", *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    return run


@pytest.fixture
def fleet(git):
    """Commit a fleet of two agents and an app; return what runs git."""
    write("fleet/organization.yaml", ORGANIZATION)
    write("fleet/agents/triage.yaml", PROMPT % "triage")
    write("fleet/agents/writer.yaml", AGENT % ("writer", "You write."))
    write("fleet/apps/bot.yaml", APP)
    write("fleet/prompts/triage.md", "You sort.\n")
    write("fleet/keys/hook", "not-a-secret")
    commit(git)
    return git


def write(name, text):
    """Write a file below the repository's top."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)


def commit(git, subject="A change"):
    """Commit everything."""
    git("add", "-A", "--force")
    git("commit", "--quiet", "--no-gpg-sign", "--allow-empty", "-m", subject)


def touched(ref, *paths):
    """Return what was touched since a commit, within the organization."""
    paths = paths or ("fleet",)
    past = before(paths, ref)
    found = past.touched(resolve(load(paths, may_be_empty=True)).desired).touched
    return sorted(address.local for address in found)


def explained(ref):
    """Return the messages of the faults that are left out, and of those that are not."""
    past = before(("fleet",), ref)
    faults = resolve(load(("fleet",))).faults
    return [one.message for one in faults if past.explains(one)], [
        one.message for one in faults if not past.explains(one)
    ]


def test_nothing_was_touched_where_nothing_changed(fleet):
    """A clone as it was committed has nothing touched."""
    assert touched("HEAD") == []


TOUCHES = {
    "a field": ("fleet/agents/writer.yaml", AGENT % ("writer", "You edit."), ["Agent/writer"]),
    "a text beside": ("fleet/prompts/triage.md", "You sort well.\n", ["Agent/triage"]),
    "the file of a secret": ("fleet/keys/hook", "not-a-secret-either", ["App/bot/Channel/hook"]),
    "a new document": ("fleet/agents/new.yaml", AGENT % ("new", "Hi."), ["Agent/new"]),
    "a comment": ("fleet/agents/writer.yaml", "# hers\n" + AGENT % ("writer", "You write."), []),
    "the order of keys": ("fleet/organization.yaml", ORGANIZATION.replace("spec: {}\n", "") + "spec: {}\n", []),
    "another file": ("README.md", "Words.\n", []),
    "protection": (
        "fleet/agents/writer.yaml",
        (AGENT % ("writer", "You write.")).replace("{name: writer}", "{name: writer, protect: true}"),
        ["Agent/writer"],
    ),
    "a child": ("fleet/apps/bot.yaml", APP.replace("type:", "enabled: false, type:"), ["App/bot/Channel/hook"]),
    "a child gone": ("fleet/apps/bot.yaml", APP[: APP.index("\n    -")] + " []\n", ["App/bot/Channel/hook"]),
}


@pytest.mark.parametrize("case", TOUCHES)
@pytest.mark.parametrize("is_committed", [False, True])
def test_what_says_something_else_was_touched(fleet, case, is_committed):
    """A document is touched when what it says differs, committed or not, and by a text beside it."""
    name, text, expected = TOUCHES[case]
    write(name, text)
    if is_committed:
        commit(fleet)
    assert touched("HEAD~1" if is_committed else "HEAD") == expected


def test_what_was_removed_was_touched(fleet):
    """A document that is there no more is touched, with its children."""
    fleet("rm", "--quiet", "fleet/apps/bot.yaml")
    assert touched("HEAD") == ["App/bot", "App/bot/Channel/hook"]


def test_a_file_that_moved_was_not_touched(fleet):
    """An address is what counts, not the file it stands in."""
    Path("fleet/agents/writer.yaml").rename("fleet/agents/scribe.yaml")
    assert touched("HEAD") == []


def test_only_one_of_two_documents_in_a_file_was_touched(fleet):
    """A file of several documents is no unit."""
    two = AGENT % ("one", "One.") + "---\n" + AGENT % ("two", "Two.")
    write("fleet/agents/both.yaml", two)
    commit(fleet)
    write("fleet/agents/both.yaml", two.replace("Two.", "Second."))
    assert touched("HEAD") == ["Agent/two"]


def test_another_organization_touches_what_is_in_its_folder(fleet):
    """A document that another organization takes in has another address, without a change of its own."""
    write("fleet/organization.yaml", ORGANIZATION.replace("acme", "apex"))
    assert "Agent/writer" in touched("HEAD")


def test_a_branch_is_counted_from_where_it_left(fleet):
    """What the other side did meanwhile is not ours."""
    fleet("checkout", "--quiet", "-b", "topic")
    write("fleet/agents/writer.yaml", AGENT % ("writer", "You edit."))
    commit(fleet)
    fleet("checkout", "--quiet", "main")
    write("fleet/agents/other.yaml", AGENT % ("other", "Hi."))
    commit(fleet)
    fleet("checkout", "--quiet", "topic")
    assert touched("main") == ["Agent/writer"]


def test_an_ignored_manifest_counts_as_well(fleet):
    """What is declared counts, whether git is told to ignore it or not."""
    write(".gitignore", "local.yaml\n")
    commit(fleet)
    write("fleet/local.yaml", AGENT % ("local", "Hi."))
    assert touched("HEAD") == ["Agent/local"]


@pytest.mark.parametrize(
    ("folder", "path"),
    [
        (".", "fleet/agents/triage.yaml"),
        ("fleet", "agents/triage.yaml"),
        ("..", "work/fleet/agents/triage.yaml"),
        ("fleet/apps", "../organization.yaml"),
    ],
)
def test_a_single_file_finds_its_text_in_the_past(fleet, monkeypatch, folder, path):
    """A text outside the folder of a single manifest is found then as now."""
    monkeypatch.chdir(folder)
    write(path, "# a comment\n" + Path(path).read_text())
    assert touched("HEAD", path) == []


def test_a_folder_may_be_called_anything(fleet):
    """A name that git could take for a pattern is a name."""
    Path("fleet").rename("[a-z]*")
    commit(fleet)
    assert touched("HEAD", "[a-z]*") == []
    write("[a-z]*/agents/writer.yaml", AGENT % ("writer", "You edit."))
    assert touched("HEAD", "[a-z]*") == ["Agent/writer"]


def test_a_work_tree_of_its_own_is_a_clone_as_any(fleet, tmp_path, monkeypatch):
    """A second work tree, whose git folder is elsewhere, has its own commit and files."""
    fleet("worktree", "add", "--quiet", "-b", "topic", str(tmp_path / "second"))
    monkeypatch.chdir(tmp_path / "second")
    write("fleet/agents/writer.yaml", AGENT % ("writer", "You edit."))
    assert touched("main") == ["Agent/writer"]


def test_several_paths_are_read_together(fleet):
    """Each path counts, and nothing beside them."""
    write("fleet/agents/writer.yaml", AGENT % ("writer", "You edit."))
    write("fleet/prompts/triage.md", "Other.\n")
    assert touched("HEAD", "fleet/organization.yaml", "fleet/apps") == []
    assert touched("HEAD", "fleet/organization.yaml", "fleet/agents/writer.yaml") == ["Agent/writer"]


def test_the_clone_is_left_as_it_is(fleet):
    """Index and files are not touched by looking."""
    write("fleet/agents/writer.yaml", AGENT % ("writer", "You edit."))
    fleet("add", "-A")
    write("fleet/agents/writer.yaml", AGENT % ("writer", "You edit more."))
    seen = fleet("status", "--porcelain", "--ignored"), fleet("diff"), fleet("diff", "--cached")
    assert touched("HEAD") == ["Agent/writer"]
    assert (fleet("status", "--porcelain", "--ignored"), fleet("diff"), fleet("diff", "--cached")) == seen


def test_a_hook_of_git_can_ask(fleet, monkeypatch):
    """In a hook git names its own folders in the environment."""
    write("fleet/agents/writer.yaml", AGENT % ("writer", "You edit."))
    monkeypatch.setenv("GIT_DIR", str(Path(".git").resolve()))
    monkeypatch.setenv("GIT_INDEX_FILE", str(Path(".git/index").resolve()))
    assert touched("HEAD") == ["Agent/writer"]


def test_an_old_fault_is_told_from_a_new_one(fleet):
    """A fault that was there stays out, as long as nobody touches its file; a new one never does."""
    write("fleet/agents/old.yaml", HEAD % "old" + "{system_prompt: Hi., colour: red}\n")
    commit(fleet)
    write("fleet/agents/new.yaml", HEAD % "new" + "{system_prompt: Hi., tags: 3}\n")
    old, new = explained("HEAD")
    assert len(old) == len(new) == 1
    assert "colour" in old[0]
    write("fleet/agents/old.yaml", "# still\n" + HEAD % "old" + "{system_prompt: Hi., colour: red}\n")
    assert explained("HEAD")[0] == []


def test_a_fault_that_another_file_brought_is_new(fleet):
    """A text that was removed is missed where it is used, in a file that nobody touched."""
    fleet("rm", "--quiet", "fleet/prompts/triage.md")
    old, new = explained("HEAD")
    assert old == []
    assert "cannot be read" in new[0]


def refused(ref, *paths):
    """Return why there is no answer, and the way out."""
    with pytest.raises(UsageError) as caught:
        before(paths or ("fleet",), ref)
    return f"{caught.value.message}; {caught.value.hint}"


@pytest.mark.parametrize("ref", ["nope", "", "--all", "-x", "main:fleet", "HEAD~9"])
def test_an_unknown_commit_is_an_error(fleet, ref):
    """What is no commit is refused by its name, and never taken for an option of git."""
    assert "git knows no such commit" in refused(ref)


def test_a_shallow_clone_says_how_to_have_the_rest(fleet, tmp_path, monkeypatch):
    """Neither a commit nor a common history beyond the end of a shallow clone is guessed at."""
    first = fleet("rev-parse", "HEAD")
    fleet("branch", "old")
    write("fleet/agents/new.yaml", AGENT % ("new", "Hi."))
    commit(fleet)
    url = Path.cwd().as_uri()
    monkeypatch.chdir(tmp_path)
    fleet("clone", "--quiet", "--depth=1", "--no-single-branch", url, "shallow")
    fleet("clone", "--quiet", "--depth=1", url, "single")
    monkeypatch.chdir("shallow")
    assert "does not reach back" in refused("origin/old")
    assert "fetch-depth: 0" in refused("origin/old")
    assert touched("HEAD") == []
    monkeypatch.chdir("../single")
    assert "this shallow clone has no such commit; fetch it whole" in refused(first)


def test_histories_without_a_common_commit_cannot_be_compared(fleet):
    """A branch begun from nothing has left no other."""
    fleet("checkout", "--quiet", "--orphan", "island")
    commit(fleet, "Another beginning")
    assert "no history in common" in refused("main")


def test_outside_git_there_is_no_since(git, tmp_path, monkeypatch):
    """A folder that is in no repository, in none with files, or in another one, is told."""
    write("fleet/a.yaml", AGENT % ("a", "Hi."))
    commit(git)
    shutil.copytree("fleet", tmp_path / "loose")
    assert "is in no git repository" in refused("HEAD", str(tmp_path / "loose"))
    assert "is not in the repository" in refused("HEAD", "fleet", str(tmp_path / "loose"))
    assert "there is no such path" in refused("HEAD", "absent")
    assert "stdin" in refused("HEAD", "-")
    git("init", "--quiet", "--bare", str(tmp_path / "bare"))
    assert "bare repository" in refused("HEAD", str(tmp_path / "bare"))


def test_an_empty_repository_knows_no_commit(git):
    """Before the first commit there is nothing to count from."""
    write("fleet/a.yaml", AGENT % ("a", "Hi."))
    assert "git knows no such commit" in refused("HEAD")
