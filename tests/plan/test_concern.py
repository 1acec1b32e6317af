"""What a change is read for, by the markers of its kind."""

import pytest

from reconciler.kinds.channel_config import CONFIGS
from reconciler.kinds.fields import SecretRef
from reconciler.plan.change import Action, Change, FieldChange
from reconciler.plan.concern import Concern, concern_of, exposes
from reconciler.resource import Address

AGENT = Address("acme", "Agent", "triage")
APP = Address("acme", "App", "bot")
CHANNEL = Address("acme", "Channel", "web", "bot")
TOKEN = SecretRef(source="env", name="TOKEN")


def update(address, *path, old=None, new=None, body=None):
    """Make an update of one field."""
    return Change(address, Action.UPDATE, "", (FieldChange(path, old, new),), body or {})


@pytest.mark.parametrize(
    ("change", "concern"),
    [
        (Change(AGENT, Action.ARCHIVE), Concern.REMOVAL),
        (Change(AGENT, Action.CONFLICT), Concern.CONFLICT),
        (update(CHANNEL, "config", "token", new=TOKEN, body={"config": {"token": TOKEN}}), Concern.SECRET),
        (Change(CHANNEL, Action.CREATE, body={"type": "slack", "config": {"bot_token": TOKEN}}), Concern.SECRET),
        (Change(APP, Action.PUBLISH), Concern.EXPOSURE),
        (Change(APP, Action.UNPUBLISH), Concern.EXPOSURE),
        (Change(CHANNEL, Action.CREATE, body={"type": "public_chat"}), Concern.EXPOSURE),
        (Change(CHANNEL, Action.CREATE, body={"type": "a2a", "config": {"message": "{{text}}"}}), Concern.EXPOSURE),
        (Change(CHANNEL, Action.CREATE, body={"type": "schedule", "config": {"message": "Go."}}), Concern.CREATE),
        (update(CHANNEL, "config", "anonymous", old=False, new=True), Concern.EXPOSURE),
        (update(CHANNEL, "config", "auth", "mode", old="oidc", new="anonymous"), Concern.EXPOSURE),
        (update(CHANNEL, "config", old={"anonymous": False}, new={"anonymous": True}), Concern.EXPOSURE),
        (update(CHANNEL, "config", "rate_limit_per_minute", old=1, new=2), Concern.UPDATE),
        (update(CHANNEL, "enabled", old=False, new=True), Concern.EXPOSURE),
        (update(AGENT, "network_access", new={"allowed": ["*"]}), Concern.EXPOSURE),
        (update(AGENT, "system_prompt", old="a", new="b"), Concern.UPDATE),
        (Change(AGENT, Action.CREATE, body={"system_prompt": "a"}), Concern.CREATE),
        (Change(AGENT, Action.CREATE, body={"network_access": {"allowed": ["*"]}}), Concern.EXPOSURE),
        (Change(AGENT, Action.RESTORE), Concern.CREATE),
        (Change(AGENT, Action.ADOPT), Concern.LEDGER),
        (Change(AGENT, Action.KEEP), Concern.NOTE),
    ],
)
def test_every_change_is_read_for_the_most_that_is_at_stake(change, concern):
    """Removals, secrets, exposure, updates, creations, in this order."""
    assert concern_of(change) is concern


@pytest.mark.parametrize("type_", [type_ for type_ in CONFIGS if type_ != "schedule"])
def test_every_channel_that_others_call_is_a_way_in(type_):
    """Whatever is said of who may use it; only a clock calls nobody in."""
    assert exposes(Change(CHANNEL, Action.CREATE, body={"type": type_, "config": {}}))


def test_exposure_is_told_of_what_sends_a_secret_too():
    """A public chat with a secret is listed under secrets, and is a way in all the same."""
    change = Change(CHANNEL, Action.CREATE, body={"type": "public_chat", "config": {"token": TOKEN}})
    assert concern_of(change) is Concern.SECRET
    assert exposes(change)
