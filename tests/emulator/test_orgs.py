"""Organizations and their feature flags."""

import pytest

from reconciler.emulator import ids

DEFAULT = f"/v1/orgs/{ids.DEFAULT_ORG}"


def test_orgs_1_2_shape_of_a_new_org(open_api, made):
    """Unset members are null, the built-in harnesses are filled in, there are no links."""
    org = made(open_api(default_org=False), "/v1/orgs", name="Acme Corp")
    assert set(org) == {
        "id",
        "name",
        "default_model_id",
        "default_harness_id",
        "base_harness_id",
        "default_provider_per_service",
        "onboarding_completed_at",
        "created_at",
        "updated_at",
    }
    assert (org["default_model_id"], org["default_provider_per_service"]) == (None, {})
    assert ids.fault("org", org["id"]) is None
    assert org["default_harness_id"].startswith("harness_")


def test_orgs_1_1_list_is_by_name_without_totals(open_api, made):
    """The list has every organization of the caller, by name, and nothing else."""
    api = open_api(default_org=False)
    assert api.get("/v1/orgs").json() == {"data": []}
    for name in ("beta", "alpha"):
        made(api, "/v1/orgs", name=name)
    body = api.get("/v1/orgs").json()
    assert list(body) == ["data"]
    assert [org["name"] for org in body["data"]] == ["alpha", "beta"]


def test_orgs_1_3_names_are_not_unique(api, made):
    """Two organizations may share a name."""
    first, second = made(api, "/v1/orgs", name="twin"), made(api, "/v1/orgs", name="twin")
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("  ", "Organization name cannot be empty"),
        ("é" * 128, "Organization name cannot exceed 255 characters"),
    ],
)
def test_orgs_1_3_name_limits(api, check, name, detail):
    """A blank name and one over 255 bytes are refused, on create and on update."""
    check(api.post("/v1/orgs", json={"name": name}), 400, detail)
    check(api.patch(DEFAULT, json={"name": name}), 400, detail)


def test_orgs_1_3_name_is_not_trimmed(api, made):
    """The stored name is the one sent."""
    assert made(api, "/v1/orgs", name=" a ")["name"] == " a "


def test_orgs_1_3_caps(open_api, check, made):
    """The cap counts what the user made; the hourly rate is looked at first."""
    api = open_api(limits={"orgs": 2}, default_org=False)
    for _ in range(2):
        made(api, "/v1/orgs", name="x")
    check(api.post("/v1/orgs", json={"name": "x"}), 409, "Organization limit reached (max 2)")
    hourly = open_api(limits={"orgs": 1, "org_creates_per_hour": 1}, default_org=False)
    made(hourly, "/v1/orgs", name="x")
    response = hourly.post("/v1/orgs", json={"name": ""})
    body = check(response, 429, "Too many requests. Please try again later.", "rate_limited")
    assert (body["retry_after_seconds"], response.headers["retry-after"]) == (3600, "3600")


@pytest.mark.parametrize("org", ["acme", "org_1", "org_" + "1" * 32])
def test_orgs_1_1_by_public_id_only(api, check, org):
    """Malformed, unknown and foreign organizations are all not found, with a code."""
    check(api.get(f"/v1/orgs/{org}"), 404, "Organization not found", "not_found")


def test_orgs_1_4_update_needs_an_admin(roles, check):
    """Members read, administrators change."""
    detail = "Only organization admins can update organization settings"
    check(roles["member"].patch(DEFAULT, json={}), 403, detail)
    assert roles["member"].get(DEFAULT).status_code == 200
    assert roles["admin"].patch(DEFAULT, json={}).status_code == 200


def test_orgs_1_3_creator_is_owner(roles, made):
    """Whoever creates an organization owns it, whatever the role elsewhere."""
    org = made(roles["stranger"], "/v1/orgs", name="own")
    assert roles["stranger"].patch(f"/v1/orgs/{org['id']}", json={"name": "new"}).json()["name"] == "new"


def test_orgs_1_4_null_and_absent_keep(api, made):
    """Null means unchanged, and even an empty update moves updated_at."""
    org = made(api, "/v1/orgs", name="a")
    path = f"/v1/orgs/{org['id']}"
    nulls = dict.fromkeys(("name", "default_harness_id", "base_harness_id", "default_provider_per_service"))
    after = api.patch(path, json=nulls).json()
    assert {**after, "updated_at": ""} == {**org, "updated_at": ""}
    assert after["updated_at"] > org["updated_at"]


def test_orgs_1_4_default_org_keeps_its_name(api, check):
    """The default organization cannot be renamed, but its own name may be sent."""
    check(api.patch(DEFAULT, json={"name": "Other"}), 400, "Cannot update default organization")
    assert api.patch(DEFAULT, json={"name": "Default"}).status_code == 200


def test_orgs_1_4_default_model(api, check):
    """The default model must exist, chat, and be enabled."""
    models = {model["model_id"]: model["id"] for model in api.get("/v1/models").json()["data"]}

    def wanted(ident):
        return api.patch(DEFAULT, json={"default_model_id": ident})

    check(wanted("model_" + "0" * 32), 400, "Model not found")
    check(wanted(models["text-embedding-3-small"]), 400, "Default model must be a chat model")
    assert api.patch(f"/v1/models/{models['gpt-4o']}", json={"enabled": False}).status_code == 200
    check(wanted(models["gpt-4o"]), 400, "Default model must be an enabled model")
    assert wanted(models["gpt-4o-mini"]).json()["default_model_id"] == models["gpt-4o-mini"]


@pytest.mark.parametrize(("profile", "cleared"), [("seeds", False), ("frozen", True)])
def test_orgs_1_4_null_model(open_api, profile, cleared):
    """Only the newest servers clear the default model on null."""
    api = open_api(profile=profile)
    model = api.get("/v1/models").json()["data"][0]["id"]
    api.patch(DEFAULT, json={"default_model_id": model})
    after = api.patch(DEFAULT, json={"default_model_id": None}).json()
    assert after["default_model_id"] == (None if cleared else model)


def test_orgs_1_4_harnesses(api, check, harness):
    """The default harness goes by id or name, never both; a missing one is not found."""
    base = api.get("/v1/harnesses/base").json()["id"]
    missing = "harness_" + "0" * 32
    both = {"default_harness_id": base, "default_harness_name": "base"}
    detail = "Cannot specify both default_harness_id and default_harness_name"
    check(api.patch(DEFAULT, json=both), 400, detail)
    check(api.patch(DEFAULT, json={"default_harness_id": missing}), 404, "Harness not found")
    check(api.patch(DEFAULT, json={"default_harness_name": "nope"}), 404, "Harness not found")
    check(api.patch(DEFAULT, json={"base_harness_id": missing}), 404, "Harness not found")
    after = api.patch(DEFAULT, json={"default_harness_name": "base", "base_harness_id": harness}).json()
    assert (after["default_harness_id"], after["base_harness_id"]) == (base, harness)


def test_orgs_1_4_providers_are_replaced_whole(api, check):
    """The provider map is replaced, and its providers must exist."""
    provider = api.get("/v1/models").json()["data"][0]["provider_id"]
    for wanted in ({"chat": provider, "images": provider}, {"rerank": provider}):
        after = api.patch(DEFAULT, json={"default_provider_per_service": wanted}).json()
        assert after["default_provider_per_service"] == wanted
    unknown = {"default_provider_per_service": {"chat": "provider_x"}}
    check(api.patch(DEFAULT, json=unknown), 400, "Provider provider_x not found")


def test_orgs_1_1_onboarding_is_idempotent(api):
    """Completing the onboarding twice keeps the first time."""
    first = api.post(f"{DEFAULT}/onboarding/complete").json()
    assert first["onboarding_completed_at"]
    assert api.post(f"{DEFAULT}/onboarding/complete").json() == first


def test_orgs_1_1_resolve(roles, check, harness, api):
    """Any id leads to its organization, for members only."""
    own = roles["owner"].get("/v1/harnesses/base").json()["id"]
    found = roles["owner"].get(f"/v1/resolve-org?id={own}").json()
    assert found == {"org_id": ids.DEFAULT_ORG, "org_name": "Default"}
    for client in (roles["stranger"],):
        check(client.get(f"/v1/resolve-org?id={own}"), 404, "Organization not found", "not_found")
    check(api.get("/v1/resolve-org?id=agent_1"), 404, "Organization not found", "not_found")


def test_orgs_1_6_flags_are_a_flat_map_and_default_on(api):
    """Flags are a map of name to bool; all that the deployment offers are on."""
    flags = api.get(f"{DEFAULT}/feature-flags").json()
    assert flags["memory"] is flags["public_chat"] is True
    assert flags["machine_payments"] is False


def test_orgs_1_6_update_merges(api):
    """Flags left out stay as they are; the settings show both switches."""
    off = api.patch(f"{DEFAULT}/feature-flags", json={"flags": {"memory": False}}).json()
    assert (off["memory"], off["skills"]) == (False, True)
    settings = api.get(f"{DEFAULT}/feature-flags/settings").json()["flags"]
    memory = next(flag for flag in settings if flag["name"] == "memory")
    assert set(memory) == {
        "name",
        "label",
        "description",
        "experimental",
        "system_enabled",
        "org_enabled",
        "effective",
    }
    assert (memory["system_enabled"], memory["org_enabled"], memory["effective"]) == (True, False, False)


def test_orgs_1_6_refusals(api, roles, check):
    """Unknown flags, flags the deployment lacks, and callers who are no admins are refused."""
    path = f"{DEFAULT}/feature-flags"
    check(api.patch(path, json={"flags": {"x": True}}), 400, "Unknown feature flag: x")
    detail = "Feature flag 'machine_payments' is not available on this deployment"
    check(api.patch(path, json={"flags": {"machine_payments": True}}), 400, detail)
    assert api.patch(path, json={"flags": {"machine_payments": False}}).status_code == 200
    body = {"flags": {"memory": False}}
    check(roles["member"].patch(path, json=body), 403, "Admin access required", "forbidden")


def test_orgs_1_6_malformed_org_differs_by_method(api, check):
    """GET says 404 to a malformed organization, PATCH says 401."""
    path = "/v1/orgs/acme/feature-flags"
    check(api.get(path), 404, "Organization not found", "not_found")
    check(api.patch(path, json={"flags": {}}), 401, "Invalid organization ID format", "unauthorized")


def test_orgs_1_6_flag_is_checked_before_the_permission(roles, check):
    """A feature that is off is 404 with a code, even to those who lack the permission."""
    body = {"flags": {"memory": False}}
    roles["owner"].patch(f"{DEFAULT}/feature-flags", json=body)
    response = roles["member"].post("/v1/memories", json={"name": "m"})
    check(response, 404, "Feature 'memory' is not enabled", "feature_not_enabled")


def test_orgs_1_5_orgs_are_apart(open_api, made, check):
    """Nothing of one organization is visible in another."""
    api = open_api(default_org=False)
    one, two = made(api, "/v1/orgs", name="1"), made(api, "/v1/orgs", name="2")
    api.headers["X-Org-Id"] = one["id"]
    agent = made(api, "/v1/agents", name="same", system_prompt="")
    api.headers["X-Org-Id"] = two["id"]
    check(api.get(f"/v1/agents/{agent['id']}"), 404, "Agent not found")
    assert made(api, "/v1/agents", name="same", system_prompt="")["id"] != agent["id"]


def test_orgs_1_1_onboarding_needs_an_admin(roles, check):
    """A member may not end the onboarding."""
    response = roles["member"].post(f"/v1/orgs/{ids.DEFAULT_ORG}/onboarding/complete")
    check(response, 403, "Only organization admins can complete onboarding")


def test_orgs_1_1_switch(api, check, made, roles):
    """Switching sets a cookie that selects the organization of later calls."""
    other = made(api, "/v1/orgs", name="Other")["id"]
    response = api.post("/v1/users/me/switch-org", json={"org_id": other})
    assert response.json() == {"success": True, "org_id": other}
    assert response.cookies["everruns_org"] == other
    assert api.get("/v1/agents").status_code == 200  # two organizations, and the cookie says which
    check(api.post("/v1/users/me/switch-org", json={"org_id": "x"}), 400, "Invalid organization ID format")
    foreign = roles["stranger"].post("/v1/users/me/switch-org", json={"org_id": ids.DEFAULT_ORG})
    check(foreign, 404, "Organization not found", "not_found")
