"""The ledger: every section of the two documents of facts, with what of it is implemented and what is not.

A test named `test_<area>_<section>_...` is a test of that section: `test_agents_2_3_put_by_id` of 2.3.
"""

import re
from pathlib import Path

import pytest

ORGS = "orgs-apps-errors.md"
AGENTS = "agents-memories-sessions.md"
DOCUMENT = {
    **dict.fromkeys(("orgs", "apps", "channels", "errors", "auth", "headers", "ids", "limits"), ORGS),
    **dict.fromkeys(
        ("agents", "versions", "memories", "harnesses", "identities", "models", "sessions", "chat"), AGENTS
    ),
}
# Sections with behaviour, and what of each is missing; nothing is said where nothing is known to be missing.
IMPLEMENTED = {
    (ORGS, "1.1"): "members of an organization answer 501; everybody with a token that has a role is a member",
    (ORGS, "1.2"): "the members that only the newest servers add (system_decisions, agentid_agents_per_owner)",
    (ORGS, "1.3"): "a policy before creation, which hosted deployments may add",
    (ORGS, "1.4"): "",
    (ORGS, "1.5"): "projects inside an organization; a server without authentication",
    (ORGS, "1.6"): "the settings in the shape of the newest servers",
    (ORGS, "2.1"): "runs are always empty, since nothing runs",
    (ORGS, "2.2"): "",
    (ORGS, "2.3"): "",
    (ORGS, "2.4"): "app and first channel are one transaction here",
    (ORGS, "2.5"): "",
    (ORGS, "2.6"): "",
    (ORGS, "3.1"): "trigger answers 501",
    (ORGS, "3.2"): "the timestamps that Slack's own calls would write",
    (
        ORGS,
        "3.3",
    ): "durable execution is always on; the cap of ten schedule channels is never reached on strict servers",
    (ORGS, "3.4"): "",
    (ORGS, "3.5"): "",
    (ORGS, "3.6"): "",
    (ORGS, "4.1"): "",
    (ORGS, "4.2"): "codes of operations that are not served",
    (ORGS, "4.3"): "the actions that the published vocabulary promises and the server does not send",
    (ORGS, "4.4"): "resources that are not served",
    (ORGS, "4.5"): "database_pool_exhausted",
    (ORGS, "5"): "expiry of tokens and their management",
    (ORGS, "6"): "Everruns-Context-Revision; reading the history over the API",
    (ORGS, "7"): "",
    (ORGS, "8"): "no cap is on unless it is asked for; the limit per address, and those of logins and schedules",
    (AGENTS, "1.1"): "",
    (AGENTS, "1.2"): "",
    (AGENTS, "1.3"): "",
    (AGENTS, "1.4"): "",
    (AGENTS, "2.1"): "",
    (AGENTS, "2.2"): "",
    (AGENTS, "2.3"): "",
    (AGENTS, "2.4"): "",
    (AGENTS, "2.5"): "declarative capabilities; every name in the form of a built-in capability passes for one",
    (AGENTS, "2.6"): "usage, which only running sessions would have",
    (
        AGENTS,
        "3",
    ): "resolved_config has no tools or prompts of capabilities; versions resolve for sessions, not for apps",
    (AGENTS, "4.1"): "",
    (AGENTS, "4.2"): "",
    (AGENTS, "4.3"): "",
    (AGENTS, "4.4"): "",
    (AGENTS, "4.5"): "",
    (AGENTS, "5"): "preview and stats answer 501",
    (AGENTS, "6"): "locales are known by their form, not by a list",
    (AGENTS, "7"): "providers answer 501; models have no profile",
    (AGENTS, "8"): "everything that runs in a session, its features, and filters that only newer servers have",
    (AGENTS, "8.1"): "",
}
NOT_IMPLEMENTED = {
    (ORGS, "0"): "says which sources and ages there are; the profiles follow from it",
    (ORGS, "9"): "advice",
    (AGENTS, "0"): "says where the sources disagree; each point stands in its section",
    (AGENTS, "4.6"): "files of memories answer 501",
    (AGENTS, "4.7"): "the shape of memories has no test of its own",
    (AGENTS, "4.8"): "mounts take effect in running sessions only",
    (AGENTS, "9"): "rules for comparing, which concern clients",
    (AGENTS, "10"): "what is not known",
}
# Tests of the third document, which is about what comes after apps.
OTHERS = {("channels", "6")}
NAMED = re.compile(r"^def test_([a-z]+)_(\d+(?:_\d+)?)_", re.MULTILINE)


def _numbers():
    """Find the area and section that each test of this folder is named after."""
    sources = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    found = {(area, section.replace("_", ".")) for source in sources for area, section in NAMED.findall(source)}
    return {pair for pair in found if pair not in OTHERS}


TESTED = {(DOCUMENT.get(area, area), section) for area, section in _numbers()}


@pytest.mark.parametrize("fact", sorted(IMPLEMENTED), ids=" ".join)
def test_implemented_sections_have_tests(fact):
    """What counts as implemented is tested under its number."""
    assert fact in TESTED


@pytest.mark.parametrize("fact", sorted(NOT_IMPLEMENTED), ids=" ".join)
def test_the_rest_has_none(fact):
    """A section that is tested has to move to the implemented ones, with what it still lacks."""
    assert fact not in TESTED


def test_every_number_is_in_the_ledger():
    """No test is named after a section that the documents do not have."""
    assert {*IMPLEMENTED, *NOT_IMPLEMENTED} >= TESTED
    assert not IMPLEMENTED.keys() & NOT_IMPLEMENTED.keys()
