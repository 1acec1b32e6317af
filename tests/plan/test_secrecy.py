"""What is known of secrets: set, unchanged, to be rotated, unknown; told without a value in sight."""

import pytest

from reconciler.plan.secrecy import SecretState, tell_secrets

from .conftest import token, written


@pytest.fixture
def hook(desired):
    """Declare a channel with one secret."""
    return desired("App/bot/Channel/hook", {"type": "webhook", "config": {"token": token(), "message": "Go."}})


def told(hook, *, entry=None, value="sesame", asked=False):
    """Tell the state of its secret; the fingerprint of a value is `of` the value."""
    calls = []

    def matching(pairs):
        calls.extend(pairs)
        return [known == f"of {value}" for known, value in pairs]

    found = tell_secrets(
        [hook],
        entry_of=lambda _address: entry,
        value_of=lambda _ref: value,
        matching=matching,
        asked=lambda _address: asked,
    )
    return found, calls


def state(found):
    """Give the one state."""
    ((place, state),) = found.states.items()
    assert place[1] == ("config", "token")
    return state


@pytest.mark.parametrize(
    ("remembered", "value", "expected"),
    [
        ("of sesame", "sesame", SecretState.UNCHANGED),
        ("of sesame", "open", SecretState.ROTATE),
        ("of sesame", None, SecretState.UNKNOWN),
        (None, "sesame", SecretState.UNKNOWN),
    ],
)
def test_what_was_sent_is_compared(hook, remembered, value, expected):
    """The value here is compared with the fingerprint of what was sent; without one of them nothing is known."""
    entry = written(hook)
    entry = type(entry)(entry.id, entry.applied_at, secrets={"/config/token": remembered} if remembered else {})
    found, _ = told(hook, entry=entry, value=value)
    assert state(found) is expected
    assert [*found.states.values()] == [expected]
    assert found.rotate == ({hook.address: [("config", "token")]} if expected is SecretState.ROTATE else {})


def test_what_is_new_is_set(hook):
    """What the ledger does not know is sent with its resource, and its value is not looked at."""
    found, compared = told(hook)
    assert (state(found), compared, found.rotate) == (SecretState.SET, [], {})


def test_somebody_asked(hook):
    """--rotate sends a secret again whatever is known of it, but not one that is set anyway."""
    assert state(told(hook, entry=written(hook), value="TOKEN", asked=True)[0]) is SecretState.ROTATE
    assert state(told(hook, asked=True)[0]) is SecretState.SET


def test_what_is_archived_has_no_secrets(desired, hook):
    """Nothing is told of what git says is to be archived, nor of what has no secret."""
    gone = desired("App/bot/Channel/hook", hook.spec, archive=True)
    assert told(gone, entry=written(hook))[0].states == {}
    assert told(desired("Agent/triage", {"system_prompt": "Help."}))[0].states == {}
