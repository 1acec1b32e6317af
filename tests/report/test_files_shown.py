"""How files of a memory are shown: text by what changed in it, anything else by its size and digest."""

import base64
from hashlib import sha256

import pytest

from reconciler.kinds.contents import spelled
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.plan import OrgRef, Plan
from reconciler.report.html_page import html
from reconciler.report.markdown import markdown
from reconciler.report.plan_sheet import plan_sheet
from reconciler.report.plan_text import plan_text
from reconciler.report.style import Style
from reconciler.report.values import value_text
from reconciler.resource import Address

from .test_markdown import FACTS

OLD, NEW = bytes(range(256)) * 40, b"\0" + bytes(range(256)) * 4000
READABLE = "One.\nReturns take 30 days.\nThree.\n", "One.\nReturns take 60 days.\nThree.\n"


def in_text(plan):
    """Show a plan for a terminal."""
    return "\n".join(plan_text(plan, style=Style(width=160)))


def in_markdown(plan):
    """Show a plan as Markdown."""
    return markdown([plan_sheet(plan, facts=FACTS)])


def in_html(plan):
    """Show a plan as a page."""
    return html([plan_sheet(plan, facts=FACTS)])


def plan_of(action, *fields):
    """Make a plan of one change of files."""
    changes = tuple(FieldChange(("files", path), old, new) for path, old, new in fields)
    change = Change(Address("acme", "Memory", "docs"), action, "docs", changes, id="mem_1")
    return Plan((change,), {"acme": OrgRef("org_1", "Acme")}, {}, {})


@pytest.mark.parametrize("show", [in_text, in_markdown, in_html])
def test_bytes_are_shown_by_size_and_digest(show):
    """No base64 is shown, however the file came to be, and what is shown is short."""
    binary = [spelled(OLD), spelled(NEW)]
    plan = plan_of(Action.UPDATE, ("/a.bin", *binary), ("/b.bin", None, binary[0]), ("/c.bin", binary[0], READABLE[0]))
    shown = show(plan)
    for data, size in ((OLD, "10.0 KB"), (NEW, "1,000.0 KB")):
        assert f"binary, {size}, sha256 {sha256(data).hexdigest()[:12]}" in shown
        assert base64.b64encode(data).decode()[:20] not in shown
    assert "base64" not in shown
    made = show(plan_of(Action.CREATE, ("/a.bin", None, binary[1])))
    assert "binary, 1,000.0 KB" in made
    assert len(made) - len(show(plan_of(Action.CREATE))) < 1000


@pytest.mark.parametrize(
    ("show", "parts"),
    [
        (in_text, ["files./returns.md:", "Returns take [-30-]{+60+} days."]),
        (in_markdown, ["- Returns take 30 days.", "+ Returns take 60 days."]),
        (in_html, ["<del>30</del>", "<ins>60</ins>"]),
    ],
)
def test_a_text_is_shown_by_what_changed_in_it(show, parts):
    """A changed file is as easy to read as a changed prompt."""
    shown = show(plan_of(Action.UPDATE, ("/returns.md", *READABLE)))
    for part in parts:
        assert part in shown


def test_a_text_that_only_looks_like_bytes_is_no_error():
    """Whatever a field holds is shown somehow."""
    assert value_text("data:;base64,?").startswith("binary, 14 bytes")


@pytest.mark.parametrize("show", [in_text, in_markdown, in_html])
def test_starter_files_of_bytes_are_shown_by_size_and_digest(show):
    """The platform keeps them in base64, which nobody reads."""

    def kit(data):
        coded = base64.b64encode(data).decode()
        return [{"path": "/workspace/logo.png", "content": coded, "encoding": "base64", "is_readonly": False}]

    field = FieldChange(("initial_files",), kit(OLD), kit(NEW))
    change = Change(Address("acme", "Agent", "triage"), Action.UPDATE, "triage", (field,), id="agent_1")
    shown = show(Plan((change,), {"acme": OrgRef("org_1", "Acme")}, {}, {}))
    for data, size in ((OLD, "10.0 KB"), (NEW, "1,000.0 KB")):
        assert f"binary, {size}, sha256 {sha256(data).hexdigest()[:12]}" in shown
        assert base64.b64encode(data).decode()[:20] not in shown
