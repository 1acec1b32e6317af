"""Secrets: read when they are sent, and named without being shown."""

import pytest

from reconciler.errors import SecretUnavailable
from reconciler.kinds.fields import SecretRef
from reconciler.kinds.taint import opened
from reconciler.live.secrets import read_in, require, value_of
from reconciler.plan.change import Action
from reconciler.plan.secrecy import SecretState


def env(name="TOKEN"):
    """Refer to an environment variable."""
    return SecretRef(source="env", name=name)


def file(path):
    """Refer to a file."""
    return SecretRef(source="file", name=str(path))


GOOD = [
    "sesame",
    " spaced ",
    "two\nlines",
    "xoxb-1",
    "*",
    "xx",
    "Bearer abc",
    "pass*word",
    "ünïcode",
    "<",
    "x" * 5000 + "y",
]


@pytest.mark.parametrize("value", GOOD)
def test_values_are_what_they_are(monkeypatch, tmp_path, value):
    """A value is sent as it stands, but for one line end behind it in a file."""
    monkeypatch.setenv("TOKEN", value)
    (tmp_path / "token").write_text(f"{value}\n")
    assert opened(value_of(env())) == value
    assert opened(value_of(file(tmp_path / "token"))) == value


BAD = [
    ("", "is empty"),
    ("  \n", "is empty"),
    ("***", "holds a mask"),
    ("********", "holds a mask"),
    ("•••••", "holds a mask"),
    ("xxxx", "holds a mask"),
    ("XXXX", "holds a mask"),
    ("...", "holds a mask"),
    ("[REDACTED]", "holds a mask"),
    ("redacted", "holds a mask"),
    ("<your token here>", "holds a mask"),
    (" *** ", "holds a mask"),
]


@pytest.mark.parametrize(("value", "says"), BAD)
def test_values_that_are_none(monkeypatch, tmp_path, value, says):
    """Nothing, and what a log or a form put in the place of a value, is refused by name."""
    monkeypatch.setenv("TOKEN", value)
    (tmp_path / "token").write_text(value)
    for ref in (env(), file(tmp_path / "token")):
        with pytest.raises(SecretUnavailable) as raised:
            value_of(ref)
        assert says in raised.value.message
        assert ref.name in raised.value.message
        assert raised.value.hint


def test_values_that_are_not_there(monkeypatch, tmp_path):
    """An unset variable, a missing file, a folder and bytes that are no text each say why."""
    monkeypatch.delenv("TOKEN", raising=False)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    reasons = {
        env(): "TOKEN is not set",
        file(tmp_path / "none"): "No such file",
        file(tmp_path): "Is a directory",
        file(tmp_path / "bytes"): "not UTF-8",
    }
    for ref, reason in reasons.items():
        with pytest.raises(SecretUnavailable, match=reason) as raised:
            value_of(ref)
        assert raised.value.__cause__ is None
    with pytest.raises(SecretUnavailable) as all_of_them:
        require((ref, "acme/App/bot") for ref in reasons)
    assert all_of_them.value.message.startswith("4 secrets cannot be sent: ")
    assert all(reason in all_of_them.value.message for reason in reasons.values())
    assert "nothing was written" in all_of_them.value.hint


def test_a_variable_that_is_no_text(monkeypatch):
    """Bytes that are not UTF-8 could not be sent; they are found before anything is written."""
    monkeypatch.setenv("TOKEN", "ses\udcffame")
    for check in (value_of, lambda ref: require([(ref, "acme/App/bot")])):
        with pytest.raises(SecretUnavailable, match="is not UTF-8 text") as raised:
            check(env())
        assert "ses" not in raised.value.message


def test_require(monkeypatch):
    """One that is missing speaks for itself and says what needs it, twice the same is once, and none is fine."""
    monkeypatch.setenv("TOKEN", "sesame")
    monkeypatch.delenv("OTHER", raising=False)
    require([])
    require([(env(), "acme/App/a"), (env(), "acme/App/b")])
    with pytest.raises(SecretUnavailable) as raised:
        require([(env("OTHER"), "acme/App/a"), (env(), "acme/App/a"), (env("OTHER"), "acme/App/b")])
    assert raised.value.message == (
        "the secret {env: OTHER} has no value: OTHER is not set (for acme/App/a and 1 more)"
    )
    assert raised.value.hint == "nothing was written; export OTHER=..."


def test_references_are_read_into_a_copy(monkeypatch):
    """Every reference becomes its value, tainted, in a copy; the original keeps the references."""
    monkeypatch.setenv("TOKEN", "sesame")
    value = {"a": [env(), {"b": env()}], "c": 1, "d": None}
    read = read_in(value)
    assert [opened(read["a"][0]), opened(read["a"][1]["b"])] == ["sesame", "sesame"]
    assert (read["c"], read["d"]) == (1, None)
    assert repr(read) == "{'a': [{env: TOKEN}, {'b': {env: TOKEN}}], 'c': 1, 'd': None}"
    assert value["a"][0] == env()


def test_all_missing_secrets_come_before_the_first_write(world, monkeypatch):
    """A run that lacks a secret writes nothing, and names all it lacks."""
    monkeypatch.delenv("ONE", raising=False)
    monkeypatch.setenv("TWO", "")
    world.agent("triage")
    config = {"signing_secret": {"env": "ONE"}, "bot_token": {"env": "TWO"}}
    world.bot("bot", {"name": "slack", "type": "slack", "config": config})
    with pytest.raises(SecretUnavailable) as raised:
        world.apply()
    assert "ONE" in raised.value.message
    assert "TWO" in raised.value.message
    assert world.writes == []


def test_plan_needs_no_secret(world, monkeypatch):
    """A plan is made without any value at hand."""
    monkeypatch.delenv("ONE", raising=False)
    world.bot("bot", {"name": "f", "type": "fcp", "config": {"token": {"env": "ONE"}}})
    assert len(world.plan().writes) == 2


def test_a_channel_gets_its_secrets_with_its_config(world, monkeypatch):
    """A channel's config goes out whole and with its secrets: another value alone is reason enough to send it."""
    monkeypatch.setenv("ONE", "sesame")
    hook = {"name": "hook", "type": "webhook", "config": {"token": {"env": "ONE"}, "message": "Go."}}
    world.bot("bot", hook)
    world.converge()
    monkeypatch.setenv("ONE", "open")
    plan = world.plan()
    assert [change.action for change in plan.changes] == [Action.UPDATE]
    assert plan.secrets == {SecretState.ROTATE: 1}
    assert [field.name for field in plan.changes[0].fields] == ["config.token"]
    hook["config"]["message"] = "Run."
    world.converge()
    assert world.plan().secrets == {SecretState.UNCHANGED: 1}
    (channel,) = world.one("apps", "bot")["channels"]
    assert channel["channel_config"] == {"message": "Run.", "token_configured": True}
    stored = world.emulator.store.get(world.org, "channels", channel["id"]).body()
    assert stored["channel_config"]["token"] == "open"
