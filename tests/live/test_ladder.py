"""The ladder: what becomes of a write that was refused."""

import httpx
import pytest

from reconciler.api_errors import Conflict, Refused, Throttled
from reconciler.live.ladder import TRIES
from reconciler.live.links import own_path
from reconciler.plan.outcome import Conflicted, Done, Failed

TAKEN = {"title": "Conflict", "status": 409, "detail": "Agent name 'triage' is already taken"}


def offering(*actions, **more):
    """Make a conflict that offers recovery actions."""
    return TAKEN | {"allowed_actions": list(actions)} | more


def only(applied):
    """Return the one outcome of an apply."""
    (outcome,) = applied.outcomes
    return outcome


@pytest.fixture
def late(world):
    """Declare an agent, and let another hand create it between the plan and its write."""

    def plan(**live):
        world.agent("triage", tags=["a"])
        made = world.plan()
        body = {"name": "triage", "system_prompt": "Help.", "tags": ["a"], **live}
        agent = world.post("/v1/agents", **body)
        world.forget()
        return made, agent

    return plan


# --- something is already there ---

LINKS = [
    ("no action at all", TAKEN),
    ("an absolute link", offering({"rel": "get-existing", "href": "http://localhost/v1/agents/{id}"})),
    ("a relative link", offering({"rel": "get-existing", "href": "/v1/agents/{id}"})),
    ("a link relative to the base", offering({"rel": "get-existing", "href": "v1/agents/{id}"})),
    ("an operation only", offering({"rel": "get-existing", "operation_id": "get_agent"})),
    ("an artefact", offering({"method": "POST"})),
]


def filled(answer, id_):
    """Put an id into the links of an answer."""
    actions = [
        {key: text.replace("{id}", id_) for key, text in action.items()} for action in answer.get("allowed_actions", [])
    ]
    return answer | {"allowed_actions": actions} if actions else answer


@pytest.mark.parametrize("answer", [row[1] for row in LINKS], ids=[row[0] for row in LINKS])
def test_what_is_there_and_agrees_is_adopted(world, late, answer):
    """A refused create is settled by reading what stands in the way: it agrees, so it is ours."""
    plan, agent = late(description="not declared")
    world.meddler.instead("POST", "/v1/agents", (409, filled(answer, agent["id"])))
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Done), outcome
    assert outcome.adopted
    assert outcome.note == f"was already there as {agent['id']}"
    assert world.lines == ["POST /v1/agents"]
    assert world.plan().is_empty


@pytest.mark.parametrize("answer", [row[1] for row in LINKS], ids=[row[0] for row in LINKS])
def test_what_is_there_and_differs_is_a_conflict(world, late, answer):
    """What differs from git in a declared field is left alone and shown."""
    plan, agent = late(tags=["b"])
    world.meddler.instead("POST", "/v1/agents", (409, filled(answer, agent["id"])))
    applied = world.apply(plan, recheck=False)
    outcome = only(applied)
    assert isinstance(outcome, Conflicted)
    assert [(field.name, field.old, field.new) for field in outcome.fields] == [("tags", ["b"], ["a"])]
    assert agent["id"] in outcome.message
    assert "already taken" in outcome.message
    assert outcome.hint
    assert world.one("agents", "triage") | {"app_count": 0} == world.one("agents", "triage")
    assert world.one("agents", "triage")["tags"] == ["b"]


def test_adopting_compares_references(world):
    """What is there agrees only if it refers to the same."""
    world.agent("triage", default_model="gpt-4o")
    plan = world.plan()
    models = {m["model_id"]: m["id"] for m in world.api.get("/v1/models").json()["data"]}
    world.post("/v1/agents", name="triage", system_prompt="Help.", default_model_id=models["gpt-4o-mini"])
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Conflicted)
    assert [field.name for field in outcome.fields] == ["default_model"]


def test_what_is_adopted_can_be_built_on(world):
    """What depends on an adopted resource goes on with its id."""
    world.agent("triage")
    world.bot("bot", agent="triage")
    plan = world.plan()
    agent = world.post("/v1/agents", name="triage", system_prompt="Help.")["id"]
    applied = world.apply(plan, recheck=False)
    assert applied.exit_codes == (0,)
    assert world.one("apps", "bot")["agent_id"] == agent


FOREIGN = [
    "https://localhost/v1/agents/{id}",
    "http://evil.example.com/v1/agents/{id}",
    "http://localhost:8080/v1/agents/{id}",
    "//evil.example.com/v1/agents/{id}",
    "http://localhost.evil.example.com/v1/agents/{id}",
    "http://localhost@evil.example.com/v1/agents/{id}",
    "http://user@localhost/v1/agents/{id}",
    "http://localhost:99999/v1/agents/{id}",
    "http://[bad/v1/agents/{id}",
    "/admin/{id}",
    "/v1/../admin",
    "/v1/%2e%2e/admin",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("rel", ["get-existing", "unarchive"])
@pytest.mark.parametrize("href", FOREIGN)
def test_a_foreign_link_is_not_followed(world, late, href, rel):
    """The key goes to the API's own addresses and nowhere else, whoever points there."""
    plan, agent = late()
    action = {"rel": rel, "href": href.replace("{id}", agent["id"])}
    world.meddler.instead("POST", "/v1/agents", (409, offering(action)))
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Conflicted), outcome
    assert "not followed" in outcome.message
    assert world.lines == ["POST /v1/agents"]
    assert [sent.path for sent in world.sent if sent.path.startswith(("/admin", "/v1/agents/"))] == []


BASE = "https://a.test/api"
PATHS = [
    ("/api/v1/agents/x", "/v1/agents/x"),
    ("https://a.test/api/v1/agents/x", "/v1/agents/x"),
    ("HTTPS://A.TEST/api/v1/agents/x", "/v1/agents/x"),
    ("https://a.test:443/api/v1/agents/x", "/v1/agents/x"),
    ("v1/agents/x", "/v1/agents/x"),
    ("/v1/agents/x?include=all", "/v1/agents/x?include=all"),
    ("https://a.test/v1/agents/x", "/v1/agents/x"),
    ("https://a.test/api2/v1/agents/x", None),
    ("/api/v1/../../admin", None),
    ("/api/v1/a/./b", "/v1/a/b"),
    ("/api/v1/%2E%2e/admin", None),
    ("/api/v1/agents/x\\..\\y", None),
    ("", None),
    ("https://b.test/api/v1/agents/x", None),
    ("http://a.test/api/v1/agents/x", None),
    (None, None),
]


@pytest.mark.parametrize(("href", "path"), PATHS)
def test_own_path(href, path):
    """A link is a path below the API, or nothing."""
    assert own_path(href, base=BASE) == path


@pytest.mark.parametrize("method", ["DELETE", "GET", "TRACE", "delete"])
def test_unarchive_does_nothing_else(world, late, method):
    """However the server spells it, bringing something back is never a DELETE."""
    plan, agent = late()
    href = f"/v1/agents/{agent['id']}"
    action = {"rel": "unarchive", "href": href, "method": method}
    world.meddler.instead("POST", "/v1/agents", (409, offering(action)))
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Conflicted)
    assert f"by {method}: not followed" in outcome.message
    assert world.lines == ["POST /v1/agents"]
    assert world.one("agents", "triage")["status"] == "active"


# --- something archived is there ---


def test_an_archived_agent_is_revived(world, late):
    """A create refused by an archived agent of the name becomes a PUT of that agent."""
    plan, agent = late(system_prompt="Old.")
    world.api.delete(f"/v1/agents/{agent['id']}")
    applied = world.apply(plan, recheck=False)
    assert applied.exit_codes == (0,)
    assert only(applied).note == "was archived; restored"
    assert world.lines == ["POST /v1/agents", "PUT /v1/agents/agent_"]
    now = world.one("agents", "triage")
    assert (now["id"], now["status"], now["system_prompt"]) == (agent["id"], "active", "Help.")
    assert world.plan().is_empty


def test_reviving_keeps_what_is_not_declared(world, late):
    """What nobody declared comes back as it was, references included."""
    plan, agent = late(description="kept", max_iterations=7, initial_files=[{"path": "a", "content": "x"}])
    world.api.delete(f"/v1/agents/{agent['id']}")
    assert world.apply(plan, recheck=False).exit_codes == (0,)
    now = world.one("agents", "triage")
    for field in ("description", "max_iterations", "harness_id"):
        assert now[field] == agent[field], field
    assert [capability["ref"] for capability in now["capabilities"]] == ["session_file_system"]
    assert now["initial_files"][0]["content"] == "x"


def test_reviving_needs_every_secret(world, late):
    """An archived agent with secrets nobody declared is not replaced: they would be lost."""
    servers = {"crm": {"url": "https://crm.example.com", "headers": {"Authorization": "sesame"}}}
    plan, agent = late(mcpServers=servers)
    world.api.delete(f"/v1/agents/{agent['id']}")
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Conflicted)
    assert world.lines == ["POST /v1/agents"]
    assert "sesame" not in repr(outcome)


def test_reviving_empties_capabilities(world):
    """An archived agent that had capabilities ends without them when git says so."""
    world.agent("triage", capabilities=[])
    plan = world.plan()
    agent = world.post("/v1/agents", name="triage", system_prompt="x", capabilities=[{"ref": "web_fetch"}])["id"]
    world.api.delete(f"/v1/agents/{agent}")
    applied = world.apply(plan, recheck=False)
    assert applied.exit_codes == (0,)
    assert world.one("agents", "triage")["capabilities"] == []


def test_an_archived_memory_is_a_conflict(world):
    """What has no way back is for the next plan, which sees it."""
    world.memory("docs")
    plan = world.plan()
    memory = world.post("/v1/memories", name="Docs")["id"]
    world.api.delete(f"/v1/memories/{memory}")
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Conflicted)
    assert memory in outcome.message
    assert "plan again" in outcome.hint
    assert world.lines == ["POST /v1/memories"]
    world.converge()


def test_unarchive_by_link(world):
    """Where the server offers to unarchive, that is done, and then the rest by PATCH."""
    world.memory("docs", description="new")
    plan = world.plan()
    memory = world.post("/v1/memories", name="docs", description="old")
    world.api.delete(f"/v1/memories/{memory['id']}")

    def revive():
        record = world.emulator.store.get(world.org, "memories", memory["id"])
        body = {key: value for key, value in record.body().items() if key != "archived_at"} | {"status": "active"}
        world.emulator.store.save(record.with_body(body))

    link = f"/v1/memories/{memory['id']}/unarchive"
    world.meddler.instead("POST", "/v1/memories", (409, offering({"rel": "unarchive", "href": link})))
    world.meddler.contract.but("POST .*/unarchive is in the file neither")
    world.meddler.instead("POST", link, (200, {}))
    world.meddler.rules[-1].do = lambda _sent, _pass_on: (revive(), ("200 OK", [], b"{}"))[1]
    applied = world.apply(plan, recheck=False)
    assert applied.exit_codes == (0,)
    assert world.lines == ["POST /v1/memories", "POST /v1/memories/mem_/unarchive", "PATCH /v1/memories/mem_"]
    assert only(applied).note == "was archived; restored"
    assert world.one("memories", "docs")["description"] == "new"


def test_unarchive_without_link(world, late):
    """Without a link, what is archived is found by name and revived as the kind knows how."""
    plan, agent = late(system_prompt="Old.")
    world.api.delete(f"/v1/agents/{agent['id']}")
    world.meddler.instead("POST", "/v1/agents", (409, offering({"rel": "unarchive"})))
    assert world.apply(plan, recheck=False).exit_codes == (0,)
    assert world.lines == ["POST /v1/agents", "PUT /v1/agents/agent_"]


def test_unarchive_of_nothing(world):
    """A server that speaks of an archived resource nobody can find leaves a conflict."""
    world.agent("triage")
    world.meddler.instead("POST", "/v1/agents", (409, offering({"rel": "unarchive"})))
    outcome = only(world.apply())
    assert isinstance(outcome, Conflicted)
    assert "cannot be found by name" in outcome.message


# --- again ---


def test_retry_of_a_create(world):
    """What the server asks to replay is replayed."""
    world.agent("triage")
    world.meddler.instead("POST", "/v1/agents", (409, offering({"rel": "retry"})), times=2)
    assert world.apply().exit_codes == (0,)
    assert world.lines == ["POST /v1/agents"] * 3


def test_retry_ends(world):
    """A replay that is asked for for ever ends after four attempts."""
    world.agent("triage")
    world.meddler.instead("POST", "/v1/agents", (422, {"allowed_actions": [{"rel": "retry"}]}), times=None)
    outcome = only(world.apply())
    assert isinstance(outcome, Failed)
    assert type(outcome.error) is Refused
    assert world.lines == ["POST /v1/agents"] * TRIES


@pytest.mark.parametrize("moved", [False, True, None])
def test_retry_of_an_update_reads_first(world, moved):
    """An update is replayed only while its resource is as the plan saw it."""
    agent = world.post("/v1/agents", name="triage", system_prompt="Old.")["id"]
    world.agent("triage")
    plan = world.plan()
    path = f"/v1/agents/{agent}"

    def meanwhile():
        if moved:
            world.api.patch(path, json={"system_prompt": "Somebody else's."})
        if moved is None:
            world.api.delete(path)
            world.api.post(f"{path}/delete")

    world.meddler.instead("PATCH", path, (409, offering({"rel": "retry"})))
    world.meddler.before("GET", path, meanwhile, skip=1)  # the second look, after the refusal
    world.forget()
    outcome = only(world.apply(plan, recheck=False))
    if moved is False:
        assert isinstance(outcome, Done)
        assert world.lines == ["PATCH /v1/agents/agent_"] * 2
    else:
        assert isinstance(outcome, Conflicted)
        assert ("gone" if moved is None else "changed") in outcome.message
        assert world.lines == ["PATCH /v1/agents/agent_"]


@pytest.mark.parametrize("moved", [False, True])
def test_retry_of_a_renaming_knows_its_own_detour(world, moved):
    """What this plan called by a temporary name was not changed by anybody else."""
    one, two = (world.post("/v1/memories", name=name)["id"] for name in ("a", "b"))
    world.declare("Memory", "first", {"name": "b"}, id=one)
    world.declare("Memory", "second", {"name": "a", "description": "x"}, id=two)
    plan = world.plan()
    path = f"/v1/memories/{two}"
    world.meddler.instead("PATCH", path, (409, offering({"rel": "retry"})), skip=1)
    if moved:
        change = {"description": "Somebody else's."}
        world.meddler.before("PATCH", f"/v1/memories/{one}", lambda: world.api.patch(path, json=change))
    first, second = world.apply(plan).outcomes
    assert isinstance(first, Done)
    assert type(second) is (Conflicted if moved else Done)


def test_retry_of_a_child_reads_its_parent(world):
    """The children of an app are read with it."""
    world.bot("bot", {"name": "f", "type": "fcp", "config": {"handshake": "hi"}})
    world.converge()
    world.bot("bot", {"name": "f", "type": "fcp", "config": {"handshake": "ho"}})
    path = "/v1/apps/[^/]*/channels/[^/]*"
    world.meddler.instead("PATCH", path, (409, offering({"rel": "retry"})))
    assert world.apply().exit_codes == (0,)
    assert world.lines == ["PATCH /v1/apps/app_/channels/appchan_"] * 2


def test_retry_later(world, clock):
    """What is parked is done when its time has come, by everybody's clock."""
    world.agent("triage")
    answer = offering({"rel": "retry-later"}, retry_after_seconds=30)
    world.meddler.instead("POST", "/v1/agents", (409, answer), times=2)
    applied = world.apply()
    assert applied.exit_codes == (0,)
    assert (clock.waited, applied.throttled_for) == (60.0, 60.0)


def test_patience_is_not_climbed_around(world, clock):
    """A limiter that asks for more than our patience is not asked again, though it offers retry-later."""
    world.agent("triage")
    answer = {"code": "rate_limited", "retry_after_seconds": 3600, "allowed_actions": [{"rel": "retry-later"}]}
    world.meddler.instead("POST", "/v1/agents", (429, answer), times=None)
    outcome = only(world.apply())
    assert isinstance(outcome, Failed)
    assert type(outcome.error) is Throttled
    assert world.lines == ["POST /v1/agents"]
    assert clock.waited == 0


@pytest.mark.parametrize("rel", ["retry", "retry-later"])
def test_only_what_failed_is_repeated(world, clock, rel):
    """When the second call of a create is to be replayed, the first is not: it would make another one."""
    channel = {"name": "a", "type": "api_endpoint", "config": {"rate_limit_per_minute": 3}}
    world.bot("bot", channel)
    path = "/v1/apps/[^/]*/channels/[^/]*"
    world.meddler.instead("PATCH", path, (409, offering({"rel": rel}, retry_after_seconds=1)))
    applied = world.apply()
    assert applied.exit_codes == (0,)
    assert len(world.one("apps", "bot")["channels"]) == 1
    assert world.plan().is_empty


def test_a_refused_second_call_does_not_lose_the_first(world):
    """An organization that was made keeps its id although its settings were refused; another run goes on from there."""
    world.declare("Organization", "acme", {"name": "Acme", "default_model": "gpt-4o"})
    world.meddler.instead("PATCH", "/v1/orgs/.*", (409, TAKEN))
    outcome = only(world.apply())
    assert isinstance(outcome, Failed)
    assert [org["name"] for org in world.live("orgs")].count("Acme") == 1
    world.forget()
    world.converge()
    assert [org["name"] for org in world.live("orgs")].count("Acme") == 1


# --- what is in doubt, and what is simply refused ---

DOUBT = [
    ("a cut connection", lambda m: m.cut("POST", "/v1/agents", httpx.ReadError("reset"), carried_out=True)),
    ("a timeout", lambda m: m.cut("POST", "/v1/agents", httpx.ReadTimeout("slow"), carried_out=True)),
    ("a fault", lambda m: m.after("POST", "/v1/agents", (500, TAKEN))),
    ("a fault with advice", lambda m: m.after("POST", "/v1/agents", (503, offering({"rel": "retry"})))),
    ("nonsense", lambda m: m.after("POST", "/v1/agents", (200, b"<html>"))),
    ("a redirect", lambda m: m.after("POST", "/v1/agents", (302, b"", {"Location": "/"}))),
]


@pytest.mark.parametrize("meddle", [row[1] for row in DOUBT], ids=[row[0] for row in DOUBT])
def test_what_is_in_doubt_is_read_back(world, clock, meddle):
    """A write whose fate is unknown is not repeated: it is found under the id that it was given."""
    world.agent("triage")
    world.adopt = "never"
    meddle(world.meddler)
    outcome = only(world.apply())
    assert isinstance(outcome, Done)
    assert not outcome.adopted
    assert outcome.note.startswith("its answer was lost; read back: it was created as agent_")
    assert world.lines == ["POST /v1/agents"]
    assert world.plan().is_empty


def test_a_conflict_nobody_can_place(world):
    """A limit that is reached is a conflict without a holder: it fails in the server's words."""
    world.agent("triage")
    detail = {"title": "Conflict", "status": 409, "detail": "Agent limit reached (max 500)"}
    world.meddler.instead("POST", "/v1/agents", (409, detail))
    outcome = only(world.apply())
    assert isinstance(outcome, Failed)
    assert type(outcome.error) is Conflict
    assert "Agent limit reached (max 500)" in outcome.error.message


def test_a_conflict_of_another_action(world):
    """An agent that an app still uses cannot be archived: who uses it is named, and nothing is adopted."""
    world.agent("triage")
    world.converge()
    agent = world.one("agents", "triage")["id"]
    world.post("/v1/apps", name="foreign", harness_id=world.harness, agent_id=agent)
    world.declare("Agent", "triage", archive=True)
    outcome = only(world.apply())
    assert isinstance(outcome, Conflicted)
    app = world.one("apps", "foreign")["id"]
    assert outcome.message == f'it is still used by app "foreign" ({app})'


def test_the_second_error_is_the_one_that_counts(world, late):
    """When looking for what stands in the way fails, that is what is reported."""
    plan, _ = late()
    world.meddler.instead("POST", "/v1/agents", (409, TAKEN))
    world.meddler.instead("GET", "/v1/agents", (403, {"detail": "no"}))
    outcome = only(world.apply(plan, recheck=False))
    assert isinstance(outcome, Failed)
    assert "403" in outcome.error.message


def test_a_high_risk_capability_is_for_admins(open_world):
    """A refused capability is named, with the role that may assign it."""
    with open_world(key="evr_pat_member", tokens={"evr_pat_member": "member", "evr_pat_local": "owner"}) as world:
        world.agent("bold", capabilities=[{"ref": "web_fetch"}, {"ref": "bashkit_shell"}])
        (failed,) = world.apply().outcomes
        assert isinstance(failed, Failed)
        assert "high-risk capabilities: bashkit_shell" in failed.error.message
        assert "admin role" in failed.error.hint
        assert "without bashkit_shell" in failed.error.hint
