"""Seeds: what exists at the start."""

import pytest

from reconciler.emulator import create_app, ids
from reconciler.emulator.seeds import SeedError, read

ORG = "org_" + "ab" * 16
SEED = f"""
orgs:
  - name: Acme
    id: {ORG}
    default_model: gpt-4o
    default_harness: careful
    feature_flags: {{voice: false}}
    harnesses:
      - {{name: careful, parent_harness: generic}}
    identities:
      - {{name: Bot}}
    agents:
      - {{name: triage, system_prompt: Help., harness: careful, default_model: claude-sonnet-4-5, tags: [x]}}
      - {{name: old, system_prompt: "", archived: true}}
    memories:
      - name: docs
        source: {{type: github, repository: acme/docs}}
    apps:
      - name: Support
        harness: generic
        agent: triage
        agent_identity: Bot
        published: true
        channels:
          - {{channel_type: webhook, channel_config: {{token: t0k, message: Hi}}}}
          - {{channel_type: a2a, message: Hi}}
  - name: Empty
"""


@pytest.fixture
def document(tmp_path):
    """Give the seed as it is read from its file."""
    path = tmp_path / "live.yaml"
    path.write_text(SEED)
    return read(str(path))


def test_a_seed_says_what_exists(open_api, document):
    """Everything is there under the rules of the API: references by name, states, channels, settings."""
    api = open_api(default_org=False, seed=document)
    api.headers["X-Org-Id"] = ORG
    assert [org["name"] for org in api.get("/v1/orgs").json()["data"]] == ["Acme", "Empty"]
    models = {model["model_id"]: model["id"] for model in api.get("/v1/models").json()["data"]}
    org = api.get(f"/v1/orgs/{ORG}").json()
    careful = api.get("/v1/harnesses/careful").json()
    assert (org["default_model_id"], org["default_harness_id"]) == (models["gpt-4o"], careful["id"])
    assert api.get(f"/v1/orgs/{ORG}/feature-flags").json()["voice"] is False
    triage = api.get("/v1/agents/triage").json()
    assert (triage["harness_id"], triage["default_model_id"]) == (careful["id"], models["claude-sonnet-4-5"])
    assert api.get("/v1/agents/old").json()["status"] == "archived"
    assert api.get("/v1/memories").json()["data"][0]["source"]["repository"] == "acme/docs"
    (app,) = api.get("/v1/apps").json()["data"]
    assert (app["status"], app["agent_id"]) == ("published", triage["id"])
    assert [channel["channel_type"] for channel in app["channels"]] == ["webhook", "a2a"]


@pytest.mark.parametrize("profile", ["seeds", "frozen"])
def test_a_seed_fills_every_profile(open_api, document, profile):
    """A frozen server refuses writes to apps, and still has the apps that a seed puts there."""
    api = open_api(default_org=False, seed=document, profile=profile)
    assert len(api.get("/v1/apps", headers={"X-Org-Id": ORG}).json()["data"]) == 1


def org(**said):
    """Give a seed of one organization."""
    return {"orgs": [{"name": "Acme", **said}]}


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ([], "a seed is {orgs: [{name: ..., agents: [...]}, ...]} and nothing else"),
        ({"orgs": [], "agents": []}, "and nothing else"),
        ({"orgs": ["Acme"]}, "orgs[0]: expected a mapping"),
        ({"orgs": [{}]}, "orgs[0]: a name is needed"),
        (org(id="acme"), "orgs[0].id: invalid prefix: expected 'org', got 'acme'"),
        ({"orgs": [{"name": "A", "id": ids.DEFAULT_ORG}] * 2}, "orgs[1].id: orgs[0] has it already"),
        (org(agents=[{"name": "a", "archived": "no"}]), "orgs[0].agents[0].archived: expected true or false"),
        (org(apps=[{"name": "a", "published": 1}]), "orgs[0].apps[0].published: expected true or false"),
        (org(memories=[{"name": "a", "archived": None}]), "orgs[0].memories[0].archived: expected true or false"),
        (org(agent=[]), "orgs[0]: no such key: agent; did you mean agents?"),
        (org(agents={}), "orgs[0].agents: expected a list"),
        (org(agents=[{"name": "a", "systm_prompt": ""}]), "no such key: systm_prompt; did you mean system_prompt?"),
        (org(agents=[{"name": "a", "published": True}]), "orgs[0].agents[0]: no such key: published"),
        (org(apps=[{"name": "A", "channels": {}}]), "orgs[0].apps[0].channels: expected a list"),
        (
            org(agents=[{"name": "a"}]),
            "orgs[0].agents[0]: refused with 422: Failed to deserialize",
        ),
        (
            org(agents=[{"name": "a", "system_prompt": ""}] * 2),
            "orgs[0].agents[1]: refused with 409: Agent name 'a' is already taken",
        ),
        (
            org(agents=[{"name": "a", "system_prompt": "", "default_model": "gpt-4"}]),
            "orgs[0].agents[0].default_model: none of the models is called gpt-4; did you mean gpt-4o?",
        ),
        (
            org(apps=[{"name": "A", "harness": "generic", "channels": [1]}]),
            "orgs[0].apps[0].channels[0]: refused with 422: Failed",
        ),
        (org(description=float("nan")), "the seed holds a value that JSON does not have"),
    ],
)
def test_a_seed_that_is_wrong_is_refused_whole(open_api, check, seed, message):
    """A seed with a fault says where and why, and nothing of it is kept."""
    with pytest.raises(SeedError) as refused:
        create_app(seed=seed)
    assert message in str(refused.value)
    if "JSON" not in message:
        api = open_api()
        assert api.post("/_emulator/seed", json=seed).json()["detail"] == str(refused.value)
        assert [org["name"] for org in api.get("/v1/orgs").json()["data"]] == ["Default"]


def test_every_fault_of_form_is_told():
    """Faults of form are told together."""
    with pytest.raises(SeedError) as refused:
        create_app(seed=org(agents=[{"nam": "a"}, {"name": "b", "x": 1}]))
    assert len(str(refused.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        (b"", "the file is empty; a seed is {orgs:"),
        (b"# nothing yet", "the file is empty"),
        (b"a: [", "expected the node content"),
        (b"\xff\xfe\x00", "can't decode"),
        (b"orgs: []\norgs: []", "orgs is given twice"),
        (b"orgs: [{name: A, agents: [{name: a, name: b}]}]", "name is given twice"),
    ],
)
def test_a_seed_file_that_cannot_be_read(tmp_path, content, message):
    """A file that is missing, is empty, is no YAML or says one thing twice is refused."""
    path = tmp_path / "live.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SeedError) as refused:
        read(str(path))
    assert message in str(refused.value)


def test_names_that_several_carry_are_refused():
    """A name that means two resources is no reference."""
    seed = org(identities=[{"name": "Bot"}] * 2, apps=[{"name": "A", "harness": "generic", "agent_identity": "Bot"}])
    with pytest.raises(SeedError, match="2 identities are called Bot; give an id instead"):
        create_app(seed=seed)


def test_a_kept_file_keeps_its_data(tmp_path, document):
    """A seed is for a store that is empty: with a data file that has data nothing is done twice."""
    for _ in range(2):
        app = create_app(data=str(tmp_path / "data.db"), seed=document)
        assert len(app.store.everything("", "orgs")) == 2
        app.close()


def test_a_seed_takes_the_organization_of_its_id(open_api):
    """An id that is there already is filled, not made again."""
    api = open_api()
    found = api.get("/v1/orgs").json()["data"][0]
    seed = {"orgs": [{"name": "Default", "id": found["id"], "agents": [{"name": "a", "system_prompt": ""}]}]}
    assert api.post("/_emulator/seed", json=seed).json() == {"created": {"agents": 1}}
