"""What a plan is made under: what is known of an address, what moved, what is leaving."""

from reconciler.plan.rules import Known, Rules, moves_of
from reconciler.resource import Address

from .conftest import ledger_of, written


def fleet(desired, **more):
    """Give what the ledger knows: an agent and an app with a channel."""
    names = ("Agent/helper", "App/bot", "App/bot/Channel/nightly")
    return ledger_of({name: written(desired(name), id_=f"id_{name}") for name in names}, **more)


def test_children_move_with_their_parent(desired):
    """A renamed app takes its channels along, and a channel of it may be renamed as well."""
    ledger = fleet(desired)
    app = desired("App/desk", {}, moved_from="bot")
    same, other = desired("App/desk/Channel/nightly"), desired("App/desk/Channel/daily", moved_from="nightly")
    old = Address("acme", "Channel", "nightly", "bot")
    assert moves_of([app, same], ledger) == {app.address: Address("acme", "App", "bot"), same.address: old}
    assert moves_of([app, other], ledger)[other.address] == old


def test_a_move_is_done_once(desired):
    """What the ledger knows under its new name did not move, nor what it does not know under the old one."""
    ledger = fleet(desired)
    assert moves_of([desired("Agent/fresh", {}, moved_from="nobody")], ledger) == {}
    assert moves_of([desired("Agent/helper", {}, moved_from="bot")], ledger) == {}


def test_what_is_leaving(desired):
    """What is ours and not declared is leaving, but for what moved."""
    ledger = fleet(desired)
    app = desired("App/desk", {}, moved_from="bot")
    channel = desired("App/desk/Channel/nightly")
    rules = Rules(ledger, moves=moves_of([app, channel], ledger))
    assert set(rules.leaving([app, channel])) == {Address("acme", "Agent", "helper")}
    assert set(Rules(ledger).leaving([app, channel])) == set(ledger.entries)


def test_what_is_known(desired):
    """An entry under the old name counts; an announced creation is known for one; anything else is nobody's."""
    app = desired("App/desk", {}, moved_from="bot")
    ledger = fleet(desired, begun=frozenset([Address("acme", "Agent", "begun")]))
    rules = Rules(ledger, moves=moves_of([app], ledger))
    known = rules.known(app.address)
    assert (known.entry.id, known.moved_from) == ("id_App/bot", Address("acme", "App", "bot"))
    assert rules.id_of(app.address) == "id_App/bot"
    assert rules.known(Address("acme", "Agent", "begun")) == Known(is_begun=True)
    assert rules.known(Address("acme", "Agent", "other")) == Known()
    assert rules.id_of(Address("acme", "Agent", "other")) is None
