"""Export and import of agents."""

import json

import pytest

from reconciler.emulator import ids

MARKDOWN = """---
name: "Order Desk"
description: |-
  Takes orders
tags: [a, "b"]
capabilities: [current_time, {ref: web_fetch, config: {since: 2026-01-01}}]
---
Be kind.
"""


def imported(api, text, **query):
    """POST a file."""
    return api.post("/v1/agents/import", content=text, params=query, headers={"Content-Type": "text/plain"})


def test_agents_2_1_export_and_import_are_inverse(api, made):
    """An export is Markdown with front matter; taking it in again changes nothing but the time."""
    agent = made(
        api,
        "/v1/agents",
        name="triage",
        display_name='The "Triage"',
        description="Sorts\ntickets",
        system_prompt="Be kind.\n\n--- and brief.",
        tags=["a: b", "é"],
        capabilities=[{"ref": "web_fetch", "config": {"limits": [1, None]}}],
        initial_files=[{"path": "/a.txt", "content": "x: 1\n---\n"}],
    )
    response = api.get(f"/v1/agents/{agent['id']}/export")
    assert response.headers["content-type"] == "text/markdown; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="triage.md"'
    again = imported(api, response.text)
    assert again.status_code == 200
    assert {**again.json(), "updated_at": ""} == {**agent, "updated_at": ""}


def test_agents_2_1_export_is_by_id(api, check, made):
    """Export takes no name, and finds no deleted agent."""
    made(api, "/v1/agents", name="a", system_prompt="")
    detail = "Invalid agent ID: invalid prefix: expected 'agent', got 'a'"
    check(api.get("/v1/agents/a/export"), 400, detail)
    check(api.get(f"/v1/agents/agent_{'0' * 32}/export"), 404, "Agent not found")


def test_agents_2_1_import_upserts_with_an_id(api):
    """A file with an id creates under that id, and then replaces what is there."""
    ident = ids.new("agent")
    text = f"id: {ident}\nname: a\nsystem_prompt: one\n"
    first, second = imported(api, text), imported(api, text.replace("one", "two"))
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["id"] == first.json()["id"] == ident
    assert second.json()["system_prompt"] == "two"


def test_agents_2_1_import_markdown(api):
    """The body is the prompt, a name that is no slug is the display name, capabilities may be bare."""
    agent = imported(api, MARKDOWN).json()
    assert (agent["name"], agent["display_name"], agent["system_prompt"]) == ("order-desk", "Order Desk", "Be kind.")
    assert agent["capabilities"] == [
        {"ref": "current_time", "config": {}},
        {"ref": "web_fetch", "config": {"since": "2026-01-01"}},
    ]


@pytest.mark.parametrize(
    ("text", "name", "prompt"),
    [
        (json.dumps({"name": "a", "system_prompt": "x"}), "a", "x"),
        ("display_name: Two Words\nname:\nsystem_prompt: x", "two-words", "x"),
        ("Just be kind.", None, "Just be kind."),
        ("---\nname: [\n---\nx", None, "---\nname: [\n---\nx"),
        ('{"name": "a", "system_prompt": "x", "tags": 3}', None, '{"name": "a", "system_prompt": "x", "tags": 3}'),
        ("name: a\nsystem_prompt: x\nid: agent_1", None, "name: a\nsystem_prompt: x\nid: agent_1"),
    ],
)
def test_agents_2_1_import_forms(api, text, name, prompt):
    """JSON, YAML and plain text are tried in turn; what fits no form is a prompt under a made-up name."""
    response = imported(api, text)
    assert response.status_code == 201
    agent = response.json()
    assert agent["system_prompt"] == prompt
    assert agent["name"] == name if name else agent["name"].startswith("agent-2")


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "System prompt is required (provide in front matter or as markdown body)"),
        ("name: a", "System prompt is required (provide in front matter or as markdown body)"),
        ("name: --a\nsystem_prompt: x", "Agent name must not start or end with a hyphen"),
    ],
)
def test_agents_2_5_import_refusals(api, check, text, detail):
    """A file needs a prompt and a usable name."""
    check(imported(api, text), 400, detail)


def test_agents_2_5_import_size(api, check):
    """A file has at most 3 MiB, whatever it holds: here a member that nobody reads."""
    frame = json.dumps({"name": "a", "system_prompt": "x", "ignored": ""})
    text = frame.replace('"ignored": "', '"ignored": "' + "x" * (3 * 1024 * 1024 - len(frame)))
    check(imported(api, text + " "), 400, "Input exceeds allowed limits")
    assert imported(api, text).status_code == 201


def test_agents_2_1_import_not_utf8(api):
    """A body that is no UTF-8 never reaches the command."""
    response = imported(api, b"\xff")
    assert (response.status_code, response.headers["content-type"][:10]) == (400, "text/plain")


def test_agents_2_1_import_example(api, check):
    """An example is adopted under its name, then under a suffixed one; an unknown one is 404 with a code."""
    query = {"from-example": "dad-jokes-agent"}
    first, second = (imported(api, "", **query) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["name"] == "dad-jokes-agent"
    assert second.json()["name"].startswith("dad-jokes-agent-")
    unknown = imported(api, "", **{"from-example": "nope"})
    check(unknown, 404, "agent example 'nope' not found", "not_found")


def test_agents_2_5_import_is_gated(roles, check):
    """A member may not bring in a high-risk capability by file either."""
    text = "name: a\nsystem_prompt: x\ncapabilities: [bashkit_shell]"
    detail = "Admin role required to assign high-risk capabilities: bashkit_shell"
    check(imported(roles["member"], text), 403, detail)
    assert imported(roles["admin"], text).status_code == 201
