"""Apps and their lifecycle."""

import pytest

from reconciler.emulator import ids

GONE = "Archived or deleted apps cannot be edited"
DRAFT_FIRST = "App must be draft before publishing"
ARCHIVE_FIRST = "App must be archived before deletion"
WEBHOOK = {"token": "whk", "message": "Run support triage"}


@pytest.fixture
def app(api, made, harness):
    """Give a draft app without channels."""
    return made(api, "/v1/apps", name="Support Bot", harness_id=harness)


@pytest.fixture
def path(app):
    """Give the path of the app."""
    return f"/v1/apps/{app['id']}"


def _channel(api, path):
    """Add a webhook channel."""
    body = {"channel_type": "webhook", "channel_config": WEBHOOK}
    assert api.post(f"{path}/channels", json=body).status_code == 201


def test_apps_2_2_shape(app, harness):
    """A missing agent is null, everything else unset is left out; owners and links are there."""
    assert set(app) == {
        "id",
        "name",
        "harness_id",
        "agent_id",
        "agent_version_policy",
        "owner_principal_id",
        "resolved_owner_user_id",
        "owner",
        "effective_owner",
        "channels",
        "status",
        "created_at",
        "updated_at",
        "self_url",
        "view_url",
        "ui_link",
        "allowed_actions",
    }
    assert (app["agent_id"], app["agent_version_policy"], app["status"]) == (None, "default", "draft")
    assert app["owner"] == {"id": app["owner_principal_id"], "kind": "user"}
    assert (app["channels"], app["harness_id"]) == ([], harness)


def test_apps_2_2_allowed_actions_follow_the_state(api, app, path):
    """Four actions always, publish on a draft, unpublish on a published app, unarchive never."""
    usual = ["self", "update", "runs", "delete"]

    def rels(body):
        return [action["rel"] for action in body["allowed_actions"]]

    assert rels(app) == [*usual, "publish"]
    update = app["allowed_actions"][1]
    assert (update["method"], update["href"]) == ("PATCH", f"http://emulator{path}")
    assert update["schema_ref"] == "#/components/schemas/UpdateAppRequest"
    _channel(api, path)
    assert rels(api.post(f"{path}/publish").json()) == [*usual, "unpublish"]
    api.delete(path)
    assert rels(api.get(path).json()) == usual


def test_apps_2_3_names_are_not_unique(api, made, app, harness):
    """Two apps may share a name, an empty one too; a client cannot choose the id."""
    twin = made(api, "/v1/apps", name="Support Bot", harness_id=harness, id="app_" + "0" * 32)
    assert twin["id"] not in (app["id"], "app_" + "0" * 32)
    assert made(api, "/v1/apps", name="", harness_id=harness)["name"] == ""


def test_apps_2_4_name_column(api, check, harness):
    """A name the column cannot hold is an internal error."""
    body = {"name": "x" * 256, "harness_id": harness}
    check(api.post("/v1/apps", json=body), 500, "Internal server error", "internal_error")


def test_apps_2_3_list(api, made, app, harness):
    """One reply without totals, newest first; archived on request, deleted never."""
    second = made(api, "/v1/apps", name="Other", harness_id=harness, description="Sales")
    assert list(api.get("/v1/apps").json()) == ["data"]
    assert [one["id"] for one in api.get("/v1/apps").json()["data"]] == [second["id"], app["id"]]
    assert [one["name"] for one in api.get("/v1/apps?search=SALES oth").json()["data"]] == ["Other"]
    api.delete(f"/v1/apps/{app['id']}")
    assert len(api.get("/v1/apps").json()["data"]) == 1
    both = api.get("/v1/apps?include_archived=true").json()["data"]
    assert [one["status"] for one in both] == ["draft", "archived"]
    api.post(f"/v1/apps/{app['id']}/delete")
    assert len(api.get("/v1/apps?include_archived=true").json()["data"]) == 1


def test_apps_2_4_order_of_checks(api, check, harness):
    """The channel is looked at before the harness, the harness before the agent, the identity last."""
    nothing = "0" * 32
    body = {"name": "a", "channel_config": {}, "harness_id": f"harness_{nothing}"}
    check(api.post("/v1/apps", json=body), 400, "channel_config requires channel_type")
    body["channel_type"] = "webhook"
    detail = "Webhook channel config requires a non-empty token"
    check(api.post("/v1/apps", json=body), 400, detail)
    body |= {"channel_config": WEBHOOK, "agent_id": f"agent_{nothing}"}
    check(api.post("/v1/apps", json=body), 404, "Harness not found")
    body |= {"harness_id": harness, "agent_version_id": f"agentver_{nothing}"}
    check(api.post("/v1/apps", json=body), 404, "Agent not found")
    body |= {"agent_id": None, "agent_identity_id": f"identity_{nothing}"}
    check(api.post("/v1/apps", json=body), 404, "Agent version not found")
    del body["agent_version_id"]
    check(api.post("/v1/apps", json=body), 404, "Agent identity not found")
    assert api.get("/v1/apps").json() == {"data": []}


def test_apps_2_4_only_active_references(api, check, made, harness):
    """Archived harnesses, agents and identities cannot be assigned, on create or update."""
    agent = made(api, "/v1/agents", name="a", system_prompt="")
    old = made(api, "/v1/harnesses", name="old")
    identity = made(api, "/v1/agent-identities", name="i")
    for resource in (f"agents/{agent['id']}", f"harnesses/{old['id']}", f"agent-identities/{identity['id']}"):
        api.delete(f"/v1/{resource}")
    app = made(api, "/v1/apps", name="x", harness_id=harness)
    cases = {
        "harness_id": (old["id"], "harnesses"),
        "agent_id": (agent["id"], "agents"),
        "agent_identity_id": (identity["id"], "agent identities"),
    }
    for field, (ident, plural) in cases.items():
        detail = f"Archived or deleted {plural} cannot be assigned"
        body = {"name": "x", "harness_id": harness, field: ident}
        check(api.post("/v1/apps", json=body), 400, detail)
        check(api.patch(f"/v1/apps/{app['id']}", json={field: ident}), 400, detail)


def test_apps_2_4_versions(api, check, made, harness):
    """A pinned version must be one of the selected agent; pinned without a version is accepted."""
    one = made(api, "/v1/agents", name="one", system_prompt="")
    two = made(api, "/v1/agents", name="two", system_prompt="")
    version = api.post("/v1/agents/one/versions", json={}).json()["id"]
    body = {"name": "x", "harness_id": harness, "agent_version_policy": "pinned"}
    made(api, "/v1/apps", **body)
    wrong = {**body, "agent_id": two["id"], "agent_version_id": version}
    check(api.post("/v1/apps", json=wrong), 400, "Agent version must belong to the selected agent")
    app = made(api, "/v1/apps", **{**wrong, "agent_id": one["id"]})
    changed = api.patch(f"/v1/apps/{app['id']}", json={"agent_id": two["id"]}).json()
    assert (changed["agent_id"], changed["agent_version_id"]) == (two["id"], version)


def test_apps_2_4_first_channel(api, made, harness):
    """The first channel comes with the app, enabled; its config may be a JSON string."""
    app = made(
        api,
        "/v1/apps",
        name="x",
        harness_id=harness,
        channel_type="schedule",
        channel_config='{"cron_expression": "0 9 * * *", "message": "Daily standup"}',
    )
    (channel,) = app["channels"]
    assert (channel["channel_type"], channel["enabled"]) == ("schedule", True)
    assert channel["channel_config"] == {"cron_expression": "0 0 9 * * * *", "message": "Daily standup"}
    assert ids.fault("appchan", channel["id"]) is None
    body = {"name": "x", "harness_id": harness, "channel_type": "slack", "channel_config": "example"}
    assert api.post("/v1/apps", json=body).status_code == 422


def test_apps_2_5_null_means_unchanged(api, made, harness):
    """Only the pinned version and the identity are cleared by null."""
    agent = made(api, "/v1/agents", name="a", system_prompt="")
    identity = made(api, "/v1/agent-identities", name="i")
    version = api.post("/v1/agents/a/versions", json={}).json()["id"]
    app = made(
        api,
        "/v1/apps",
        name="x",
        description="d",
        harness_id=harness,
        agent_id=agent["id"],
        agent_version_id=version,
        agent_identity_id=identity["id"],
    )
    assert app["owner"]["kind"] == "agent_identity"
    path = f"/v1/apps/{app['id']}"
    kept = ("name", "description", "harness_id", "agent_id", "agent_version_policy", "status")
    after = api.patch(path, json=dict.fromkeys(kept)).json()
    assert {**after, "updated_at": ""} == {**app, "updated_at": ""}
    assert after["updated_at"] > app["updated_at"]
    cleared = api.patch(path, json={"agent_version_id": None, "agent_identity_id": None}).json()
    assert not {"agent_version_id", "agent_identity_id"} & set(cleared)
    assert cleared["owner"]["kind"] == "user"
    assert api.patch(path, json={"description": ""}).json()["description"] == ""


def test_apps_2_5_status(api, check, app, path):
    """PATCH may archive, without a stamp; it may neither publish nor delete nor revive."""
    detail = "Setting status=deleted requires dangerous delete permission"
    check(api.patch(f"/v1/apps/app_{'0' * 32}", json={"status": "deleted"}), 403, detail)
    for status in ("draft", "published"):
        detail = "Use publish/unpublish endpoints to change app publish status"
        check(api.patch(path, json={"status": status}), 400, detail)
    archived = api.patch(path, json={"status": "archived"}).json()
    assert archived["status"] == "archived"
    assert "archived_at" not in archived
    check(api.patch(path, json={"status": "draft"}), 400, GONE)
    api.post(f"{path}/delete")
    check(api.patch(path, json={}), 400, GONE)


def test_apps_2_6_publish(api, check, path):
    """Publishing needs a draft with a channel and is not idempotent; unpublishing is."""
    check(api.post(f"{path}/publish"), 400, "App must have at least one channel before publishing")
    _channel(api, path)
    published = api.post(f"{path}/publish").json()
    assert (published["status"], bool(published["published_at"])) == ("published", True)
    check(api.post(f"{path}/publish"), 400, DRAFT_FIRST)
    for _ in range(2):
        draft = api.post(f"{path}/unpublish").json()
        assert (draft["status"], draft["published_at"]) == ("draft", published["published_at"])


def test_apps_2_6_archive_and_delete(api, check, path):
    """DELETE archives and may be repeated; /delete needs an archived app, once; unpublish revives."""
    _channel(api, path)
    check(api.post(f"{path}/delete"), 400, ARCHIVE_FIRST)
    api.post(f"{path}/publish")
    check(api.post(f"{path}/delete"), 400, ARCHIVE_FIRST)
    assert [api.delete(path).status_code for _ in range(2)] == [204, 204]
    archived = api.get(path).json()
    assert (archived["status"], "published_at" in archived) == ("archived", True)
    check(api.post(f"{path}/publish"), 400, DRAFT_FIRST)
    revived = api.post(f"{path}/unpublish").json()
    assert (revived["status"], revived["archived_at"]) == ("draft", archived["archived_at"])
    api.delete(path)
    assert api.post(f"{path}/delete").status_code == 204
    check(api.get(path), 404, "App not found")
    check(api.post(f"{path}/publish"), 400, DRAFT_FIRST)
    check(api.post(f"{path}/delete"), 400, ARCHIVE_FIRST)
    assert api.delete(path).status_code == 204


@pytest.mark.parametrize("verb", ["publish", "unpublish", "delete"])
def test_apps_2_6_unknown_and_malformed(api, check, verb):
    """An unknown app is 404, a malformed id 400."""
    check(api.post(f"/v1/apps/app_{'0' * 32}/{verb}"), 404, "App not found")
    detail = "Invalid app ID: invalid prefix: expected 'app', got 'x'"
    check(api.post(f"/v1/apps/x/{verb}"), 400, detail)


def test_permissions_apps(roles, check):
    """Members make apps, and only owners archive, publish, unpublish and delete them."""
    harness = roles["member"].get("/v1/harnesses/generic").json()["id"]
    app = roles["member"].post("/v1/apps", json={"name": "x", "harness_id": harness}).json()
    path = f"/v1/apps/{app['id']}"
    detail = "Access denied: policy 'app.dangerous' requires 'org:apps:dangerous'"
    for verb in ("publish", "unpublish", "delete"):
        check(roles["admin"].post(f"{path}/{verb}"), 403, detail)
    check(roles["admin"].delete(path), 403, detail)
    assert roles["owner"].delete(path).status_code == 204
    assert roles["admin"].get("/v1/apps/config").json() == {
        "policies": {"app.view": True, "app.manage": True, "app.dangerous": False}
    }


def test_profile_strict_requires_an_agent(open_api, check, made):
    """Strict servers take no app without an agent, nor a change to one."""
    api = open_api(profile="strict")
    harness = api.get("/v1/harnesses/generic").json()["id"]
    detail = (
        "Apps require an agent. Existing agent-less apps remain runnable, "
        "but must be assigned an agent before they can be updated."
    )
    check(api.post("/v1/apps", json={"name": "x", "harness_id": harness}), 400, detail)
    agent = made(api, "/v1/agents", name="a", system_prompt="")
    app = made(api, "/v1/apps", name="x", harness_id=harness, agent_id=agent["id"])
    assert api.patch(f"/v1/apps/{app['id']}", json={}).status_code == 200


def test_profile_frozen_reads_only(open_api):
    """Frozen servers answer 405 to every write to an app and still show what there is."""
    api = open_api(profile="frozen")
    one = f"/v1/apps/app_{'0' * 32}"
    calls = [("POST", "/v1/apps"), ("PATCH", one), ("DELETE", one), ("POST", f"{one}/publish")]
    calls += [("POST", f"{one}/channels"), ("POST", f"{one}/a2a-channels"), ("DELETE", f"{one}/channels/x")]
    for method, path in calls:
        response = api.request(method, path, json={})
        assert (response.status_code, response.content) == (405, b""), path
        assert response.headers["allow"] == "GET,HEAD"
    assert api.get("/v1/apps").json() == {"data": []}
    assert api.get("/v1/apps/config").status_code == 400  # agent-channels.md, 6: the word is read as an app's id


@pytest.mark.parametrize(
    ("query", "status", "body"),
    [
        ("", 200, {"data": []}),
        ("?window=24h&groupBy=hour", 200, {"data": [], "buckets": []}),
        ("?window=day", 400, None),
        ("?groupBy=day", 400, None),
    ],
)
def test_apps_2_1_runs(api, path, query, status, body):
    """Nothing runs here, so there are no runs to list."""
    response = api.get(f"{path}/runs{query}")
    assert response.status_code == status
    assert body is None or response.json() == body
