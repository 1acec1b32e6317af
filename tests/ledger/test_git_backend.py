"""The branch: plumbing only, in every kind of clone, and errors that say what to do."""

import shutil
import subprocess

import pytest

from reconciler.errors import LedgerError, LedgerLocked
from reconciler.ledger.git import Git, Pushed
from reconciler.ledger.git_backend import GitBackend
from reconciler.ledger.lock import message_of
from reconciler.plan.owned import Ledger

from .conftest import BOT, OWNER, TRIAGE, git, known, lock_by, on_branch

SHOUT = "#!/bin/sh\necho ran >> {log}\nexit 1\n"


def applied(backend: GitBackend, ledger: Ledger, *, who: str = "alice") -> None:
    """Do what a run does: lock, write."""
    lock = lock_by(who)
    with backend.lock(lock):
        backend.write(ledger, message=message_of(lock, commit="a1b2c3d" * 5, changes=7, environment="production"))


def state_of(folder):
    """Give everything of a clone that a user would miss: index, head, references, files, status."""
    index = (folder / ".git" / "index").read_bytes()
    references = [line for line in git(folder, "for-each-ref").splitlines() if not line.endswith("/reconciler-ledger")]
    heads = (folder / ".git" / "HEAD").read_text(), (folder / ".git" / "FETCH_HEAD").exists()
    shallow = git(folder, "rev-parse", "--is-shallow-repository")
    return index, references, heads, shallow, git(folder, "status", "--porcelain", "-b")


def test_the_clone_is_left_alone(clone):
    """Index, work tree, head and references of the clone stay as they are, and with them a staged change.

    But for origin/reconciler-ledger, which git itself moves with a push.
    """
    (clone / "manifests" / "a.yaml").write_text("# staged\n")
    git(clone, "add", "-A")
    (clone / "manifests" / "a.yaml").write_text("# not staged\n")
    before = state_of(clone)
    applied(on_branch(clone), known(TRIAGE))
    assert on_branch(clone).read().serial == 1
    assert state_of(clone) == before


def test_history_says_who_what_and_how_much(clone, repositories):
    """Each run is one commit on a branch of its own, which names the person, the commit and the count."""
    backend = on_branch(clone)
    applied(backend, known(TRIAGE))
    applied(backend, backend.read())
    subjects = repositories.branch("log", "--format=%s", "reconciler-ledger").splitlines()
    assert subjects == ["Apply a1b2c3da1b2c to production: 7 changes"] * 2
    body = repositories.branch("log", "-1", "--format=%b", "reconciler-ledger")
    assert "By alice on " in body
    assert "a1b2c3d" * 5 in body
    assert repositories.branch("rev-list", "--max-parents=0", "--count", "reconciler-ledger") == "1"
    names = repositories.branch("ls-tree", "--name-only", "reconciler-ledger").splitlines()
    assert len(names) == 2
    assert "README.md" in names


@pytest.mark.parametrize(
    "options",
    [
        ["--depth=1"],
        ["--depth=1", "--no-single-branch"],
        ["--single-branch"],
        ["--filter=blob:none"],
        ["--no-checkout"],
    ],
    ids=lambda options: options[-1],
)
def test_every_kind_of_clone(repositories, options):
    """Shallow, single-branch and partial clones, with a detached head and without a committer, read and write."""
    git(repositories.remote, "config", "uploadpack.allowFilter", "true")
    applied(on_branch(repositories.clone("first")), known(TRIAGE))
    applied(on_branch(repositories.clone("second")), known(TRIAGE, BOT, serial=1))
    clone = repositories.clone("third", *options)
    git(clone, "checkout", "-q", "--detach")
    shallow = git(clone, "rev-parse", "--is-shallow-repository")
    backend = on_branch(clone)
    ledger = backend.read()
    assert (ledger.serial, set(ledger.entries)) == (2, {TRIAGE, BOT})
    applied(backend, ledger.without([BOT]))
    assert set(on_branch(clone).read().entries) == {TRIAGE}
    assert git(clone, "rev-parse", "--is-shallow-repository") == shallow
    assert git(clone, "log", "-1", "--format=%s") == "Commit 2"


def test_hooks_never_run(clone, tmp_path):
    """No hook of the clone has a say in the ledger, wherever hooks lie."""
    log = tmp_path / "log"
    for folder in (clone / ".git" / "hooks", tmp_path / "hooks"):
        folder.mkdir(exist_ok=True)
        for name in ("pre-push", "pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-checkout"):
            (folder / name).write_text(SHOUT.format(log=log))
            (folder / name).chmod(0o755)
    git(clone, "config", "core.hooksPath", str(tmp_path / "hooks"))
    applied(on_branch(clone), known(TRIAGE))
    assert on_branch(clone).read().serial == 1
    assert not log.exists()


def test_called_from_a_hook(clone, monkeypatch):
    """What git sets for its hooks leads neither to another repository nor to another index."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    applied(on_branch(clone), known(TRIAGE))
    assert on_branch(clone).read().serial == 1


def test_settings_of_the_user_change_nothing(clone):
    """Signing, pushing tags and submodules along, and converting line ends are settings that have no say here."""
    for name, value in {
        "commit.gpgSign": "true",
        "push.gpgSign": "true",
        "push.followTags": "true",
        "push.recurseSubmodules": "only",
        "core.autocrlf": "true",
        "push.default": "nothing",
        "fetch.prune": "true",
        "user.useConfigOnly": "true",
    }.items():
        git(clone, "config", name, value)
    applied(on_branch(clone), known(TRIAGE))
    assert on_branch(clone).read() == Ledger(OWNER, 1, known(TRIAGE).entries)


def test_a_stale_lock_is_taken_over(clone):
    """A lock whose time is over holds nobody up; the run that replaces it is told whose it was, its holder too."""
    dead = lock_by("alice", lasts=-5)
    slow = on_branch(clone)
    with slow.lock(dead):
        assert on_branch(clone).holder() == dead
        assert dead.is_stale
        with on_branch(clone).lock(lock_by("bob")) as stale:
            assert stale == dead
            with pytest.raises(LedgerError, match="taken away"):
                slow.write(known(TRIAGE), message="Apply")
    assert on_branch(clone).read().serial == 0


def test_a_lock_that_cannot_be_read_is_a_lock(clone, repositories):
    """What stands in a lock's place and makes no sense is somebody's, and can be unlocked."""
    backend = on_branch(clone)
    with backend.lock(lock_by("alice")):
        backend._push(lambda files: {**files, backend._lock: backend._git.blob(b"?")}, message=lambda: "Odd")
        with pytest.raises(LedgerLocked, match="somebody"):
            on_branch(clone).lock(lock_by("bob")).__enter__()
    odd = on_branch(clone).holder()
    assert odd.who == "somebody"
    on_branch(clone).unlock(odd)
    assert on_branch(clone).holder() is None


def test_a_branch_of_other_things_is_refused(clone, repositories):
    """A branch that holds anything but ledgers is neither read nor written."""
    before = repositories.branch("rev-parse", "main")
    with pytest.raises(LedgerError, match="holds manifests, so it is no ledger's branch"):
        on_branch(clone, branch="main").read()
    with pytest.raises(LedgerError, match="holds manifests"):
        on_branch(clone, branch="main").lock(lock_by("alice")).__enter__()
    assert repositories.branch("rev-parse", "main") == before


def test_a_protected_branch(clone, repositories):
    """Where the branch may not be pushed, the run stops before its first write and says what to allow."""
    hook = repositories.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'GH006: Protected branch update failed' >&2\nexit 1\n")
    hook.chmod(0o755)
    assert on_branch(clone).read() == Ledger(OWNER)
    with pytest.raises(LedgerError, match="no permission to push reconciler-ledger to origin") as caught:
        on_branch(clone).lock(lock_by("alice")).__enter__()
    assert "contents: write" in caught.value.hint


def test_a_remote_that_is_gone(clone, repositories):
    """Without the remote there is no ledger, and no guess: reading and locking fail with a way out."""
    shutil.rmtree(repositories.remote)
    for act in (lambda one: one.read(), lambda one: one.lock(lock_by("alice")).__enter__()):
        with pytest.raises(LedgerError, match="origin cannot be reached") as caught:
            act(on_branch(clone))
        assert "backend: file" in caught.value.hint


def test_a_remote_that_goes_while_the_lock_is_held(clone, repositories):
    """A lock that cannot be given back is said, unless something worse is: why the block itself failed."""

    def lose(error: Exception | None) -> None:
        away, mine = repositories.remote.with_suffix(".away"), lock_by("alice")
        try:
            with on_branch(clone).lock(mine):
                repositories.remote.rename(away)
                if error is not None:
                    raise error
        finally:
            away.rename(repositories.remote)
            on_branch(clone).unlock(mine)

    with pytest.raises(LedgerError, match="origin cannot be reached"):
        lose(None)
    with pytest.raises(ValueError, match="worse"):
        lose(ValueError("worse"))
    backend = on_branch(clone)
    with backend.lock(lock_by("alice")):
        repositories.remote.rename(repositories.folder / "away")
        with pytest.raises(LedgerError, match="cannot be reached"):
            backend.write(known(TRIAGE), message="Apply")
        (repositories.folder / "away").rename(repositories.remote)
    assert on_branch(clone).holder() is None


def test_an_address_with_a_login_is_not_repeated(clone):
    """A password in a remote's address appears in no message."""
    backend = GitBackend(Git(clone), OWNER, remote="https://me:hunter2@127.0.0.1:1/a.git", branch="x")
    with pytest.raises(LedgerError) as caught:
        backend.read()
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {backend.place}"
    assert "127.0.0.1" in str(caught.value)


def test_no_git(clone, monkeypatch):
    """Without git there is an error of ours."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LedgerError, match="git is not installed"):
        on_branch(clone).read()


def test_git_that_does_not_end(clone, monkeypatch):
    """A remote that does not answer does not hold a run for ever."""

    def late(command, **options):
        raise subprocess.TimeoutExpired(command, options["timeout"])

    monkeypatch.setattr("subprocess.run", late)
    with pytest.raises(LedgerError, match="ls-remote did not end within 120 seconds"):
        on_branch(clone).read()


def test_a_push_whose_answer_was_lost(clone, monkeypatch):
    """A push that went through is one, though git says it failed."""
    ours = Git(clone)
    commit = ours.commit(ours.tree({}), parent=None, message="x")
    plain = Git.run

    def lossy(self, *arguments, **options):
        ran = plain(self, *arguments, **options)
        return type(ran)(128, b"", "fatal: the remote end hung up") if arguments[0] == "push" else ran

    monkeypatch.setattr(Git, "run", lossy)
    assert ours.push(commit, remote="origin", ref="refs/heads/x", expected=None) is Pushed.DONE


def test_the_lease(clone, repositories):
    """A push that expects another tip than there is changes nothing, be it forward, backward or a first one."""
    ours = Git(clone)
    first = ours.commit(ours.tree({}), parent=None, message="first")
    second = ours.commit(ours.tree({}), parent=first, message="second")
    third = ours.commit(ours.tree({}), parent=second, message="third")
    ref = "refs/heads/x"
    assert ours.push(first, remote="origin", ref=ref, expected=None) is Pushed.DONE
    assert ours.push(second, remote="origin", ref=ref, expected=first) is Pushed.DONE
    for commit, expected in ((third, first), (third, None), (first, third)):
        assert ours.push(commit, remote="origin", ref=ref, expected=expected) is Pushed.MOVED
    assert repositories.branch("rev-parse", "x") == second


def test_objects_that_were_cleaned_up_are_fetched_again(repositories):
    """Where nothing in the clone refers to the ledger's commits, git may drop them at any time."""
    clone = repositories.clone("clone", "--single-branch")
    applied(on_branch(clone), known(TRIAGE))
    git(clone, "gc", "-q", "--prune=now")
    assert subprocess.run(
        ["git", "-C", str(clone), "cat-file", "-e", repositories.branch("rev-parse", "reconciler-ledger")],
        check=False,
        capture_output=True,
    ).returncode
    assert on_branch(clone).read().serial == 1


def test_a_blob_that_is_missing_is_fetched_again(repositories):
    """A commit that is here without its files is not taken for the ledger."""
    clone = repositories.clone("clone", "--single-branch")
    applied(on_branch(clone), known(TRIAGE))
    document = on_branch(clone)._document
    blob = repositories.branch("rev-parse", f"reconciler-ledger:{document}")
    (clone / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert on_branch(clone).read().serial == 1


def test_references_that_end_alike(clone, repositories):
    """Of several references whose names end like the branch's, only the branch counts."""
    repositories.branch("update-ref", "refs/a/refs/heads/reconciler-ledger", "main")
    assert on_branch(clone).read() == Ledger(OWNER)
    applied(on_branch(clone), known(TRIAGE))
    assert on_branch(clone).read().serial == 1


@pytest.mark.parametrize("carried_out", [False, True])
def test_interrupted_while_the_ledger_is_written(clone, monkeypatch, carried_out):
    """An interrupt during the last push loses nothing: the ledger is written, the lock is gone, the run ends."""
    backend, plain, pushes = on_branch(clone), Git.push, []

    def interrupted(self, commit, **options):
        pushes.append(commit)
        if len(pushes) != 2:
            return plain(self, commit, **options)
        if carried_out:
            plain(self, commit, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(Git, "push", interrupted)
    with pytest.raises(KeyboardInterrupt):
        applied(backend, known(TRIAGE))
    assert on_branch(clone).read().serial == 1
    assert on_branch(clone).holder() is None


@pytest.mark.parametrize("carried_out", [False, True])
def test_interrupted_while_the_lock_is_taken(clone, monkeypatch, carried_out):
    """An interrupt during the first push leaves no lock behind, whether the push went through or not."""
    plain, pushes = Git.push, []

    def interrupted(self, commit, **options):
        pushes.append(commit)
        if len(pushes) == 1:
            if carried_out:
                plain(self, commit, **options)
            raise KeyboardInterrupt
        return plain(self, commit, **options)

    monkeypatch.setattr(Git, "push", interrupted)
    with pytest.raises(KeyboardInterrupt):
        applied(on_branch(clone), known(TRIAGE))
    assert on_branch(clone).holder() is None
    assert len(pushes) == 1 + carried_out


def test_a_branch_that_never_rests(clone, monkeypatch):
    """A branch that others write all the time is given up, not fought for."""
    monkeypatch.setattr(Git, "push", lambda self, commit, **options: Pushed.MOVED)
    monkeypatch.setattr("reconciler.ledger.git_backend.time.sleep", lambda seconds: None)
    with pytest.raises(LedgerError, match="written by others all the time"):
        on_branch(clone).lock(lock_by("alice")).__enter__()


def test_a_remote_that_lets_nothing_be_replaced_gets_one_more_commit(clone, repositories):
    """Where a branch cannot be replaced, the lock stays in its history, and the ledger is written all the same."""
    git(repositories.remote, "config", "receive.denyNonFastForwards", "true")
    backend = on_branch(clone)
    for _ in range(2):
        applied(backend, backend.read() if backend.read().serial else known(TRIAGE))
    subjects = repositories.branch("log", "--format=%s", "reconciler-ledger").splitlines()
    assert [one.split()[0] for one in subjects] == ["Apply", "Lock", "Apply", "Lock"]
    assert backend.read().serial == 2
    assert backend.holder() is None


def test_what_others_pushed_meanwhile_is_never_replaced(clone, repositories):
    """Another owner's commit between a run's lock and its end stays in the history, with both ledgers."""
    one, other = on_branch(clone), on_branch(clone, owner=OWNER._replace(environment="staging"))
    with one.lock(lock_by("alice")):
        applied(other, known(BOT, owner=OWNER._replace(environment="staging")), who="bob")
        one.write(known(TRIAGE), message="Apply mine\n")
    subjects = repositories.branch("log", "--format=%s", "reconciler-ledger").splitlines()
    assert subjects[0] == "Apply mine"
    assert "Apply a1b2c3da1b2c to production: 7 changes" in subjects
    assert set(one.read().entries) == {TRIAGE}
    assert set(other.read().entries) == {BOT}


def test_a_lock_given_back_leaves_no_trace(clone, repositories):
    """A run that wrote nothing puts the branch back to where it was."""
    applied(on_branch(clone), known(TRIAGE))
    before = repositories.branch("rev-parse", "reconciler-ledger")
    with on_branch(clone).lock(lock_by("alice")):
        pass
    assert repositories.branch("rev-parse", "reconciler-ledger") == before
