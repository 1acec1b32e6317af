"""What the platform does not do, or does not mind: facts that show in nothing else."""

import json

import pytest

from reconciler.emulator import ids

ORG = f"/v1/orgs/{ids.DEFAULT_ORG}"
WEBHOOK = {"token": "whk", "message": "Read {{body.no.such.path}}"}


@pytest.fixture
def app(api, made, harness):
    """Give the path of a draft app."""
    return f"/v1/apps/{made(api, '/v1/apps', name='bot', harness_id=harness)['id']}"


def test_orgs_1_1_nothing_deletes_an_organization(api):
    """There is no route to delete or archive an organization."""
    assert [api.delete(ORG).status_code, api.post(f"{ORG}/delete").status_code] == [405, 404]


def test_orgs_1_1_header_plays_no_part(api):
    """X-Org-Id is not even read below /v1/orgs."""
    assert api.get(ORG, headers={"X-Org-Id": "acme"}).status_code == 200


def test_orgs_1_5_header_before_cookie(api):
    """A good header wins over a bad cookie."""
    headers = {"X-Org-Id": ids.DEFAULT_ORG, "Cookie": f"everruns_org=org_{'1' * 32}"}
    assert api.get("/v1/agents", headers=headers).status_code == 200


def test_apps_2_5_patch_takes_no_channels(api, app):
    """Channel members of a PATCH are ignored, and so is everything else that is unknown."""
    body = {"channels": [], "channel_type": "webhook", "channel_config": WEBHOOK}
    assert api.patch(app, json=body).json()["channels"] == []


def test_apps_2_6_publishing_asks_for_a_channel_only(api, app, made):
    """A disabled channel will do, and no agent is needed."""
    made(api, f"{app}/channels", channel_type="webhook", channel_config=WEBHOOK, enabled=False)
    assert api.post(f"{app}/publish").json()["status"] == "published"


def test_apps_2_6_unpublishing_a_tombstone(api, app):
    """Unpublishing has no guard: even a deleted app becomes a draft."""
    api.delete(app)
    api.post(f"{app}/delete")
    assert api.post(f"{app}/unpublish").json()["status"] == "draft"


def test_channels_3_2_config_in_a_string(api, app, check):
    """A config may be JSON inside a string; templates are kept as they are; a missing config does not fit."""
    body = {"channel_type": "webhook", "channel_config": json.dumps(WEBHOOK)}
    shown = api.post(f"{app}/channels", json=body).json()["channel_config"]
    assert shown == {"token_configured": True, "message": WEBHOOK["message"]}
    missing = api.post(f"{app}/channels", json={"channel_type": "webhook"})
    assert missing.status_code == 400
    assert missing.json()["detail"].startswith("Invalid webhook channel config: ")


def test_headers_6_no_idempotency_and_no_preconditions(api, made, harness):
    """An Idempotency-Key does not keep a second app from being made, an If-Match no write from happening."""
    body = {"name": "twice", "harness_id": harness}
    one, two = (api.post("/v1/apps", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert one.json()["id"] != two.json()["id"]
    assert "etag" not in one.headers
    late = api.patch(f"/v1/apps/{one.json()['id']}", json={"name": "x"}, headers={"If-Match": '"stale"'})
    assert late.json()["name"] == "x"


def test_agents_2_4_patch_to_archive_skips_the_guard(api, made, harness):
    """PATCH archives an agent that an app still uses."""
    agent = made(api, "/v1/agents", name="a", system_prompt="")
    made(api, "/v1/apps", name="x", harness_id=harness, agent_id=agent["id"])
    assert api.patch(f"/v1/agents/{agent['id']}", json={"status": "archived"}).json()["status"] == "archived"


def test_versions_3_authored_config(api, made):
    """A version holds the authored members; the same content again is another version with the same hash."""
    made(api, "/v1/agents", name="a", system_prompt="Help.", tags=["x"])
    one, two = (made(api, "/v1/agents/a/versions", summary="s") for _ in range(2))
    assert one["id"] != two["id"]
    assert one["config_hash"] == two["config_hash"]
    assert one["config_hash"].startswith("sha256:")
    assert {"name", "system_prompt", "harness_id", "tags"} <= one["authored_config"].keys()
    assert "mcpServers" not in one["authored_config"]


def test_memories_4_1_no_way_back(api, made):
    """Nothing unarchives or deletes a memory, no client chooses its id, and PATCH takes no status."""
    memory = made(api, "/v1/memories", name="m", id="mem_" + "0" * 32)
    assert memory["id"] != "mem_" + "0" * 32
    path = f"/v1/memories/{memory['id']}"
    api.delete(path)
    assert [api.post(f"{path}/{verb}").status_code for verb in ("unarchive", "delete")] == [404, 404]
    assert api.patch(path, json={"status": "active"}).json()["status"] == "archived"


def test_harnesses_5_null_parent(api, made, harness):
    """A null parent changes nothing, and parallel_tool_calls is never kept."""
    child = made(api, "/v1/harnesses", name="c", parent_harness_id=harness, parallel_tool_calls=True)
    after = api.patch(f"/v1/harnesses/{child['id']}", json={"parent_harness_id": None}).json()
    assert after["parent_harness_id"] == harness
    assert "parallel_tool_calls" not in after
