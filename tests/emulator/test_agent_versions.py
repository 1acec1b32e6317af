"""Agent versions: drafts, diff, rollback and fork (`test_agents.py` has publishing and the default)."""

import hashlib
import json

import pytest

from reconciler.emulator import ids

MISSING = "agentver_" + "0" * 32


@pytest.fixture
def agent(api, made):
    """Give an agent with something in most members."""
    return made(
        api,
        "/v1/agents",
        name="triage",
        system_prompt="one",
        tags=["a"],
        max_iterations=5,
        mcpServers={"docs": {"url": "https://mcp.example.com"}},
    )


@pytest.fixture
def publish(api, agent):
    """Give a function that publishes what an agent, by default the one above, is now."""
    return lambda name=agent["name"], **body: api.post(f"/v1/agents/{name}/versions", json=body).json()


def versions(api, name="triage"):
    """List the versions of an agent."""
    return api.get(f"/v1/agents/{name}/versions").json()


def test_versions_3_drafts(api, agent):
    """A change leaves an unpublished draft, creation and a change of nothing leave none."""
    path = f"/v1/agents/{agent['id']}"
    assert versions(api) == []
    api.patch(path, json={"system_prompt": "one"})
    assert versions(api) == []
    api.patch(path, json={"system_prompt": "two"})
    api.put(path, json={"name": "triage", "system_prompt": "three"})
    drafts = versions(api)
    assert [draft["version"] for draft in drafts] == ["draft.2", "draft.1"]
    assert {(draft["is_published"], draft["change_kind"]) for draft in drafts} == {(False, "auto")}
    assert drafts[0]["parent_version_id"] == drafts[1]["id"]
    assert [draft["authored_config"]["system_prompt"] for draft in drafts] == ["three", "two"]


def test_versions_3_drafts_are_deduplicated(api, agent, publish):
    """A change back to what the newest snapshot holds leaves none."""
    path = f"/v1/agents/{agent['id']}"
    api.patch(path, json={"system_prompt": "two"})
    publish()
    api.patch(path, json={"status": "active"})
    assert [version["version"] for version in versions(api)] == ["0.1.0", "draft.1"]


def test_versions_3_newest_fifty_drafts_are_kept(api, agent, publish):
    """Older drafts go, published versions stay, numbers go on."""
    publish()
    for number in range(53):
        api.patch(f"/v1/agents/{agent['id']}", json={"system_prompt": str(number)})
    kept = versions(api)
    assert (len(kept), kept[0]["version"], kept[-2]["version"], kept[-1]["version"]) == (
        51,
        "draft.54",
        "draft.5",
        "0.1.0",
    )


def test_versions_3_numbers_have_gaps(api, agent, publish):
    """Drafts count in version_number, not in the semantic number, and the same content publishes again."""
    first = publish()
    api.patch(f"/v1/agents/{agent['id']}", json={"system_prompt": "two"})
    second, third = publish(), publish(summary="again")
    assert [(found["version_number"], found["version"]) for found in (first, second, third)] == [
        (1, "0.1.0"),
        (3, "0.1.1"),
        (4, "0.1.2"),
    ]
    assert second["config_hash"] == third["config_hash"] != first["config_hash"]
    assert (third["summary"], third["parent_version_id"]) == ("again", second["id"])
    assert "summary" not in second


def test_versions_3_authored_config(agent, publish, harness):
    """What was authored is whole, unset members null or empty, and hashed."""
    version = publish()
    server = {"type": "http", "url": "https://mcp.example.com"}
    assert version["authored_config"] == {
        "name": "triage",
        "display_name": None,
        "description": None,
        "system_prompt": "one",
        "default_model_id": None,
        "harness_id": harness,
        "tags": ["a"],
        "capabilities": [],
        "initial_files": [],
        "tools": [],
        "mcp_servers": {"docs": server},
        "network_access": None,
        "max_iterations": 5,
        "parallel_tool_calls": None,
    }
    text = json.dumps(version["authored_config"], sort_keys=True, separators=(",", ":"))
    assert version["config_hash"] == f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def test_versions_3_without_the_flag_no_drafts(api, agent):
    """With the flag off a change leaves no draft."""
    flags = f"/v1/orgs/{ids.DEFAULT_ORG}/feature-flags"
    api.patch(flags, json={"flags": {"agent_versions": False}})
    api.patch(f"/v1/agents/{agent['id']}", json={"system_prompt": "two"})
    api.patch(flags, json={"flags": {"agent_versions": True}})
    assert versions(api) == []


def test_versions_3_default_must_be_published(api, check, agent):
    """A draft cannot be the default."""
    api.patch(f"/v1/agents/{agent['id']}", json={"system_prompt": "two"})
    draft = versions(api)[0]["id"]
    response = api.post("/v1/agents/triage/versions/default", json={"version_id": draft})
    check(response, 400, "Default agent version must be published")


def test_versions_3_default_is_gated(roles, check):
    """A member may not make a version with a high-risk capability the default, or go back to it."""
    body = {"name": "a", "system_prompt": "", "capabilities": [{"ref": "bashkit_shell"}]}
    roles["admin"].post("/v1/agents", json=body)
    version = roles["admin"].post("/v1/agents/a/versions", json={}).json()["id"]
    detail = "Admin role required to assign high-risk capabilities: bashkit_shell"
    member = roles["member"]
    check(member.post("/v1/agents/a/versions/default", json={"version_id": version}), 403, detail)
    check(member.post(f"/v1/agents/a/versions/{version}/rollback", json={}), 403, detail)
    check(member.post(f"/v1/agents/a/versions/{version}/fork", json={"name": "b"}), 403, detail)


def test_versions_3_diff(api, agent, publish):
    """A diff maps each changed top-level member to both values."""
    first = publish()["id"]
    api.patch(f"/v1/agents/{agent['id']}", json={"system_prompt": "two", "tags": ["a", "b"]})
    second = publish()["id"]
    assert api.get(f"/v1/agents/triage/versions/{first}/diff/{second}").json() == {
        "from_version_id": first,
        "to_version_id": second,
        "authored_diff": {
            "system_prompt": {"from": "one", "to": "two"},
            "tags": {"from": ["a"], "to": ["a", "b"]},
        },
        "resolved_diff": {"system_prompt": {"from": "one", "to": "two"}},
    }


def test_versions_3_rollback(api, agent, publish):
    """Rolling back overwrites the agent; three members cannot be cleared; nothing is published unless asked."""
    first = publish()
    changes = {"name": "renamed", "system_prompt": "two", "description": "d", "max_iterations": 9, "tags": []}
    api.patch(f"/v1/agents/{agent['id']}", json={**changes, "parallel_tool_calls": True})
    before = len(versions(api, "renamed"))
    path = f"/v1/agents/renamed/versions/{first['id']}/rollback"
    after = api.post(path, json={}).json()
    assert (after["name"], after["system_prompt"], after["max_iterations"], after["tags"]) == (
        "triage",
        "one",
        5,
        ["a"],
    )
    assert (after["description"], after.get("parallel_tool_calls")) == ("d", None)
    assert len(versions(api)) == before


def test_versions_3_rollback_may_publish(api, agent, publish):
    """With save_version the restored agent is published as a rollback to its source."""
    first = publish()
    api.post(f"/v1/agents/triage/versions/{first['id']}/rollback", json={"save_version": True})
    newest = versions(api)[0]
    assert (newest["change_kind"], newest["version"], newest["summary"]) == ("rollback", "0.1.1", "Rollback to 0.1.0")
    assert newest["source_version_id"] == first["id"]


def test_versions_3_rollback_to_a_taken_name(api, check, made, agent, publish):
    """A name that another agent took meanwhile is a plain uniqueness conflict."""
    first = publish()["id"]
    api.patch(f"/v1/agents/{agent['id']}", json={"name": "renamed"})
    made(api, "/v1/agents", name="triage", system_prompt="")
    response = api.post(f"/v1/agents/renamed/versions/{first}/rollback", json={})
    check(response, 409, "Resource already exists", "already_exists")


def test_versions_3_fork(api, check, agent, publish):
    """A fork is a new agent with a published version and knows its family."""
    first = publish()
    path = f"/v1/agents/triage/versions/{first['id']}/fork"
    response = api.post(path, json={"name": "child", "description": "d"})
    assert response.status_code == 200
    child = api.get("/v1/agents/child").json()
    family = ("forked_from_agent_id", "forked_from_version_id", "root_agent_id")
    assert [child[name] for name in family] == [agent["id"], first["id"], agent["id"]]
    assert (child["system_prompt"], child["description"], child["tags"]) == ("one", "d", ["a"])
    version = versions(api, "child")[0]
    assert (version["version"], version["change_kind"], version["summary"]) == ("0.1.0", "fork", "Forked from 0.1.0")
    assert child["default_version_id"] == version["id"]
    grandchild = api.post(f"/v1/agents/child/versions/{version['id']}/fork", json={"name": "third"}).json()
    assert grandchild["root_agent_id"] == agent["id"]
    check(api.post(path, json={"name": "child"}), 409, "Agent name 'child' is already taken")
    check(
        api.post(path, json={"name": "C"}), 400, "Agent name must contain only lowercase letters, digits, and hyphens"
    )


def test_versions_3_fork_stays_in_its_family(api, agent, publish):
    """Neither PUT nor PATCH touches where an agent comes from."""
    first = publish()["id"]
    child = api.post(f"/v1/agents/triage/versions/{first}/fork", json={"name": "child"}).json()
    after = api.put(f"/v1/agents/{child['id']}", json={"name": "child", "system_prompt": ""}).json()
    assert after["forked_from_version_id"] == first


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "{first}/diff/{id}", None),
        ("POST", "{id}/rollback", {}),
        ("POST", "{id}/fork", {"name": "child"}),
    ],
)
def test_versions_3_unknown_and_foreign(api, check, made, publish, method, path, body):
    """An unknown version is 404, another agent's 400, a malformed id is refused before the command."""
    first = publish()["id"]
    made(api, "/v1/agents", name="other", system_prompt="")
    foreign = publish("other")["id"]

    def call(ident):
        return api.request(method, f"/v1/agents/triage/versions/{path.format(first=first, id=ident)}", json=body)

    check(call(MISSING), 404, "Agent version not found")
    check(call(foreign), 400, "Agent version belongs to another agent")
    malformed = call("x")
    assert (malformed.status_code, malformed.headers["content-type"][:10]) == (400, "text/plain")
