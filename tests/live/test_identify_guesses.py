"""Where one live resource could be taken for another, nothing is guessed."""

import pytest

from reconciler.errors import ManifestError, UsageError
from reconciler.kinds.model import MODEL
from reconciler.live.names import Directory

TOKENS = {"A": "token-of-a", "B": "token-of-b"}


def hook(name, *, token="A", message="Go.", **more):
    """A webhook channel."""
    return {"name": name, "type": "webhook", "config": {"token": {"env": token}, "message": message}, **more}


@pytest.fixture(autouse=True)
def tokens(monkeypatch):
    """Have a value for every token."""
    for name, value in TOKENS.items():
        monkeypatch.setenv(name, value)


def stored(world):
    """The tokens and messages that the platform has, in the order of its channels."""
    configs = [
        world.emulator.store.get(world.org, "channels", channel["id"]).body()["channel_config"]
        for channel in world.one("apps", "bot")["channels"]
    ]
    return [(config["token"], config["message"]) for config in configs]


def test_the_first_of_two_that_differ_in_secrets_alone(world):
    """Editing the first of two channels that only their tokens tell apart changes the first."""
    world.bot("bot", hook("a"), hook("b", token="B"))
    world.converge()
    world.bot("bot", hook("a", message="Run."), hook("b", token="B"))
    world.apply()
    assert stored(world) == [("token-of-a", "Run."), ("token-of-b", "Go.")]


def test_a_record_of_what_is_gone_touches_nothing(world):
    """A channel that was taken away stays away, and its record is never taken for a sibling."""
    world.bot("bot", hook("old"), hook("prod", token="B", message="Prod."))
    world.converge()
    gone = world.one("apps", "bot")["channels"][0]["id"]
    record = hook("old", archive=True, id=gone)
    world.bot("bot", record, hook("prod", token="B", message="Prod."))
    world.apply()
    assert stored(world) == [("token-of-b", "Prod.")]
    kept = world.one("apps", "bot")["channels"][0]["id"]
    world.bot("bot", record, hook("prod", token="B", message="Edited."))
    world.apply()
    assert [channel["id"] for channel in world.one("apps", "bot")["channels"]] == [kept]
    assert stored(world) == [("token-of-b", "Edited.")]


def test_archiving_a_channel_needs_its_id(world):
    """What is deleted for good is only ever meant by its id."""
    world.bot("bot", hook("a", archive=True))
    with pytest.raises(ManifestError) as raised:
        world.plan()
    assert "only by its id" in raised.value.faults[0].message


@pytest.mark.parametrize(
    "declared",
    [
        [hook("new", message="New."), hook("old", message="Edited.")],
        [hook("b", token="B", message="Second."), hook("a", message="Edited."), hook("c", message="Third.")],
    ],
    ids=["one more, and the old one edited", "reordered, edited and one more"],
)
def test_what_would_be_a_guess_is_a_fault(world, declared):
    """Where nothing is remembered and a channel could be one or another, ids are listed and nothing is planned."""
    world.bot("bot", hook("old"))
    world.converge()
    world.lose_ledger()
    world.bot("bot", *declared)
    with pytest.raises(ManifestError) as raised:
        world.plan()
    assert "cannot tell which live webhook channel this is: appchan_" in raised.value.faults[0].message


def test_what_is_remembered_is_no_guess(world):
    """The ledger knows a channel by its address: edited, moved and beside a new one, it is the same."""
    world.bot("bot", hook("old"))
    world.converge()
    old = world.one("apps", "bot")["channels"][0]["id"]
    world.bot("bot", hook("new", message="New."), hook("old", message="Edited."))
    assert {(one.address.name, one.id) for one in world.plan().changes} == {("new", None), ("old", old)}


def test_reordered_channels_are_told_by_what_agrees(world):
    """The order in git is not the platform's: channels that only moved are left alone."""
    world.bot("bot", hook("a", message="One."), hook("b", token="B", message="Two."))
    world.converge()
    world.bot("bot", hook("b", token="B", message="Two."), hook("a", message="One."))
    assert world.plan().is_empty
    world.lose_ledger()
    assert not world.plan().writes


def test_a_pinned_id_of_something_archived_is_a_fault(world):
    """An app that was archived cannot come back: insisting on its id creates nothing."""
    gone = world.post("/v1/apps", name="bot", harness_id=world.harness)["id"]
    world.api.delete(f"/v1/apps/{gone}")
    world.declare("App", "bot", {"harness": "generic"}, id=gone)
    with pytest.raises(ManifestError) as raised:
        world.plan()
    assert "is archived, and the platform cannot bring it back" in raised.value.faults[0].message


def test_one_organization_under_two_names(world):
    """The resources of one would be missing from the other: refused."""
    world.declare("Organization", "acme", {"name": "Default"})
    world.declare("Agent", "a", {"system_prompt": "x"}, org="acme")
    world.declare("Agent", "b", {"system_prompt": "x"}, org=world.org)
    with pytest.raises(UsageError, match="are the same organization"):
        world.plan()


def test_a_name_that_looks_like_an_id_stands_for_nothing():
    """A reference by id means the resource of the id, whatever others are called."""
    ids = [f"model_{number:032x}" for number in (1, 2)]
    live = {ids[0]: {"id": ids[0], "model_id": "gpt-4o"}, ids[1]: {"id": ids[1], "model_id": ids[0]}}
    directory = Directory(MODEL, live, {})
    assert directory.id_of(directory.resolve(ids[0])) == ids[0]
    assert directory.id_of(directory.resolve(ids[1])) == ids[1]


def test_references_in_a_new_organization_are_checked_when_planning(world):
    """What an organization that does not exist yet refers to must be declared, or come with it."""
    world.declare("Organization", "fresh", {"name": "Fresh"})
    world.declare("Agent", "support", {"system_prompt": "x", "harness": "generic"}, org="fresh")
    world.declare("App", "bot", {"harness": "generic", "agent": "suport"}, org="fresh")
    with pytest.raises(ManifestError) as raised:
        world.plan()
    (fault,) = raised.value.faults
    assert (fault.message, fault.hint) == ('no agent is called "suport"', "did you mean support?")
