"""Which paths on the platform can be paths of files here."""

import pytest

from reconciler.kinds.file_names import misfits

FITS = ["/a.md", "/guides/Größe ü.txt", "/a b/c.d/e", "/日本/x", "/Makefile", "/a.yaml/x.md", "/" + "n" * 255]


def test_ordinary_paths_fit():
    """Spaces, other scripts and folders are no hindrance."""
    assert misfits(FITS) == {}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/.env", "hidden files are not read from a folder"),
        ("/a/.git/b", "hidden files are not read from a folder"),
        ("/a/../b", "hidden files are not read from a folder"),
        ("/a//b", "it is no path of a file"),
        ("/_x/b", "the platform keeps names that begin with _ for itself"),
        ("/a\nb", "its name cannot be that of a file on every disk"),
        ("/a\\b", "its name cannot be that of a file on every disk"),
        ("/a:b", "its name cannot be that of a file on every disk"),
        ("/a \0", "its name cannot be that of a file on every disk"),
        ("/\ud800", "its name cannot be that of a file on every disk"),
        ("/a /b", "its name cannot be that of a file on every disk"),
        ("/a.", "its name cannot be that of a file on every disk"),
        ("/" + "ü" * 128, "its name is too long for a file"),
        ("/" + "/".join(["d" * 200] * 4), "its path is too long for a file"),
        ("/deep/x.yaml", "a file of this name would be read as a manifest"),
        ("/x.yml", "a file of this name would be read as a manifest"),
    ],
)
def test_what_cannot_be_a_file(path, why):
    """Each is told with its reason, and nothing else is."""
    assert misfits([*FITS, path]) == {path: why}


def test_what_a_disk_may_mix_up():
    """Of two paths that differ in case, or in how letters are put together, one can lie here."""
    assert misfits(["/A.md", "/a.md", "/docs/x", "/Docs/y", "/\u00e9", "/e\u0301"]) == {
        "/a.md": "not every disk can tell it from /A.md",
        "/docs/x": "not every disk can tell it from /Docs",
        "/\u00e9": "not every disk can tell it from /e\u0301",
    }
