"""Sessions and the global chat."""

import pytest

from reconciler.emulator import ids

MISSING = "0" * 32
LINKS = {"self_url", "view_url", "ui_link", "allowed_actions"}


@pytest.fixture
def agent(api, made):
    """Give an agent on a harness of its own."""
    harness = made(api, "/v1/harnesses", name="own")["id"]
    return made(api, "/v1/agents", name="triage", system_prompt="", harness_id=harness)


@pytest.fixture
def session(api, made):
    """Give a session with a title and tags."""
    return made(api, "/v1/sessions", title="Research Session", tags=["b", "a"])


def test_sessions_8_minimal_shape(api, made, harness):
    """Nothing is required; what is unset is left out; the workspace mirrors the session."""
    session = made(api, "/v1/sessions")
    always = {"id", "organization_id", "workspace_id", "harness_id", "status", "created_at", "updated_at", "tags"}
    owner = {"owner_principal_id", "resolved_owner_user_id", "owner", "effective_owner"}
    assert set(session) == always | owner | LINKS | {"is_pinned"}
    assert (session["harness_id"], session["organization_id"], session["status"]) == (
        harness,
        ids.DEFAULT_ORG,
        "started",
    )
    assert session["workspace_id"].removeprefix("wsp_") == session["id"].removeprefix("session_")
    assert session["view_url"] == f"http://emulator/sessions/{session['id']}/chat"
    assert api.get(f"/v1/sessions/{session['id']}").json() == session


def test_sessions_8_everything_set(api, made, agent):
    """What is sent comes back, normalized like an agent's; names are write-only."""
    model = api.get("/v1/models").json()["data"][0]["id"]
    told = {"name": "t", "description": "Does a thing.", "parameters": {}}
    session = made(
        api,
        "/v1/sessions",
        agent_name="triage",
        harness_name="generic",
        model_id=model,
        locale="uk_UA",
        capabilities=[{"ref": "current_time"}],
        tools=[{"type": "client_side", **told}, {"type": "builtin", **told}],
        mcpServers={"docs": {"url": "https://mcp.example.com", "tool_discovery": True}},
        initial_files=[{"path": "a", "content": "x"}],
        hints={"rich_media": True},
        network_access={"allowed": ["example.com"], "blocked": []},
        max_iterations=3,
        parallel_tool_calls=True,
        system_prompt="Be brief.",
    )
    assert (session["agent_id"], session["model_id"], session["locale"]) == (agent["id"], model, "uk-UA")
    assert session["tools"] == [{"type": "client_side", **told}]
    assert session["mcpServers"] == {"docs": {"type": "http", "url": "https://mcp.example.com"}}
    assert session["initial_files"][0]["encoding"] == "text"
    assert session["capabilities"] == [{"ref": "current_time", "config": None}]
    assert (session["hints"], session["network_access"]) == ({"rich_media": True}, {"allowed": ["example.com"]})
    assert not {"agent_name", "harness_name"} & set(session)


def test_sessions_8_choice_of_harness(api, made, agent, harness):
    """The request decides, else the agent, else the organization; `default` asks for the organization's."""
    own = agent["harness_id"]
    assert made(api, "/v1/sessions", agent_id=agent["id"])["harness_id"] == own
    assert made(api, "/v1/sessions", agent_id=agent["id"], harness_id=harness)["harness_id"] == harness
    api.patch(f"/v1/orgs/{ids.DEFAULT_ORG}", json={"default_harness_id": own})
    assert made(api, "/v1/sessions")["harness_id"] == own
    assert made(api, "/v1/sessions", harness_name="default")["harness_id"] == own
    assert made(api, "/v1/sessions", harness_name="generic")["harness_id"] == harness


def test_sessions_8_default_version_is_frozen(api, made, agent):
    """A session keeps the default version of its agent."""
    first, second = (api.post("/v1/agents/triage/versions", json={}).json()["id"] for _ in range(2))
    session = made(api, "/v1/sessions", agent_id=agent["id"])
    api.post("/v1/agents/triage/versions/default", json={"version_id": second})
    assert api.get(f"/v1/sessions/{session['id']}").json()["agent_version_id"] == first


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"locale": "klingon"}, 400, "Input exceeds allowed limits"),
        (
            {"harness_id": f"harness_{MISSING}", "harness_name": "x"},
            400,
            "Cannot specify both harness_id and harness_name",
        ),
        ({"agent_id": f"agent_{MISSING}", "agent_name": "x"}, 400, "Cannot specify both agent_id and agent_name"),
        ({"harness_id": f"harness_{MISSING}"}, 404, "Harness not found"),
        ({"harness_name": "nope"}, 404, "Harness not found"),
        ({"harness_name": "No"}, 400, "Harness name must contain only lowercase letters, digits, and hyphens"),
        ({"agent_id": f"agent_{MISSING}"}, 404, "Agent not found"),
        ({"agent_name": "nope"}, 404, "Agent not found"),
        ({"model_id": f"model_{MISSING}"}, 404, "Model not found"),
        ({"agent_identity_id": f"identity_{MISSING}"}, 404, "Agent identity not found"),
        ({"workspace_id": f"wsp_{MISSING}"}, 404, "Workspace not found"),
        ({"system_prompt": "x" * (1024 * 1024 + 1)}, 400, "Input exceeds allowed limits"),
    ],
)
def test_sessions_8_refusals(api, check, body, status, detail):
    """Each unusable reference and value has its own refusal, none with a code."""
    check(api.post("/v1/sessions", json=body), status, detail)


def test_sessions_8_only_active_references(api, check, agent):
    """An archived agent or harness cannot be assigned."""
    api.delete(f"/v1/agents/{agent['id']}")
    api.delete(f"/v1/harnesses/{agent['harness_id']}")
    response = api.post("/v1/sessions", json={"agent_id": agent["id"]})
    check(response, 400, "Archived or deleted agents cannot be assigned")
    response = api.post("/v1/sessions", json={"harness_id": agent["harness_id"]})
    check(response, 400, "Archived or deleted harnesses cannot be assigned")


def test_sessions_8_limits(open_api, check, made):
    """Too many at all is 409, too many a minute 429 with the seconds to wait."""
    api = open_api(limits={"sessions": 1})
    made(api, "/v1/sessions")
    check(api.post("/v1/sessions", json={}), 409, "Session limit reached (max 1)")
    api = open_api(limits={"session_creates_per_minute": 1})
    made(api, "/v1/sessions")
    response = api.post("/v1/sessions", json={})
    body = check(response, 429, "Too many requests. Please try again later.", "rate_limited")
    assert (body["retry_after_seconds"], response.headers["retry-after"]) == (60, "60")


def test_sessions_8_patch(api, made, session):
    """Title, tags, locale and identity change; null clears the identity alone; nothing else moves."""
    path = f"/v1/sessions/{session['id']}"
    identity = made(api, "/v1/agent-identities", name="bot")["id"]
    changes = {"title": "T", "tags": [], "locale": "en", "agent_identity_id": identity, "system_prompt": "x"}
    after = api.patch(path, json=changes).json()
    assert (after["title"], after["tags"], after["locale"], after["agent_identity_id"]) == ("T", [], "en", identity)
    assert "system_prompt" not in after
    kept = api.patch(path, json=dict.fromkeys(changes)).json()
    assert (kept["title"], kept["tags"], kept["locale"], "agent_identity_id" in kept) == ("T", [], "en", False)
    assert kept["updated_at"] > after["updated_at"]


def test_sessions_8_delete_is_for_good(api, check, session):
    """A deleted session is gone; deleting it again says nothing."""
    path = f"/v1/sessions/{session['id']}"
    assert [api.delete(path).status_code for _ in range(2)] == [204, 204]
    check(api.get(path), 404, "Session not found")
    check(api.patch(path, json={}), 404, "Session not found")


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_sessions_8_malformed_id(api, check, method):
    """A malformed id is 400 in the words of the resource."""
    response = api.request(method, "/v1/sessions/session_1", json={})
    check(response, 400, "Invalid session ID: invalid length: expected 32, got 1")


def test_sessions_8_list(api, made, agent, session):
    """Newest first, by agent or by title; an unknown agent has an empty page."""
    theirs = made(api, "/v1/sessions", agent_id=agent["id"], title="Daily")
    found = api.get("/v1/sessions").json()
    assert [entry["id"] for entry in found["data"]] == [theirs["id"], session["id"]]
    assert (found["total"], found["offset"], found["limit"]) == (2, 0, 20)
    assert "next_url" in api.get("/v1/sessions?limit=1").json()
    by_agent = api.get("/v1/sessions", params={"agent_id": agent["id"], "limit": 5}).json()
    assert ([entry["id"] for entry in by_agent["data"]], by_agent["total"]) == ([theirs["id"]], 1)
    by_title = api.get("/v1/sessions?search=RESEARCH").json()
    assert [entry["id"] for entry in by_title["data"]] == [session["id"]]
    nobody = api.get(f"/v1/sessions?agent_id=agent_{MISSING}").json()
    assert (nobody["data"], nobody["total"]) == ([], 0)
    assert api.get("/v1/sessions?agent_id=x").status_code == 400


def test_sessions_8_no_unique_key(api, made):
    """Two sessions may be alike in everything but their ids."""
    told = {"title": "Daily", "tags": ["mine"]}
    assert made(api, "/v1/sessions", **told)["id"] != made(api, "/v1/sessions", **told)["id"]


def test_sessions_8_counted_where_they_belong(api, made, agent):
    """Agents and harnesses tell how many sessions they have."""
    made(api, "/v1/sessions", agent_id=agent["id"])
    counts = [
        api.get(path).json()["session_count"]
        for path in ("/v1/agents/triage", "/v1/harnesses/own", "/v1/harnesses/base")
    ]
    assert counts == [1, 1, 0]
    assert api.get("/v1/agents").json()["data"][0]["session_count"] == 1
    assert api.get("/v1/sessions/stats").json() == {
        "total": 1,
        "started": 1,
        "active": 0,
        "idle": 0,
        "waiting_for_tool_results": 0,
    }


def test_sessions_8_pin_is_per_user(roles, made, check):
    """A pin is the caller's own, and turns the action offered around; it does not touch the session."""
    session = made(roles["owner"], "/v1/sessions")
    path = f"/v1/sessions/{session['id']}"
    assert [roles["owner"].put(f"{path}/pin").status_code for _ in range(2)] == [204, 204]
    mine, theirs = roles["owner"].get(path).json(), roles["member"].get(path).json()
    assert (mine["is_pinned"], theirs["is_pinned"]) == (True, False)
    assert [action["rel"] for action in mine["allowed_actions"]] == ["self", "events", "update", "delete", "unpin"]
    assert theirs["allowed_actions"][-1]["rel"] == "pin"
    assert mine["updated_at"] == session["updated_at"]
    assert roles["owner"].delete(f"{path}/pin").status_code == 204
    assert roles["owner"].get(path).json() == session
    check(roles["owner"].put(f"/v1/sessions/session_{MISSING}/pin"), 404, "Session not found")


def test_sessions_8_shared_workspace(api, made, session):
    """A session may be attached to the workspace of another."""
    assert made(api, "/v1/sessions", workspace_id=session["workspace_id"])["workspace_id"] == session["workspace_id"]


def test_chat_8_1_is_a_singleton(api):
    """The first call makes the chat on the platform's harness, later ones find it; both are 200."""
    first, second = api.post("/v1/sessions/chat"), api.post("/v1/sessions/chat", json={"locale": "uk-UA"})
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()
    chat = first.json()
    assert (chat["title"], chat["tags"]) == (
        "Platform Chat",
        ["global-chat", f"user:{chat['resolved_owner_user_id']}"],
    )
    assert chat["harness_id"] == api.get("/v1/harnesses/platform-chat").json()["id"]
    assert not {"agent_id", "locale"} & set(chat)


def test_chat_8_1_is_per_user_and_org(roles):
    """Every user has a chat of their own."""
    assert (
        roles["owner"].post("/v1/sessions/chat").json()["id"] != roles["member"].post("/v1/sessions/chat").json()["id"]
    )


@pytest.mark.parametrize("content", ["null", "{}", '{"locale": null}', '{"locale": "uk-UA"}'])
def test_chat_8_1_body_is_optional(api, content):
    """A null body is as good as none; the locale counts when the chat is made."""
    response = api.post("/v1/sessions/chat", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 200
    assert response.json().get("locale") == ("uk-UA" if "uk" in content else None)


def test_chat_8_1_locale_is_checked_either_way(api, check):
    """A bad locale is refused, even where the chat exists."""
    api.post("/v1/sessions/chat")
    check(api.post("/v1/sessions/chat", json={"locale": "x"}), 400, "Input exceeds allowed limits")


@pytest.mark.parametrize("lose", ["tags", "delete"])
def test_chat_8_1_lost_and_made_again(api, lose):
    """Without its tags, or deleted, the chat is made anew."""
    first = api.post("/v1/sessions/chat").json()
    path = f"/v1/sessions/{first['id']}"
    response = api.patch(path, json={"tags": ["global-chat"]}) if lose == "tags" else api.delete(path)
    assert response.is_success
    assert api.post("/v1/sessions/chat").json()["id"] != first["id"]


def test_chat_8_1_locale_counts_on_creation_only(api):
    """The locale of a later call changes nothing."""
    first = api.post("/v1/sessions/chat", json={"locale": "uk-UA"}).json()
    assert api.post("/v1/sessions/chat", json={"locale": "de-DE"}).json() == first


def test_chat_8_1_is_rebound(api):
    """A chat that is bound to another harness is bound to the platform's again, without a word."""
    first = api.post("/v1/sessions/chat").json()
    store = api.app.store
    with store.transaction():
        record = store.get(ids.DEFAULT_ORG, "sessions", first["id"])
        store.save(record.with_body({**record.body(), "harness_id": f"harness_{MISSING}"}))
    again = api.post("/v1/sessions/chat").json()
    assert (again["id"], again["harness_id"]) == (first["id"], first["harness_id"])


def test_chat_8_1_flag_off(api, check):
    """Without the feature there is no chat."""
    api.patch(f"/v1/orgs/{ids.DEFAULT_ORG}/feature-flags", json={"flags": {"global_chat": False}})
    check(api.post("/v1/sessions/chat"), 404, "Feature 'global_chat' is not enabled", "feature_not_enabled")


def test_chat_8_1_rate_counts_creation_only(open_api):
    """Finding the chat is never too much, making it may be."""
    api = open_api(limits={"session_creates_per_minute": 1})
    assert [api.post("/v1/sessions/chat").status_code for _ in range(3)] == [200, 200, 200]
    api = open_api(limits={"session_creates_per_minute": 1})
    api.post("/v1/sessions", json={})
    assert api.post("/v1/sessions/chat").status_code == 429


def test_sessions_8_capabilities_may_repeat(api, made):
    """A session keeps its capabilities as one value, so unlike an agent it may name one twice."""
    twice = [{"ref": "current_time", "config": {}}] * 2
    assert made(api, "/v1/sessions", capabilities=twice)["capabilities"] == twice
    assert api.post("/v1/sessions", json={"capabilities": [{"ref": "No!"}]}).status_code == 404
