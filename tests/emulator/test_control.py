"""The control endpoints."""

import pytest


def test_health_is_open_to_all(open_api):
    """Health needs no token and stays when control is closed."""
    for control in (True, False):
        api = open_api(token="", control=control, profile="strict")
        assert api.get("/_emulator/health").json() == {"status": "ok", "profile": "strict"}


def test_faults_can_be_shown_added_replaced_and_cleared(open_api):
    """GET shows, POST adds, PUT replaces and counts anew, DELETE clears."""
    api = open_api(faults=["503 times=1"], fault_seed=7)
    assert api.get("/v1/agents").status_code == 503
    assert api.get("/_emulator/faults").json() == {
        "seed": 7,
        "faults": [{"fault": "503 times=1", "seen": 1, "fired": 1}],
    }
    added = api.post("/_emulator/faults", json={"faults": ["500 path=/v1/apps"]}).json()
    assert [one["fired"] for one in added["faults"]] == [1, 0]
    assert (api.get("/v1/agents").status_code, api.get("/v1/apps").status_code) == (200, 500)
    replaced = api.put("/_emulator/faults", json={"faults": ["502"], "seed": 8}).json()
    assert replaced == {"seed": 8, "faults": [{"fault": "502", "seen": 0, "fired": 0}]}
    assert api.delete("/_emulator/faults").status_code == 204
    assert api.get("/v1/agents").status_code == 200


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ('{"faults": ["cutt"]}', "no such fault: cutt; did you mean cut?"),
        ('{"faults": "503"}', "faults: expected a list of texts such as '503 times=1'"),
        ('{"faults": [], "seed": "x"}', "seed: expected a whole number"),
        (
            '{"fault": []}',
            'expected {"faults": ["503 times=1", ...], "seed": 7}; the seed may be left out',
        ),
        ("{", "the body is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ],
)
def test_wrong_faults_are_refused(api, check, content, detail):
    """What cannot be understood is refused, and the faults in force stay."""
    api.put("/_emulator/faults", json={"faults": ["503 path=/none"]})
    check(api.put("/_emulator/faults", content=content), 400, detail)
    assert len(api.get("/_emulator/faults").json()["faults"]) == 1


def test_a_seed_begins_anew(api, check):
    """Faults cannot be added under another seed, which would change those in force."""
    detail = "a seed begins anew: PUT all faults with it"
    check(api.post("/_emulator/faults", json={"faults": ["503"], "seed": 1}), 400, detail)


def test_faults_never_happen_to_the_control_endpoints(open_api):
    """The emulator can be controlled whatever it does to others."""
    api = open_api(faults=["cut", "latency seconds=60"])
    assert api.get("/_emulator/health", headers={"X-Emulator-Fault": "500"}).status_code == 200


def test_requests_are_remembered(open_api):
    """The journal lists method, path, status and faults of what was sent, and can be emptied."""
    api = open_api(faults=["503 path=/v1/apps"])
    api.get("/api/v1/agents?search=x")
    api.post("/v1/apps", json={})
    assert api.get("/_emulator/requests").json() == {
        "total": 2,
        "requests": [
            {"method": "GET", "path": "/api/v1/agents", "status": 200, "faults": []},
            {"method": "POST", "path": "/v1/apps", "status": 503, "faults": ["503 path=/v1/apps"]},
        ],
    }
    assert api.delete("/_emulator/requests").status_code == 204
    assert api.get("/_emulator/requests").json() == {"total": 0, "requests": []}


def test_the_journal_keeps_the_last_thousand(api):
    """Old requests are forgotten, and still counted."""
    for number in range(1005):
        api.app.journal.add("GET", f"/{number}", 200)
    journal = api.get("/_emulator/requests").json()
    assert (journal["total"], len(journal["requests"]), journal["requests"][0]["path"]) == (1005, 1000, "/5")


def test_reset_goes_back_to_the_beginning(open_api, made):
    """Reset brings back the data, the seed and the faults of the start."""
    seed = {"orgs": [{"name": "Acme", "agents": [{"name": "a", "system_prompt": ""}]}]}
    api = open_api(default_org=False, seed=seed, faults=["503 times=1 path=/v1/apps"], fault_seed=1)
    assert api.get("/v1/apps").status_code == 503
    made(api, "/v1/agents", name="b", system_prompt="")
    api.put("/_emulator/faults", json={"faults": ["500"]})
    assert api.post("/_emulator/reset").status_code == 204
    assert api.get("/_emulator/requests").json()["total"] == 0
    assert [agent["name"] for agent in api.get("/v1/agents").json()["data"]] == ["a"]
    assert api.get("/v1/apps").status_code == 503


def test_seed_adds(api):
    """A seed that is posted adds to what is there, and says how much."""
    seed = {"orgs": [{"name": "Acme", "agents": [{"name": "a", "system_prompt": ""}]}]}
    assert api.post("/_emulator/seed", json=seed).json() == {"created": {"orgs": 1, "agents": 1}}
    assert [org["name"] for org in api.get("/v1/orgs").json()["data"]] == ["Acme", "Default"]


def test_closed_control(open_api):
    """With control closed only health is there, and the rest as bare a 404 as on the real server."""
    api = open_api(control=False)
    assert api.get("/_emulator/nope").content == b""
    for name in ("faults", "requests"):
        assert api.get(f"/_emulator/{name}").status_code == 404
    assert api.post("/_emulator/reset").status_code == 404
    assert api.post("/_emulator/seed", json={"orgs": []}).status_code == 404


def test_unknown_endpoints_and_methods(api, check):
    """What is not there is 404 and a wrong method 405, each with a problem that names what there is."""
    check(api.get("/_emulator/nope"), 404, "no such endpoint: nope; there are health, reset, seed, faults, requests")
    answer = api.patch("/_emulator/faults")
    check(answer, 405, "faults takes DELETE,GET,POST,PUT, not PATCH")
    assert answer.headers["allow"] == "DELETE,GET,POST,PUT"
