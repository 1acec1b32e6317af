"""Requests as such: authentication, organization, bodies, headers, routes."""

import re

import pytest

from reconciler.emulator import create_app, ids


def test_auth_5_missing_header(open_api, check):
    """Without credentials the answer is 401 with the code `unauthorized`."""
    check(open_api(token="").get("/v1/agents"), 401, "Authentication required", "unauthorized")


@pytest.mark.parametrize("header", ["Bearer evr_pat_x", "bearer evr_pat_x", "evr_pat_x", "ApiKey evr_pat_x"])
def test_auth_5_accepted_spellings(open_api, header):
    """A token may come as Bearer (any case), ApiKey, or bare."""
    assert open_api(token="").get("/v1/orgs", headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        ("Basic abc", "Invalid authorization header"),
        ("Bearer", "Invalid authorization header"),
        ("Bearer evr_old", "Invalid personal access token format"),
        ("Bearer evr_app_00", "Invalid personal access token format"),
        ("Bearer evra2a_00", "Invalid or expired token"),
        ("Bearer evr_pat_other", "Invalid personal access token"),
        ("Bearer other", "Invalid or expired token"),
    ],
)
def test_auth_5_refusals(open_api, check, header, detail):
    """Each kind of bad credential has its own text."""
    api = open_api(token="", tokens={"evr_pat_known": "owner"})
    check(api.get("/v1/orgs", headers={"Authorization": header}), 401, detail, "unauthorized")


def test_orgs_1_5_no_organization(open_api, check):
    """A token whose user has no organization cannot reach anything in one."""
    api = open_api(default_org=False)
    check(api.get("/v1/agents"), 401, "No organization available", "unauthorized")


def test_orgs_1_5_several_need_the_header(open_api, check, made):
    """With several organizations a token must say which; a session takes the first by name."""
    api = open_api(default_org=False)
    second, first = made(api, "/v1/orgs", name="B"), made(api, "/v1/orgs", name="A")
    detail = "Multiple organizations available. Specify the target organization via the X-Org-Id header."
    check(api.get("/v1/agents"), 400, detail)
    model = {org["id"]: None for org in (first, second)}
    for org in model:
        listed = api.get("/v1/models", headers={"X-Org-Id": org}).json()["data"]
        model[org] = listed[0]["id"]
    session = api.get("/v1/models", headers={"Authorization": "Bearer jwt"}).json()["data"][0]["id"]
    assert session == model[first["id"]] != model[second["id"]]


def test_orgs_1_5_header_wins_over_cookie(api, check):
    """A malformed header is 401, an unknown organization 404 without a code, the cookie comes second."""
    check(
        api.get("/v1/agents", headers={"X-Org-Id": "acme"}),
        401,
        "Invalid organization ID format",
        "unauthorized",
    )
    unknown = {"X-Org-Id": "org_" + "1" * 32}
    check(api.get("/v1/agents", headers=unknown), 404, "Organization not found")
    cookie = {"Cookie": f"everruns_org={unknown['X-Org-Id']}"}
    check(api.get("/v1/agents", headers=cookie), 404, "Organization not found")
    both = {**cookie, "X-Org-Id": ids.DEFAULT_ORG}
    assert api.get("/v1/agents", headers=both).status_code == 200


def test_orgs_1_5_strangers_see_nothing(roles, check):
    """An organization of others looks like one that does not exist."""
    header = {"X-Org-Id": ids.DEFAULT_ORG}
    check(roles["stranger"].get("/v1/agents", headers=header), 404, "Organization not found")
    path = f"/v1/orgs/{ids.DEFAULT_ORG}"
    check(roles["stranger"].get(path), 404, "Organization not found", "not_found")
    assert roles["stranger"].get("/v1/orgs").json() == {"data": []}


def test_errors_4_1_title_is_the_reason_phrase(api):
    """A problem document has title and status, and only the members that are set."""
    body = api.get("/v1/agents/nobody").json()
    assert body == {"title": "Not Found", "status": 404, "detail": "Agent not found"}


def test_errors_4_2_framework_refusals_are_plain_text(api):
    """Broken JSON is 400, the wrong content type 415, a body of the wrong type 422, all plain text."""
    json_type = {"Content-Type": "application/json"}
    answers = {
        400: api.post("/v1/agents", content="{", headers=json_type),
        415: api.post("/v1/agents", content="{}", headers={"Content-Type": "text/plain"}),
        422: api.post("/v1/agents", json={"name": 3, "system_prompt": ""}),
    }
    for status, response in answers.items():
        assert response.status_code == status
        assert response.headers["content-type"].startswith("text/plain")
    assert "name: invalid type: integer `3`, expected a string" in answers[422].text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"name": "a"}, "missing field `system_prompt`"),
        ({"name": None, "system_prompt": ""}, "invalid type: null, expected a string"),
        ({"name": "a", "system_prompt": "", "harness_id": "agent_1"}, "expected 'harness', got 'agent'"),
        ({"name": "a", "system_prompt": "", "tags": {}}, "invalid type: map, expected a sequence"),
        ([], "invalid type: sequence, expected a map"),
    ],
)
def test_errors_4_2_body_types(api, body, text):
    """A missing member, a null, a malformed id and a wrong shape are all 422."""
    response = api.post("/v1/agents", json=body)
    assert response.status_code == 422
    assert text in response.text


@pytest.mark.parametrize("text", ['"\\ud800"', "NaN", "Infinity", "1e400", "-1e400", "[" * 100_000])
def test_errors_4_2_json_that_only_python_reads(api, text):
    """Half a surrogate pair, NaN, a number beyond a double and bottomless nesting are broken JSON."""
    content = f'{{"name": "a", "system_prompt": {text}}}'
    response = api.post("/v1/agents", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 400


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1"])
def test_errors_4_2_json_is_utf_8(api, encoding):
    """A body in another encoding, or behind a byte order mark, is broken JSON."""
    content = '{"name": "a", "system_prompt": "ä"}'.encode(encoding)
    response = api.post("/v1/agents", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert response.text.startswith("Failed to parse the request body as JSON")


def test_agents_1_3_unknown_members_are_ignored(api, made):
    """Members the server does not know are dropped without a word."""
    assert "surprise" not in made(api, "/v1/agents", name="a", system_prompt="", surprise=1)


@pytest.mark.parametrize("query", ["limit=x", "limit=-1", "offset=99999999999999999999", "include_archived=yes"])
def test_errors_query_types(api, query):
    """A query parameter of the wrong type is a plain 400."""
    response = api.get(f"/v1/agents?{query}")
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("text/plain")


def test_channels_6_missing_route_has_no_problem_body(api):
    """A route that does not exist is a bare 404, a wrong method a bare 405."""
    for path in ("/v1/commands", "/v1/agents/x/endpoints", "/v1/agents/", "/nothing"):
        response = api.get(path)
        assert (response.status_code, response.content) == (404, b"")
    response = api.put("/v1/memories")
    assert (response.status_code, response.content) == (405, b"")
    assert "POST" in response.headers["allow"]


@pytest.mark.parametrize("path", ["/v1/sessions/session_1/messages", "/v1/sessions/chat/voice", "/v1/providers"])
def test_known_runtime_routes_are_501(api, path):
    """An operation of the real API that is not served here says so in a problem document."""
    response = api.post(path, json={})
    assert response.status_code == 501
    assert response.json()["title"] == "Not Implemented"


def test_headers_6_request_id(api):
    """X-Request-ID is echoed, or made up as a UUID, on every answer."""
    assert api.get("/v1/orgs", headers={"X-Request-ID": "mine"}).headers["x-request-id"] == "mine"
    made_up = api.get("/nothing").headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}", made_up)


def test_hosted_prefix(open_api, made):
    """The hosted base URL ends in /api, and links come back under it."""
    api = open_api(base="http://emulator/api")
    agent = made(api, "/v1/agents", name="a", system_prompt="")
    assert agent["self_url"] == f"http://emulator/api/v1/agents/{agent['id']}"
    assert agent["view_url"] == agent["ui_link"] == f"http://emulator/agents/{agent['id']}"


def test_recorder_sees_every_request(open_api):
    """The recorder is told method and path of each call to the API."""
    seen: list[tuple[str, str]] = []
    api = open_api(recorder=lambda method, path: seen.append((method, path)), base="http://emulator/api")
    api.get("/v1/agents?limit=1")
    api.get("/_emulator/health")
    assert seen == [("GET", "/v1/agents")]


def test_health_and_reset(open_api, made):
    """The stand-in's own routes tell that it lives and bring it back to its start."""
    api = open_api()
    assert api.get("/_emulator/health").json()["status"] == "ok"
    made(api, "/v1/agents", name="a", system_prompt="")
    assert api.post("/_emulator/reset").status_code == 204
    assert api.get("/v1/agents").json()["total"] == 0


def test_internal_errors_tell_nothing(api, check, monkeypatch):
    """A fault inside is 500 with the code `internal_error` and no details."""
    app = api.app
    monkeypatch.setattr(app.store, "listed", lambda *_: 1 / 0)
    check(api.get("/v1/memories"), 500, "Internal server error", "internal_error")


def test_head_has_no_body(api):
    """HEAD answers like GET, without the body."""
    response = api.head("/v1/orgs")
    assert (response.status_code, response.content) == (200, b"")


def test_unknown_profile_is_refused():
    """A profile that does not exist is an error at once."""
    with pytest.raises(ValueError, match="unknown profile"):
        create_app(profile="newest")
    with pytest.raises(ValueError, match="unknown variant"):
        create_app(profile="seeds+newest")


@pytest.fixture
def clash(api, made, harness):
    """Give a refusal of each kind of conflict, by what it is about."""
    agent = made(api, "/v1/agents", name="a", system_prompt="")["id"]
    made(api, "/v1/memories", name="m")
    made(api, "/v1/harnesses", name="h")
    made(api, "/v1/apps", name="bot", harness_id=harness, agent_id=agent)
    return {
        "agent name": api.post("/v1/agents", json={"name": "a", "system_prompt": ""}),
        "agent id": api.post("/v1/agents", json={"id": agent, "name": "b", "system_prompt": ""}),
        "harness name": api.post("/v1/harnesses", json={"name": "h"}),
        "memory name": api.post("/v1/memories", json={"name": "M"}),
        "reference": api.delete(f"/v1/agents/{agent}"),
    }


def test_errors_4_3_conflicts_offer_nothing(clash):
    """The published vocabulary of recovery is never sent: a conflict has no allowed_actions."""
    assert {name for name, response in clash.items() if "allowed_actions" in response.json()} == set()


def test_errors_4_4_codes_of_conflicts(clash):
    """Only what the storage refuses has a code; names of agents and harnesses and references have none."""
    assert {name: (response.status_code, response.json().get("code")) for name, response in clash.items()} == {
        "agent name": (409, None),
        "agent id": (409, "already_exists"),
        "harness name": (409, None),
        "memory name": (409, "already_exists"),
        "reference": (409, None),
    }


def test_agents_1_2_details_of_conflicts(clash):
    """A name that is taken is named, a violated index of ids says no more than that."""
    details = {name: response.json()["detail"] for name, response in clash.items()}
    assert details["agent name"] == "Agent name 'a' is already taken"
    assert details["harness name"] == "Harness name 'h' is already taken"
    assert details["agent id"] == "Resource already exists"


def test_errors_4_5_wait_is_told_twice(open_api, check, made):
    """A 429 says in body and header how long to wait, and no other limit header is sent."""
    api = open_api(limits={"org_creates_per_hour": 1}, default_org=False)
    made(api, "/v1/orgs", name="A")
    response = api.post("/v1/orgs", json={"name": "B"})
    body = check(response, 429, "Too many requests. Please try again later.", "rate_limited")
    assert (body["retry_after_seconds"], response.headers["retry-after"]) == (3600, "3600")
    assert not [name for name in response.headers if name.startswith("x-ratelimit")]


def test_ids_7_form(api, made, harness):
    """Ids are a prefix and 32 lowercase hex digits: UUIDv4 for organizations, UUIDv7 for the rest."""
    api.headers["X-Org-Id"] = ids.DEFAULT_ORG
    found = {
        "org": made(api, "/v1/orgs", name="A")["id"],
        "agent": made(api, "/v1/agents", name="a", system_prompt="")["id"],
        "app": made(api, "/v1/apps", name="x", harness_id=harness)["id"],
        "mem": made(api, "/v1/memories", name="m")["id"],
        "identity": made(api, "/v1/agent-identities", name="i")["id"],
        "session": made(api, "/v1/sessions")["id"],
        "harness": harness,
        "agentver": made(api, "/v1/agents/a/versions")["id"],
    }
    for prefix, ident in found.items():
        assert re.fullmatch(f"{prefix}_[0-9a-f]{{32}}", ident)
        assert ident[len(prefix) + 13] == ("4" if prefix == "org" else "7")


@pytest.mark.parametrize(
    ("ident", "fault"),
    [
        ("app_" + "0" * 32, "invalid prefix: expected 'agent', got 'app'"),
        ("agent_" + "0" * 31, "invalid length: expected 32, got 31"),
        ("agent_" + "A" * 32, "invalid hex in ID: agent_" + "A" * 32),
    ],
)
def test_agents_1_1_malformed_ids(api, check, ident, fault):
    """A malformed id is 400 in a path and keeps a body from fitting its type."""
    check(api.get(f"/v1/agents/{ident}"), 400, f"Invalid agent ID: {fault}")
    response = api.post("/v1/agents", json={"id": ident, "name": "a", "system_prompt": ""})
    assert response.status_code == 422
    assert fault in response.text


@pytest.mark.parametrize(
    ("what", "path", "body", "detail"),
    [
        ("agents", "/v1/agents", {"system_prompt": ""}, "Agent limit reached (max 1)"),
        ("harnesses", "/v1/harnesses", {}, "Harness limit reached (max 1)"),
        ("sessions", "/v1/sessions", {}, "Session limit reached (max 1)"),
        ("orgs", "/v1/orgs", {}, "Organization limit reached (max 1)"),
    ],
)
def test_limits_8_caps(open_api, check, made, what, path, body, detail):
    """A cap is 409 without a code, and there is none unless the deployment has one."""
    capped, free = open_api(limits={what: 1}), open_api(default_org=what != "orgs")
    for name in ("a", "b"):
        made(free, path, name=name, **body)
    capped.post(path, json={"name": "a", **body})
    check(capped.post(path, json={"name": "b", **body}), 409, detail)
