"""Channels of apps: routes, configuration rules, secrets."""

import hashlib
import re

import pytest

from reconciler.emulator import ids

SLACK_NEEDS = "Slack channel config requires non-empty signing_secret and bot_token"
NO_AUTH = "App endpoint auth is only supported for AG-UI and A2A channels"
BAD_MODE = (
    "Invalid webhook channel config: session_mode: unknown variant `x`, "
    "expected one of `shared_session`, `session_per_invocation`"
)
SLACK = {"signing_secret": "s3", "bot_token": "xoxb"}
WEBHOOK = {"token": "whk", "message": "Go"}
CRON = {"cron_expression": "0 9 * * *", "message": "Go"}
BASIC = {"type": "http_basic", "username": "u", "password": "p"}


@pytest.fixture
def app(api, made, harness):
    """Give the path of a draft app."""
    return f"/v1/apps/{made(api, '/v1/apps', name='bot', harness_id=harness)['id']}"


@pytest.fixture
def add(api, app):
    """Give a function that posts a channel."""

    def post(kind, config=None, **more):
        body = {"channel_type": kind, "channel_config": config, **more}
        return api.post(f"{app}/channels", json=body)

    return post


def _stored(api, channel_id):
    """Read the stored configuration, secrets included."""
    record = api.app.store.get(ids.DEFAULT_ORG, "channels", channel_id)
    return record.body()["channel_config"]


def test_channels_3_1_shape_and_order(api, app, add):
    """A channel has no name and no links; the list is oldest first, in the app too."""
    first = add("webhook", WEBHOOK).json()
    second = add("webhook", WEBHOOK, enabled=False).json()
    assert set(first) == {"id", "channel_type", "channel_config", "enabled", "created_at", "updated_at"}
    assert (first["enabled"], second["enabled"]) == (True, False)
    assert api.get(f"{app}/channels").json() == {"data": [first, second]}
    assert api.get(app).json()["channels"] == [first, second]
    assert api.get("/v1/apps").json()["data"][0]["channels"] == [first, second]


def test_channels_3_1_app_is_not_touched(api, app, add):
    """Adding a channel leaves the app's updated_at alone."""
    before = api.get(app).json()["updated_at"]
    add("webhook", WEBHOOK)
    assert api.get(app).json()["updated_at"] == before


def test_channels_3_1_delete(api, app, add, check):
    """DELETE is for good, and a published app may lose its last channel."""
    path = f"{app}/channels/{add('webhook', WEBHOOK).json()['id']}"
    api.post(f"{app}/publish")
    assert api.delete(path).status_code == 204
    check(api.delete(path), 404, "Channel not found")
    assert api.get(app).json()["status"] == "published"


def test_channels_3_1_errors(api, app, add, check, made, harness):
    """Unknown apps and channels, gone apps, and channels of another app each have their answer."""
    channel = add("webhook", WEBHOOK).json()["id"]
    other = f"/v1/apps/{made(api, '/v1/apps', name='o', harness_id=harness)['id']}"
    check(api.delete(f"{other}/channels/{channel}"), 400, "Channel does not belong to this app")
    check(api.patch(f"{app}/channels/nonsense", json={}), 404, "Channel not found")
    check(api.delete(f"/v1/apps/app_{'0' * 32}/channels/x"), 404, "App not found")
    api.delete(app)
    gone = "Archived or deleted apps cannot be edited"
    check(api.patch(f"{app}/channels/{channel}", json={}), 400, gone)
    check(api.delete(f"{app}/channels/{channel}"), 400, gone)
    check(add("webhook", WEBHOOK), 400, gone)


def test_channels_3_1_unknown_type(add):
    """A type that does not exist does not fit the body."""
    assert add("carrier_pigeon", {}).status_code == 422


@pytest.mark.parametrize(
    ("kind", "config", "detail"),
    [
        ("slack", {}, SLACK_NEEDS),
        ("slack", {**SLACK, "bot_token": " "}, SLACK_NEEDS),
        ("ag_ui", {"token": ""}, "AG-UI token must be non-empty when configured"),
        (
            "ag_ui",
            {"rate_limit_per_minute": 1000001},
            "AG-UI rate_limit_per_minute must be at most 1,000,000",
        ),
        ("ag_ui", {"generic_tool_text": "x" * 121}, "AG-UI generic_tool_text must be at most 120 characters"),
        ("schedule", {**CRON, "message": ""}, "Schedule channel config requires a non-empty message"),
        ("webhook", {"message": "x"}, "Webhook channel config requires a non-empty token"),
        ("webhook", {"token": "x"}, "Webhook channel config requires a non-empty message"),
        ("a2a", {"message": "x"}, "A2A channel config requires a non-empty api_key_hash"),
        (
            "api_endpoint",
            {"api_key_hash": "x"},
            "api_endpoint channel config requires a non-empty api_key_prefix",
        ),
        ("fcp", {"token": ""}, "FCP token must be non-empty when configured"),
        ("fcp", {"handshake": "x" * 8193}, "FCP handshake must be at most 8 KiB"),
        ("fcp", {"response_timeout_seconds": 601}, "FCP response_timeout_seconds must be between 1 and 600"),
        ("fcp", {"response_timeout_seconds": 0}, "FCP response_timeout_seconds must be between 1 and 600"),
        ("public_chat", {"token": ""}, "Public Chat token must be non-empty when configured"),
        ("webhook", {**WEBHOOK, "auth": {"mode": "anonymous"}}, NO_AUTH),
        ("webhook", {**WEBHOOK, "session_mode": "x"}, BAD_MODE),
        ("slack", None, "Invalid Slack channel config: invalid type: null, expected a map"),
        ("schedule", {"message": "x"}, "Invalid schedule channel config: missing field `cron_expression`"),
    ],
)
def test_channels_3_3_config_rules(add, check, kind, config, detail):
    """Every rule of a type's configuration has its own refusal, always 400 without a code."""
    check(add(kind, config), 400, detail)


@pytest.mark.parametrize(
    "config",
    [
        {"generic_tool_text": ""},
        {"generic_tool_text": "", "tool_visibility": "narrated"},
    ],
)
def test_channels_3_3_empty_tool_text(add, config):
    """An empty tool text is refused where it would be shown, and fine where it would not."""
    assert add("ag_ui", config).status_code == 400
    assert add("ag_ui", {**config, "tool_visibility": "none"}).status_code == 201


@pytest.mark.parametrize(
    ("captcha", "status"),
    [
        ({"secret_key": "s"}, 400),
        ({"site_key": "k"}, 400),
        ({"site_key": "k", "enabled": False}, 201),
        ({"site_key": "k", "secret_key": "s"}, 201),
    ],
)
def test_channels_3_3_captcha(add, captcha, status):
    """A captcha needs its site key, and its secret key while enabled."""
    assert add("public_chat", {"captcha": captcha}).status_code == status


def test_channels_3_3_public_chat_is_gated(api, add, check):
    """Public chat alone hangs on a feature flag."""
    api.patch(f"/v1/orgs/{ids.DEFAULT_ORG}/feature-flags", json={"flags": {"public_chat": False}})
    check(add("public_chat", {}), 404, "Feature 'public_chat' is not enabled", "feature_not_enabled")
    assert add("ag_ui", {}).status_code == 201


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("0 9 * * *", "0 0 9 * * * *"),
        ("0  0 9 * *  MON-FRI *", "0 0 9 * * MON-FRI *"),
        ("*/5 8-18/2 1,15 jan *", "0 */5 8-18/2 1,15 jan * *"),
    ],
)
def test_channels_3_2_cron(add, sent, stored):
    """Five fields become seven, seven stay, blanks are collapsed."""
    channel = add("schedule", {**CRON, "cron_expression": sent}).json()
    assert channel["channel_config"]["cron_expression"] == stored


@pytest.mark.parametrize("cron", ["", "* * *", "61 * * * *", "x * * * *", "5-1 * * * *", "*/0 * * * *"])
def test_channels_3_3_bad_cron(add, cron):
    """An expression that is no schedule is refused and quoted."""
    response = add("schedule", {**CRON, "cron_expression": cron})
    assert response.status_code == 400
    assert response.json()["detail"].startswith(f"Invalid schedule cron expression '{cron}': ")


def test_channels_3_2_stored_as_sent(add):
    """Unknown members are kept, defaults are not filled in."""
    config = {**WEBHOOK, "note": {"deep": [1, None]}}
    shown = add("webhook", config).json()["channel_config"]
    assert shown == {"token_configured": True, "message": "Go", "note": {"deep": [1, None]}}


@pytest.mark.parametrize(
    ("kind", "config", "shown"),
    [
        ("slack", SLACK, {"signing_secret_configured": True, "bot_token_configured": True}),
        ("ag_ui", {"token": "t"}, {"token_configured": True}),
        ("ag_ui", {}, {}),
        ("fcp", {"token": "t"}, {"token_configured": True}),
        ("api_endpoint", {"api_key_hash": "h", "api_key_prefix": "p"}, {"api_key_prefix": "p"}),
        (
            "public_chat",
            {"captcha": {"site_key": "k", "secret_key": "s"}},
            {"captcha": {"site_key": "k", "secret_key_configured": True}},
        ),
    ],
)
def test_channels_3_4_redaction(add, kind, config, shown):
    """Secrets are never shown; a marker says that there is one."""
    assert add(kind, config).json()["channel_config"] == shown


@pytest.mark.parametrize(
    ("kind", "before", "patch", "after"),
    [
        ("slack", SLACK, {"team_id": "T"}, {**SLACK, "team_id": "T"}),
        ("slack", SLACK, {"bot_token": "", "signing_secret": "new"}, {**SLACK, "signing_secret": "new"}),
        ("ag_ui", {"token": "t", "anonymous": False}, {}, {"token": "t"}),
        ("ag_ui", {"token": "t"}, {"token": None}, {"token": None}),
        ("webhook", WEBHOOK, {"token": None, "message": "2"}, {"token": "whk", "message": "2"}),
        ("fcp", {"token": "t"}, {"token": " "}, {"token": "t"}),
        (
            "public_chat",
            {"captcha": {"site_key": "k", "secret_key": "s"}},
            {"captcha": {"site_key": "k2"}},
            {"captcha": {"site_key": "k2", "secret_key": "s"}},
        ),
        ("public_chat", {"captcha": {"site_key": "k", "secret_key": "s"}}, {}, {}),
        (
            "a2a",
            {"message": "m", "api_key_hash": "h", "api_key_prefix": "p", "signing_secret": "s"},
            {"message": "n", "api_key_hash": "mine", "api_key_prefix": "mine", "signing_secret": None},
            {"message": "n", "api_key_hash": "h", "api_key_prefix": "p", "signing_secret": None},
        ),
    ],
)
def test_channels_3_4_carry_over(api, app, add, kind, before, patch, after):
    """A config in a PATCH replaces the whole object, but each secret follows its own rule."""
    channel = add(kind, before).json()["id"]
    response = api.patch(f"{app}/channels/{channel}", json={"channel_config": patch})
    assert response.status_code == 200, response.text
    assert _stored(api, channel) == after


def test_channels_3_4_absent_keeps(api, app, add):
    """Null and absent members of a PATCH keep what is there; updated_at moves."""
    channel = add("webhook", WEBHOOK, enabled=False).json()
    body = {"channel_type": None, "channel_config": None, "enabled": None}
    after = api.patch(f"{app}/channels/{channel['id']}", json=body).json()
    assert {**after, "updated_at": ""} == {**channel, "updated_at": ""}
    assert after["updated_at"] > channel["updated_at"]


def test_channels_3_4_type_change_validates_the_old_config(api, app, add, check):
    """Changing the type alone puts the stored config under the new type's rules."""
    path = f"{app}/channels/{add('webhook', WEBHOOK).json()['id']}"
    detail = SLACK_NEEDS
    check(api.patch(path, json={"channel_type": "slack"}), 400, detail)
    assert api.patch(path, json={"channel_type": "ag_ui"}).json()["channel_type"] == "ag_ui"


def test_channels_3_5_http_basic(api, app, add):
    """A password becomes a hash, is shown as a marker, and survives a PATCH without it."""
    auth = {"mode": "http_basic", "provider": BASIC}
    channel = add("ag_ui", {"auth": auth}).json()
    shown = {"type": "http_basic", "username": "u", "password_configured": True}
    assert channel["channel_config"]["auth"]["provider"] == shown
    stored = _stored(api, channel["id"])["auth"]["provider"]
    assert "password" not in stored
    assert stored["password_hash"] != "p"
    kept = {"mode": "http_basic", "provider": {"type": "http_basic", "username": "v"}}
    path = f"{app}/channels/{channel['id']}"
    assert api.patch(path, json={"channel_config": {"auth": kept}}).status_code == 200
    assert _stored(api, channel["id"])["auth"]["provider"]["password_hash"] == stored["password_hash"]
    api.patch(path, json={"channel_config": {"auth": auth}})
    assert _stored(api, channel["id"])["auth"]["provider"]["password_hash"] != stored["password_hash"]
    assert "auth" not in api.patch(path, json={"channel_config": {}}).json()["channel_config"]


@pytest.mark.parametrize(
    ("config", "status"),
    [
        ({"auth": {"mode": "shared_secret"}}, 400),
        ({"auth": {"mode": "shared_secret"}, "token": "t"}, 201),
        ({"auth": {"mode": "api_key"}}, 400),
        ({"auth": {"mode": "oauth2_introspection"}}, 400),
        ({"auth": {"mode": "oidc"}}, 400),
        ({"auth": {"mode": "oidc", "provider": {"type": "oidc", "issuer": "https://127.0.0.1"}}}, 400),
        ({"auth": {"mode": "oidc", "provider": {"type": "oidc", "issuer": "https://id.example.com"}}}, 201),
        ({"auth": {"mode": "http_basic", "provider": {"type": "http_basic", "username": "u"}}}, 400),
        ({"auth": {"mode": "mtls", "provider": {"type": "mtls", "header_name": "h"}}}, 400),
        ({"auth": {"mode": "google_oidc", "provider": {"type": "oidc", "issuer": "https://x.example"}}}, 400),
        ({"auth": {}}, 400),
    ],
)
def test_channels_3_5_auth_rules(add, config, status):
    """Each mode asks for its provider, complete and pointing outwards."""
    assert add("ag_ui", config).status_code == status


@pytest.mark.parametrize(
    ("route", "body", "prefix"),
    [
        ("a2a-channels", {"message": "m", "agent_card_name": "n"}, "evra2a_"),
        ("api-endpoint-channels", {}, "evr_app_"),
    ],
)
def test_channels_3_6_keys_are_shown_once(api, app, made, route, body, prefix):
    """The key comes with create and regenerate-key only; its hash is stored, its first characters shown."""
    answer = made(api, f"{app}/{route}", **body)
    key, channel = answer["api_key"], answer["channel"]
    assert re.fullmatch(prefix + "[0-9a-f]{64}", key)
    config = channel["channel_config"]
    assert config == {
        **body,
        "session_mode": "shared_session",
        "api_key_prefix": key[: len(prefix) + 8] + "...",
    }
    assert _stored(api, channel["id"])["api_key_hash"] == hashlib.sha256(key.encode()).hexdigest()
    again = api.post(f"{app}/{route}/{channel['id']}/regenerate-key")
    assert again.status_code == 200
    assert again.json()["api_key"] != key
    assert again.json()["channel"]["id"] == channel["id"]


def test_channels_3_1_regenerate_on_the_wrong_type(api, app, add, check):
    """Only channels with a generated key can be given a new one."""
    channel = add("webhook", WEBHOOK).json()["id"]
    for route, noun in (("a2a", "an A2A channel"), ("api-endpoint", "an api_endpoint channel")):
        path = f"{app}/{route}-channels/{channel}/regenerate-key"
        check(api.post(path), 400, f"Channel is not {noun}")


def test_channels_3_6_a2a_body(api, app, check):
    """An A2A channel needs a message: absent does not fit, empty is refused."""
    assert api.post(f"{app}/a2a-channels", json={}).status_code == 422
    detail = "A2A channel config requires a non-empty message"
    check(api.post(f"{app}/a2a-channels", json={"message": ""}), 400, detail)


@pytest.mark.parametrize(
    ("cron", "detail"),
    [
        ("* * * * *", "Schedule channel cron must fire no more than once every 300 seconds"),
        ("0,4 9 * * *", "Schedule channel cron must fire no more than once every 300 seconds"),
        ("*/5 * * * *", None),
        ("1 2 3", None),
    ],
)
def test_profile_strict_schedules(open_api, made, cron, detail):
    """Strict servers mind the interval, and take no new schedule channel at all."""
    api = open_api(profile="strict")
    harness = api.get("/v1/harnesses/generic").json()["id"]
    agent = made(api, "/v1/agents", name="a", system_prompt="")["id"]
    app = made(api, "/v1/apps", name="x", harness_id=harness, agent_id=agent)
    body = {"channel_type": "schedule", "channel_config": {**CRON, "cron_expression": cron}}
    response = api.post(f"/v1/apps/{app['id']}/channels", json=body)
    assert response.status_code == 400
    if detail:
        assert response.json()["detail"] == detail
    elif cron == "1 2 3":
        assert response.json()["detail"].startswith("Cron expression must be either 5 fields (")
    else:
        assert response.json()["detail"] == (
            "App schedule channels are deprecated. Create a schedule trigger on the app's agent instead."
        )


def test_channels_3_6_a2a_auth(api, app, made):
    """An auth object is taken as sent, and its shape is part of the body's type."""
    auth = {"mode": "http_basic", "provider": BASIC, "note": 1}
    answer = made(api, f"{app}/a2a-channels", message="m", auth=auth, enabled=False)
    assert answer["channel"]["enabled"] is False
    assert answer["channel"]["channel_config"]["auth"] == {
        "mode": "http_basic",
        "provider": {"type": "http_basic", "username": "u", "password_configured": True},
        "note": 1,
    }
    body = {"message": "m", "auth": {"mode": "nonsense"}}
    assert api.post(f"{app}/a2a-channels", json=body).status_code == 422
