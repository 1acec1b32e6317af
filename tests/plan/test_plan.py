"""The plan as a whole: what it contains, and what its digest depends on."""

import random
from dataclasses import replace

import pytest

from reconciler.errors import Fault, Source, SourceFile
from reconciler.plan.change import Action, Change
from reconciler.plan.found import Found
from reconciler.plan.plan import OrgRef, Plan, Situation, build
from reconciler.plan.rules import Rules
from reconciler.resource import Address

from .conftest import NOBODYS, OWNER, ledger_of, written

ORGS = {"acme": OrgRef("org_1", "Acme")}
RULES = Rules(NOBODYS)


@pytest.fixture
def fleet(desired):
    """Give a fleet that refers to itself and to what is live."""
    mounts = {"mounts": [{"memory": "docs", "path": "/workspace/docs"}]}
    return [
        desired("Memory/docs", {}),
        desired("Agent/triage", {"system_prompt": "x", "capabilities": [{"ref": "memory", "config": mounts}]}),
        desired("App/bot", {"harness": "generic", "agent": "triage", "published": True}),
        desired("App/bot/Channel/n", {"type": "schedule", "config": {"cron_expression": "x", "message": "m"}}),
    ]


def situation(found=None, ids=None, reports=()):
    """Make a situation in which only `ids` have ids."""
    return Situation(found or {}, ORGS, (ids or {}).get, reports)


def test_build(fleet, observed):
    """A plan has the changes in order, the ids behind names, the ledger it rests on, and what is in sync."""
    harness = Address("acme", "Harness", "generic")
    docs = observed("Memory/docs", {"name": "docs"}, id_="mem_1")
    plan = build(
        fleet,
        situation({docs.address: Found(docs)}, {harness: "harness_1", docs.address: "mem_1"}),
        Rules(ledger_of({"Memory/docs": written(fleet[0], id_="mem_1")}, serial=7)),
        partial="some",
    )
    assert isinstance(plan, Plan)
    assert [change.step for change in plan.changes] == [
        "acme/Agent/triage",
        "acme/App/bot",
        "acme/App/bot/Channel/n",
        "acme/App/bot publish",
    ]
    assert plan.bindings == {harness: "harness_1", docs.address: "mem_1"}
    assert (plan.unchanged, plan.in_sync, plan.partial) == ({"Memory": 1}, 1, "some")
    assert (plan.owner, plan.serial, plan.refusals) == (OWNER, 7, ())
    assert plan.counts == {Action.CREATE: 3, Action.PUBLISH: 1}
    assert not plan.is_empty


def test_digest_depends_on_nothing_else(fleet):
    """The order of the files, their places and what is only reported have no say in the digest."""
    plan = build(fleet, situation(), RULES)
    moved = [replace(one, source=Source(SourceFile("elsewhere.yaml", ""), 3, 99)) for one in fleet]
    random.Random(1).shuffle(moved)
    report = Change(Address("acme", "Channel", "appchan_1", "bot"), Action.REPORT, notes=("left alone",))
    again = build(moved, situation(), RULES)
    assert again.digest == plan.digest
    assert [change.where for change in again.changes] != [change.where for change in plan.changes]
    assert build(moved[:1], situation(), RULES).digest != plan.digest
    reported = build([], situation(reports=(report,)), RULES)
    assert reported.is_empty
    assert reported.digest == build([], situation(), RULES).digest


CHANGES_DIGEST = [
    {"title": "other"},
    {"id": "agent_2"},
    {"body": {"tags": ["b"]}},
    {"then": {"capabilities": []}},
    {"holds": {"tags": ["a"]}},
    {"replace": True},
    {"replaces": True},
    {"frees": "mem_1"},
    {"detour": "notes (renaming 1)"},
    {"action": Action.RESTORE},
    {"address": Address("acme", "Agent", "other")},
]


@pytest.mark.parametrize("edit", CHANGES_DIGEST, ids=lambda edit: next(iter(edit)))
def test_digest_depends_on_what_is_written(edit):
    """Whatever bears on what is sent changes the digest."""
    change = Change(Address("acme", "Agent", "triage"), Action.UPDATE, "triage", body={"tags": ["a"]}, id="agent_1")
    assert Plan((replace(change, **edit),)).digest != Plan((change,)).digest


def test_build_gives_every_fault(desired):
    """All faults come at once, and then there is no plan."""
    faults = build([desired(f"App/{name}", {"harness": "g", "published": True}) for name in "ab"], situation(), RULES)
    assert isinstance(faults, list)
    assert all(isinstance(fault, Fault) for fault in faults)
    assert len(faults) == 2


def test_a_channel_to_be_archived_does_not_count(desired, observed):
    """An app whose only declared channel is to go cannot be published on its account."""
    bot = desired("App/bot", {"harness": "g", "published": True})
    gone = desired("App/bot/Channel/n", {"type": "schedule"}, archive=True)
    assert isinstance(build([bot, gone], situation(), RULES), list)
