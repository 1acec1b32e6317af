"""Where the ledger is kept, and whose it is, for manifests that stand anywhere."""

from pathlib import Path

import pytest

from reconciler.errors import LedgerError
from reconciler.ledger.checkout import checkout_of, root_of, spelled
from reconciler.ledger.choose import Wish, choose, environment_of
from reconciler.ledger.file_backend import FileBackend
from reconciler.ledger.git_backend import GitBackend

from .conftest import git

URL = "https://app.everruns.com/api"


def chosen(*manifests, wish=Wish(), **options):  # noqa: B008 - frozen
    """Choose for manifests of a platform."""
    return choose([str(one) for one in manifests], api_url=URL, wish=wish, **options)


def test_a_remote_means_its_branch(clone):
    """In a repository with a remote the ledger is on a branch of it."""
    backend = chosen(clone / "manifests")
    assert isinstance(backend, GitBackend)
    assert backend.place == "branch reconciler-ledger of origin"
    assert backend.read().owner == (str(clone.parent / "remote"), "manifests", "app.everruns.com")


def test_what_was_wished_for(clone, tmp_path):
    """Backend, folder, branch, remote and environment can be named."""
    git(clone, "remote", "add", "mirror", "git@GitHub.com:acme/fleet.git")
    backend = chosen(clone, wish=Wish(branch="b", remote="mirror", environment="staging"))
    assert backend.place == "branch b of mirror"
    assert backend._owner == ("github.com/acme/fleet", ".", "staging")
    backend = chosen(clone, wish=Wish(backend="file", path=tmp_path / "kept"))
    assert isinstance(backend, FileBackend)
    assert backend.place.startswith(f"{tmp_path}/kept/app-everruns-com-")


def test_no_remote_means_a_file(plain_git, tmp_path):
    """In a repository without a remote the ledger is a file at its top, wherever the run starts."""
    git(tmp_path, "init", "-q", "fleet")
    (tmp_path / "fleet" / "a").mkdir()
    backend = chosen(tmp_path / "fleet" / "a")
    assert Path(backend.place).parent == tmp_path / "fleet" / ".reconciler" / "ledger"
    assert backend.read().owner == ("fleet", "a", "app.everruns.com")
    with pytest.raises(LedgerError, match="fleet has no remote") as caught:
        chosen(tmp_path / "fleet", wish=Wish(backend="git"))
    assert "backend: file" in caught.value.hint


def test_outside_of_git(plain_git, tmp_path, monkeypatch):
    """Outside of git the ledger is below the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "manifests").mkdir()
    backend = chosen("manifests")
    assert backend.place.startswith(f"{tmp_path}/.reconciler/ledger/manifests-")
    assert backend.read().owner == (tmp_path.name, "manifests", "app.everruns.com")
    with pytest.raises(LedgerError, match="is not in a git repository"):
        chosen("manifests", wish=Wish(backend="git"))


def test_a_local_run_has_its_own(clone, monkeypatch, tmp_path):
    """What is done to the embedded emulator is remembered beside its data, whatever else is wished for."""
    monkeypatch.chdir(tmp_path)
    backend = chosen(clone, wish=Wish(backend="git", environment="production"), local=True)
    assert backend.place.startswith(".reconciler/ledger/local-")
    assert backend.read().owner.environment == "local"


def test_which_remote(plain_git, tmp_path):
    """Origin, or the only remote there is; otherwise it has to be named, and to exist."""
    git(tmp_path, "init", "-q", "fleet")
    fleet = tmp_path / "fleet"
    git(fleet, "remote", "add", "upstream", "https://example.com/a/b")
    assert chosen(fleet).place == "branch reconciler-ledger of upstream"
    git(fleet, "remote", "add", "fork", "https://example.com/c/b")
    with pytest.raises(LedgerError, match="several remotes and none is called origin: fork, upstream"):
        chosen(fleet)
    assert isinstance(chosen(fleet, wish=Wish(backend="file")), FileBackend)
    git(fleet, "remote", "add", "origin", "https://example.com/d/b")
    assert chosen(fleet).place == "branch reconciler-ledger of origin"
    with pytest.raises(LedgerError, match="no remote orign") as caught:
        chosen(fleet, wish=Wish(remote="orign"))
    assert "fork, origin, upstream" in caught.value.hint


def test_manifests_of_two_repositories(plain_git, tmp_path):
    """Manifests of two repositories have no ledger together."""
    for name in ("a", "b"):
        git(tmp_path, "init", "-q", name)
    with pytest.raises(LedgerError, match="different repositories"):
        chosen(tmp_path / "a", tmp_path / "b")


def test_the_root_is_the_same_from_everywhere(clone, monkeypatch):
    """The name of a set of manifests depends neither on the working directory, nor on order, nor on links."""
    top = checkout_of([str(clone)]).top
    (clone / "link").symlink_to(clone / "manifests")
    monkeypatch.chdir(clone / "manifests")
    assert root_of(["."], top=top) == root_of([str(clone / "link")], top=top) == "manifests"
    assert root_of(["a.yaml", ".."], top=top) == root_of(["..", "a.yaml"], top=top) == ".,manifests/a.yaml"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/acme/fleet", "github.com/acme/fleet"),
        ("https://x-access-token:ghs_abc@github.com/acme/fleet.git", "github.com/acme/fleet"),
        ("git@github.com:acme/fleet.git", "github.com/acme/fleet"),
        ("github.com:acme/fleet", "github.com/acme/fleet"),
        ("ssh://git@GitHub.com/acme/fleet.git/", "github.com/acme/fleet"),
        ("ssh://git@example.com:2222/acme/Fleet", "example.com:2222/acme/Fleet"),
        ("file:///srv/git/fleet.git", "/srv/git/fleet"),
        ("/srv/git/fleet.git", "/srv/git/fleet"),
        ("../fleet", "../fleet"),
    ],
)
def test_a_repository_has_one_name(url, name):
    """However a repository was cloned it has the same name, and no login is in it."""
    assert spelled(url) == name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (URL, "app.everruns.com"),
        ("http://localhost:9300/api", "localhost:9300"),
        ("https://me:pw@X.example", "x.example"),
        ("x", "default"),
    ],
)
def test_an_environment_nobody_named(url, name):
    """Platforms do not share a ledger because nobody named the environment."""
    assert environment_of(url) == name
