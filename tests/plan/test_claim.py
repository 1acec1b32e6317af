"""Whose is it: what is ours is changed, what is not is adopted as git says, or left alone."""

import pytest

from reconciler.errors import Fault
from reconciler.plan.change import Action, Side
from reconciler.plan.claim import claim
from reconciler.plan.found import Found
from reconciler.plan.rules import Known

from .conftest import token, written

AGREES, DIFFERS = {"system_prompt": "Help."}, {"system_prompt": "Other."}


@pytest.fixture
def agent(desired):
    """Give what git wants."""

    def make(spec=AGREES, **more):
        return desired("Agent/triage", spec, **more)

    return make


@pytest.fixture
def there(observed):
    """Give what the platform has."""

    def make(spec=AGREES, **more):
        return Found(observed("Agent/triage", spec, **more))

    return make


def only(changes):
    """Give the one change."""
    (change,) = changes
    return change


FOREIGN = [
    ("exact", AGREES, Action.ADOPT),
    ("exact", DIFFERS, Action.CONFLICT),
    ("overwrite", AGREES, Action.ADOPT),
    ("overwrite", DIFFERS, Action.UPDATE),
]


@pytest.mark.parametrize(("rule", "live", "action"), FOREIGN)
@pytest.mark.parametrize("said_by", ["git", "config"])
def test_what_is_not_ours(agent, there, rule, live, action, said_by):
    """What agrees is adopted; what differs is a conflict, or taken over where somebody said so: git, or the rules."""
    if said_by == "git":
        change = only(claim(agent(adopt=rule), there(live), adopt="never"))
    else:
        change = only(claim(agent(), there(live), adopt=rule))
    assert (change.action, change.id) == (action, "x_1")
    assert change.action is Action.ADOPT or any("x_1" in note for note in change.notes)


@pytest.mark.parametrize("live", [AGREES, DIFFERS])
def test_never_is_a_fault(agent, there, live):
    """With adopt: never even what agrees is a fault."""
    fault = claim(agent(adopt="never"), there(live))
    assert isinstance(fault, Fault)
    assert fault.path == ("metadata", "adopt")
    assert "x_1 is there already and is not ours" in fault.message


def test_never_also_means_an_archived_twin(agent, there):
    """What would be brought back from the archive is somebody else's too, unless it was ours."""
    twin = Found(twin=there(archived=True).observed)
    assert isinstance(claim(agent(adopt="never"), twin), Fault)
    entry = written(agent())
    assert only(claim(agent(adopt="never"), twin, Known(entry))).action is Action.RESTORE


def test_a_conflict_sends_nothing(agent, there):
    """It shows the fields that differ, and has no body and no way to be a step."""
    change = only(claim(agent(), there(DIFFERS)))
    assert not change.action.is_step
    assert (change.body, [one.name for one in change.fields]) == ({}, ["system_prompt"])
    assert any("adopt: overwrite" in note for note in change.notes)


def test_to_adopt_is_to_remember(agent, there):
    """Adoption sends nothing; the ledger learns every declared field, and protection."""
    change = only(claim(agent(protect=True), there()))
    assert change.action.is_step
    assert not change.action.writes
    assert change.record.fields == written(agent()).fields
    assert change.record.protect


def test_what_is_ours_is_in_sync(agent, there):
    """Nothing differs and nothing is new: nothing to do, whatever the rule of adoption."""
    assert claim(agent(adopt="never"), there(), Known(written(agent()))) == []


@pytest.mark.parametrize(
    ("wanted", "live", "side"),
    [
        ("Now.", "Help.", Side.PENDING),
        ("Help.", "By hand.", Side.DRIFTED),
        ("Now.", "By hand.", Side.BOTH),
    ],
)
def test_who_moved(agent, there, wanted, live, side):
    """A field that differs says which side moved since it was last written."""
    entry = written(agent())
    change = only(claim(agent({"system_prompt": wanted}), there({"system_prompt": live}), Known(entry)))
    assert change.action is Action.UPDATE
    assert [one.side for one in change.fields] == [side]
    assert change.since == "2026-11-02, a1b2c3d"


def test_another_id_is_not_ours(agent, there):
    """What the ledger knows by another id is somebody else's, though it has the name."""
    entry = written(agent(), id_="x_0")
    assert only(claim(agent(), there(DIFFERS), Known(entry))).action is Action.CONFLICT


def test_what_was_begun_is_ours(agent, there):
    """What a run announced and did not confirm is its own: adopted when it agrees, finished when a part is missing."""
    more = agent(AGREES | {"description": "Ours."}, adopt="never")
    assert only(claim(agent(adopt="never"), there(), Known(is_begun=True))).action is Action.ADOPT
    assert only(claim(more, there(), Known(is_begun=True))).action is Action.UPDATE


def test_a_default_in_a_begun_one_was_not_written_by_anybody(desired, observed):
    """A channel whose creation takes two calls has the platform's defaults between them: it is ours, and finished."""
    wanted = desired("App/bot/Channel/calls", {"type": "api_endpoint", "config": {"rate_limit_per_minute": 10}})
    address = "App/bot/Channel/calls"
    between = observed(address, {"type": "api_endpoint", "enabled": True, "config": {"session_mode": "shared_session"}})
    edited = observed(address, {"type": "api_endpoint", "enabled": True, "config": {"rate_limit_per_minute": 11}})
    step = only(claim(wanted, Found(between), Known(is_begun=True)))
    assert (step.action, step.fields[0].old) == (Action.UPDATE, 0)
    assert only(claim(wanted, Found(edited), Known(is_begun=True))).action is Action.CONFLICT
    assert only(claim(wanted, Found(between), Known())).action is Action.CONFLICT


def test_what_was_begun_and_differs_is_not_ours(agent, there):
    """A value in the place of the one that a creation sends was written by somebody else, whatever was announced."""
    assert only(claim(agent(), there(DIFFERS), Known(is_begun=True))).action is Action.CONFLICT
    assert isinstance(claim(agent(adopt="never"), there(DIFFERS), Known(is_begun=True)), Fault)
    assert only(claim(agent(adopt="overwrite"), there(DIFFERS), Known(is_begun=True))).action is Action.UPDATE


def test_what_somebody_else_archived_is_not_revived(agent, there):
    """An archived twin is a conflict, unless it was ours, a run of ours archived it, or somebody said to overwrite."""
    twin = Found(twin=there(DIFFERS, archived=True).observed)
    change = only(claim(agent(), twin))
    assert (change.action, change.id, change.body) == (Action.CONFLICT, "x_1", {})
    assert "x_1 holds the name, is archived, and was not ours" in change.notes[0]
    assert "adopt: overwrite" in change.notes[1]
    assert only(claim(agent(), twin, Known(archived=frozenset({"x_2"})))).action is Action.CONFLICT
    assert only(claim(agent(), twin, Known(written(agent(), id_="x_2")))).action is Action.CONFLICT
    assert only(claim(agent(), twin, Known(archived=frozenset({"x_1"})))).action is Action.RESTORE
    assert only(claim(agent(), twin, Known(written(agent())))).action is Action.RESTORE
    assert only(claim(agent(adopt="overwrite"), twin)).action is Action.RESTORE
    assert only(claim(agent(), twin, adopt="overwrite")).action is Action.RESTORE


def test_protection_is_remembered(agent, there):
    """Protect is told to the ledger when it changes; git that says nothing of it leaves it as it was."""
    plain, kept = written(agent()), written(agent(), protect=True)
    change = only(claim(agent(protect=True), there(), Known(plain)))
    assert (change.action, change.record.protect) == (Action.RECORD, True)
    change = only(claim(agent(protect=False), there(), Known(kept)))
    assert (change.action, change.record.protect) == (Action.RECORD, False)
    assert claim(agent(), there(), Known(kept)) == []
    assert only(claim(agent(), there(DIFFERS), Known(kept))).record.protect


def test_archive_true_is_for_what_is_ours(agent, there):
    """What git says is to be archived must be ours, taken over on purpose, and not protected."""
    gone = agent(archive=True)
    entry = written(agent())
    assert only(claim(gone, there(), Known(entry))).action is Action.ARCHIVE
    assert "not ours" in claim(gone, there()).message
    assert only(claim(agent(archive=True, adopt="overwrite"), there())).action is Action.ARCHIVE
    assert (
        "adopt: overwrite" in claim(gone, there(), adopt="overwrite").hint
    )  # the rule for all is no word for this one
    assert "protected" in claim(gone, there(), Known(written(agent(), protect=True))).message


def test_archived_already_is_forgotten(agent):
    """What git says is to be archived and is not there any more is forgotten, once."""
    gone = agent(archive=True)
    assert only(claim(gone, Found(), Known(written(agent())))).action is Action.FORGET
    assert claim(gone, Found()) == []


def test_a_new_field_that_agrees_is_learnt(agent, there):
    """A field that git says for the first time and that is so already is managed from now on."""
    more = AGREES | {"tags": ["a"]}
    change = only(claim(agent(more), there(more), Known(written(agent()))))
    assert (change.action, change.notes) == (Action.RECORD, ("agrees, and is managed from now on: tags",))
    assert set(change.record.fields) == {"/system_prompt", "/tags"}


def test_a_move_is_remembered(agent, there, desired):
    """What agrees under its new name is a step of the ledger, and says where it was."""
    old = desired("Agent/helpdesk").address
    change = only(claim(agent(), there(), Known(written(agent()), moved_from=old)))
    assert (change.action, change.record.moved_from) == (Action.RECORD, old)
    assert change.notes == ("moved from Agent/helpdesk",)


def test_a_secret_sent_again_is_shown(desired, observed):
    """A secret to be rotated differs, as one that is set and is set again; what is remembered is its reference."""
    spec = {"type": "webhook", "config": {"token": token(), "message": "Go."}}
    hook = desired("App/bot/Channel/hook", spec)
    live = observed("App/bot/Channel/hook", {"type": "webhook", "config": {"message": "Go.", "token": token()}})
    known = Known(written(hook), rotate=[("config", "token")])
    change = only(claim(hook, Found(live), known))
    assert change.action is Action.UPDATE
    assert [(one.name, one.sensitive, one.side) for one in change.fields] == [("config.token", True, None)]
    assert change.body["config"]["token"] == token()
    assert change.record.secrets == {"/config/token": token()}
    assert "/config/token" not in change.record.fields
