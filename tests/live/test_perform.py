"""The exact requests of each action."""

import pytest

TOKEN = {"env": "TOKEN"}


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    """Give the one secret of this module a value."""
    monkeypatch.setenv("TOKEN", "sesame")


def bodies(world):
    """Return the bodies of the writes, less the ids that new agents are given."""
    return [{k: v for k, v in sent.body.items() if k != "id"} if sent.body else sent.body for sent in world.writes]


def cron(name="n", message="Run.", **more):
    """Declare a schedule channel."""
    return {"name": name, "type": "schedule", "config": {"cron_expression": "0 2 * * *", "message": message}, **more}


def test_create_agent(world):
    """An agent is one POST of what is declared, with ids for names."""
    world.post("/v1/memories", name="Design docs")
    memory = world.one("memories", "Design docs")["id"]
    model = next(m["id"] for m in world.api.get("/v1/models").json()["data"] if m["model_id"] == "gpt-4o")
    mounts = [{"memory": "Design docs", "path": "/workspace/docs"}]
    world.agent(
        "triage",
        harness="generic",
        default_model="gpt-4o",
        tags=["b", "a"],
        description=None,
        capabilities=[{"ref": "memory", "config": {"mounts": mounts}}],
    )
    world.apply()
    assert world.lines == ["POST /v1/agents"]
    assert bodies(world) == [
        {
            "name": "triage",
            "system_prompt": "Help.",
            "harness_id": world.harness,
            "default_model_id": model,
            "tags": ["a", "b"],
            "capabilities": [
                {
                    "ref": "memory",
                    "config": {"mounts": [{"memory": memory, "path": "/workspace/docs", "mode": "readonly"}]},
                }
            ],
        }
    ]


def test_create_memories(world):
    """A manual memory has no source to send, a synced one its request form."""
    world.memory("notes", source={"type": "manual"})
    world.memory(
        "docs", name="Design docs", source={"type": "github", "repository": "https://github.com/acme/docs.git"}
    )
    world.apply()
    assert world.lines == ["POST /v1/memories"] * 2
    assert bodies(world) == [
        {"name": "Design docs", "source": {"type": "github", "repository": "acme/docs"}},
        {"name": "notes"},
    ]
    assert world.plan().is_empty


def test_create_app_with_everything(world):
    """App, channels, publication: one call each, in this order, below the new id."""
    world.agent("triage")
    hook = {"name": "hook", "type": "webhook", "config": {"token": TOKEN, "message": "Go."}, "enabled": False}
    world.bot("bot", cron(), hook, agent="triage", name="Support bot", published=True)
    applied = world.apply()
    assert applied.exit_codes == (0,)
    assert world.lines == [
        "POST /v1/agents",
        "POST /v1/apps",
        "POST /v1/apps/app_/channels",
        "POST /v1/apps/app_/channels",
        "POST /v1/apps/app_/publish",
    ]
    agent, app = world.one("agents", "triage")["id"], world.one("apps", "Support bot")["id"]
    assert bodies(world)[1:] == [
        {"name": "Support bot", "harness_id": world.harness, "agent_id": agent},
        {"channel_type": "webhook", "channel_config": {"token": "sesame", "message": "Go."}, "enabled": False},
        {"channel_type": "schedule", "channel_config": {"cron_expression": "0 0 2 * * * *", "message": "Run."}},
        None,
    ]
    assert {sent.path.split("/")[3] for sent in world.writes[2:]} == {app}


GENERATED = [
    (
        {"name": "a", "type": "a2a", "config": {"message": "{{text}}", "session_mode": "session_per_invocation"}},
        ["POST /v1/apps/app_/a2a-channels"],
        [{"message": "{{text}}", "session_mode": "session_per_invocation"}],
    ),
    (
        {"name": "a", "type": "a2a", "enabled": False, "config": {"message": "x", "signing_secret": TOKEN}},
        ["POST /v1/apps/app_/a2a-channels", "PATCH /v1/apps/app_/channels/appchan_"],
        [{"message": "x", "enabled": False}, {"channel_config": {"message": "x", "signing_secret": "sesame"}}],
    ),
    ({"name": "a", "type": "api_endpoint"}, ["POST /v1/apps/app_/api-endpoint-channels"], [{}]),
    (
        {"name": "a", "type": "api_endpoint", "config": {"rate_limit_per_minute": 3}},
        ["POST /v1/apps/app_/api-endpoint-channels", "PATCH /v1/apps/app_/channels/appchan_"],
        [{}, {"channel_config": {"rate_limit_per_minute": 3}}],
    ),
    ({"name": "a", "type": "fcp"}, ["POST /v1/apps/app_/channels"], [{"channel_type": "fcp", "channel_config": {}}]),
]


@pytest.mark.parametrize(("channel", "lines", "sent"), GENERATED)
def test_create_channels_with_a_generated_key(world, channel, lines, sent):
    """A generated key has a call of its own, a second one for the rest; the key is mentioned and not kept."""
    world.bot("bot")
    world.converge()
    world.bot("bot", channel)
    applied = world.apply()
    assert (world.lines, bodies(world)) == (lines, sent)
    assert applied.exit_codes == (0,)
    keyed = channel["type"] != "fcp"
    assert bool(applied.outcomes[0].note) is keyed
    assert "evr" not in repr(applied)
    assert world.plan().is_empty


def test_create_organization(world):
    """An organization takes its name first and the rest by PATCH; what is in it follows with its id."""
    world.declare("Organization", "acme", {"name": "Acme Corp", "default_model": "gpt-4o", "base_harness": "generic"})
    world.agent("triage", harness="generic")
    applied = world.apply()
    assert applied.exit_codes == (0,)
    assert world.lines == ["POST /v1/orgs", "PATCH /v1/orgs/org_", "POST /v1/agents"]
    assert bodies(world)[0] == {"name": "Acme Corp"}
    org = world.one("orgs", "Acme Corp")
    assert world.writes[2].org == org["id"]
    assert bodies(world)[1] == {"default_model_id": org["default_model_id"], "base_harness_id": org["base_harness_id"]}
    assert org["base_harness_id"] == org["default_harness_id"] != world.harness
    assert bodies(world)[2]["harness_id"] == org["default_harness_id"]
    assert world.plan().is_empty


def test_update(world):
    """An update is one PATCH of what differs."""
    agent = world.post("/v1/agents", name="triage", system_prompt="Help.", tags=["x"])["id"]
    world.agent("triage", system_prompt="Assist.", tags=["x"], max_iterations=3)
    world.apply()
    assert [(sent.method, sent.path, sent.body) for sent in world.writes] == [
        ("PATCH", f"/v1/agents/{agent}", {"system_prompt": "Assist.", "max_iterations": 3})
    ]


def test_replace(world):
    """Clearing what PATCH cannot clear is one PUT of all there is; emptied capabilities take a PATCH more."""
    live = world.post(
        "/v1/agents",
        name="triage",
        system_prompt="Help.",
        display_name="Triage",
        tags=["x"],
        capabilities=[{"ref": "web_fetch"}],
        network_access={"allowed": ["a.example.com"]},
    )
    world.agent("triage", display_name=None, capabilities=[])
    world.apply()
    assert world.lines == ["PUT /v1/agents/agent_", "PATCH /v1/agents/agent_"]
    put, patch = bodies(world)
    assert put == {
        "name": "triage",
        "system_prompt": "Help.",
        "harness_id": world.harness,
        "tags": ["x"],
        "capabilities": [],
        "network_access": {"allowed": ["a.example.com"]},
    }
    assert patch == {"capabilities": []}
    now = world.one("agents", "triage")
    assert (now["id"], now["tags"], now["capabilities"]) == (live["id"], ["x"], [])
    assert "display_name" not in now
    assert world.plan().is_empty


def test_clear_by_patch(world):
    """What PATCH clears is sent as null, or as the empty value of its type."""
    world.memory("docs", description="x")
    world.bot("bot", description="x")
    world.agent("triage", network_access={"allowed": ["a.example.com"]})
    world.converge()
    world.memory("docs", description=None)
    world.bot("bot", description=None)
    world.agent("triage", network_access=None)
    applied = world.apply()
    assert bodies(world) == [{"description": None}, {"network_access": {}}, {"description": ""}]
    assert applied.exit_codes == (0,)
    assert applied.remainders == ()
    assert world.plan().is_empty


def test_restore(world):
    """An archived agent comes back by one PUT, with what nobody declared as it was."""
    live = world.post("/v1/agents", name="triage", system_prompt="Old.", description="kept")
    world.api.delete(f"/v1/agents/{live['id']}")
    world.agent("triage")
    world.apply()
    assert world.lines == ["PUT /v1/agents/agent_"]
    now = world.one("agents", "triage")
    assert (now["id"], now["status"], now["system_prompt"], now["description"]) == (
        live["id"],
        "active",
        "Help.",
        "kept",
    )


def test_rename_the_twin(world):
    """An archived memory of the name is renamed first, and keeps its files under the new name."""
    twin = world.post("/v1/memories", name="DOCS")["id"]
    world.api.delete(f"/v1/memories/{twin}")
    world.memory("docs")
    applied = world.apply()
    assert applied.exit_codes == (0,)
    assert world.lines == ["PATCH /v1/memories/mem_", "POST /v1/memories"]
    assert bodies(world) == [{"name": f"docs (archived {twin[-8:]})"}, {"name": "docs"}]
    assert {item["status"] for item in world.live("memories")} == {"active", "archived"}
    assert world.plan().is_empty


def test_archive(world):
    """Archiving is a DELETE, users before what they use; a channel goes the same way."""
    world.agent("triage")
    world.bot("bot", cron("a"), cron("b", "two"), agent="triage")
    world.converge()
    gone = world.one("apps", "bot")["channels"][1]["id"]
    world.bot("bot", cron("a"), cron("b", "two", archive=True, id=gone), agent="triage")
    world.apply()
    assert world.lines == ["DELETE /v1/apps/app_/channels/appchan_"]
    world.forget()
    world.declare("Agent", "triage", archive=True)
    world.declare("App", "bot", {"name": "bot"}, archive=True)
    applied = world.apply()
    assert applied.exit_codes == (0,)
    assert world.lines == ["DELETE /v1/apps/app_", "DELETE /v1/agents/agent_"]
    assert bodies(world) == [None, None]
    assert world.plan().is_empty


def test_publish_and_unpublish(world):
    """Publishing is a POST without a body, last; unpublishing the same, first."""
    world.bot("bot", cron())
    world.converge()
    world.bot("bot", cron(), cron("b", "two"), published=True)
    world.apply()
    assert world.lines == ["POST /v1/apps/app_/channels", "POST /v1/apps/app_/publish"]
    world.forget()
    world.bot("bot", cron(), cron("b", "three"), published=False)
    world.apply()
    assert world.lines == ["POST /v1/apps/app_/unpublish", "PATCH /v1/apps/app_/channels/appchan_"]
    assert world.writes[0].body is None


def test_a_channel_is_patched_whole(world):
    """A channel's settings go out whole, undeclared ones and declared secrets included."""
    hook = {"name": "hook", "type": "webhook", "config": {"token": TOKEN, "message": "Go."}}
    world.bot("bot", hook)
    world.converge()
    by_hand = {"message": "Go.", "rate_limit_per_minute": 5}
    app = world.one("apps", "bot")
    path = f"/v1/apps/{app['id']}/channels/{app['channels'][0]['id']}"
    assert world.api.patch(path, json={"channel_config": by_hand}).is_success
    hook["config"] = {"token": TOKEN, "message": "Run."}
    world.bot("bot", hook)
    world.apply()
    assert bodies(world) == [{"channel_config": {"message": "Run.", "rate_limit_per_minute": 5, "token": "sesame"}}]
    world.forget()
    hook["enabled"] = False
    world.bot("bot", hook)
    world.apply()
    assert bodies(world) == [{"enabled": False}]
    assert world.plan().is_empty


def test_a_setting_that_left_git_is_left_out_of_the_whole(world):
    """What we once wrote and git says no more is not sent back: the platform's default is in its place."""
    hook = {"name": "hook", "type": "webhook", "config": {"token": TOKEN, "message": "Go.", "rate_limit_per_minute": 5}}
    world.bot("bot", hook)
    world.converge()
    hook["config"] = {"token": TOKEN, "message": "Go."}
    world.bot("bot", hook)
    world.apply()
    assert bodies(world) == [{"channel_config": {"message": "Go.", "token": "sesame"}}]
    assert world.plan().is_empty


def test_a_report_writes_nothing(world):
    """What is only worth a word, as a channel that nobody declared, is never sent."""
    world.bot("bot")
    world.converge()
    app = world.one("apps", "bot")["id"]
    config = {"cron_expression": "0 2 * * *", "message": "By hand."}
    world.post(f"/v1/apps/{app}/channels", channel_type="schedule", channel_config=config)
    world.forget()
    plan = world.plan()
    assert [change.action.value for change in plan.changes] == ["report"]
    assert world.apply(plan).outcomes == ()
    assert world.writes == []


def test_every_write_carries_the_reason(world):
    """The platform is told why, on every write and on no read."""
    world.reason = "commit 1a2b"
    world.agent("triage")
    world.bot("bot", cron(), agent="triage", published=True)
    world.apply()
    told = {("everruns-change-reason" in sent.headers, sent.method == "GET") for sent in world.sent}
    assert told == {(True, False), (False, True)}


def test_answers_that_do_not_say_what_was_made(world):
    """A create whose answer holds no id left something or nothing: that is read, never assumed."""
    for number, answer in enumerate(({}, {"id": 7}, [], None, "x")):
        world.agent(f"triage-{number}")
        world.meddler.instead("POST", "/v1/agents", (201, answer), times=4)
        world.forget()
        (outcome,) = world.apply().outcomes
        assert "does not say what was created" in outcome.error.message
        assert world.lines == ["POST /v1/agents"] * 4
        assert len({sent.body["id"] for sent in world.writes}) == 1
        world.converge()


def test_an_app_whose_channels_are_all_new_and_some_gone(world):
    """Creates, updates and removals below one app go through together."""
    world.bot("bot", cron("a"), cron("b", "two"), {"name": "api", "type": "api_endpoint"}, published=True)
    world.converge()
    gone = next(
        one["id"] for one in world.one("apps", "bot")["channels"] if one["channel_config"].get("message") == "two"
    )
    world.bot(
        "bot",
        cron("a", "changed"),
        cron("b", "two", archive=True, id=gone),
        {"name": "api", "type": "api_endpoint", "enabled": False},
        {"name": "f", "type": "fcp"},
        published=True,
    )
    applied = world.apply()
    assert applied.exit_codes == (0,)
    assert sorted(world.lines) == [
        "DELETE /v1/apps/app_/channels/appchan_",
        "PATCH /v1/apps/app_/channels/appchan_",
        "PATCH /v1/apps/app_/channels/appchan_",
        "POST /v1/apps/app_/channels",
    ]
    assert world.plan().is_empty
