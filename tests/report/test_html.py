"""The HTML of a run: one file that loads nothing, in which text from elsewhere is text."""

import json
import re
import zlib
from base64 import b64decode, b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings

from reconciler.plan.owned import Owner
from reconciler.plan.plan import Plan
from reconciler.report.applied_sheet import applied_sheet
from reconciler.report.drift_sheet import drift_sheet
from reconciler.report.fit import size_of
from reconciler.report.html_page import PLAIN, html
from reconciler.report.html_tags import VOID
from reconciler.report.plan_sheet import plan_sheet

from .anything import APPLIED, DRIFT, PLAN
from .fleets import DRIFT as SOME_DRIFT
from .fleets import large_plan

FACTS = {"Platform": "https://app.everruns.com/api"}
slowly = settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=40)


class Page(HTMLParser):
    """Collects elements, what they say, and whether each is closed by its own end."""

    def __init__(self, text):
        super().__init__()
        self.stack, self.tags, self.attributes, self.said = [], [], [], ""
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        """Close the last one, which must be of the same name."""
        assert self.stack.pop() == tag

    def handle_data(self, data):
        """Note what is said."""
        self.said += data


def page(*sheets, **options):
    """Render sheets and parse them."""
    return Page(html(sheets, **options))


def assert_inert(read):
    """Fail on an element or an attribute that could load, run or lead anywhere."""
    known = "html head meta title style body header h1 h2 dl div dt dd nav input output button span kbd b select option"
    known += " main section p strong table thead tbody tr th td small colgroup col details summary code em ins del pre"
    known += " footer script svg g path rect text a template noscript"
    assert set(read.tags) <= set(known.split())
    assert read.tags.count("script") == read.tags.count("style") == read.tags.count("html") == 1
    for tag, name, value in read.attributes:
        assert not name.startswith("on")
        assert name not in {"src", "srcset", "style", "action"}
        assert name != "href" or re.fullmatch(r"#[ie]\d+", value)
        assert "zork" not in value or name in {"data-org", "data-env", "value"}, (tag, name)


@slowly
@given(PLAN)
def test_a_plan_of_anything_is_only_ever_shown(plan):
    """Text from manifests and from the platform makes no element and no attribute."""
    assert_inert(page(plan_sheet(plan, facts=FACTS)))


@slowly
@given(PLAN, APPLIED, DRIFT)
def test_an_apply_and_a_drift_of_anything_are_only_ever_shown(plan, applied, drift):
    """And both in one page are as one."""
    sheets = applied_sheet(plan, applied, flags="", facts=FACTS), drift_sheet(drift, flags="", facts=FACTS)
    for sheet in sheets:
        assert_inert(page(sheet))
    assert_inert(page(*sheets))


def test_its_policy_lets_in_its_own_style_and_script_alone(plan):
    """By their digests; were anything else in it, it would not run."""
    text = html([plan_sheet(plan, facts=FACTS)])
    policy = next(value for _, name, value in Page(text).attributes if name == "content" and "default-src" in value)
    for tag in ("style", "script"):
        (body,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert f"{tag}-src 'sha256-{b64encode(sha256(body.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "://" not in re.sub(r"https://(app.everruns.com/api|[a-z.]+example)", "", text)


def test_what_is_there_is_said(plan, applied):
    """The verdict, each item, its fields; both sides of what changed."""
    said = page(plan_sheet(plan, facts=FACTS)).said
    assert plan_sheet(plan, facts=FACTS).verdict in said
    for change in plan.changes:
        assert change.address.local in said
    assert "something useful" in said
    assert "nothing harmful" in said
    assert "will be sent (env CRM_TOKEN)" in said
    assert "2 of 45 declared resources left out" in said
    outcome = page(applied_sheet(plan, applied, flags="", facts=FACTS)).said
    assert "second line" in outcome
    assert "look again" in outcome
    assert "reconciler apply --target acme/Agent/triage" in page(drift_sheet(SOME_DRIFT, flags="", facts={})).said


def test_five_thousand_changes_stay_below_three_and_a_half_megabytes():
    """Each has its line, and what it holds is packed: nothing is left out."""
    text = html([plan_sheet(large_plan(5000), facts=FACTS)])
    assert PLAIN < size_of(text) <= 3_500_000
    assert text.count('<details class="i ') == 5000
    held = unpacked(text)
    assert len(held) == 5000
    assert_inert(Page(text))
    assert sum("Row" in one for one in held.values()) == 3000
    assert "only their line" not in text


def unpacked(text):
    """Return what a page has packed, by the number of its item."""
    found = {}
    for first, data in re.findall(r'<template data-first="(\d+)">([^<]*)</template>', text):
        texts = json.loads(zlib.decompress(b64decode(data)))
        found |= {number: one for number, one in enumerate(texts, int(first)) if one is not None}
    return found


@slowly
@given(PLAN)
def test_what_is_packed_is_as_inert_as_what_is_not(plan):
    """It is the same markup, which the script puts where it would have stood."""
    sheet = plan_sheet(plan, facts=FACTS)
    plain, small = html([sheet]), html([sheet], most=len(html([sheet]).encode()) - 1)
    for number, one in unpacked(small).items():
        assert f'id="i{number}"' in small
        assert one in plain
    assert_inert(Page(small))


@pytest.mark.parametrize("most", [60_000, 190_000, 400_000])
def test_no_file_is_larger_than_it_may_be(most):
    """Lines first, then what they hold in their order, and what is missing is counted."""
    text = html([plan_sheet(large_plan(500), facts=FACTS)], most=most)
    assert len(text.encode()) <= most
    assert ("more: see the text or JSON" in text) == (most == 60_000)
    assert ("only their line" in text or most == 60_000) == (most < 400_000)
    assert (len(unpacked(text)) == 500) == (most == 400_000)


def test_an_empty_plan_has_nothing_to_search():
    """One sentence, no filters, no picture."""
    read = page(plan_sheet(Plan((), unchanged={"Agent": 3}), facts=FACTS))
    assert "No changes. 3 resources are as git wants them." in read.said
    assert "input" not in read.tags
    assert "svg" not in read.tags


def test_several_environments_stand_below_each_other(plan):
    """And can be chosen; what is the same for both is said once."""
    both = [Plan(plan.changes, plan.orgs, owner=Owner("r", "manifests", name)) for name in ("staging", "production")]
    read = page(*(plan_sheet(one, facts=FACTS) for one in both))
    assert "Plan of 2 environments" in read.said
    assert [value for tag, name, value in read.attributes if (tag, name) == ("a", "href") and "e" in value] == [
        *["#e0"] * 2,
        *["#e1"] * 2,
    ]
    assert "EnvironmentOrganizationRemovalsSecretsExposureCreationsTo know of" in read.said
    assert {value for _, name, value in read.attributes if name == "data-env"} == {"staging", "production"}
    assert read.said.count("https://app.everruns.com/api") == 1
    ids = [value for tag, name, value in read.attributes if (tag, name) == ("details", "id")]
    assert len(ids) == len(set(ids)) == 2 * len(plan.changes)


def test_a_value_within_reach_is_never_read(plan, applied, monkeypatch):
    """The variables of the references are there; nobody looks."""
    for name in ("CRM_TOKEN", "SLACK_BOT_TOKEN"):
        monkeypatch.setenv(name, "hunter2-the-value")
    text = html([plan_sheet(plan, facts=FACTS)]) + html([applied_sheet(plan, applied, flags="", facts=FACTS)])
    assert "env CRM_TOKEN" in text
    assert "hunter2" not in text
