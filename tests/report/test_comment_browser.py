"""The comment as a reviewer sees it: rendered as GitHub does, in a real Chromium, with nothing left of its markup."""

import re
from dataclasses import replace

import pytest

from reconciler.ci.documents import comment
from reconciler.ci.marker import mark
from reconciler.plan.plan import Plan
from reconciler.report.applied_sheet import applied_sheet
from reconciler.report.drift_sheet import drift_sheet
from reconciler.report.markdown import COMMENT, markdown
from reconciler.report.overview import Other
from reconciler.report.plan_sheet import plan_sheet

from .browser import shoot
from .fleets import DRIFT, REVIEWED, large_plan
from .github_page import github_page

RUN = "https://github.example/acme/fleet/actions/runs/4711"
FACTS = {"Platform": "https://app.everruns.com/api", "Commit": "c0ffee1", "Merge": "8d2f7ab41c09 merged into main"}
OTHERS = (
    Other("staging", "https://github.example/acme/fleet/pull/7#issuecomment-1", {"Updates": 2, "Creations": 1}),
    Other("sandbox", "https://github.example/acme/fleet/pull/7#issuecomment-2", {}, "", "1a2b3c4d5e6f7a8b"),
)


def commented(sheet, others=()):
    """Return the comment about a sheet."""
    return comment(sheet, marker=mark("plan", "production", {"digest": "sha256:0"}), link=RUN, others=others)


def reviewed():
    """Return the comment that the documentation shows."""
    return commented(replace(plan_sheet(REVIEWED, facts=FACTS), environment="production"), OTHERS)


@pytest.fixture
def read(browser):
    """Show Markdown as GitHub does."""
    page = browser.new_context(viewport={"width": 900, "height": 1000}).new_page()

    def read(text):
        page.set_content(github_page(text))
        return page

    yield read
    page.context.close()


def assert_read(page, *, tables=0):
    """Fail where markup is left in the text, an element was not closed, or something is wider than the window."""
    folds = page.locator("details").count()
    assert page.locator(".body > details").count() == folds  # one that was not closed would hold those after it
    assert page.locator("details > summary").count() == folds
    assert page.locator("table").count() == tables
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    said = page.evaluate(
        "(() => { const all = document.querySelector('.body').cloneNode(true);"
        "all.querySelectorAll('code').forEach((one) => one.remove()); return all.textContent })()"
    )
    assert not re.search(r"[`|<>]|\*\*|\[!|^#|</|&\w+;", said, re.MULTILINE), said
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_plan_reads_as_it_is_meant(read):
    """A table of environments with links, alerts, folds with diffs; and its picture is that of the documentation."""
    page = read(reviewed())
    shoot(page, "comment-plan", element=".comment")
    assert_read(page, tables=1)
    cells = page.locator("tbody tr").all_inner_texts()
    assert [cell.split("\t")[0] for cell in cells] == ["production", "staging", "sandbox"]
    assert page.locator("tbody a").count() == 2
    assert page.locator("h4").all_inner_texts()[0].startswith("Removals")
    assert page.locator("pre .del").count() > 0
    assert page.locator(".alert").count() > 0


DOCUMENTS = {
    "plan": lambda plan, applied: commented(plan_sheet(plan, facts=FACTS)),
    "applied": lambda plan, applied: commented(applied_sheet(plan, applied, flags="", facts=FACTS)),
    "drift": lambda plan, applied: commented(drift_sheet(DRIFT, flags="-f x ", facts=FACTS, environment="production")),
    "large": lambda plan, applied: commented(plan_sheet(large_plan(5000), facts=FACTS), OTHERS),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_comment_reads_as_it_is_meant(read, plan, applied, name):
    """The largest one as well, which is mostly lines and counts."""
    text = DOCUMENTS[name](plan, applied)
    assert len(text) <= COMMENT
    page = read(text)
    assert_read(page, tables=1)
    assert page.locator("h2").count() == 1


@pytest.mark.parametrize("limit", [2_500, 4_000, 6_000, 12_000, 30_000])
def test_a_shortened_comment_reads_as_it_is_meant(read, limit):
    """At each degree: folds and fences are whole or not there."""
    text = markdown([plan_sheet(large_plan(60), facts=FACTS)], limit=limit, link=RUN, others=OTHERS)
    page = read(text)
    assert_read(page, tables=1)
    assert page.locator(".alert.IMPORTANT").count() == 1


def test_several_environments_read_as_they_are_meant(read, plan):
    """One table, and a heading for each."""
    sheets = [replace(plan_sheet(one, facts=FACTS), environment=name) for name, one in (("a", plan), ("b", Plan(())))]
    page = read(markdown(sheets))
    assert_read(page, tables=1)
    assert page.locator("h3").count() == 2
