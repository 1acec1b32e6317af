"""What is live and undeclared is sent back as it is, unless it is not known as it really is."""

import pytest

from reconciler.kinds import BY_NAME
from reconciler.kinds.fields import SET, SecretRef
from reconciler.kinds.translate import shape_of
from reconciler.plan.sent_back import unfit

TOKEN = SecretRef(source="env", name="HOOK")
HIDDEN, MASKED = "holds a secret that manifests have no field for", "holds a mask in the place of its value"
LIVE = [
    ("nothing odd", {"token": SET, "message": "...", "more": {"a": "xxx", "b": 1}}, []),
    ("a secret that the API keeps", {"captcha": {"secret_key": SET}}, []),
    ("a secret that nobody knows", {"relay_token": SET}, [("config.relay_token", HIDDEN)]),
    ("one inside of a list", {"more": [{"password": SET}]}, [("config.more.0.password", HIDDEN)]),
    ("a mask", {"team_id": "••••••"}, [("config.team_id", MASKED)]),
    ("a mask below", {"more": {"a": [{"b": "********"}]}}, [("config.more.a.0.b", MASKED)]),
    ("a mask under a telling key", {"more": {"pin_hash": "xxxx"}}, [("config.more.pin_hash", MASKED)]),
    ("a mask where git says better", {"token": "****", "message": "****"}, []),
]


@pytest.mark.parametrize(("live", "found"), [row[1:] for row in LIVE], ids=[row[0] for row in LIVE])
def test_what_cannot_be_sent_back(live, found):
    """A mask would take the place of a value, and a secret that is left out would be lost."""
    want = {"config": {"token": TOKEN, "message": "Go."}}
    assert list(unfit(BY_NAME["Channel"], ["config"], want, {"config": live})) == found
    assert list(unfit(BY_NAME["Channel"], ["enabled"], want, {"config": live})) == []


def test_what_is_replaced_as_one_value_is_not_sent_back():
    """Servers are declared as a whole; undeclared, they go back as a whole."""
    agent = BY_NAME["Agent"]
    live = {"mcpServers": {"crm": {"headers": {"A": "***"}}}}
    assert list(unfit(agent, ["mcpServers"], {"mcpServers": {}}, live)) == []
    assert list(unfit(agent, ["mcpServers"], {}, live)) == [("mcpServers.crm.headers.A", MASKED)]


def channel(**config):
    """Make a live webhook channel."""
    return {"id": "appchan_1", "channel_type": "webhook", "enabled": True, "channel_config": config}


def test_undeclared_secrets_of_a_channel_are_hidden_by_their_names():
    """Settings of servers to come may hold secrets: they are known by their names, whatever type they belong to."""
    shape = shape_of(
        BY_NAME["Channel"],
        channel(
            message="Go.",
            relay_token="sesame",
            bot_token="sesame",
            auth_methods=[{"provider": {"client_secret": "sesame", "issuer": "https://a.test"}}],
            webhook_headers={"Authorization": "sesame"},
            max_tokens=5,
            auth={"mode": "oidc", "requirements": {"claims": {"token_use": "access"}}},
        ),
    )
    assert "sesame" not in repr(shape)
    assert shape["config"]["max_tokens"] == 5
    assert shape["config"]["auth"]["requirements"] == {"claims": {"token_use": "access"}}
    assert shape["config"]["auth_methods"] == [{"provider": {"client_secret": SET, "issuer": "https://a.test"}}]
