"""Agents."""

import uuid

import pytest

from reconciler.emulator import ids

CAPABILITY = {"ref": "web_fetch", "config": {"timeout_ms": 1}}
FILE = {"path": "/workspace/a.txt", "content": "x"}
MISSING_MODEL = "model_" + "0" * 32
EDITED = "Archived or deleted agents cannot be edited"


@pytest.fixture
def agent(api, made):
    """Give an agent with everything set."""
    return made(
        api,
        "/v1/agents",
        name="triage",
        display_name="Triage",
        description="Sorts tickets",
        system_prompt="Be kind.",
        capabilities=[CAPABILITY],
        tags=["b", "a", "a"],
        network_access={"allowed": ["example.com"]},
        max_iterations=5,
        parallel_tool_calls=False,
        mcpServers={"docs": {"url": "https://mcp.example.com"}},
    )


def test_agents_2_6_minimal_shape(api, made, harness):
    """Tags and capabilities are always there, what is unset is left out, the harness is filled in."""
    agent = made(api, "/v1/agents", name="a", system_prompt="")
    links = {"self_url", "view_url", "ui_link"}
    always = {"id", "name", "system_prompt", "harness_id", "status", "created_at", "updated_at"}
    assert set(agent) == always | links | {"tags", "capabilities"}
    assert (agent["tags"], agent["capabilities"], agent["status"]) == ([], [], "active")
    assert agent["harness_id"] == harness
    assert agent["self_url"] == f"http://emulator/v1/agents/{agent['id']}"


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("", "Agent name must not be empty"),
        ("a" * 65, "Agent name must be at most 64 characters"),
        ("Triage", "Agent name must contain only lowercase letters, digits, and hyphens"),
        ("-a", "Agent name must not start or end with a hyphen"),
        ("a--b", "Agent name must not contain consecutive hyphens"),
    ],
)
def test_agents_2_2_names_are_slugs(api, check, name, detail):
    """Each way to break the rule of names has its own text; check-name just says no."""
    check(api.post("/v1/agents", json={"name": name, "system_prompt": ""}), 400, detail)
    assert api.get("/v1/agents/check-name", params={"name": name}).json() == {"available": False}


def test_agents_2_2_taken_name(api, check, made, agent):
    """A taken name is 409 without a code, on POST and PATCH, even when its holder is archived."""
    other = made(api, "/v1/agents", name="other", system_prompt="")
    api.delete(f"/v1/agents/{agent['id']}")
    detail = "Agent name 'triage' is already taken"
    check(api.post("/v1/agents", json={"name": "triage", "system_prompt": ""}), 409, detail)
    check(api.patch(f"/v1/agents/{other['id']}", json={"name": "triage"}), 409, detail)
    assert api.get("/v1/agents/check-name?name=triage").json() == {"available": False}
    exclude = {"name": "triage", "exclude_id": agent["id"]}
    assert api.get("/v1/agents/check-name", params=exclude).json() == {"available": True}


def test_agents_2_3_client_id(api, check, made):
    """POST takes an id once; the second time it is a plain uniqueness conflict."""
    ident = ids.new("agent")
    body = {"id": ident, "name": "a", "system_prompt": ""}
    assert made(api, "/v1/agents", **body)["id"] == ident
    second = api.post("/v1/agents", json={**body, "name": "b"})
    check(second, 409, "Resource already exists", "already_exists")


def test_agents_2_1_get_by_id_or_name(api, check, agent):
    """GET takes either, adds counts, shows archived agents and not deleted ones."""
    path = f"/v1/agents/{agent['id']}"
    api.delete(path)
    by_name, by_id = api.get("/v1/agents/triage").json(), api.get(path).json()
    assert by_name == by_id
    assert (by_id["session_count"], by_id["app_count"], by_id["status"]) == (0, 0, "archived")
    api.post(f"{path}/delete")
    check(api.get(path), 404, "Agent not found")
    check(api.get("/v1/agents/triage"), 404, "Agent not found")


@pytest.mark.parametrize(
    ("ident", "detail"),
    [
        ("triage", "invalid prefix: expected 'agent', got 'triage'"),
        ("app_1", "invalid prefix: expected 'agent', got 'app'"),
        ("agent_1", "invalid length: expected 32, got 1"),
        ("agent_" + "Z" * 32, "invalid hex in ID: agent_" + "Z" * 32),
    ],
)
def test_agents_2_1_patch_takes_ids_only(api, check, ident, detail):
    """PATCH and DELETE refuse a name like any other malformed id."""
    check(api.patch(f"/v1/agents/{ident}", json={}), 400, f"Invalid agent ID: {detail}")
    check(api.delete(f"/v1/agents/{ident}"), 400, f"Invalid agent ID: {detail}")


def test_agents_2_4_null_means_unchanged(api, agent):
    """PATCH cannot clear a scalar: null and absent both keep; updated_at moves all the same."""
    nulls = dict.fromkeys(agent.keys() - {"id", "status"})
    after = api.patch(f"/v1/agents/{agent['id']}", json=nulls).json()
    assert {**after, "updated_at": ""} == {**agent, "updated_at": ""}
    assert after["updated_at"] > agent["updated_at"]


def test_agents_2_4_lists_are_replaced_whole(api, agent):
    """Lists and maps are replaced, and emptied by an empty one; `{}` clears network access."""
    empty = {"tags": [], "capabilities": [], "mcpServers": {}, "network_access": {}, "description": ""}
    after = api.patch(f"/v1/agents/{agent['id']}", json=empty).json()
    assert (after["tags"], after["capabilities"], after["description"]) == ([], [], "")
    assert not {"mcpServers", "network_access"} & set(after)


def test_agents_2_4_status(api, check, agent):
    """PATCH may archive, without a stamp; it may neither delete nor revive."""
    path = f"/v1/agents/{agent['id']}"
    detail = "Setting status=deleted requires dangerous delete permission"
    check(api.patch(path, json={"status": "deleted"}), 403, detail)
    archived = api.patch(path, json={"status": "archived"}).json()
    assert archived["status"] == "archived"
    assert "archived_at" not in archived
    check(api.patch(path, json={"status": "active"}), 400, EDITED)


def test_agents_1_4_lifecycle(api, check, agent, made):
    """DELETE archives and may be repeated; /delete needs an archived agent and frees its name."""
    path = f"/v1/agents/{agent['id']}"
    check(api.post(f"{path}/delete"), 400, "Agent must be archived before deletion")
    for _ in range(2):
        response = api.delete(path)
        assert (response.status_code, response.content) == (204, b"")
    assert api.get(path).json()["archived_at"]
    assert api.post(f"{path}/delete").status_code == 204
    assert made(api, "/v1/agents", name="triage", system_prompt="")["id"] != agent["id"]
    check(api.delete(f"/v1/agents/agent_{'0' * 32}"), 404, "Agent not found")


def test_agents_2_3_put_by_id_replaces(api, agent):
    """PUT by id clears every optional left out, but an empty capability list keeps the old one."""
    body = {"name": "renamed", "system_prompt": "New.", "capabilities": [], "id": ids.new("agent")}
    response = api.put(f"/v1/agents/{agent['id']}", json=body)
    after = response.json()
    assert (response.status_code, after["id"], after["name"]) == (200, agent["id"], "renamed")
    gone = {"display_name", "description", "max_iterations", "parallel_tool_calls", "mcpServers"}
    assert not gone & set(after)
    assert (after["tags"], after["capabilities"]) == ([], [CAPABILITY])
    assert after["created_at"] == agent["created_at"] < after["updated_at"]


def test_agents_2_3_put_by_id_creates(api):
    """PUT under an unknown id creates with that id."""
    ident = ids.new("agent")
    response = api.put(f"/v1/agents/{ident}", json={"name": "a", "system_prompt": ""})
    assert (response.status_code, response.json()["id"]) == (201, ident)


def test_agents_2_3_put_by_id_resets_the_harness(api, agent, harness):
    """PUT without a harness goes back to the default one."""
    path = f"/v1/agents/{agent['id']}"
    base = api.get("/v1/harnesses/base").json()["id"]
    assert api.patch(path, json={"harness_name": "base"}).json()["harness_id"] == base
    body = {"name": "triage", "system_prompt": ""}
    assert api.put(path, json=body).json()["harness_id"] == harness


@pytest.mark.parametrize("is_deleted", [False, True])
def test_agents_2_3_put_by_id_revives(api, agent, is_deleted):
    """PUT by id brings an archived, even a deleted agent back; archived_at stays."""
    path = f"/v1/agents/{agent['id']}"
    api.delete(path)
    if is_deleted:
        api.post(f"{path}/delete")
    after = api.put(path, json={"name": "triage", "system_prompt": ""}).json()
    assert after["status"] == "active"
    assert after["archived_at"]


def test_agents_2_3_put_by_id_name_clash(api, check, made, agent):
    """PUT by id does not look at names: a clash is the unique index speaking."""
    other = made(api, "/v1/agents", name="other", system_prompt="")
    response = api.put(f"/v1/agents/{other['id']}", json={"name": "triage", "system_prompt": ""})
    check(response, 409, "Resource already exists", "already_exists")


def test_agents_2_3_put_by_name(api, check, agent):
    """PUT by name creates, or patches: lists left out are emptied, scalars left out stay."""
    body = {"name": "fresh", "system_prompt": "1"}
    assert api.put("/v1/agents/fresh", json=body).status_code == 201
    detail = "Agent name in URL must match name in request body"
    check(api.put("/v1/agents/other", json=body), 400, detail)
    response = api.put("/v1/agents/triage", json={"name": "triage", "system_prompt": "2"})
    after = response.json()
    assert (response.status_code, after["id"], after["system_prompt"]) == (200, agent["id"], "2")
    assert (after["display_name"], after["max_iterations"]) == ("Triage", 5)
    assert (after["tags"], after["capabilities"]) == ([], [])
    assert "mcpServers" not in after


def test_agents_2_3_put_by_name_does_not_revive(api, check, agent):
    """PUT by name on an archived agent is refused like a PATCH."""
    api.delete(f"/v1/agents/{agent['id']}")
    check(api.put("/v1/agents/triage", json={"name": "triage", "system_prompt": ""}), 400, EDITED)


def test_agents_2_5_harness(api, check, made):
    """A harness goes by id or name, never both; unknown is 404, archived 400; the name is not echoed."""
    custom = made(api, "/v1/harnesses", name="custom")
    agent = made(api, "/v1/agents", name="a", system_prompt="", harness_name="custom")
    assert agent["harness_id"] == custom["id"]
    assert "harness_name" not in agent
    path = f"/v1/agents/{agent['id']}"
    both = {"harness_id": custom["id"], "harness_name": "custom"}
    check(api.patch(path, json=both), 400, "harness_id and harness_name are mutually exclusive")
    check(api.patch(path, json={"harness_name": "nope"}), 404, "Harness not found")
    check(api.patch(path, json={"harness_id": "harness_" + "0" * 32}), 404, "Harness not found")
    api.delete(f"/v1/harnesses/{custom['id']}")
    detail = "Archived or deleted harnesses cannot be assigned to agents"
    check(api.patch(path, json={"harness_id": custom["id"]}), 400, detail)


def test_agents_2_5_harness_follows_the_organization(api, made):
    """Without a harness the organization's default is taken."""
    made(api, "/v1/harnesses", name="custom")
    api.patch(f"/v1/orgs/{ids.DEFAULT_ORG}", json={"default_harness_name": "custom"})
    agent = made(api, "/v1/agents", name="a", system_prompt="")
    assert agent["harness_id"] == api.get("/v1/harnesses/default").json()["id"]


def test_agents_2_5_unknown_model(api, check):
    """A default model must exist in the organization."""
    body = {"name": "a", "system_prompt": "", "default_model_id": "model_" + "0" * 32}
    check(api.post("/v1/agents", json=body), 404, "Model not found")


def test_agents_2_5_capabilities(api, check, made):
    """Order is kept, a config left out is null, a repeated ref is a conflict that leaves nothing."""
    refs = [{"ref": "web_fetch"}, {"ref": "current_time", "config": {"a": 1}}]
    agent = made(api, "/v1/agents", name="a", system_prompt="", capabilities=refs)
    assert agent["capabilities"] == [{"ref": "web_fetch", "config": None}, refs[1]]
    twice = {"name": "b", "system_prompt": "", "capabilities": [refs[0], refs[0]]}
    check(api.post("/v1/agents", json=twice), 409, "Resource already exists", "already_exists")
    check(api.get("/v1/agents/b"), 404, "Agent not found")


@pytest.mark.parametrize(
    ("ref", "noun"),
    [
        ("mcp:x", "MCP server"),
        ("skill:x", "Skill"),
        ("declarative:x", "Capability"),
        ("No-Such", "Capability"),
    ],
)
def test_agents_2_5_unknown_capabilities(api, check, ref, noun):
    """A reference to nothing is 404."""
    body = {"name": "a", "system_prompt": "", "capabilities": [{"ref": ref}]}
    check(api.post("/v1/agents", json=body), 404, f"{noun} not found")


def test_agents_2_5_what_an_organization_offers(api, check, made):
    """A shared MCP server or skill is named by its UUID; skills have a flag and unique names."""
    server = made(api, "/v1/mcp-servers", name="crm", url="https://mcp.example.com/v1")
    text = "---\nname: pdf\ndescription: Reads PDFs\n---\nRead them.\n"
    skill = made(api, "/v1/skills", skill_md=text)
    refs = [f"{one['id'].split('_')[0]}:{uuid.UUID(one['id'].split('_')[1])}" for one in (server, skill)]
    agent = made(api, "/v1/agents", name="a", system_prompt="", capabilities=[{"ref": ref} for ref in refs])
    assert [one["ref"] for one in agent["capabilities"]] == refs
    check(api.post("/v1/skills", json={"skill_md": text}), 409, "Skill name 'pdf' is already taken")
    assert api.post("/v1/skills", json={"skill_md": "Read."}).status_code == 422
    (listed,) = api.get("/v1/mcp-servers").json()["data"]
    assert listed == server
    org = api.get("/v1/orgs").json()["data"][0]["id"]
    api.patch(f"/v1/orgs/{org}/feature-flags", json={"flags": {"skills": False}})
    assert api.get("/v1/skills").json()["code"] == "feature_not_enabled"


def test_agents_2_5_list_of_capabilities(api, made):
    """What can be chosen comes in pages: what is built in, then what the organization shares."""
    built_in = api.get("/v1/capabilities?limit=100").json()
    assert built_in["total"] == len(built_in["data"])
    assert {"web_fetch", "memory", "session_file_system"} < {one["id"] for one in built_in["data"]}
    assert [one["id"] for one in built_in["data"] if one["risk_level"] == "high"] == ["bashkit_shell"]
    server = made(api, "/v1/mcp-servers", name="crm", url="https://mcp.example.com/v1")
    page = api.get(f"/v1/capabilities?offset={built_in['total']}").json()
    (own,) = page["data"]
    assert (own["id"], own["is_mcp"]) == (f"mcp:{uuid.UUID(server['id'].split('_')[1])}", True)
    assert (page["total"], page["offset"], page["limit"]) == (built_in["total"] + 1, built_in["total"], 20)
    (found,) = api.get("/v1/capabilities?search=fetch").json()["data"]
    assert found["id"] == "web_fetch"
    assert api.post("/v1/capabilities", json={"definition": {}}).status_code == 501
    assert api.get("/v1/capabilities/web_fetch").status_code == 501


def test_agents_2_5_high_risk(roles, check):
    """A member may not assign a high-risk capability."""
    body = {"name": "a", "system_prompt": "", "capabilities": [{"ref": "bashkit_shell"}]}
    detail = "Admin role required to assign high-risk capabilities: bashkit_shell"
    check(roles["member"].post("/v1/agents", json=body), 403, detail)
    assert roles["admin"].post("/v1/agents", json=body).status_code == 201


def test_agents_2_5_files_bring_the_file_system(api, made):
    """Starter files put the file system first, again on every PATCH; their defaults are filled in."""
    agent = made(api, "/v1/agents", name="a", system_prompt="", initial_files=[FILE], capabilities=[CAPABILITY])
    system = {"ref": "session_file_system", "config": {}}
    assert agent["capabilities"] == [system, CAPABILITY]
    assert agent["initial_files"] == [{**FILE, "encoding": "text", "is_readonly": False}]
    path = f"/v1/agents/{agent['id']}"
    assert api.patch(path, json={"capabilities": []}).json()["capabilities"] == [system]
    listed = [CAPABILITY, {"ref": "session_file_system", "config": None}]
    assert api.patch(path, json={"capabilities": listed}).json()["capabilities"] == listed


def test_agents_2_5_tools(api, made):
    """Only client-side tools survive; their names must not look like those of MCP tools."""
    tool = {"type": "client_side", "name": "pay", "description": "", "parameters": {}}
    agent = made(api, "/v1/agents", name="a", system_prompt="", tools=[tool, {**tool, "type": "builtin"}])
    assert agent["tools"] == [tool]
    body = {"name": "b", "system_prompt": "", "tools": [{**tool, "name": "mcp_x"}]}
    assert api.post("/v1/agents", json=body).status_code == 422


def test_agents_2_5_mcp_servers(api, made):
    """Members with their default value are left out, the type is always shown, the alias is understood."""
    servers = {
        "docs": {
            "url": "https://mcp.example.com",
            "headers": {},
            "auth_mode": "none",
            "tool_discovery": True,
        },
        "paid": {"url": "https://mcp.example.com", "headers": {"X-Key": "clear"}, "auth_mode": "oauth"},
    }
    agent = made(api, "/v1/agents", name="a", system_prompt="", mcp_servers=servers)
    assert agent["mcpServers"] == {
        "docs": {"type": "http", "url": "https://mcp.example.com"},
        "paid": {
            "type": "http",
            "url": "https://mcp.example.com",
            "headers": {"X-Key": "clear"},
            "auth_mode": "o_auth",
        },
    }


@pytest.mark.parametrize(
    "servers",
    [
        {"a": {"type": "stdio", "command": "x"}},
        {"a": {"url": "http://127.0.0.1"}},
        {"a": {"url": "http://localhost:1"}},
        {"a-b": {"url": "https://x.example"}, "a_b": {"url": "https://x.example"}},
    ],
)
def test_agents_2_5_bad_mcp_servers(api, servers):
    """Local transports, private addresses and clashing names are refused."""
    body = {"name": "a", "system_prompt": "", "mcpServers": servers}
    assert api.post("/v1/agents", json=body).status_code == 400


@pytest.mark.parametrize(
    "over",
    [
        {"display_name": "x" * 2049},
        {"description": "x" * 10241},
        {"system_prompt": "x" * (1024 * 1024 + 1)},
        {"capabilities": [{"ref": f"c{number}"} for number in range(251)]},
        {"initial_files": [FILE] * 101},
        {"initial_files": [{"path": "/a", "content": "x" * (5 * 1024 * 1024 + 1)}]},
    ],
)
def test_agents_2_5_size_limits(api, check, over):
    """Anything over a limit gets the same short answer."""
    body = {"name": "a", "system_prompt": "", **over}
    check(api.post("/v1/agents", json=body), 400, "Input exceeds allowed limits")


def test_agents_2_5_cap(open_api, check, made):
    """A full organization refuses more, unless there is no cap."""
    api = open_api(limits={"agents": 1})
    made(api, "/v1/agents", name="a", system_prompt="")
    check(api.post("/v1/agents", json={"name": "b", "system_prompt": ""}), 409, "Agent limit reached (max 1)")


def test_agents_2_5_cap_holds_for_put(open_api, check, made):
    """A PUT under a new id counts as a create, one that replaces or revives does not."""
    api = open_api(limits={"agents": 1})
    agent = made(api, "/v1/agents", name="a", system_prompt="")
    body = {"name": "b", "system_prompt": ""}
    check(api.put(f"/v1/agents/agent_{'1' * 32}", json=body), 409, "Agent limit reached (max 1)")
    assert api.put(f"/v1/agents/{agent['id']}", json=body).status_code == 200
    assert api.get("/v1/agents").json()["total"] == 1


def test_agents_1_3_pages(api, made):
    """Pages run newest first with total; links to neighbours are there only where there is a page."""
    for number in range(5):
        made(api, "/v1/agents", name=f"a{number}", system_prompt="")
    first = api.get("/v1/agents?limit=2").json()
    assert [agent["name"] for agent in first["data"]] == ["a4", "a3"]
    assert {key: value for key, value in first.items() if key != "data"} == {
        "total": 5,
        "offset": 0,
        "limit": 2,
        "next_url": "http://emulator/v1/agents?limit=2&offset=2",
    }
    middle = api.get(first["next_url"]).json()
    assert middle["prev_url"] == "http://emulator/v1/agents?limit=2&offset=0"
    last = api.get(middle["next_url"]).json()
    assert [agent["name"] for agent in last["data"]] == ["a0"]
    assert "next_url" not in last


def test_agents_1_3_limits(api, made):
    """Twenty by default, a hundred at most, none for zero."""
    made(api, "/v1/agents", name="a", system_prompt="")
    assert api.get("/v1/agents").json()["limit"] == 20
    assert api.get("/v1/agents?limit=1000").json()["limit"] == 100
    empty = api.get("/v1/agents?limit=0").json()
    assert (empty["data"], empty["total"], empty["limit"]) == ([], 1, 0)
    assert "next_url" not in empty


def test_agents_1_3_search(api, made, agent):
    """Every token must be somewhere in name, display name and description; wildcards are plain text."""
    made(api, "/v1/agents", name="other", system_prompt="", description="100% sure")

    def names(search):
        page = api.get("/v1/agents", params={"search": search}).json()
        assert page["total"] == len(page["data"])
        return [found["name"] for found in page["data"]]

    assert names(" SORTS  tri ") == ["triage"]
    assert names("sorts nothing") == []
    assert names("0%") == ["other"]
    assert names("t_i") == []
    assert names("  ") == ["other", "triage"]
    assert names("a i r t s o e g a-ninth-token-is-ignored") == ["triage"]
    assert names("a i r t s o e an-eighth-token-counts") == []


def test_agents_1_3_include_archived(api, made, agent):
    """Archived agents are listed on request, deleted ones never."""
    kept = made(api, "/v1/agents", name="kept", system_prompt="")
    api.delete(f"/v1/agents/{agent['id']}")
    assert [found["id"] for found in api.get("/v1/agents").json()["data"]] == [kept["id"]]
    both = api.get("/v1/agents?include_archived=true").json()
    assert (both["total"], [found["status"] for found in both["data"]]) == (2, ["active", "archived"])
    api.post(f"/v1/agents/{agent['id']}/delete")
    assert api.get("/v1/agents?include_archived=true").json()["total"] == 1


def test_agents_2_1_copy(api, agent):
    """A copy is named after its source and loses the network access list."""
    first = api.post(f"/v1/agents/{agent['id']}/copy")
    assert (first.status_code, first.json()["name"]) == (201, "triage-copy")
    assert first.json()["display_name"] == "Triage (copy)"
    assert "network_access" not in first.json()
    assert api.post("/v1/agents/triage/copy").json()["name"] == "triage-copy-2"


def test_agents_2_4_apps_hold_their_agent(api, check, made, agent, harness):
    """An agent that a living app uses cannot be archived by DELETE, and is counted."""
    apps = [made(api, "/v1/apps", name=name, harness_id=harness, agent_id=agent["id"]) for name in ("one", "two")]
    path = f"/v1/agents/{agent['id']}"
    assert api.get(path).json()["app_count"] == 2
    assert api.get("/v1/agents").json()["data"][0]["app_count"] == 2
    check(api.delete(path), 409, "Cannot archive or delete agent while apps still reference it: one, two")
    for app in apps:
        api.delete(f"/v1/apps/{app['id']}")
    assert api.delete(path).status_code == 204


def test_permissions_agents(roles, check):
    """Members manage agents; only an owner deletes for good; config tells."""
    agent = roles["member"].post("/v1/agents", json={"name": "a", "system_prompt": ""}).json()
    path = f"/v1/agents/{agent['id']}"
    assert roles["member"].delete(path).status_code == 204
    detail = "Access denied: policy 'agent.dangerous' requires 'org:agents:dangerous'"
    check(roles["admin"].post(f"{path}/delete"), 403, detail)
    assert roles["owner"].post(f"{path}/delete").status_code == 204
    assert roles["member"].get("/v1/agents/config").json() == {
        "policies": {"agent.view": True, "agent.manage": True, "agent.dangerous": False}
    }


def test_versions_3_publish(api, check, made, agent):
    """Publishing answers 200, numbers go up by the kind of change, the first becomes the default."""
    path = f"/v1/agents/{agent['id']}/versions"
    assert api.get(path).json() == []
    numbers = []
    for kind in (None, "patch", "minor", "major", "fork"):
        response = api.post(path, json={"change_kind": kind, "summary": "s"})
        assert response.status_code == 200
        numbers.append(response.json()["version"])
    assert numbers == ["0.1.0", "0.1.1", "0.2.0", "1.0.0", "1.1.0"]
    listed = api.get(path).json()
    assert [version["version"] for version in listed] == numbers[::-1]
    assert api.get("/v1/agents/triage").json()["default_version_id"] == listed[-1]["id"]
    detail = "Automatic change kind is reserved for draft snapshots"
    check(api.post(path, json={"change_kind": "auto"}), 400, detail)


def test_versions_3_default(api, check, made, agent):
    """The default version must be one of this agent's."""
    made(api, "/v1/agents", name="other", system_prompt="")
    foreign = api.post("/v1/agents/other/versions", json={}).json()["id"]
    own = [api.post("/v1/agents/triage/versions", json={}).json()["id"] for _ in range(2)]
    path = "/v1/agents/triage/versions/default"
    assert api.post(path, json={"version_id": own[1]}).json()["default_version_id"] == own[1]
    check(api.post(path, json={"version_id": foreign}), 400, "Agent version belongs to another agent")
    missing = {"version_id": "agentver_" + "0" * 32}
    check(api.post(path, json=missing), 404, "Agent version not found")


def test_versions_3_flag_off(api, check, agent):
    """With the flag off there are no versions."""
    api.patch(f"/v1/orgs/{ids.DEFAULT_ORG}/feature-flags", json={"flags": {"agent_versions": False}})
    check(api.get("/v1/agents/triage/versions"), 404, "Agent versions not found", "not_found")


@pytest.mark.parametrize("path", ["agents/agent_1", "agents/agent_1/versions"])
def test_agents_2_1_malformed_ids(api, check, path):
    """Whatever holds an underscore is taken for an id, and must be a well-formed one."""
    check(api.get(f"/v1/{path}"), 400, "Invalid agent ID: invalid length: expected 32, got 1")


@pytest.mark.parametrize("call", ["GET agents/{id}/stats", "POST agents/preview", "POST agents/{id}/copy"])
def test_agents_2_1_missing_or_unserved(api, call):
    """An unserved operation is 501, a served one on nothing 404."""
    method, path = call.format(id="agent_" + "0" * 32).split(" ")
    expected = 404 if path.endswith("copy") else 501
    assert api.request(method, f"/v1/{path}").status_code == expected


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "A"}, 400),
        ({"description": "x" * 10241}, 400),
        ({"capabilities": [{"ref": "bashkit_shell"}]}, 403),
        ({}, 409),
        ({"name": "free"}, 404),
    ],
)
def test_agents_2_5_order_of_checks(roles, made, body, status):
    """Name, sizes, risk, then the taken name, then references: the first that fails speaks."""
    made(roles["member"], "/v1/agents", name="taken", system_prompt="")
    wrong = {"name": "taken", "system_prompt": "", "capabilities": [{"ref": "No!"}], "default_model_id": MISSING_MODEL}
    response = roles["member"].post("/v1/agents", json={**wrong, **body})
    assert response.status_code == status
    details = {409: "Agent name 'taken' is already taken", 404: "Capability not found"}
    assert response.json()["detail"] == details.get(status, response.json()["detail"])


def test_agents_2_4_order_of_checks(roles, check):
    """PATCH minds its body before it looks for the agent."""
    path = f"/v1/agents/agent_{'0' * 32}"
    member = roles["member"]
    detail = "Setting status=deleted requires dangerous delete permission"
    check(member.patch(path, json={"status": "deleted"}), 403, detail)
    detail = "Admin role required to assign high-risk capabilities: bashkit_shell"
    check(member.patch(path, json={"capabilities": [{"ref": "bashkit_shell"}]}), 403, detail)
    check(member.patch(path, json={"name": "a", "capabilities": [{"ref": "No!"}]}), 404, "Agent not found")


def test_agents_2_1_copy_is_a_create(open_api, check, made):
    """A copy counts towards the cap and needs an active harness; without a display name it has none."""
    limits = {"agents": 2}
    api = open_api(limits=limits)
    harness = made(api, "/v1/harnesses", name="own")["id"]
    made(api, "/v1/agents", name="a", system_prompt="", harness_id=harness)
    assert "display_name" not in api.post("/v1/agents/a/copy").json()
    check(api.post("/v1/agents/a/copy"), 409, "Agent limit reached (max 2)")
    for name in ("a", "a-copy"):
        api.delete(f"/v1/agents/{api.get(f'/v1/agents/{name}').json()['id']}")
    api.delete(f"/v1/harnesses/{harness}")
    limits.clear()
    check(api.post("/v1/agents/a/copy"), 400, "Archived or deleted harnesses cannot be assigned to agents")


def test_agents_2_4_archived_agents_are_guarded_too(api, check, made, agent, harness):
    """PATCH archives past the guard, DELETE minds it even then."""
    made(api, "/v1/apps", name="one", harness_id=harness, agent_id=agent["id"])
    path = f"/v1/agents/{agent['id']}"
    assert api.patch(path, json={"status": "archived"}).json()["status"] == "archived"
    check(api.delete(path), 409, "Cannot archive or delete agent while apps still reference it: one")


def test_agents_2_4_a_used_agent_leaves_no_tombstone(api, check, made, agent, harness):
    """What PATCH archived past the guard is not deleted while an app that is not archived needs it."""
    app = made(api, "/v1/apps", name="one", harness_id=harness, agent_id=agent["id"])
    path = f"/v1/agents/{agent['id']}"
    api.patch(path, json={"status": "archived"})
    check(api.post(f"{path}/delete"), 409, "Cannot archive or delete agent while apps still reference it: one")
    api.delete(f"/v1/apps/{app['id']}")
    assert api.post(f"{path}/delete").status_code == 204


def test_agents_2_3_put_with_files_alone(api, agent):
    """Starter files bring the file system, which then is the whole list."""
    body = {"name": "triage", "system_prompt": "", "initial_files": [FILE]}
    after = api.put(f"/v1/agents/{agent['id']}", json=body).json()
    assert after["capabilities"] == [{"ref": "session_file_system", "config": {}}]


def test_agents_2_1_check_name_parameters(api, check):
    """The name must be there; exclude_id must be an id, unless the name is hopeless anyway."""
    assert api.get("/v1/agents/check-name").status_code == 400
    wrong = {"name": "a", "exclude_id": "x"}
    detail = "Invalid exclude_id: invalid prefix: expected 'agent', got 'x'"
    check(api.get("/v1/agents/check-name", params=wrong), 400, detail)
    assert api.get("/v1/agents/check-name", params={**wrong, "name": "A"}).json() == {"available": False}
