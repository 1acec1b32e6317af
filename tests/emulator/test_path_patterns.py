"""Patterns for paths."""

import pytest

from reconciler.emulator.path_patterns import PatternError, matcher


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("src/**/*.rs", "/src/lib.rs", True),
        ("src/**/*.rs", "/src/nested/mod.rs", True),
        ("src/**/*.rs", "/docs/lib.rs", False),
        ("**/*", "/notes.txt", True),
        ("**", "/a/b", True),
        ("a/**", "/a/b/c", True),
        ("docs/*", "/docs/readme.md", True),
        ("docs/*", "/docs/nested/guide.md", False),
        ("*.txt", "/nested/notes.txt", True),
        ("*.txt", "/notes.txt.bak", False),
        ("/workspace/src/**/*.rs", "/src/lib.rs", True),
        ("docs", "/my-docs/readme.md", True),
        ("docs", "/src/lib.rs", False),
        ("", "/anything", True),
        ("/workspace", "/anything", True),
        ("file?.rs", "/src/file1.rs", True),
        ("file?.rs", "/src/file12.rs", False),
        ("a?b", "/a/b", False),
        ("[ab].rs", "/src/a.rs", True),
        ("[!ab].rs", "/src/c.rs", True),
        ("[!ab].rs", "/src/a.rs", False),
        ("[]-].rs", "/].rs", True),
        ("[[a].rs", "/[.rs", True),
        ("*.{rs,ts}", "/src/main.ts", True),
        ("*.{rs,ts}", "/src/main.py", False),
        ("a,b*", "/a,b.txt", True),
        ("a.b*", "/aXb", False),
    ],
)
def test_memories_4_6_patterns(pattern, path, fits):
    """A glob is matched by segment, a bare file name at any depth, anything else is a part of the path."""
    assert matcher(pattern)(path) is fits


@pytest.mark.parametrize("pattern", ["[a", "[!a", "{a", "a*}", "[z-a]*"])
def test_memories_4_6_bad_patterns(pattern):
    """A glob that is not closed, or a range upside down, is none."""
    with pytest.raises(PatternError):
        matcher(pattern)
