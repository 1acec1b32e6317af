"""Faults and errors in words."""

import re

import pytest

from reconciler.errors import LocatedFault, ReconcilerError, StalePlan
from reconciler.report.faults import error_text, fault_text
from reconciler.report.style import Style, cells

PLAIN = Style(color=False, width=100)
IN_CLEAR = "a secret must not stand in a manifest: write {env: NAME} or {file: path}"


def shown(*faults, style=PLAIN):
    """Return the lines as a list."""
    return list(fault_text(faults, style=style))


def at(column, text, message="unknown kind x", hint=None, *, line=12, path="a.yaml"):
    """Return a fault in a line of text."""
    return LocatedFault(path, line, column, text, message, hint)


def test_a_fault_in_its_line():
    """Place, line, caret, hint, count; below an unknown key may stand a secret, so its value is left out."""
    assert shown(at(3, "  sytem_prompt: hi", "unknown key sytem_prompt", "did you mean system_prompt?")) == [
        "a.yaml:12:3: unknown key sytem_prompt",
        "  12 |   sytem_prompt: ...",
        "     |   ^",
        "  hint: did you mean system_prompt?",
        "",
        "1 fault in 1 file",
    ]


def test_the_caret_stands_below_the_column_behind_tabs_wide_characters_and_controls():
    """What takes more or less than a column moves both."""
    for before in ("\t\t", "a\tb\t", "漢字\t", "e\u0301 ", "\x1b[2J", "👩\u200d💻 "):
        _, quoted, caret, *_ = shown(at(len(before) + 1, before + "x: 1"))
        margin = len("  12 | ")
        found = quoted[margin:].index("x: 1")
        assert cells(quoted[margin:][:found]) == caret.index("^") - margin


@pytest.mark.parametrize("column", [1, 60, 500, 999])
@pytest.mark.parametrize("width", [10, 40, 100])
def test_a_long_line_is_cut_around_the_column(column, width):
    """The character at fault is in the window, and the caret below it."""
    text = "".join("abcdefghij"[n % 10] for n in range(1000))
    _, quoted, caret, *_ = shown(at(column, text), style=Style(color=False, width=width))
    assert cells(quoted) <= max(width, 28)
    assert quoted[caret.index("^")] == text[column - 1]


def test_at_the_end_of_an_empty_line():
    """The caret may stand behind the last character."""
    assert shown(at(1, ""))[:2] == ["a.yaml:12:1: unknown kind x", ""]
    assert shown(at(4, "ab:"))[1:3] == ["  12 | ab:", "     |    ^"]


@pytest.mark.parametrize(
    ("column", "text", "quoted"),
    [
        (5, "    bot_token: hunter2", "    bot_token: ..."),
        (16, "    bot_token: hunter2", "    bot_token: ..."),
        (3, '- "bot token": hunter2', '- "bot token": ...'),
        (11, "config: { bot_token: hunter2, signing_secret: hunter2 }", "bot_token: ..."),
        (31, "config: { bot_token: hunter2, signing_secret: hunter2 }", "signing_secret: ..."),
        (22, "config: { bot_token: hunter2, signing_secret: hunter2 }", "..."),
        (1, "hunter2", "..."),
        (1, "hunter2:hunter2", "..."),
        (4, "\t  bot_token: hunter2", "      bot_token: ..."),
        (14, "  bot_token: hunter2: x", "  bot_token: ..."),
        (21, "  bot_token: hunter2: x", "..."),
        (3, "  ghp_hunter2: x", "..."),
        (16, "  ghp_hunter2: x", "..."),
    ],
)
def test_of_a_secret_in_clear_only_the_key_is_shown(column, text, quoted):
    """Wherever the column points."""
    lines = shown(at(column, text, IN_CLEAR))
    assert lines[1] == f"  12 | {quoted}"
    assert "hunter2" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("  password: hunter2", "  password: ..."),
        ("  url: https://u:hunter2@h/a", "  url: ..."),
        ("  x: ghp_hunter2", "  x: ..."),
        ("  headers: {x: hunter2}", "  headers: ..."),
        ("  token: {env: HOOK_TOKEN}", "  token: {env: HOOK_TOKEN}"),
        ("  token: {file: secrets/hook}", "  token: {file: secrets/hook}"),
        ("  token: {env: HOOK_TOKEN, x: hunter2}", "  token: ..."),
    ],
)
@pytest.mark.parametrize("message", ['duplicate key "x" (first on line 1)', "could not find expected ':'", "no"])
def test_a_line_that_looks_like_a_secret_is_not_shown(text, quoted, message):
    """Whatever is wrong with it; a reference to a secret is harmless."""
    lines = shown(at(3, text, message))
    assert lines[1] == f"  12 | {quoted}"
    assert "hunter2" not in "\n".join(lines)


def test_a_fault_beside_a_secret_in_clear_does_not_show_it_either():
    """Whatever the order of the faults."""
    text = "config: {bot_token: hunter2, bogus: 1}"
    lines = shown(at(30, text, "unknown key bogus"), at(10, text, IN_CLEAR))
    assert "hunter2" not in "\n".join(lines)
    assert lines[1] == "  12 | bogus: ..."


def test_a_fault_without_a_place():
    """It counts as a fault and not as a file."""
    lines = shown(
        LocatedFault("", 0, 0, "", "no manifests found", "name a folder"), at(1, "x: 1"), at(1, "x: 2", path="b")
    )
    assert lines[:3] == ["no manifests found", "  hint: name a folder", ""]
    assert lines[-1] == "3 faults in 2 files"
    assert shown(LocatedFault("", 0, 0, "", "none"))[-1] == "1 fault"
    assert shown() == []


def test_color():
    """Colour adds nothing but colour."""
    lines = shown(at(1, "x: \x1b[31m"), style=Style(color=True, width=100))
    assert re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines)) == "\n".join(shown(at(1, "x: \x1b[31m")))
    assert lines[0] == "\x1b[1ma.yaml:12:1: \x1b[0m\x1b[31munknown kind x\x1b[0m"


def test_errors():
    """Message and hint, line by line."""
    assert list(error_text(ReconcilerError("no\x1b[2J\nmore", hint="do\nthis"), style=PLAIN)) == [
        "error: no\\x1b[2J",
        "  more",
        "hint: do",
        "      this",
    ]
    assert list(error_text(ReconcilerError(""), style=PLAIN)) == ["error: "]


def test_a_stale_plan_lists_what_moved():
    """Each address with what happened to it."""
    error = StalePlan({"acme/Agent/a": "is gone from the platform", "acme/Agent/b": "was archived"})
    assert list(error_text(error, style=PLAIN)) == [
        "error: the plan is stale: 2 of its resources moved since it was made",
        "  acme/Agent/a is gone from the platform",
        "  acme/Agent/b was archived",
        "hint: make a new plan and review it",
    ]


def test_a_long_line_is_looked_at_once(monkeypatch):
    """Whether a line may hold a secret is asked once for all its faults: it may be of megabytes."""
    asked = []
    monkeypatch.setattr("reconciler.report.faults.looks_secret", lambda text: bool(asked.append(text)))
    faults = [LocatedFault("a.yaml", 1, column, "x" * 50, f"fault {column}") for column in range(1, 40)]
    assert [*fault_text(faults, style=Style())]
    assert asked == ["x" * 50]


def test_nobody_is_drowned_in_faults():
    """The first hundred are printed, then how many more there are; the count is of all."""
    lines = shown(*(at(1, "x: 1", f"fault {number}") for number in range(1234)))
    assert sum(": fault " in line for line in lines) == 100
    assert lines[-2:] == ["... and 1,134 more: mend these first, or see all with --json", "1,234 faults in 1 file"]
