"""Where repositories are cloned from."""

import pytest

from reconciler.emulator import AddressError, create_app, git_addresses
from reconciler.emulator.git_addresses import Remote

GITHUB = {"provider": "github", "repository": "Acme/Docs"}


@pytest.mark.parametrize(
    ("source", "url"),
    [
        (GITHUB, "https://github.com/Acme/Docs.git"),
        ({"provider": "git", "url": "https://git.example.com/a/b"}, "https://git.example.com/a/b"),
    ],
)
def test_real_addresses(source, url):
    """Without a base the real address is used, over https alone."""
    assert git_addresses.remote(source, None) == Remote(url, "https")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://git.example.com/a/b", "git.example.com/a/b.git"),
        ("https://git.example.com/a/b.git/", "git.example.com/a/b.git"),
        ("https://Git.Example.com:8443/b", "git.example.com%3A8443/b.git"),
        ("https://github.com/Acme/Docs", "Acme/Docs.git"),
        ("https://git.example.com/a%20b", "git.example.com/a%20b.git"),
        ("https://git.example.com//a//b", "git.example.com/a/b.git"),
    ],
)
def test_mirrors(url, place):
    """Below a base every repository has one place, which never lies outside of it."""
    source = {"provider": "git", "url": url}
    assert git_addresses.remote(source, "https://mirror.example.com/m") == Remote(
        f"https://mirror.example.com/m/{place}", "https"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://../outside",
        "https://git.example.com/../../etc",
        "https://git.example.com/%2e%2e/%2e%2e/etc",
        "https://git.example.com/a/%2E/b",
        "https://git.example.com/a%2f..%2fb",
        "https://git.example.com/a%00b",
        "https://git.example.com",
        "https://git.example.com/.git",
        "https://github.com/o/.git",
        "https://github.com/o/%2e%2e/%2e%2e/..",
    ],
)
def test_no_mirror_lies_outside_of_the_base(url):
    """An address whose mirror would not lie below the base, under a name, has none."""
    with pytest.raises(AddressError, match="the address has no place below the git base"):
        git_addresses.remote({"provider": "git", "url": url}, "file:///srv/git")


def test_memories_4_5_an_address_without_a_mirror_is_not_found(repositories, synced):
    """A sync from an address that would lead out of the base fails as one of a missing repository does."""
    repositories.commit("./", {"a": ""})
    assert (repositories.base / ".git").is_dir()
    memory = synced(type="git", url="https://github.com/o/%2e%2e/%2e%2e/..")
    error = "Repository or branch was not found. Check the repository URL and branch"
    assert memory["last_sync_error"] == error


def test_mirrors_of_github():
    """A GitHub repository lies at BASE/owner/repo.git, in its own case; the protocol is that of the base."""
    assert git_addresses.remote(GITHUB, "file:///srv/git") == Remote("file:///srv/git/Acme/Docs.git", "file")


def test_bases(tmp_path):
    """A base is a directory, in either spelling, or an http or https URL."""
    folder = tmp_path / "a b"
    folder.mkdir()
    assert git_addresses.base_url(str(folder)) == folder.as_uri()
    assert git_addresses.base_url(f"{folder.as_uri()}/") == folder.as_uri()
    assert git_addresses.base_url("https://u:p@git.example.com/m/") == "https://u:p@git.example.com/m"


@pytest.mark.parametrize(
    ("base", "fault"),
    [
        ("/does/not/exist", "the git base is no directory: /does/not/exist"),
        ("file:///does/not/exist", "the git base is no directory: /does/not/exist"),
        ("file://elsewhere/x", "a git base of the file scheme lies on this machine: file:///path"),
        ("ext::sh -c evil", "the git base is no directory: ext::sh -c evil"),
        ("https://", "the git base names no host"),
        ("https://[x", "the git base is no URL: "),
        ("ssh://git@x/y", "the git base must be a directory or a file, http or https URL without query and fragment"),
        ("https://x/y?z", "the git base must be a directory or a file, http or https URL without query and fragment"),
    ],
)
def test_bad_bases(base, fault):
    """A base that cannot be used is refused at the start."""
    with pytest.raises(AddressError, match=r"^the git base|^a git base") as caught:
        create_app(git_base=base)
    assert str(caught.value).startswith(fault)
