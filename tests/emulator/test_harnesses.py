"""Harnesses, models and identities."""

import pytest

from reconciler.emulator import ids

DEFAULT = f"/v1/orgs/{ids.DEFAULT_ORG}"


@pytest.fixture
def custom(api, made):
    """Give a harness of the organization's own."""
    return made(api, "/v1/harnesses", name="custom", display_name="Custom", system_prompt="Hi")


def test_harnesses_5_built_ins(api, check):
    """Three built-in harnesses, read-only, with links and counts."""
    listed = api.get("/v1/harnesses").json()
    assert list(listed) == ["data"]
    assert [harness["name"] for harness in listed["data"]] == ["platform-chat", "generic", "base"]
    chat, generic, _ = listed["data"]
    assert chat["parent_harness_id"] == generic["id"]
    path = f"/v1/harnesses/{generic['id']}"
    detail = "Cannot modify built-in harness. Copy it first to create an editable version."
    check(api.patch(path, json={}), 400, detail)
    check(api.delete(path), 400, "Cannot delete built-in harness.")


def test_harnesses_5_get(api, check, custom):
    """GET takes an id, a name, or `default`."""
    by_id = api.get(f"/v1/harnesses/{custom['id']}").json()
    assert by_id == api.get("/v1/harnesses/custom").json()
    assert (by_id["session_count"], by_id["app_count"]) == (0, 0)
    assert api.get("/v1/harnesses/default").json()["name"] == "generic"
    check(api.get("/v1/harnesses/nope"), 404, "Harness not found")
    detail = "Invalid harness ID: invalid length: expected 32, got 1"
    check(api.get("/v1/harnesses/harness_1"), 400, detail)


def test_harnesses_5_shape(api, made):
    """A minimal harness has its flag, tags and capabilities, and leaves the rest out."""
    harness = made(api, "/v1/harnesses", name="tiny", system_prompt=" ")
    links = {"self_url", "view_url", "ui_link"}
    always = {"id", "name", "status", "is_built_in", "tags", "capabilities", "created_at", "updated_at"}
    assert set(harness) == always | links
    assert harness["is_built_in"] is False


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("default", "Harness name 'default' is reserved and cannot be used"),
        ("Bad", "Harness name must contain only lowercase letters, digits, and hyphens"),
        ("", "Harness name must not be empty"),
    ],
)
def test_harnesses_5_names(api, check, name, detail):
    """Names are slugs, and `default` is reserved."""
    check(api.post("/v1/harnesses", json={"name": name}), 400, detail)
    assert api.get("/v1/harnesses/check-name", params={"name": name}).json() == {"available": False}


def test_harnesses_5_lifecycle(api, check, custom, made):
    """An archived harness keeps its name and cannot come back; /delete frees the name."""
    path = f"/v1/harnesses/{custom['id']}"
    check(api.post(f"{path}/delete"), 400, "Harness must be archived before deletion")
    assert api.delete(path).status_code == 204
    check(api.delete(path), 404, "Harness not found")
    check(api.patch(path, json={}), 400, "Archived or deleted harnesses cannot be edited")
    taken = api.post("/v1/harnesses", json={"name": "custom"})
    check(taken, 409, "Harness name 'custom' is already taken")
    assert api.post(f"{path}/delete").status_code == 204
    made(api, "/v1/harnesses", name="custom")


def test_harnesses_5_patch(api, custom):
    """Null means unchanged, a blank prompt clears it, lists and maps are replaced."""
    path = f"/v1/harnesses/{custom['id']}"
    full = {"embedder_metadata": {"a": "1", "b": "2"}, "tags": ["x"], "network_access": {"blocked": ["x.y"]}}
    assert api.patch(path, json=full).json()["network_access"] == {"blocked": ["x.y"]}
    nulls = dict.fromkeys(("display_name", "system_prompt", "tags", "embedder_metadata", "parent_harness_id"))
    kept = api.patch(path, json=nulls).json()
    assert (kept["display_name"], kept["system_prompt"], kept["tags"]) == ("Custom", "Hi", ["x"])
    cleared = {"system_prompt": " ", "embedder_metadata": {"c": "3"}, "tags": [], "network_access": {}}
    after = api.patch(path, json=cleared).json()
    assert not {"system_prompt", "network_access"} & set(after)
    assert (after["embedder_metadata"], after["tags"]) == ({"c": "3"}, [])


def test_harnesses_5_parents(api, check, custom, made):
    """A parent must exist, be active, and not be a descendant."""
    child = made(api, "/v1/harnesses", name="child", parent_harness_id=custom["id"])
    path = f"/v1/harnesses/{custom['id']}"

    def under(parent):
        return api.patch(path, json={"parent_harness_id": parent})

    check(under(custom["id"]), 400, "Harness cannot inherit from itself")
    check(under(child["id"]), 400, "Harness inheritance cycle detected")
    check(under("harness_" + "0" * 32), 404, "Parent harness not found")
    archived = made(api, "/v1/harnesses", name="old")
    api.delete(f"/v1/harnesses/{archived['id']}")
    check(under(archived["id"]), 400, "Parent harness must be active")


def test_harnesses_5_guards(api, check, custom, made):
    """Children, apps and the organization keep a harness from being archived."""
    path = f"/v1/harnesses/{custom['id']}"
    stem = "Cannot archive or delete harness while"
    child = made(api, "/v1/harnesses", name="child", parent_harness_id=custom["id"])
    check(api.delete(path), 409, f"{stem} child harnesses still inherit from it: child")
    api.delete(f"/v1/harnesses/{child['id']}")
    app = made(api, "/v1/apps", name="bot", harness_id=custom["id"])
    check(api.delete(path), 409, f"{stem} apps still reference it: bot")
    api.delete(f"/v1/apps/{app['id']}")
    api.patch(DEFAULT, json={"default_harness_id": custom["id"]})
    check(api.delete(path), 409, f"{stem} it is the organization default harness")
    api.patch(DEFAULT, json={"default_harness_name": "generic", "base_harness_id": custom["id"]})
    check(api.delete(path), 409, f"{stem} it is the organization base harness")


def test_harnesses_5_cap_ignores_built_ins(open_api, check, made):
    """Built-in harnesses do not count towards the cap."""
    api = open_api(limits={"harnesses": 1})
    made(api, "/v1/harnesses", name="a")
    check(api.post("/v1/harnesses", json={"name": "b"}), 409, "Harness limit reached (max 1)")


def test_harnesses_5_copy(api):
    """A copy of a built-in harness can be edited."""
    copy = api.post("/v1/harnesses/generic/copy").json()
    assert (copy["name"], copy["is_built_in"]) == ("generic-copy", False)
    assert api.patch(f"/v1/harnesses/{copy['id']}", json={"description": "mine"}).status_code == 200


def test_harnesses_5_files_and_metadata(api, check, made):
    """Starter files bring the file system; metadata has limits."""
    files = [{"path": "a", "content": ""}]
    harness = made(api, "/v1/harnesses", name="a", initial_files=files)
    assert harness["capabilities"] == [{"ref": "session_file_system", "config": {}}]
    body = {"name": "b", "embedder_metadata": {"k": "x" * 20000}}
    check(api.post("/v1/harnesses", json=body), 400, "Embedder metadata exceeds allowed limits")


def test_permissions_harnesses(roles, check):
    """Harnesses take an administrator, deleting them an owner."""
    detail = "Access denied: policy 'harness.manage' requires 'org:harnesses:manage'"
    check(roles["member"].post("/v1/harnesses", json={"name": "a"}), 403, detail)
    harness = roles["admin"].post("/v1/harnesses", json={"name": "a"}).json()
    path = f"/v1/harnesses/{harness['id']}"
    assert roles["admin"].delete(path).status_code == 204
    assert roles["admin"].post(f"{path}/delete").status_code == 403
    assert roles["admin"].get("/v1/harnesses/config").json()["policies"]["harness.dangerous"] is False


def test_models_7_list(api, check):
    """Models come in one list: enabled, favorites, then by provider and display name; ids are per org."""
    models = api.get("/v1/models").json()["data"]
    assert [model["model_id"] for model in models] == [
        "claude-haiku-4-5",
        "claude-opus-4-1",
        "claude-sonnet-4-5",
        "gpt-4o",
        "gpt-4o-mini",
        "text-embedding-3-small",
    ]
    path = "/v1/models/" + models[0]["id"]
    api.patch(path, json={"enabled": False})
    api.patch("/v1/models/" + models[3]["id"], json={"is_favorite": True})
    names = [model["model_id"] for model in api.get("/v1/models").json()["data"]]
    assert (names[0], names[-1]) == ("gpt-4o", "claude-haiku-4-5")
    assert len(api.get("/v1/models?favorites_only=true").json()["data"]) == 1
    assert api.get("/v1/models?source=manual").json() == {"data": []}
    assert api.get(path).json()["self_url"] == f"http://emulator{path}"
    check(api.get("/v1/models/model_" + "0" * 32), 404, "Model not found")
    check(api.get("/v1/models/x"), 400, "Invalid model ID: invalid prefix: expected 'model', got 'x'")


def test_providers_7_list(api):
    """Providers are those of the models, by name, without their keys."""
    providers = api.get("/v1/providers").json()["data"]
    assert [(one["name"], one["provider_type"]) for one in providers] == [
        ("Anthropic", "anthropic"),
        ("OpenAI", "openai"),
    ]
    assert not [key for key in providers[0] if "key" in key and key != "api_key_set"]


def test_identities_6_crud(api, check, made):
    """Names are free text and need not be unique; optional members are cleared by null."""
    made(api, "/v1/agent-identities", name="")
    body = {"name": "Bot", "description": "d", "locale": "en-US", "timezone": "Europe/Paris"}
    identity = made(api, "/v1/agent-identities", **body)
    assert {**identity, **body} == identity
    path = f"/v1/agent-identities/{identity['id']}"
    cleared = api.patch(path, json={"description": None, "timezone": None, "name": None}).json()
    assert not {"description", "timezone"} & set(cleared)
    assert (cleared["name"], cleared["locale"]) == ("Bot", "en-US")
    assert [one["name"] for one in api.get("/v1/agent-identities").json()["data"]] == ["Bot", ""]
    check(api.patch(path, json={"locale": "english"}), 400, "unsupported locale")
    check(api.patch(path, json={"timezone": "Mars/Base"}), 400, "unsupported timezone")


def test_identities_6_lifecycle(api, check, made):
    """DELETE archives once, PATCH status brings back with the stamp still on, /delete ends it."""
    identity = made(api, "/v1/agent-identities", name="Bot")
    path = f"/v1/agent-identities/{identity['id']}"
    check(api.post(f"{path}/delete"), 404, "Agent identity not found")
    assert api.delete(path).status_code == 204
    check(api.delete(path), 404, "Agent identity not found")
    back = api.patch(path, json={"status": "active"}).json()
    assert (back["status"], bool(back["archived_at"])) == ("active", True)
    api.delete(path)
    assert api.post(f"{path}/delete").status_code == 204
    check(api.get(path), 404, "Agent identity not found")
    prefix = "Invalid identity ID: invalid prefix: expected 'identity', got 'x'"
    check(api.get("/v1/agent-identities/x"), 400, prefix)


def test_identities_6_apps_hold_theirs(api, check, made, harness):
    """An identity that a living app uses cannot be archived."""
    identity = made(api, "/v1/agent-identities", name="Bot")
    made(api, "/v1/apps", name="app", harness_id=harness, agent_identity_id=identity["id"])
    detail = "Cannot archive or delete agent identity while apps still reference it: app"
    check(api.delete(f"/v1/agent-identities/{identity['id']}"), 409, detail)


def test_harnesses_5_examples(api, check):
    """Examples are a bare array; adopting one makes an ordinary harness under `generic`, renamed where it must be."""
    examples = api.get("/v1/harness-examples").json()
    assert {"data-analyst", "coding-container", "coding-daytona"} <= {example["name"] for example in examples}
    first, second = (api.post("/v1/harnesses/import?from-example=data-analyst") for _ in range(2))
    assert (first.status_code, first.json()["name"], first.json()["is_built_in"]) == (201, "data-analyst", False)
    assert first.json()["parent_harness_id"] == api.get("/v1/harnesses/generic").json()["id"]
    assert second.json()["name"].startswith("data-analyst-")
    unknown = api.post("/v1/harnesses/import?from-example=nope")
    check(unknown, 404, "harness example 'nope' not found", "not_found")
    assert api.post("/v1/harnesses/import").status_code == 400


def test_harnesses_5_check_name_parameters(api, check, custom):
    """A harness may keep its own name; the id to exclude must be one."""
    path = "/v1/harnesses/check-name"
    assert api.get(path, params={"name": "custom", "exclude_id": custom["id"]}).json() == {"available": True}
    assert api.get(path, params={"name": "custom"}).json() == {"available": False}
    detail = "Invalid exclude_id: invalid prefix: expected 'harness', got 'x'"
    check(api.get(path, params={"name": "custom", "exclude_id": "x"}), 400, detail)


def test_harnesses_5_copies_count(open_api, check):
    """A copy counts towards the cap."""
    api = open_api(limits={"harnesses": 1})
    assert api.post("/v1/harnesses/generic/copy").status_code == 201
    check(api.post("/v1/harnesses/generic/copy"), 409, "Harness limit reached (max 1)")


def test_models_7_delete(roles, check):
    """An administrator may delete a model; it is gone then."""
    model = roles["admin"].get("/v1/models").json()["data"][0]["id"]
    detail = "Access denied: policy 'model.manage' requires 'org:models:manage'"
    check(roles["member"].delete(f"/v1/models/{model}"), 403, detail)
    assert roles["admin"].delete(f"/v1/models/{model}").status_code == 204
    check(roles["admin"].delete(f"/v1/models/{model}"), 404, "Model not found")


@pytest.mark.parametrize("query", ["source=x", "include_stale=x", "favorites_only=x"])
def test_models_7_bad_filters(api, query):
    """A filter of the wrong type is a plain 400."""
    response = api.get(f"/v1/models?{query}")
    assert (response.status_code, response.headers["content-type"][:10]) == (400, "text/plain")


def test_harnesses_5_tombstones_are_guarded_too(api, check, made):
    """What PATCH archived past the guards is not deleted while an app that is not archived needs it."""
    harness = made(api, "/v1/harnesses", name="custom")
    app = made(api, "/v1/apps", name="one", harness_id=harness["id"])
    path = f"/v1/harnesses/{harness['id']}"
    assert api.patch(path, json={"status": "archived"}).json()["status"] == "archived"
    check(api.post(f"{path}/delete"), 409, "Cannot archive or delete harness while apps still reference it: one")
    api.delete(f"/v1/apps/{app['id']}")
    assert api.post(f"{path}/delete").status_code == 204


def test_identities_6_tombstones_are_guarded_too(api, check, made, harness):
    """What PATCH archived past the guard is not deleted while an app that is not archived needs it."""
    identity = made(api, "/v1/agent-identities", name="Bot")
    made(api, "/v1/apps", name="app", harness_id=harness, agent_identity_id=identity["id"])
    path = f"/v1/agent-identities/{identity['id']}"
    assert api.patch(path, json={"status": "archived"}).json()["status"] == "archived"
    detail = "Cannot archive or delete agent identity while apps still reference it: app"
    check(api.post(f"{path}/delete"), 409, detail)
