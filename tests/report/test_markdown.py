"""Markdown for GitHub: what it shows, how it shrinks, and that nothing from elsewhere is ever markup."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.kinds.fields import SecretRef
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.owned import Owner
from reconciler.plan.plan import OrgRef, Plan
from reconciler.plan.verdict import Refusal
from reconciler.report.applied_sheet import applied_sheet
from reconciler.report.drift_sheet import drift_sheet
from reconciler.report.fit import size_of
from reconciler.report.inert import cell, code, fenced
from reconciler.report.markdown import COMMENT, LEAST, STEP_SUMMARY, markdown
from reconciler.report.plan_sheet import plan_sheet
from reconciler.resource import Address

from .anything import APPLIED, DRIFT, NASTY, PLAN
from .fleets import DRIFT as SOME_DRIFT

FACTS = {"Platform": "https://app.everruns.com/api", "Commit": "c0ffee", "Digest": "sha256:abc"}
PARSER = MarkdownIt("commonmark").enable("table")


def plan_md(*plans, **options):
    """Write plans as one document."""
    return markdown([plan_sheet(plan, facts=FACTS) for plan in plans], **options)


def agents(count, action=Action.UPDATE, *, prompt="", start=0):
    """Make changes of agents, with prompts that change in one word."""
    fields = (FieldChange(("system_prompt",), f"Old.\n{prompt}", f"New.\n{prompt}"),) if prompt else ()
    names = range(start, start + count)
    return tuple(Change(Address("acme", "Agent", f"agent-{n:05}"), action, fields=fields) for n in names)


def in_environment(plan, name):
    """Return the plan as if it were made for an environment."""
    return Plan(plan.changes, plan.orgs, unchanged=plan.unchanged, owner=Owner("example.com/acme", "manifests", name))


# --- what it shows ---


def test_a_plan_with_one_of_everything(plan, same_as_golden):
    """Golden."""
    same_as_golden(plan_md(plan).splitlines(), "plan.md")


def test_an_apply_with_one_of_everything(plan, applied, same_as_golden):
    """Golden; what went wrong stands first."""
    same_as_golden(markdown([applied_sheet(plan, applied, flags="", facts=FACTS)]).splitlines(), "applied.md")


def test_a_drift_with_one_of_everything(same_as_golden):
    """Golden; with the commands that revert and capture."""
    sheet = drift_sheet(SOME_DRIFT, flags="-f fleet ", facts=FACTS, environment="production")
    same_as_golden(markdown([sheet]).splitlines(), "drift.md")


def test_nothing_to_do_is_one_sentence():
    """Without a table, and without what was left alone."""
    text = plan_md(Plan((), unchanged={"Agent": 34}))
    assert text.startswith("## No changes. 34 resources are as git wants them.\n\n<sub>")
    assert "|" not in text


def test_what_matters_most_stands_first(plan):
    """Removals, secrets, exposure, updates, creations."""
    text = plan_md(Plan((*plan.changes, *agents(1)), plan.orgs))
    headings = re.findall(r"^#### (.*):", text, re.MULTILINE)
    assert headings == ["Removals", "Secrets", "Exposure", "Updates", "Creations", "To know of"]


def test_all_environments_and_organizations_are_in_one_table(plan):
    """One row for each, and one for the environment in which nothing changes."""
    calm = in_environment(Plan((), unchanged={"Agent": 3}), "calm")
    text = plan_md(in_environment(plan, "production"), in_environment(plan, "staging"), calm)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [row.split(" | ")[:2] for row in rows] == [
        ["| `production`", "`acme`"],
        ["| `production`", "`labs`"],
        ["| `staging`", "`acme`"],
        ["| `staging`", "`labs`"],
        ["| `calm`", "*all* · nothing to do"],
    ]
    head = next(line for line in text.splitlines() if line.startswith("| Environment"))
    assert head == "| Environment | Organization | Removals | Secrets | Exposure | Creations | To know of |"
    assert text.startswith("## Plan: 3 environments, nothing to tell of 1\n")
    assert plan_md(in_environment(plan, "a"), in_environment(plan, "b")).startswith("## Plan: 2 environments\n")


def test_a_refusal_stands_before_everything():
    """With the way out."""
    text = plan_md(Plan(agents(1, Action.ARCHIVE), refusals=(Refusal("too many", "--allow-archive Agent=1"),)))
    assert text.index("> [!CAUTION]\n> **Refused:** `too many`\n>\n> `--allow-archive Agent=1`") < text.index("####")


# --- how it shrinks ---


def test_five_thousand_changes_fit_in_a_comment():
    """Removals keep their lines, the rest is counted, and the report is named."""
    prompt = "".join(f"Line {n} says something.\n" for n in range(40))
    many = Plan((*agents(4900, prompt=prompt), *agents(100, Action.ARCHIVE, start=5000)))
    text = plan_md(many, link="https://github.com/acme/fleet/actions/runs/1")
    assert COMMENT * 0.9 < size_of(text) <= COMMENT
    assert len(re.findall("^- `-` archive", text, re.MULTILINE)) == 100
    assert "#### Updates: 4,900 Agents" in text
    assert re.search(r"…and [\d,]+ more\.", text)
    assert "<https://github.com/acme/fleet/actions/runs/1>" in text
    assert size_of(plan_md(many, limit=STEP_SUMMARY)) <= STEP_SUMMARY


def test_it_shrinks_by_degrees():
    """With less and less room: whole, then lines for some, then not even these; never more than the limit."""
    prompt = "".join(f"Line {n} says something.\n" for n in range(8))
    some = Plan(agents(60, prompt=prompt))
    whole = size_of(plan_md(some))
    texts = [plan_md(some, limit=limit) for limit in (whole + 500, whole // 2, whole // 4, LEAST)]
    blocks = [text.count("<details") for text in texts]
    lines = [text.count("\n- `~`") for text in texts]
    assert blocks[0] == 60 > blocks[1] > blocks[2] > blocks[3]
    assert lines[0] == 0
    assert lines[1] == 60 - blocks[1]
    assert blocks[3] + lines[3] < 60
    assert "Shortened" not in texts[0]
    assert all("Shortened" in text for text in texts[1:])


def test_a_long_prompt_takes_the_room_there_is():
    """A comment is filled to its last line before a prompt in it is cut short, whatever its length."""
    lines = [f"Rule {n}: always answer politely, and mention the number of the order." for n in range(390)]
    for width in (1, 2, 3):
        old = "\n".join(line * width for line in lines)
        field = FieldChange(("system_prompt",), old, old.replace("politely", "kindly"))
        text = plan_md(Plan((Change(Address("acme", "Agent", "triage"), Action.UPDATE, fields=(field,)),)))
        cut_short = "Shortened to fit here: 0 items without a line, 1 without a whole diff" in text
        assert cut_short is (width > 1)
        assert ("more lines" in text) is cut_short
        assert COMMENT * (0.9 if cut_short else 0.8) < size_of(text) <= COMMENT
        assert cut_short or text.count("kindly") == 390


def test_room_is_shared_before_one_prompt_takes_the_rest():
    """Of several long prompts each shows some, the first of them what is left."""
    old = "".join(f"Line {n} says something that nobody needs to know.\n" for n in range(300))
    field = FieldChange(("system_prompt",), old, old.replace("nobody", "somebody"))
    names = [f"agent-{n}" for n in range(8)]
    text = plan_md(Plan(tuple(Change(Address("acme", "Agent", n), Action.UPDATE, fields=(field,)) for n in names)))
    shown = [block.count("somebody") for block in text.split("<details")[1:]]
    assert len(shown) == 8
    assert min(shown) >= 20
    assert max(shown) == shown[0]
    assert COMMENT * 0.95 < size_of(text) <= COMMENT


def test_a_crowd_of_creations_takes_no_room_from_an_update():
    """Its diff is there, whatever else is not."""
    text = plan_md(Plan((*agents(1, prompt="Line.\n" * 9), *agents(5000, Action.CREATE, start=1))))
    assert "```diff" in text


def test_a_limit_below_all_sense_is_refused():
    """Rather than broken."""
    with pytest.raises(ValueError, match="no Markdown"):
        plan_md(Plan(()), limit=LEAST - 1)


SHEETS = (
    st.lists(PLAN.map(lambda plan: plan_sheet(plan, facts=FACTS)), min_size=1, max_size=2)
    | st.tuples(st.builds(lambda plan, applied: applied_sheet(plan, applied, flags="", facts=FACTS), PLAN, APPLIED))
    | st.tuples(st.builds(lambda d, name: drift_sheet(d, flags="", facts=FACTS, environment=name), DRIFT, NASTY))
)
slowly = settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=40)


@slowly
@given(SHEETS, st.integers(LEAST, 6_000) | st.just(COMMENT), st.none() | NASTY)
def test_no_document_is_longer_than_it_may_be(sheets, limit, link):
    """Whatever the plan, the apply or the drift, in bytes and so in characters."""
    text = markdown(sheets, limit=limit, link=link and f"https://example.com/{link}")
    assert len(text) <= size_of(text) <= limit


class Outside(HTMLParser):
    """Collects what a block of HTML says outside of `<code>`, and its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.said, self.open, self.tags = "", 0, []

    def handle_starttag(self, tag, attrs):
        """Count what is open, and refuse attributes but the one that is ours."""
        self.tags.append(tag)
        self.open += tag == "code"
        assert [name for name, _ in attrs] in ([], ["open"])

    def handle_endtag(self, tag):
        """Count what is closed."""
        self.tags.append(f"/{tag}")
        self.open -= tag == "code"

    def handle_data(self, data):
        """Keep what is not code."""
        self.said += "" if self.open else data


def assert_inert(text):
    """Fail where text from elsewhere is anything but shown, and where a fence or a fold is not closed."""
    folds = 0
    for token in PARSER.parse(text):
        for inner in token.children or []:
            assert inner.type in {"text", "code_inline", "softbreak", "html_inline", "strong_open", "strong_close"} | {
                "em_open",
                "em_close",
                "link_open",
                "link_close",
            }, inner
            if inner.type == "html_inline":
                assert inner.content in {"<sub>", "</sub>", "<b>", "</b>"}
            assert inner.type == "code_inline" or "zork" not in inner.content
        if token.type == "html_block":
            outside = Outside()
            outside.feed(token.content)
            assert "zork" not in outside.said
            assert outside.open == 0
            assert set(outside.tags) <= {"details", "summary", "code", "b", "/details", "/summary", "/code", "/b"}
            folds += outside.tags.count("details") - outside.tags.count("/details")
            assert folds in (0, 1)
        if token.type == "fence":
            lines = text.splitlines()[token.map[0] : token.map[1]]
            assert lines[-1] == token.markup
            assert token.info == "diff"
        assert token.type not in {"code_block", "hr", "lheading_open", "ordered_list_open"}
    assert folds == 0


@slowly
@given(SHEETS, st.integers(LEAST, 6_000) | st.just(COMMENT))
def test_text_from_elsewhere_is_only_ever_shown(sheets, limit):
    """It stands in code spans, in fences that are closed, and in `<code>`; so GitHub links and mentions nobody."""
    assert_inert(markdown(sheets, limit=limit))


@given(NASTY)
def test_a_code_span_is_one_span_even_in_a_table(text):
    """However many backticks and bars are in it."""
    (inline,) = PARSER.parseInline(f"{code(text)} end")
    assert [token.type for token in inline.children] == ["code_inline", "text"]
    tokens = PARSER.parse(f"| a | b |\n| - | - |\n| {cell(text)} | end |\n")
    cells = [after for token, after in pairwise(tokens) if token.type == "td_open"]
    assert [[inner.type for inner in one.children] for one in cells] == [["code_inline"], ["text"]]


@given(st.lists(NASTY, max_size=4))
def test_a_fence_ends_where_it_should(lines):
    """Its body is never cut short by what stands in it."""
    tokens = PARSER.parse(fenced(lines) + "\n\nend\n")
    assert [token.type for token in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]


def test_a_value_within_reach_is_never_read(plan, applied, monkeypatch):
    """The variables of the references are there; nobody looks."""
    for name in ("CRM_TOKEN", "SLACK_BOT_TOKEN"):
        monkeypatch.setenv(name, "hunter2-the-value")
    texts = plan_md(plan) + markdown([applied_sheet(plan, applied, flags="", facts=FACTS)])
    assert "env CRM_TOKEN" in texts
    assert "hunter2" not in texts


def test_an_organization_of_another_name_is_told_by_both(plan):
    """And one without a title by its name alone."""
    change = Change(Address("acme", "Agent", "a"), Action.CREATE, fields=(FieldChange(("x",), None, TOKEN),))
    text = plan_md(Plan((change,), {"acme": OrgRef("org_1", "acme")}))
    assert "| `acme` | 1 |" in text
    assert "(env TOKEN)" in text


TOKEN = SecretRef(source="env", name="TOKEN")
