"""Profiles: what older and newer servers do differently (`frozen` and most of `strict` stand with their subjects)."""

import pytest

from reconciler.emulator import ids

SLACK = {"signing_secret": "s3", "bot_token": "xoxb"}


@pytest.fixture
def site(open_api, made):
    """Give a function that starts a stand-in with an agent and an app; gives its client and the path of the app."""

    def start(profile):
        api = open_api(profile=profile)
        harness = api.get("/v1/harnesses/generic").json()["id"]
        agent = made(api, "/v1/agents", name="a", system_prompt="")["id"]
        app = made(api, "/v1/apps", name="x", harness_id=harness, agent_id=agent)
        return api, f"/v1/apps/{app['id']}"

    return start


@pytest.mark.parametrize(("profile", "is_shown"), [("seeds", False), ("strict", False), ("seeds+unredacted", True)])
def test_channels_3_4_unredacted_secrets(site, made, profile, is_shown):
    """The oldest servers show every secret, and a replacing config must repeat them."""
    api, app = site(profile)
    channel = made(api, f"{app}/channels", channel_type="slack", channel_config=SLACK)
    path = f"{app}/channels/{channel['id']}"
    assert (channel["channel_config"] == SLACK) is is_shown
    assert (api.get(app).json()["channels"][0]["channel_config"] == SLACK) is is_shown
    kept = api.patch(path, json={"channel_config": {"channel_id": "C1"}})
    assert kept.status_code == (400 if is_shown else 200)


def test_channels_3_4_unredacted_keys_are_kept(site, made):
    """Even the oldest servers keep the generated key of a channel over a replacing config."""
    api, app = site("seeds+unredacted")
    channel = made(api, f"{app}/a2a-channels", message="m")["channel"]
    after = api.patch(f"{app}/channels/{channel['id']}", json={"channel_config": {"message": "n"}}).json()
    assert after["channel_config"]["api_key_hash"] == channel["channel_config"]["api_key_hash"]


@pytest.mark.parametrize(
    ("profile", "status"), [("strict", 400), ("frozen", 400), ("seeds", 201), ("frozen+no-reasons", 201)]
)
def test_headers_6_older_servers_ignore_reasons(open_api, profile, status):
    """Servers before era C check no reason, and where reasons are not recorded they are not checked either."""
    api = open_api(profile=profile)
    response = api.post("/v1/agents", json={"name": "a", "system_prompt": ""}, headers={"Everruns-Change-Reason": " "})
    assert response.status_code == status
    assert [change.reason for change in api.app.store.changes(ids.DEFAULT_ORG)] == [None] * (status == 201)


@pytest.mark.parametrize(("profile", "status"), [("seeds", 200), ("strict", 400)])
def test_apps_2_4_only_published_versions_are_pinned(site, profile, status):
    """Strict servers refuse to pin a draft."""
    api, app = site(profile)
    agent = api.get("/v1/agents/a").json()["id"]
    api.patch(f"/v1/agents/{agent}", json={"system_prompt": "two"})
    draft = api.get("/v1/agents/a/versions").json()[0]["id"]
    response = api.patch(app, json={"agent_version_id": draft})
    assert response.status_code == status
    if status == 400:
        assert response.json()["detail"] == "Agent version must be published before it can be pinned to an app"


def test_variants_add_up(site, made):
    """Several variants may be added to one profile."""
    api, app = site("strict+unredacted+no-reasons")
    assert api.get("/_emulator/health").json()["profile"] == "strict+unredacted+no-reasons"
    channel = made(api, f"{app}/channels", channel_type="slack", channel_config=SLACK)
    assert channel["channel_config"] == SLACK
