"""REMEMBER: what the ledger learns, from what was done alone."""

from dataclasses import replace

from reconciler.api_errors import Refused
from reconciler.kinds.fields import SecretRef
from reconciler.ledger.fingerprint import matches
from reconciler.ledger.remember import Memory, announced, remembered
from reconciler.plan.change import Action, Change, Record
from reconciler.plan.outcome import Blocked, Done, Failed, NotStarted
from reconciler.plan.owned import Ledger

from .conftest import BOT, NIGHTLY, OWNER, TRIAGE, known, tainted

NOW = "2026-11-22T08:00:00Z"
TOKEN = SecretRef(source="env", name="TOKEN")
IDS = {TRIAGE: "agent_new", BOT: "app_new"}
MEMORY = Memory("run-1", IDS, {"acme": "org_1", "other": "org_2"}, NOW, "c" * 40, lambda _: tainted("sesame"))


def after(ledger, *outcomes, may_exist=False):
    """Give the ledger after a run."""
    return remembered(ledger, outcomes, MEMORY, may_exist=lambda _outcome: may_exist)


def create(address, **record):
    """Create something."""
    return Change(address, Action.CREATE, record=Record(fields={"/a": "0" * 32}, **record))


def failed(change):
    """Fail."""
    return Failed(change, Refused("no"))


def test_what_was_created():
    """Its id, the time, the commit, the digests and protection; and the id of its organization alone."""
    ledger = after(announced(Ledger(OWNER), [create(TRIAGE)]), Done(create(TRIAGE, protect=True)))
    entry = ledger.entries[TRIAGE]
    assert (entry.id, entry.applied_at, entry.commit, entry.protect) == ("agent_new", NOW, "c" * 40, True)
    assert entry.fields == {"/a": "0" * 32}
    assert (ledger.begun, ledger.orgs) == (frozenset(), {"acme": "org_1"})


def test_creations_and_writes_to_ours_are_announced():
    """What somebody else made needs no announcement: it is not ours before it is written."""
    changes = [create(TRIAGE), Change(BOT, Action.UPDATE, id="app_1", record=Record())]
    assert announced(Ledger(OWNER), changes).begun == {TRIAGE}
    assert announced(known(BOT), changes).begun == {TRIAGE, BOT}


def test_what_was_not_done_is_not_remembered():
    """Failed, blocked or not started: the entry is as it was."""
    ledger = known(TRIAGE)
    change = Change(TRIAGE, Action.UPDATE, id=ledger.entries[TRIAGE].id, record=Record(fields={"/b": "1" * 32}))
    for outcome in (failed(change), Blocked(change, "x"), NotStarted(change)):
        assert after(ledger, outcome).entries == ledger.entries


def test_a_creation_in_doubt_stays_announced():
    """What may have been created is known for ours if it was; what surely was not is announced no more."""
    begun = announced(Ledger(OWNER), [create(TRIAGE)])
    assert after(begun, failed(create(TRIAGE)), may_exist=True).begun == {TRIAGE}
    assert after(begun, failed(create(TRIAGE)), may_exist=False).begun == frozenset()


def test_what_is_gone_is_forgotten():
    """An archived app is forgotten with its channels, and so is one that was only to be forgotten."""
    for action in (Action.ARCHIVE, Action.FORGET):
        ledger = after(known(TRIAGE, BOT, NIGHTLY), Done(Change(BOT, action, id="app_1")))
        assert set(ledger.entries) == {TRIAGE}
    assert after(known(TRIAGE), Done(Change(TRIAGE, Action.ARCHIVE))).orgs == {}


def test_a_switch_adds_to_what_is_known():
    """A publication is learnt beside the fields, in whatever order the two steps were done."""
    fields = Change(BOT, Action.UPDATE, id="app_1", record=Record(fields={"/a": "1" * 32}))
    switch = Change(BOT, Action.UNPUBLISH, id="app_1", record=Record(fields={"/published": "2" * 32}, adds=True))
    before = Ledger(OWNER).with_applied({BOT: replace(known(BOT).entries[BOT], id="app_1")})
    for outcomes in ((Done(fields), Done(switch)), (Done(switch), Done(fields))):
        assert after(before, *outcomes).entries[BOT].fields == {"/a": "1" * 32, "/published": "2" * 32}


def test_a_switch_alone_owns_nothing():
    """What was not remembered is not ours for having been published."""
    switch = Change(BOT, Action.PUBLISH, id="app_1", record=Record(fields={"/published": "2" * 32}, adds=True))
    assert after(Ledger(OWNER), Done(switch)).entries == {}


def test_a_move_takes_children_along():
    """The entry stands under its new name, its channels below it; without the step nothing moves."""
    new = BOT._replace(name="desk")
    step = Change(new, Action.RECORD, id="app_1", record=Record(moved_from=BOT))
    assert set(after(known(BOT, NIGHTLY), Done(step)).entries) == {new, NIGHTLY._replace(parent="desk")}
    assert set(after(known(BOT, NIGHTLY), NotStarted(step)).entries) == {BOT, NIGHTLY}


def test_secrets_that_were_sent():
    """What was sent gets a fingerprint of its value; what was not keeps its own, if it is the same resource."""
    record = Record(secrets={"/config/bot_token": TOKEN})
    ledger = known(NIGHTLY, secret="old")
    id_ = ledger.entries[NIGHTLY].id
    old = ledger.entries[NIGHTLY].secrets
    sent = Change(NIGHTLY, Action.UPDATE, id=id_, body={"config": {"bot_token": TOKEN}}, record=record)
    told = after(ledger, Done(sent)).entries[NIGHTLY].secrets
    assert matches(told["/config/bot_token"], tainted("sesame"))
    quiet = Change(NIGHTLY, Action.UPDATE, id=id_, body={"enabled": True}, record=record)
    assert after(ledger, Done(quiet)).entries[NIGHTLY].secrets == old
    assert after(ledger, Done(replace(quiet, id="another"))).entries[NIGHTLY].secrets == {}
    assert after(ledger, Done(replace(quiet, record=Record()))).entries[NIGHTLY].secrets == {}
