"""What each fault does to a request, in this process; on a socket: test_sockets.py."""

import json
import time

import pytest

from reconciler.emulator import ids
from reconciler.emulator.faults import KNOWN
from reconciler.emulator.misbehaviour import EFFECTS, CutError

HEADER = "X-Emulator-Fault"
BODY = {"name": "a", "system_prompt": "Help."}
CREATES = [
    ("/v1/agents", BODY, "Agent name 'a' is already taken", None, "agent"),
    ("/v1/memories", {"name": "a"}, "memory name already exists", "already_exists", "memory"),
    ("/v1/orgs", {"name": "a"}, "Resource already exists", "already_exists", "organization"),
]


def sent(api, method, path, fault, **options):
    """Send a request with a fault in its header."""
    return api.request(method, path, headers={HEADER: fault}, **options)


def names(api, path="/v1/agents"):
    """List what is there, archived ones too, by name."""
    items = api.get(path, params={"include_archived": "true"}).json()["data"]
    return {item["name"]: item["status"] for item in items if not item.get("is_built_in")}


def test_every_fault_has_an_effect():
    """No fault of the language is without an effect; only delays happen beside others."""
    assert set(KNOWN) == {"latency", *EFFECTS}


def test_latency(open_api):
    """A request waits, and is then answered as ever."""
    api = open_api(faults=["latency seconds=0.15"])
    started = time.perf_counter()
    assert api.get("/v1/agents").status_code == 200
    assert time.perf_counter() - started >= 0.15


def test_errors_4_5_throttled(api):
    """429 carries its code, the wait in body and header, and the one recovery action found in the server (4.3)."""
    answer = sent(api, "POST", "/v1/agents", "429 retry-after=7", json=BODY)
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "title": "Too Many Requests",
        "status": 429,
        "detail": "Too many requests. Please try again later.",
        "code": "rate_limited",
        "allowed_actions": [{"rel": "retry-later", "hint": "Wait retry_after_seconds before retrying."}],
        "retry_after_seconds": 7,
    }
    assert names(api) == {}


def test_errors_4_5_default_wait(api):
    """The limiter asks for a minute."""
    assert sent(api, "GET", "/v1/agents", "429").headers["retry-after"] == "60"


def test_throttled_without_retry_after(api):
    """429 can leave out when to come back, in the header and in the body."""
    answer = sent(api, "GET", "/v1/agents", "429 retry-after=none")
    assert "retry-after" not in answer.headers
    assert set(answer.json()) == {"title", "status", "detail", "code"}


@pytest.mark.parametrize(
    ("status", "code", "detail"),
    [
        (500, "internal_error", "Internal server error"),
        (502, "bad_gateway", "Bad gateway"),
        (503, "database_pool_exhausted", "Database capacity is temporarily unavailable"),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_errors_4_2_failures(api, status, code, detail, when):
    """5xx carry the server's codes; before leaves no trace of the write, after keeps all of it."""
    answer = sent(api, "POST", "/v1/agents", f"{status} when={when}", json=BODY)
    body = answer.json()
    assert (answer.status_code, body["code"], body["detail"]) == (status, code, detail)
    assert answer.headers.get("retry-after") == ("1" if status == 503 else None)
    assert names(api) == ({"a": "active"} if when == "after" else {})


@pytest.mark.parametrize(("when", "kept"), [("before", {}), ("after", {"a": "active"}), ("body", {"a": "active"})])
def test_cut_without_a_socket(api, when, kept):
    """Where there is no socket to cut, the connection error is raised."""
    with pytest.raises(CutError):
        sent(api, "POST", "/v1/agents", f"cut when={when}", json=BODY)
    assert names(api) == kept


def test_slow_body_arrives_whole(api):
    """A slow body is complete in the end."""
    started = time.perf_counter()
    answer = sent(api, "GET", "/v1/harnesses", "slow seconds=0.2")
    assert time.perf_counter() - started >= 0.18
    assert answer.content == api.get("/v1/harnesses").content


def test_truncated_json(api):
    """A truncated body has a length that agrees, and is no JSON."""
    answer = sent(api, "GET", "/v1/harnesses", "truncate")
    assert (answer.status_code, int(answer.headers["content-length"])) == (200, len(answer.content))
    with pytest.raises(ValueError):
        json.loads(answer.content)


@pytest.mark.parametrize(("by", "seen"), [("insert", ["a4", "a3", "a3", "a2"]), ("archive", ["a4", "a3", "a1", "a0"])])
def test_shifting_page(api, made, by, seen):
    """Between two pages the list moves: an item is seen twice, or not at all."""
    for number in range(5):
        made(api, "/v1/agents", name=f"a{number}", system_prompt="")
    first = sent(api, "GET", "/v1/agents", f"shift by={by}", params={"limit": 2}).json()
    second = api.get(first["next_url"]).json()
    assert [item["name"] for page in (first, second) for item in page["data"]] == seen
    assert second["total"] == first["total"] + (1 if by == "insert" else -1)


@pytest.mark.parametrize("path", ["/v1/agents", "/v1/apps", "/v1/memories", "/v1/harnesses", "/v1/orgs"])
def test_shift_inserts_everywhere(api, path):
    """Every list can be given a newcomer, each under a name of its own."""
    for _ in range(2):
        assert sent(api, "GET", path, "shift").status_code == 200
    assert {"intruder-1", "intruder-2"} <= {item["name"] for item in api.get(path).json()["data"]}


def test_edit_after_a_read(api, made):
    """What was read is changed by somebody else as soon as it is read, through the list or by id."""
    agent = made(api, "/v1/agents", **BODY, description="mine")
    made(api, "/v1/agents", name="b", system_prompt="")
    path = f"/v1/agents/{agent['id']}"
    assert sent(api, "GET", path, "edit value=theirs").json()["description"] == "mine"
    assert api.get(path).json()["description"] == "theirs"
    assert sent(api, "GET", "/v1/agents", "edit name=a").status_code == 200
    after = [api.get(f"/v1/agents/{name}").json().get("description") for name in "ab"]
    assert after[0].startswith("Edited by somebody else")
    assert after[1] is None


def test_edit_before_a_write(api, made):
    """What is about to be written is changed first, so that a write of other fields keeps the change."""
    agent = made(api, "/v1/agents", **BODY)
    answer = sent(api, "PATCH", f"/v1/agents/{agent['id']}", "edit value=theirs", json={"tags": ["mine"]})
    assert (answer.json()["description"], answer.json()["tags"]) == ("theirs", ["mine"])


def test_edit_of_what_is_not_there(api):
    """A fault with nothing to act on leaves the request as it is."""
    assert sent(api, "GET", "/v1/agents/config", "edit").status_code == 200
    assert sent(api, "GET", "/v1/agents", "shift by=archive").status_code == 200
    assert names(api) == {}


@pytest.mark.parametrize(("path", "body", "detail", "code", "noun"), CREATES)
def test_errors_4_4_conflict_without_action(api, path, body, detail, code, noun):
    """Without an action the conflict is worded as the server does, and the one that was quicker is there."""
    answer = sent(api, "POST", path, "conflict action=none", json=body)
    wanted = {"title": "Conflict", "status": 409, "detail": detail} | ({"code": code} if code else {})
    assert answer.json() == wanted
    assert "a" in [item["name"] for item in api.get(path).json()["data"]]


@pytest.mark.parametrize(("path", "body", "detail", "code", "noun"), CREATES)
def test_errors_4_3_get_existing_by_operation(api, path, body, detail, code, noun):
    """The form the facts give: a code, an operation and a hint, and no href."""
    answer = sent(api, "POST", path, "conflict", json=body).json()
    assert answer["code"] == f"{noun}_already_exists"
    hint = f"Fetch the existing {noun} and reuse it."
    assert answer["allowed_actions"] == [{"rel": "get-existing", "operation_id": f"get_{noun}", "hint": hint}]


@pytest.mark.parametrize("base", ["http://emulator", "http://emulator/api"])
def test_get_existing_by_link(open_api, base):
    """A link leads to what is there, absolute or relative; a foreign one leads elsewhere."""
    api = open_api(base=base)
    prefix = base.removeprefix("http://emulator")
    for action, start in (("href", base), ("relative", prefix), ("foreign", "https://elsewhere.example")):
        answer = api.post("/v1/agents", json=BODY, headers={HEADER: f"conflict action={action}"}).json()
        href = answer["allowed_actions"][0]["href"]
        assert href == f"{start}/v1/agents/{api.get('/v1/agents/a').json()['id']}"


def test_conflict_points_at_what_differs(api, made):
    """One that holds the name already is pointed at as it is; nothing is created beside it."""
    org = made(api, "/v1/orgs", name="Acme")
    answer = sent(api, "POST", "/v1/orgs", "conflict action=href", json={"name": "Acme"}).json()
    assert answer["allowed_actions"][0]["href"].endswith(org["id"])
    assert [item["name"] for item in api.get("/v1/orgs").json()["data"]].count("Acme") == 1


def test_conflict_of_a_bad_create(api):
    """A create that is refused for a reason of its own stays refused for it."""
    assert sent(api, "POST", "/v1/agents", "conflict", json={"name": "a"}).status_code == 422
    assert sent(api, "POST", "/v1/agents", "conflict", json={**BODY, "name": "A"}).status_code == 400
    assert sent(api, "POST", "/v1/agents", "archived", content=b"{").status_code == 415


def test_archived_twin_of_an_agent(api):
    """An archived agent holds the name; only PUT by id brings it back, and that is what is offered."""
    answer = sent(api, "POST", "/v1/agents", "archived action=href", json=BODY)
    assert (answer.status_code, answer.json()["detail"]) == (409, "Agent name 'a' is already taken")
    agent = api.get("/v1/agents/a").json()
    assert agent["status"] == "archived"
    (action,) = answer.json()["allowed_actions"]
    assert action == {
        "rel": "unarchive",
        "hint": "Unarchive the existing agent, then retry.",
        "operation_id": "upsert_agent",
        "method": "PUT",
        "href": f"http://emulator/v1/agents/{agent['id']}",
    }
    assert api.request(action["method"], action["href"], json=BODY).json()["status"] == "active"


def test_archived_twin_of_an_app(api, harness):
    """An archived app comes back by unpublish, whose link works as it is."""
    body = {"name": "Bot", "harness_id": harness}
    (action,) = sent(api, "POST", "/v1/apps", "archived action=relative", json=body).json()["allowed_actions"]
    assert names(api, "/v1/apps") == {"Bot": "archived"}
    assert api.request(action["method"], action["href"]).json()["status"] == "draft"


def test_archived_twin_that_nothing_brings_back(api):
    """A memory cannot be unarchived, so that no operation is named; it is found again, not made twice."""
    for _ in range(2):
        (action,) = sent(api, "POST", "/v1/memories", "archived", json={"name": "Docs"}).json()["allowed_actions"]
        assert set(action) == {"rel", "hint"}
    assert names(api, "/v1/memories") == {"Docs": "archived"}


def test_faults_act_as_an_owner(open_api):
    """What a fault does is done by an owner, even when the one who sends the request may not."""
    tokens = {"evr_pat_member": "member", "evr_pat_owner": "owner"}
    owner = open_api(token="evr_pat_owner", tokens=tokens)
    memory = owner.post("/v1/memories", json={"name": "m"}).json()
    member = open_api(token="evr_pat_member", app=owner.app)
    assert sent(member, "GET", f"/v1/memories/{memory['id']}", "edit value=theirs").status_code == 200
    assert owner.get(f"/v1/memories/{memory['id']}").json()["description"] == "theirs"


def test_faults_are_not_seen_by_the_recorder(open_api):
    """A recorder sees what clients send, and not what a fault does on its own."""
    seen = []
    api = open_api(recorder=lambda method, path: seen.append((method, path)))
    sent(api, "GET", "/v1/agents", "shift")
    assert seen == [("GET", "/v1/agents")]


@pytest.mark.parametrize(
    ("method", "path", "fault"),
    [
        ("POST", "/v1/orgs", "archived"),
        ("GET", "/v1/orgs", "shift by=archive"),
        ("GET", "/v1/orgs", "edit field=description"),
        ("GET", f"/v1/orgs/{ids.DEFAULT_ORG}", "edit field=description"),
    ],
)
def test_what_cannot_happen_to_organizations(open_api, method, path, fault):
    """Nothing archives an organization and it has no description: such a fault is refused, and not counted."""
    api = open_api(faults=[fault])
    answer = sent(api, method, path, fault, json={"name": "x"})
    assert answer.status_code == 400
    assert "not of organizations" in answer.json()["detail"]
    assert api.request(method, path, json={"name": "x"}).status_code < 300
    assert [(one["seen"], one["fired"]) for one in api.get("/_emulator/faults").json()["faults"]] == [(0, 0)]


@pytest.mark.parametrize("listed", [True, False])
def test_edit_renames_organizations(api, made, listed):
    """The text field of an organization is its name."""
    path = "/v1/orgs" if listed else f"/v1/orgs/{made(api, '/v1/orgs', name='mine')['id']}"
    made(api, "/v1/orgs", name="newest")
    assert sent(api, "GET", path, "edit value=theirs").status_code == 200
    found = {org["name"] for org in api.get("/v1/orgs").json()["data"]}
    assert found == ({"Default", "theirs"} if listed else {"Default", "newest", "theirs"})


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("cutt", "X-Emulator-Fault: no such fault: cutt; did you mean cut?"),
        ("conflict", "X-Emulator-Fault: conflict: cannot happen to GET /v1/agents"),
    ],
)
def test_a_wrong_header_is_refused(api, fault, message):
    """A header that cannot be read, or that asks for what cannot happen, is a bad request."""
    answer = sent(api, "GET", "/v1/agents", fault)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(message)


def test_closed_control_ignores_the_header(open_api):
    """With the control endpoints closed a header does nothing; the faults of the start still happen."""
    api = open_api(control=False)
    assert sent(api, "GET", "/v1/agents", "500").status_code == 200
    assert open_api(control=False, faults=["500"]).get("/v1/agents").status_code == 500


def test_request_id_on_faults(api):
    """Every answer of a fault carries the request id, as every answer does."""
    answer = api.get("/v1/agents", headers={HEADER: "503", "X-Request-ID": "r1"})
    assert answer.headers["x-request-id"] == "r1"


def test_unfaulted_requests_are_not_looked_at(api, monkeypatch):
    """Where no fault is in force and none is asked for, a request takes the way it takes without faults."""
    monkeypatch.setattr(api.app.faults, "choose", None)
    assert api.get("/v1/agents").status_code == 200
    with pytest.raises(TypeError):
        sent(api, "GET", "/v1/agents", "503")


def test_a_seeded_run_repeats_itself(open_api):
    """Two stand-ins with the same faults and the same seed answer the same requests the same."""
    faults = ["503 rate=0.3", "429 rate=0.3 method=POST", "conflict rate=0.5 action=none"]

    def run():
        api = open_api(faults=faults, fault_seed=11)
        bodies = [{"name": f"a{number}", "system_prompt": ""} for number in range(40)]
        return [api.post("/v1/agents", json=body).status_code for body in bodies]

    first = run()
    assert first == run()
    assert set(first) == {201, 409, 429, 503}
