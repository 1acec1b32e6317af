"""REMOVAL: what is ours and no longer in git, and nothing else."""

from dataclasses import replace

from reconciler.plan.change import Action
from reconciler.plan.removal import Leaving, outlasting, removals, shielded, still_needed
from reconciler.resource import Address

from .conftest import written

HELPER, BOT = Address("acme", "Agent", "helper"), Address("acme", "App", "bot")
NIGHTLY = Address("acme", "Channel", "nightly", "bot")


def leaving(desired, observed, address, *, is_there=True, within=True, protect=False, **more):
    """Say what is leaving at an address."""
    entry = written(desired(address.local), id_=f"id_{address.name}", protect=protect)
    live = observed(address.local, {}, id_=entry.id, **more) if is_there else None
    return {address: Leaving(entry, live, is_within_reach=within)}


def test_what_left_git_is_archived(desired, observed):
    """It is named with its reason and its last apply, and its precondition is that it is as it was seen."""
    (change,) = removals(leaving(desired, observed, HELPER), prune=True)
    assert (change.action, change.id, change.notes) == (Action.ARCHIVE, "id_helper", ("no longer in git",))
    assert change.since == "2026-11-02, a1b2c3d"
    assert change.pre.id == "id_helper"
    assert change.pre.digest


def test_what_is_gone_already_is_forgotten(desired, observed):
    """Deleted or archived by somebody else: the ledger alone changes."""
    for found in (
        leaving(desired, observed, HELPER, is_there=False),
        leaving(desired, observed, HELPER, archived=True),
    ):
        (change,) = removals(found, prune=True)
        assert change.action is Action.FORGET


def test_what_cannot_be_archived_is_released(desired, observed):
    """An organization stays as it is; it is said, and forgotten."""
    (change,) = removals(leaving(desired, observed, Address("acme", "Organization", "acme")), prune=True)
    assert change.action is Action.FORGET
    assert "cannot archive organizations" in change.notes[0]


def test_what_is_kept(desired, observed):
    """Without pruning, protected, or out of reach, nothing is done, and why is said."""
    (change,) = removals(leaving(desired, observed, HELPER), prune=False)
    assert (change.action, change.action.is_step) == (Action.KEEP, False)
    assert "--no-prune" in change.notes[0]
    (change,) = removals(leaving(desired, observed, HELPER, protect=True), prune=True)
    assert change.action is Action.KEEP
    assert "protected" in change.notes[0]
    (change,) = removals(leaving(desired, observed, HELPER, within=False), prune=True)
    assert change.action is Action.KEEP
    assert "not one of this key's" in change.notes[0]


def test_children_go_with_their_parent(desired, observed):
    """An app that is archived takes its channels along; one that is gone is forgotten with them."""
    both = leaving(desired, observed, NIGHTLY) | leaving(desired, observed, BOT)
    assert [(one.address, one.action) for one in removals(both, prune=True)] == [(BOT, Action.ARCHIVE)]
    gone = leaving(desired, observed, NIGHTLY, is_there=False) | leaving(desired, observed, BOT, is_there=False)
    assert {(one.address, one.action) for one in removals(gone, prune=True)} == {
        (BOT, Action.FORGET),
        (NIGHTLY, Action.FORGET),
    }


def test_a_child_alone_is_deleted_for_good(desired, observed):
    """A channel that leaves an app that stays is deleted, and that it cannot be brought back is said."""
    (change,) = removals(leaving(desired, observed, NIGHTLY), prune=True)
    assert change.action is Action.ARCHIVE
    assert any("deleted for good" in note for note in change.notes)


def test_children_of_what_git_archives_are_its_own_affair(desired, observed):
    """What git says is to be archived takes its channels along: they are no removals of their own."""
    (archived,) = removals(leaving(desired, observed, BOT), prune=True)
    both = leaving(desired, observed, NIGHTLY) | leaving(desired, observed, HELPER)
    assert set(outlasting(both, [archived])) == {HELPER}
    assert outlasting(both, []) == both


def test_what_has_another_name_now_is_not_archived(desired, observed):
    """A live resource that git declares under another address is kept under the old one, protected or not."""
    heir = Address("acme", "Agent", "assistant")
    found = {each: replace(one, heir=heir) for each, one in leaving(desired, observed, HELPER, protect=True).items()}
    (change,) = removals(found, prune=True)
    assert change.action is Action.KEEP
    assert "acme/Agent/assistant" in change.notes[0]
    assert shielded(found, prune=True) == []


def test_what_only_protection_keeps(desired, observed):
    """Protected, live and within reach, in a run that prunes: that is for a person to settle."""
    found = leaving(desired, observed, HELPER, protect=True)
    assert shielded(found, prune=True) == [HELPER]
    assert shielded(found, prune=False) == []
    for other in (
        leaving(desired, observed, HELPER),
        leaving(desired, observed, HELPER, protect=True, is_there=False),
        leaving(desired, observed, HELPER, protect=True, archived=True),
        leaving(desired, observed, HELPER, protect=True, within=False),
    ):
        assert shielded(other, prune=True) == []


def test_what_is_still_needed(desired):
    """A declared resource that refers to one that would be archived is a fault; one that goes itself is not."""
    bot = desired("App/bot", {"harness": "generic", "agent": "helper"})
    (fault,) = still_needed([bot], {HELPER})
    assert "refers to Agent/helper, which is ours and no longer in git" in fault.message
    assert list(still_needed([bot], {Address("acme", "Agent", "other")})) == []
    assert list(still_needed([desired("App/bot", bot.spec, archive=True)], {HELPER})) == []
