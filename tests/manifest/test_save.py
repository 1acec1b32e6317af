"""New files, whole or not at all; what is there is never touched, even if it came a moment ago."""

import errno
import os
from pathlib import Path

import pytest

from reconciler.errors import UsageError
from reconciler.manifest.layout import File, Sheet
from reconciler.manifest.save import save
from reconciler.plan.imported import Fate
from reconciler.resource import Address

AGENT = Address("acme", "Agent", "triage")


def sheet(*names, address=AGENT):
    """Make the files of a resource."""
    return Sheet(address, tuple(File(name, f"text of {name}".encode()) for name in names))


def fates(saved):
    """Give the fate of each file."""
    return [one.fate for one in saved]


def names(folder):
    """Give what lies in a folder, hidden files included."""
    return sorted(path.name for path in Path(folder).rglob("*") if path.is_file())


def test_written(tmp_path):
    """Folders are made, files are written, and a second time finds them the same."""
    files = sheet("prompts/a.md", "agents/a.yaml")
    assert fates(save([files], root=str(tmp_path))) == [Fate.WRITTEN] * 2
    assert (tmp_path / "agents/a.yaml").read_bytes() == b"text of agents/a.yaml"
    assert fates(save([files], root=str(tmp_path))) == [Fate.UNCHANGED] * 2
    assert names(tmp_path) == ["a.md", "a.yaml"]


@pytest.mark.parametrize("make", ["file", "folder", "broken link", "link"])
def test_in_the_way(tmp_path, make):
    """Anything under the name is in the way, a link that leads nowhere too; the others of the resource wait."""
    place, elsewhere = tmp_path / "b", tmp_path / "elsewhere"
    match make:
        case "file":
            place.write_text("mine")
        case "folder":
            place.mkdir()
        case "broken link":
            place.symlink_to(elsewhere)
        case "link":
            elsewhere.write_text("mine")
            place.symlink_to(elsewhere)
    before = names(tmp_path)
    assert fates(save([sheet("a", "b")], root=str(tmp_path))) == [Fate.LEFT_OUT, Fate.IN_THE_WAY]
    assert names(tmp_path) == before


@pytest.mark.parametrize("links", [True, False], ids=["with links", "without links"])
def test_what_comes_meanwhile_is_kept(tmp_path, monkeypatch, links):
    """A file that appears between the look and the write is not replaced, on a disk without links neither."""
    link = os.link

    def late(*arguments, **flags):
        (tmp_path / "a").write_text("theirs")
        if links:
            return link(*arguments, **flags)
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", late)
    assert fates(save([sheet("a")], root=str(tmp_path))) == [Fate.IN_THE_WAY]
    assert (tmp_path / "a").read_text() == "theirs"
    assert names(tmp_path) == ["a"]


def test_a_disk_without_links(tmp_path, monkeypatch):
    """Where nothing can be linked a file is renamed into its place."""

    def refuse(*_arguments, **_flags):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    assert fates(save([sheet("a")], root=str(tmp_path))) == [Fate.WRITTEN]
    assert names(tmp_path) == ["a"]


def test_a_disk_that_refuses(tmp_path, monkeypatch):
    """What the disk does not allow is a usage error that names the file, and nothing half written is left."""

    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="a: No space left on device"):
        save([sheet("a")], root=str(tmp_path))
    assert names(tmp_path) == []


def test_an_organization_comes_first(tmp_path):
    """Where an organization's document is in the way nothing of that organization is written; others are."""
    (tmp_path / "o").write_text("mine")
    home = sheet("o", address=Address("acme", "Organization", "acme"))
    other = sheet("c", address=Address("other", "Agent", "x"))
    assert fates(save([home, sheet("a"), other], root=str(tmp_path))) == [
        Fate.IN_THE_WAY,
        Fate.LEFT_OUT,
        Fate.WRITTEN,
    ]
