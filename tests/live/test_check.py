"""Preconditions and proof."""

from dataclasses import replace

import pytest

from reconciler.errors import LedgerMoved, StalePlan
from reconciler.plan.file import Origin, dumps, loads

CRON = {"name": "n", "type": "schedule", "config": {"cron_expression": "0 2 * * *", "message": "Run."}}
TOKEN = {"env": "TOKEN"}


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    """Give the one secret of this module a value."""
    monkeypatch.setenv("TOKEN", "sesame")


def path_of(world, plural, name):
    """Return the path of a live resource."""
    return f"/v1/{plural}/{world.one(plural, name)['id']}"


def channel_of(world):
    """Return the path of the only channel of the app."""
    (channel,) = world.one("apps", "bot")["channels"]
    return f"{path_of(world, 'apps', 'bot')}/channels/{channel['id']}"


def create_agent(w):
    """Plan the creation of an agent."""
    w.agent("triage")


def update_agent(w):
    """Plan an update of an agent."""
    w.post("/v1/agents", name="triage", system_prompt="Old.", tags=["a"])
    w.agent("triage", tags=["a"])


def replace_agent(w):
    """Plan a replacement of an agent."""
    w.post("/v1/agents", name="triage", system_prompt="Help.", display_name="Triage", tags=["a"])
    w.agent("triage", display_name=None)


def restore_agent(w):
    """Plan the return of an archived agent."""
    w.api.delete(f"/v1/agents/{w.post('/v1/agents', name='triage', system_prompt='Old.')['id']}")
    w.agent("triage")


def archive_agent(w):
    """Plan the archiving of an agent that is ours."""
    w.agent("triage", system_prompt="Old.")
    w.converge()
    w.declare("Agent", "triage", archive=True)


def free_memory(w):
    """Plan a memory whose name an archived one holds."""
    w.api.delete(f"/v1/memories/{w.post('/v1/memories', name='docs')['id']}")
    w.memory("docs")


def live_bot(w, *channels):
    """Have an app with channels."""
    w.bot("bot", *channels)
    w.converge()


def add_channel(w):
    """Plan one more channel."""
    live_bot(w)
    w.bot("bot", CRON)


def update_channel(w):
    """Plan a change of a channel."""
    live_bot(w, CRON)
    w.bot("bot", CRON | {"enabled": False})


def set_secret(w):
    """Plan to give a channel a secret it does not have."""
    live_bot(w, {"name": "f", "type": "fcp"})
    w.bot("bot", {"name": "f", "type": "fcp", "config": {"token": TOKEN}})


def remove_channel(w):
    """Plan the end of a channel."""
    live_bot(w, CRON)
    (channel,) = w.one("apps", "bot")["channels"]
    w.bot("bot", CRON | {"archive": True, "id": channel["id"]})


def publish(w):
    """Plan a publication."""
    live_bot(w, CRON)
    w.bot("bot", CRON, published=True)


def create_bot(w):
    """Plan an app with a channel."""
    w.bot("bot", CRON)


def post_bot(w):
    """Create an app of the name by hand."""
    w.post("/v1/apps", name="bot", harness_id=w.harness)


def swap_names(w):
    """Plan the exchange of two names."""
    one, two = (w.post("/v1/memories", name=name)["id"] for name in ("Notes", "Drafts"))
    w.declare("Memory", "one", {"name": "Drafts"}, id=one)
    w.declare("Memory", "two", {"name": "Notes"}, id=two)


def take_archived_name(w):
    """Plan to give a memory the name of an archived one."""
    w.api.delete(f"/v1/memories/{w.post('/v1/memories', name='Notes')['id']}")
    w.declare("Memory", "one", {"name": "Notes"}, id=w.post("/v1/memories", name="Drafts")["id"])


def rename_memory(w):
    """Plan a new name for a memory."""
    w.declare("Memory", "one", {"name": "Notes"}, id=w.post("/v1/memories", name="Drafts")["id"])


STALE = [
    (
        swap_names,
        lambda w: w.api.patch(path_of(w, "memories", "Drafts"), json={"name": "elsewhere"}),
        "its name has another holder",
    ),
    (
        take_archived_name,
        lambda w: w.api.patch(path_of(w, "memories", "Notes"), json={"name": "elsewhere"}),
        "the archived twin that held its name is gone",
    ),
    (rename_memory, lambda w: w.post("/v1/memories", name="NOTES"), "its new name is taken by now"),
    (
        rename_memory,
        lambda w: w.api.delete(f"/v1/memories/{w.post('/v1/memories', name='NOTES')['id']}"),
        "an archived resource holds its name by now",
    ),
    (create_agent, lambda w: w.post("/v1/agents", name="triage", system_prompt="x"), "exists on the platform by now"),
    (
        create_agent,
        lambda w: w.api.delete(f"/v1/agents/{w.post('/v1/agents', name='triage', system_prompt='x')['id']}"),
        "an archived resource holds its name by now",
    ),
    (lambda w: w.memory("docs"), lambda w: w.post("/v1/memories", name="DOCS"), "exists on the platform by now"),
    (
        free_memory,
        lambda w: w.api.patch(path_of(w, "memories", "docs"), json={"name": "elsewhere"}),
        "the archived twin that held its name is gone",
    ),
    (
        update_agent,
        lambda w: w.api.patch(path_of(w, "agents", "triage"), json={"tags": ["b"]}),
        "was changed on the platform",
    ),
    (
        update_agent,
        lambda w: w.api.patch(path_of(w, "agents", "triage"), json={"system_prompt": "x"}),
        "was changed on the platform",
    ),
    (update_agent, lambda w: w.api.delete(path_of(w, "agents", "triage")), "was archived"),
    (
        update_agent,
        lambda w: [w.api.delete(p := path_of(w, "agents", "triage")), w.api.post(f"{p}/delete")],
        "is gone from the platform",
    ),
    (
        replace_agent,
        lambda w: w.api.patch(path_of(w, "agents", "triage"), json={"description": "x"}),
        "was changed on the platform",
    ),
    (
        restore_agent,
        lambda w: w.api.put(path_of(w, "agents", "triage"), json={"name": "triage", "system_prompt": "Old."}),
        "was restored",
    ),
    (
        archive_agent,
        lambda w: w.api.patch(path_of(w, "agents", "triage"), json={"tags": ["b"]}),
        "was changed on the platform",
    ),
    (archive_agent, lambda w: w.api.delete(path_of(w, "agents", "triage")), "was archived"),
    (create_bot, post_bot, "exists on the platform by now"),
    (
        add_channel,
        lambda w: w.post(f"{path_of(w, 'apps', 'bot')}/channels", channel_type="fcp", channel_config={}),
        "its App has other channels by now",
    ),
    (update_channel, lambda w: w.api.patch(channel_of(w), json={"enabled": False}), "was changed on the platform"),
    (update_channel, lambda w: w.api.delete(channel_of(w)), "is gone from the platform"),
    (set_secret, lambda w: w.api.patch(channel_of(w), json={}), "was changed on the platform"),
    (remove_channel, lambda w: w.api.delete(channel_of(w)), "is gone from the platform"),
    (publish, lambda w: w.api.post(f"{path_of(w, 'apps', 'bot')}/publish"), "was changed on the platform"),
    (publish, lambda w: w.api.delete(path_of(w, "apps", "bot")), "was archived"),
    (update_channel, lambda w: w.api.delete(path_of(w, "apps", "bot")), "its App was archived"),
    (add_channel, lambda w: w.api.delete(path_of(w, "apps", "bot")), "its App was archived"),
]


@pytest.mark.parametrize(("prepare", "meanwhile", "why"), STALE)
def test_a_stale_plan_is_refused(world, prepare, meanwhile, why):
    """Whatever a plan stands on may not have moved: nothing is written, and each step that moved is named."""
    prepare(world)
    plan = world.plan()
    assert plan.writes
    meanwhile(world)
    world.forget()
    with pytest.raises(StalePlan) as raised:
        world.apply(plan)
    assert why in raised.value.moved.values()
    assert set(raised.value.moved) <= {change.step for change in plan.writes}
    assert world.writes == []


FRESH = [
    (swap_names, lambda w: w.api.patch(path_of(w, "memories", "Drafts"), json={"description": "not declared"})),
    (update_agent, lambda w: w.api.patch(path_of(w, "agents", "triage"), json={"description": "not declared"})),
    (update_channel, lambda w: w.api.patch(path_of(w, "apps", "bot"), json={"description": "x"})),
    (publish, lambda w: w.api.patch(path_of(w, "apps", "bot"), json={"description": "x"})),
    (create_agent, lambda w: w.post("/v1/agents", name="other", system_prompt="x")),
    (create_bot, lambda w: w.api.delete(f"/v1/apps/{w.post('/v1/apps', name='bot', harness_id=w.harness)['id']}")),
    (set_secret, lambda w: w.api.patch(path_of(w, "apps", "bot"), json={"description": "x"})),
]


@pytest.mark.parametrize(("prepare", "meanwhile"), FRESH)
def test_what_does_not_matter_does_not_make_it_stale(world, prepare, meanwhile):
    """A plan minds what it declares and writes, and nothing else."""
    prepare(world)
    plan = world.plan()
    meanwhile(world)
    assert world.apply(plan).exit_codes == (0,)
    assert world.plan().is_empty


EVERY = [
    create_agent,
    update_agent,
    replace_agent,
    restore_agent,
    archive_agent,
    free_memory,
    create_bot,
    add_channel,
    update_channel,
    set_secret,
    remove_channel,
    publish,
]


@pytest.mark.parametrize("prepare", EVERY)
def test_a_plan_applied_twice_is_stale(world, prepare):
    """A plan is for one use: its ledger moved on, and what it did makes its own preconditions false as well."""
    prepare(world)
    data = dumps(world.plan(), plan_id="1", origin=Origin("http://localhost", ("manifests",)))
    plan = loads(data, name="p").plan
    assert world.apply(plan).exit_codes == (0,)
    world.forget()
    again = loads(data, name="p").plan
    with pytest.raises(LedgerMoved, match=r"serial"):
        world.apply(again)
    with pytest.raises(StalePlan) as raised:
        world.apply(replace(again, serial=world.ledger.serial))
    assert plan.writes[0].step in raised.value.moved
    assert world.writes == []


def test_a_stale_plan_names_all_that_moved(world):
    """Every step that moved is named at once."""
    update_agent(world)
    world.memory("docs")
    world.bot("bot", CRON)
    plan = world.plan()
    world.api.delete(path_of(world, "agents", "triage"))
    world.post("/v1/memories", name="docs")
    with pytest.raises(StalePlan) as raised:
        world.apply(plan)
    assert raised.value.moved == {
        "default/Agent/triage": "was archived",
        "default/Memory/docs": "exists on the platform by now",
    }
    assert "2 of its resources moved" in raised.value.message


def test_freshness_is_one_read_for_each_kind(world):
    """Checking reads a list for each kind that is written, not a resource at a time."""
    for name in "abc":
        world.agent(name)
        world.memory(name)
    plan = world.plan()
    world.forget()
    world.apply(plan)
    before = world.sent[: world.sent.index(world.writes[0])]
    assert sorted(sent.path for sent in before) == ["/v1/agents", "/v1/memories"]


# --- proof ---


def remainders(applied):
    """Return what was left as address and `field: server keeps, you wrote`."""
    return [
        (left.address.local, [(field.name, field.old, field.new) for field in left.fields] or left.message)
        for left in applied.remainders
    ]


def dropping(plural, name, **edit):
    """Let a server lose or change what it was sent: None drops a field."""

    def change(page):
        for item in page["data"]:
            if item["name"] == name:
                item.update({key: value for key, value in edit.items() if value is not None})
                for key in [key for key, value in edit.items() if value is None]:
                    item.pop(key, None)
        return page

    return lambda world: world.meddler.edit("GET", f"/v1/{plural}", change, times=None, skip=2)


LOSSES = [
    (
        "a changed scalar",
        dropping("agents", "triage", system_prompt="Censored."),
        [("system_prompt", "Censored.", "Help.")],
    ),
    ("a dropped scalar", dropping("agents", "triage", max_iterations=None), [("max_iterations", None, 3)]),
    ("a shortened list", dropping("agents", "triage", tags=["a"]), [("tags", ["a"], ["a", "b"])]),
    ("true for one", dropping("agents", "triage", max_iterations=True), [("max_iterations", True, 3)]),
]


@pytest.mark.parametrize(("meddle", "left"), [row[1:] for row in LOSSES], ids=[row[0] for row in LOSSES])
def test_what_the_server_does_not_keep_is_found(world, meddle, left):
    """A write that was accepted and not kept is a remainder: you wrote this, the server keeps that."""
    world.agent("triage", max_iterations=3, tags=["b", "a"])
    meddle(world)
    applied = world.apply()
    assert remainders(applied) == [("Agent/triage", left)]
    assert applied.exit_codes == (7,)


def test_what_a_put_does_not_clear_is_found(world):
    """A field that should be gone and is not is a remainder as well."""
    replace_agent(world)
    dropping("agents", "triage", display_name="Triage")(world)
    applied = world.apply()
    assert remainders(applied) == [("Agent/triage", [("display_name", "Triage", None)])]


def test_a_reference_the_server_changes_is_found(world):
    """References are proved, too."""
    world.agent("triage")
    world.agent("other")
    world.converge()
    other = world.one("agents", "other")["id"]
    world.bot("bot", agent="triage")
    dropping("apps", "bot", agent_id=other)(world)
    ((address, fields),) = remainders(world.apply())
    assert (address, fields[0][0]) == ("App/bot", "agent")


def lifecycle(plural, name, status):
    """Let a server show another status than it should, once the plan is checked."""
    return dropping(plural, name, status=status)


LIVES = [
    (archive_agent, lifecycle("agents", "triage", "active"), "it was archived, and is still there"),
    (create_agent, lifecycle("agents", "triage", "archived"), "it was written, and is archived"),
    (publish, lifecycle("apps", "bot", "draft"), [("published", False, True)]),
    (
        create_agent,
        lambda w: w.meddler.edit("GET", "/v1/agents", lambda p: p | {"data": [], "total": 0}, times=None, skip=2),
        "it was written, and cannot be found",
    ),
]


@pytest.mark.parametrize(("prepare", "meddle", "left"), LIVES)
def test_what_did_not_become_of_it_is_found(world, prepare, meddle, left):
    """Being there, gone, archived or published is proved like any field."""
    prepare(world)
    meddle(world)
    ((_, found),) = remainders(world.apply())
    assert found == left


def test_a_secret_that_was_not_stored_is_found(world):
    """A server that forgets a secret is found out, without the value."""
    set_secret(world)
    world.meddler.edit(
        "GET",
        "/v1/apps",
        lambda page: [app["channels"][0]["channel_config"].clear() for app in page["data"]] and page,
        times=None,
    )
    applied = world.apply()
    ((address, ((name, old, _new),)),) = remainders(applied)
    assert (address, name, old) == ("App/bot/Channel/f", "config.token", None)
    assert "sesame" not in repr(applied)


def test_only_what_was_done_is_proved(world):
    """What failed is not read back, and a run that did nothing reads nothing."""
    world.agent("triage")
    world.meddler.instead("POST", "/v1/agents", (403, {}))
    plan = world.plan()
    world.forget()
    assert world.apply(plan, recheck=False).remainders == ()
    assert [sent.method for sent in world.sent] == ["POST"]


def test_proof_of_a_new_organization(world):
    """What was created in a new organization is read back there."""
    world.declare("Organization", "acme", {"name": "Acme"})
    world.agent("triage")
    applied = world.apply()
    assert applied.exit_codes == (0,)
    org = world.one("orgs", "Acme")["id"]
    last = [sent for sent in world.sent if sent.path == "/v1/agents"][-1]
    assert (last.method, last.org) == ("GET", org)
