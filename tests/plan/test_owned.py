"""The ledger as a value: what is remembered, how it is named, and what happens to it."""

import pytest

from reconciler.errors import LedgerError
from reconciler.kinds.fields import SET, SecretRef
from reconciler.plan.owned import Entry, Ledger, Owner, field_digest, pointer, steps
from reconciler.resource import Address

OWNER = Owner("example.com/acme/fleet", "manifests", "production")
TRIAGE = Address("acme", "Agent", "triage")
BOT = Address("acme", "App", "bot")
NIGHTLY = Address("acme", "Channel", "nightly", "bot")


def known(*addresses):
    """Give a ledger that knows these addresses."""
    entries = {one: Entry(f"id_{number}", "2026-11-02T10:00:00Z", "c" * 40) for number, one in enumerate(addresses)}
    return Ledger(OWNER).with_applied(entries)


def test_changes_are_new_values():
    """Each change gives a new ledger and leaves the old one as it was."""
    ledger = Ledger(OWNER).with_begun([TRIAGE, BOT])
    applied = ledger.with_applied(known(TRIAGE).entries)
    assert (ledger.entries, applied.begun) == ({}, {BOT})
    assert applied.get(TRIAGE).commit
    assert applied.get(BOT) is None
    assert applied.without([TRIAGE, BOT, NIGHTLY]) == Ledger(OWNER)
    assert set(applied.entries) == {TRIAGE}


def test_a_rename_takes_children_along():
    """A renamed app keeps its channels; what is announced below it is renamed too."""
    ledger = known(TRIAGE, BOT, NIGHTLY).with_begun([Address("acme", "Channel", "daily", "bot")])
    renamed = ledger.renamed(BOT, BOT._replace(name="helper"))
    assert {str(address) for address in renamed.entries} == {
        "acme/Agent/triage",
        "acme/App/helper",
        "acme/App/helper/Channel/nightly",
    }
    assert {str(address) for address in renamed.begun} == {"acme/App/helper/Channel/daily"}
    assert renamed.get(BOT._replace(name="helper")) == ledger.get(BOT)


def test_a_rename_replaces_nobody():
    """A name that the ledger knows already is not given twice, nor does a rename change the kind."""
    other = BOT._replace(name="other")
    with pytest.raises(LedgerError, match="knows acme/App/other already"):
        known(BOT, other).renamed(BOT, other)
    with pytest.raises(LedgerError, match="knows acme/App/other/Channel/nightly already"):
        known(BOT, NIGHTLY, NIGHTLY._replace(parent="other")).renamed(BOT, other)
    with pytest.raises(LedgerError, match="cannot become"):
        known(BOT).renamed(BOT, TRIAGE)


def test_a_rename_may_change_the_organization():
    """Another name of the organization is another address of everything in it, channels included."""
    moved = known(BOT, NIGHTLY).renamed(BOT, BOT._replace(org="corp"))
    assert set(moved.entries) == {BOT._replace(org="corp"), NIGHTLY._replace(org="corp")}


def test_forgetting_names_something_known():
    """What is forgotten by name goes with all below it; a name that is not known is an error."""
    assert set(known(TRIAGE, BOT, NIGHTLY).forget(BOT).entries) == {TRIAGE}
    assert Ledger(OWNER).with_begun([BOT]).forget(BOT) == Ledger(OWNER)
    with pytest.raises(LedgerError, match="does not know acme/App/bot"):
        known(TRIAGE).forget(BOT)


@pytest.mark.parametrize("path", [("a", "b"), ("a.b",), ("a/b",), ("a~1b",), ("a~/b", "0"), ("",), ()])
def test_paths_are_spelled_without_loss(path):
    """No two paths are spelled alike, and each is read back."""
    assert steps(pointer(path)) == path


def test_values_that_differ_have_different_digests():
    """True is not 1, nor "1"; key order means nothing."""
    values = [True, 1, "1", 1.5, None, "", [1], {"a": 1}]
    assert len({field_digest(value) for value in values}) == len(values)
    assert field_digest({"a": 1, "b": 2}) == field_digest({"b": 2, "a": 1})


def test_values_that_are_one_to_a_diff_have_one_digest():
    """Nothing and emptiness are one; 1 and 1.0 too; and a secret is only ever there."""
    assert len({field_digest(value) for value in (None, [], {})}) == 1
    assert field_digest(1) == field_digest(1.0)
    assert field_digest({"a": {}}) == field_digest({"a": None})
    secrets = [
        {"token": SET},
        {"token": SecretRef(source="env", name="ONE")},
        {"token": SecretRef(source="file", name="two")},
    ]
    assert len({field_digest(value) for value in secrets}) == 1
    assert field_digest({"token": SET}) != field_digest({})


def test_a_float_too_large_for_an_integer_has_a_digest():
    """1 and 1.0 are one; 1e30 stays a float, as JSON of 64 bits has no such integer."""
    assert field_digest({"n": 1.0}) == field_digest({"n": 1})
    assert field_digest({"n": 1e30}) == field_digest({"n": 1e30}) != field_digest({"n": 2e30})
    assert field_digest(-(2.0**63))
