"""Every write whose answer is lost, in every way it can be lost: done once, proved by reading, no duplicate."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx
import pytest

from reconciler.plan.outcome import Conflicted, Done, Failed

TOKEN = {"env": "TOKEN"}
WEBHOOK = {"name": "w", "type": "webhook", "config": {"message": "Go.", "token": TOKEN}}
SCHEDULE = {"name": "s", "type": "schedule", "config": {"cron_expression": "0 2 * * *", "message": "Run."}}
KEYED = {"name": "k", "type": "api_endpoint", "config": {"rate_limit_per_minute": 3}}


@pytest.fixture(autouse=True)
def _secret(monkeypatch):
    """Give the secret of this module a value."""
    monkeypatch.setenv("TOKEN", "sesame")


LOST = {
    "reset": lambda m, *at: m.cut(*at, httpx.ReadError("reset"), carried_out=True),
    "closed": lambda m, *at: m.cut(*at, httpx.RemoteProtocolError("closed"), carried_out=True),
    "timeout": lambda m, *at: m.cut(*at, httpx.ReadTimeout("slow"), carried_out=True),
    "500": lambda m, *at: m.after(*at, (500, {"detail": "oops"})),
    "503": lambda m, *at: m.after(*at, (503, {"retry_after_seconds": 1})),
    "504": lambda m, *at: m.after(*at, (504, b"<html>")),
    "truncated": lambda m, *at: m.after(*at, (200, b'{"id": "ag')),
}
NEVER = {
    "reset": lambda m, *at: m.cut(*at, httpx.ReadError("reset")),
    "timeout": lambda m, *at: m.cut(*at, httpx.ReadTimeout("slow")),
    "500": lambda m, *at: m.instead(*at, (500, {"detail": "oops"})),
    "503": lambda m, *at: m.instead(*at, (503, {"retry_after_seconds": 1})),
    "504": lambda m, *at: m.instead(*at, (504, b"<html>")),
}
LATE = {"timeout", "504", "reset"}


@dataclass(frozen=True)
class Write:
    """A write: what was there before it, what is declared, and its request. `late` says that it may not be repeated."""

    declare: Callable
    method: str
    path: str
    before: Callable = lambda _world: None
    late: bool = False


def _there(declare):
    """Let something be live and ours already."""

    def before(world):
        declare(world)
        world.converge()

    return before


def _archived_agent(world):
    world.agent("triage", description="old")
    world.converge()
    world.api.delete(f"/v1/agents/{world.one('agents', 'triage')['id']}")


def _archived_memory(world):
    memory = world.post("/v1/memories", name="docs")
    world.api.delete(f"/v1/memories/{memory['id']}")


def _archive(kind, name):
    return lambda world: world.declare(kind, name, archive=True)


def _tenant(**flags):
    """Declare an organization with feature flags."""
    return lambda world: world.declare("Organization", "acme", {"name": "Acme", "feature_flags": flags})


def _files(**texts):
    """Declare a memory with files, each named by its letter."""
    files = [{"path": f"/guides/{name}.md", "content": text} for name, text in texts.items()]
    return lambda world: world.memory("docs", files=files)


def _released(prompt="Help.", **version):
    """Declare an agent that is published."""
    return lambda world: world.agent("triage", system_prompt=prompt, version={"publish": "on-change", **version})


def _session(*, turns=3, **spec):
    """Declare a session that may be replaced."""
    body = {"title": "Weekly", "max_iterations": turns, **spec}
    return lambda world: world.declare("Session", "weekly", body, replace=True)


def _two_sessions(world):
    """Declare a session beside another one."""
    for name in ("weekly", "daily"):
        world.declare("Session", name, {"title": name})


WRITES = {
    "create an organization": Write(
        lambda w: w.declare("Organization", "acme", {"name": "Acme", "default_model": "gpt-4o"}),
        "POST",
        "/v1/orgs",
        late=True,
    ),
    "settings of a new organization": Write(
        lambda w: w.declare("Organization", "acme", {"name": "Acme", "default_model": "gpt-4o"}),
        "PATCH",
        "/v1/orgs/.*",
    ),
    "create an agent": Write(lambda w: w.agent("triage", tags=["a"]), "POST", "/v1/agents"),
    "create a memory": Write(lambda w: w.memory("docs"), "POST", "/v1/memories"),
    "create an app": Write(lambda w: w.bot("bot"), "POST", "/v1/apps", late=True),
    "create a channel": Write(lambda w: w.bot("bot", WEBHOOK, SCHEDULE), "POST", "/v1/apps/[^/]*/channels", late=True),
    "create a channel with a key": Write(
        lambda w: w.bot("bot", KEYED), "POST", "/v1/apps/[^/]*/api-endpoint-channels", late=True
    ),
    "one more channel of a type": Write(
        lambda w: w.bot("bot", SCHEDULE, {**SCHEDULE, "name": "t", "config": SCHEDULE["config"] | {"message": "2"}}),
        "POST",
        "/v1/apps/[^/]*/channels",
        before=_there(lambda w: w.bot("bot", SCHEDULE)),
        late=True,
    ),
    "rename what holds the name": Write(
        lambda w: w.memory("docs"), "PATCH", "/v1/memories/.*", before=_archived_memory
    ),
    "update an agent": Write(
        lambda w: w.agent("triage", tags=["b"]), "PATCH", "/v1/agents/.*", before=_there(lambda w: w.agent("triage"))
    ),
    "replace an agent": Write(
        lambda w: w.agent("triage", description=None),
        "PUT",
        "/v1/agents/.*",
        before=_there(lambda w: w.agent("triage", description="old")),
    ),
    "empty a list after replacing": Write(
        lambda w: w.agent("triage", description=None, capabilities=[]),
        "PATCH",
        "/v1/agents/.*",
        before=_there(lambda w: w.agent("triage", description="old", capabilities=[{"ref": "web_fetch"}])),
    ),
    "restore an agent": Write(
        lambda w: w.agent("triage", description="new"), "PUT", "/v1/agents/.*", before=_archived_agent
    ),
    "archive an agent": Write(
        _archive("Agent", "triage"), "DELETE", "/v1/agents/.*", before=_there(lambda w: w.agent("triage"))
    ),
    "update a channel with a secret": Write(
        lambda w: w.bot("bot", {**WEBHOOK, "config": WEBHOOK["config"] | {"message": "Now."}}),
        "PATCH",
        "/v1/apps/[^/]*/channels/.*",
        before=_there(lambda w: w.bot("bot", WEBHOOK)),
    ),
    "delete a channel": Write(
        lambda w: w.bot("bot", SCHEDULE),
        "DELETE",
        "/v1/apps/[^/]*/channels/.*",
        before=_there(lambda w: w.bot("bot", SCHEDULE, WEBHOOK)),
    ),
    "publish": Write(
        lambda w: w.bot("bot", SCHEDULE, published=True),
        "POST",
        "/v1/apps/[^/]*/publish",
        before=_there(lambda w: w.bot("bot", SCHEDULE, published=False)),
    ),
    "publish what is new": Write(lambda w: w.bot("bot", SCHEDULE, published=True), "POST", "/v1/apps/[^/]*/publish"),
    "unpublish": Write(
        lambda w: w.bot("bot", SCHEDULE, published=False),
        "POST",
        "/v1/apps/[^/]*/unpublish",
        before=_there(lambda w: w.bot("bot", SCHEDULE, published=True)),
    ),
    "flags of an organization": Write(
        _tenant(voice=False, evals=False), "PATCH", "/v1/orgs/[^/]*/feature-flags", before=_there(_tenant(voice=True))
    ),
    "flags of a new organization": Write(_tenant(voice=False), "PATCH", "/v1/orgs/[^/]*/feature-flags"),
    "a new file": Write(
        _files(a="A", b="B", c="C"), "POST", "/v1/memories/[^/]*/fs/guides/b.md", before=_there(_files(a="A"))
    ),
    "a file of a new memory": Write(_files(a="A", b="B", c="C"), "POST", "/v1/memories/[^/]*/fs/guides/b.md"),
    "another text of a file": Write(
        _files(a="A2", b="B2", c="C2"),
        "PUT",
        "/v1/memories/[^/]*/fs/guides/b.md",
        before=_there(_files(a="A", b="B", c="C")),
    ),
    "a file that goes": Write(
        _files(a="A2"), "DELETE", "/v1/memories/[^/]*/fs/guides/b.md", before=_there(_files(a="A", b="B", c="C"))
    ),
    "publish a version": Write(
        _released("Help more.", kind="minor"),
        "POST",
        "/v1/agents/[^/]*/versions",
        before=_there(_released()),
        late=True,
    ),
    "publish a first version": Write(_released(), "POST", "/v1/agents/[^/]*/versions", late=True),
    "choose a version": Write(
        _released("Help more."), "POST", "/v1/agents/[^/]*/versions/default", before=_there(_released())
    ),
    "create a session": Write(_session(), "POST", "/v1/sessions", late=True),
    "update a session": Write(_session(title="Daily"), "PATCH", "/v1/sessions/.*", before=_there(_session())),
    "delete a session": Write(
        lambda w: w.drop("Session", "weekly"), "DELETE", "/v1/sessions/.*", before=_there(_two_sessions)
    ),
    "make room for another session": Write(_session(turns=5), "DELETE", "/v1/sessions/.*", before=_there(_session())),
    "create a session in the place of another": Write(
        _session(turns=5), "POST", "/v1/sessions", before=_there(_session()), late=True
    ),
    "get or create the chat": Write(
        lambda w: w.declare("ChatSession", "chat", {"locale": "de-DE"}), "POST", "/v1/sessions/chat"
    ),
}
TWICE = {
    "update a channel with a secret",  # whether a secret arrived cannot be read
    "settings of a new organization",  # as the rest of a creation, which is simply written again
    "flags of a new organization",
    "another text of a file",  # with every other file of its step
    "get or create the chat",  # the platform itself finds what is there
}
"""What is written again although it was done, because that is harmless."""


def _counts(world):
    """Count everything live, to see duplicates."""
    apps = world.live("apps")
    plurals = ("orgs", "agents", "memories", "sessions")
    versions = [world.api.get(f"/v1/agents/{one['id']}/versions").json() for one in world.live("agents")]
    files = world.emulator.store.query("SELECT path, content FROM memory_files ORDER BY path")
    return {plural: len(world.live(plural)) for plural in plurals} | {
        "apps": len(apps),
        "channels": sum(len(app["channels"]) for app in apps),
        "versions": sorted(one["version"] for listed in versions for one in listed),
        "files": files,
    }


_UNDISTURBED = {}
"""By write: what is there and how often its request was sent when nothing was in its way."""


def _undisturbed(open_world, name):
    """Carry a write out with nothing in its way; count what is there then, and its requests."""
    if name not in _UNDISTURBED:
        write = WRITES[name]
        with open_world() as world:
            write.before(world)
            write.declare(world)
            world.forget()
            world.apply()
            sent = sum(_fits(write, one) for one in world.writes)
            _UNDISTURBED[name] = _counts(world), sent
    return _UNDISTURBED[name]


@pytest.mark.parametrize("loss", LOST)
@pytest.mark.parametrize("name", WRITES)
def test_the_answer_is_lost(world, open_world, clock, name, loss):
    """What was carried out is found by reading: done, sent once, no duplicate, and the next plan is empty."""
    write = WRITES[name]
    write.before(world)
    write.declare(world)
    LOST[loss](world.meddler, write.method, write.path)
    world.forget()
    applied = world.apply()
    assert applied.exit_codes == (0,), applied.outcomes
    sent = sum(_fits(write, one) for one in world.writes)
    counts, usually = _undisturbed(open_world, name)
    assert sent == usually + (name in TWICE), world.lines
    assert _counts(world) == counts
    assert world.plan().is_empty


def _fits(write, sent):
    return sent.method == write.method and re.fullmatch(write.path, sent.path) is not None


@pytest.mark.parametrize("loss", NEVER)
@pytest.mark.parametrize("name", WRITES)
def test_it_never_arrived(world, open_world, clock, name, loss):
    """What was not carried out is sent again, unless it may still arrive and would then be there twice."""
    write = WRITES[name]
    write.before(world)
    write.declare(world)
    NEVER[loss](world.meddler, write.method, write.path)
    applied = world.apply()
    if write.late and loss in LATE:
        failed = [one for one in applied.outcomes if isinstance(one, Failed)]
        assert [("may still come" in one.error.message) for one in failed] == [True], applied.outcomes
        assert applied.exit_codes != (0,)
        world.apply()
    else:
        assert applied.exit_codes == (0,), applied.outcomes
        assert all(isinstance(one, Done) for one in applied.outcomes)
    assert world.plan().is_empty
    assert _counts(world) == _undisturbed(open_world, name)[0]


@pytest.mark.parametrize("name", [name for name, write in WRITES.items() if write.late])
def test_what_arrives_late_is_found(world, open_world, clock, name):
    """A create that is carried out after its connection was given up is found while it is waited for."""
    write = WRITES[name]
    write.before(world)
    write.declare(world)
    held = []

    def hold(_sent, pass_on):
        held.append(pass_on)
        raise httpx.ReadTimeout("slow")

    world.meddler.cut(write.method, write.path, httpx.ReadTimeout("slow"))
    world.meddler.rules[-1].do = hold

    def arrives(seconds):
        clock.sleep(seconds)
        if held and len(clock.slept) > 1:
            held.pop()()

    world.clock = replace(world.clock, sleep=arrives)
    applied = world.apply()
    assert applied.exit_codes == (0,), applied.outcomes
    assert not held
    assert world.plan().is_empty
    assert _counts(world) == _undisturbed(open_world, name)[0]


def test_a_lost_key_is_told(world, clock):
    """A key that was shown in a lost answer cannot be had again: how to make a new one is said."""
    world.bot("bot", KEYED)
    world.meddler.cut("POST", ".*/api-endpoint-channels", httpx.ReadError("reset"), carried_out=True)
    applied = world.apply()
    (note,) = [one.note for one in applied.outcomes if one.note]
    app = world.one("apps", "bot")
    path = f"/v1/apps/{app['id']}/api-endpoint-channels/{app['channels'][0]['id']}/regenerate-key"
    assert "its key was lost with it: for a new one: curl -X POST" in note
    assert path in note
    answer = world.api.post(path)
    assert answer.json()["api_key"].startswith("evr_app_")


def test_several_that_could_be_it(world, clock):
    """Where somebody else made one of the same name at the same moment, a person says which one is meant."""
    world.bot("bot", description="d")

    def another():
        world.post("/v1/apps", name="bot", harness_id=world.harness)

    world.meddler.cut("POST", "/v1/apps", httpx.ReadError("reset"), carried_out=True)
    rule = world.meddler.rules[-1]
    act = rule.do
    rule.do = lambda sent, pass_on: (another(), act(sent, pass_on))[1]
    (outcome,) = world.apply().outcomes
    assert "2 of its name are there by now" in outcome.message
    assert world.lines == ["POST /v1/apps"]


REFUSALS = {
    "told to come later": lambda m, *at: m.instead(*at, (429, {"retry_after_seconds": 3600})),
    "not heard": lambda m, *at: m.cut(*at, httpx.ConnectError("refused"), times=None),
    "no role": lambda m, *at: m.instead(*at, (403, {"detail": "Owner access required"})),
    "refused": lambda m, *at: m.instead(*at, (400, {"detail": "no"})),
}


@pytest.mark.parametrize("second", REFUSALS)
def test_a_refusal_after_a_lost_answer_leaves_it_announced(world, clock, second):
    """What may still come stays announced in the ledger, however the second attempt ends: it would be nobody's."""
    world.agent("triage")
    plan = world.plan()
    world.meddler.cut("POST", "/v1/agents", httpx.ReadTimeout("slow"))
    REFUSALS[second](world.meddler, "POST", "/v1/agents")
    (outcome,) = world.apply(plan).outcomes
    assert isinstance(outcome, Failed)
    assert outcome.in_doubt
    assert world.ledger.begun == {outcome.change.address}


def test_a_refused_create_is_announced_no_more(world):
    """What surely was not made is not ours when somebody else makes it."""
    world.agent("triage")
    world.meddler.instead("POST", "/v1/agents", (403, {"detail": "Owner access required"}))
    (outcome,) = world.apply().outcomes
    assert isinstance(outcome, Failed)
    assert not outcome.in_doubt
    assert world.ledger.begun == frozenset()


def test_a_create_whose_rest_is_refused_is_finished_by_the_next_run(world):
    """The first of two calls made it: that the second is refused does not make it somebody else's."""
    world.adopt = "exact"
    world.declare("Organization", "acme", {"name": "Acme", "default_model": "gpt-4o"})
    world.meddler.instead("PATCH", "/v1/orgs/.*", (403, {"detail": "no"}))
    (outcome,) = world.apply().outcomes
    assert isinstance(outcome, Failed)
    assert outcome.in_doubt
    world.converge()
    assert world.plan().is_empty


def test_secrets_are_sent_to_what_was_found(world, clock):
    """What is found may be another's of the same look: its secret is sent, so that what is remembered is true."""
    world.bot("bot", WEBHOOK)
    world.meddler.cut("POST", "/v1/apps/[^/]*/channels", httpx.ReadError("reset"), carried_out=True)
    assert world.apply().exit_codes == (0,)
    assert world.lines[-1] == "PATCH /v1/apps/app_/channels/appchan_"
    assert world.writes[-1].body["channel_config"]["token"] == "sesame"


def test_somebody_elses_is_not_taken_in_doubt(world, clock):
    """An agent that has not the id we chose is not ours, however much it looks like it."""
    world.adopt = "never"
    world.agent("triage")

    def another():
        world.post("/v1/agents", name="triage", system_prompt="Help.")

    world.meddler.instead("POST", "/v1/agents", (503, {"detail": "busy"}))
    rule = world.meddler.rules[-1]
    act = rule.do
    rule.do = lambda sent, pass_on: (another(), act(sent, pass_on))[1]
    (outcome,) = world.apply().outcomes
    assert isinstance(outcome, Conflicted)
    assert "adopt: never" in outcome.message


@pytest.mark.parametrize("loss", LOST)
def test_a_revival_whose_answer_is_lost(world, clock, loss):
    """What stands in the way of a create and is brought back instead is settled by reading like any other write."""
    world.adopt = "overwrite"
    world.agent("triage", tags=["a"])
    plan = world.plan()
    agent = world.post("/v1/agents", name="triage", system_prompt="Old.")["id"]
    world.api.delete(f"/v1/agents/{agent}")
    LOST[loss](world.meddler, "PUT", "/v1/agents/.*")
    world.forget()
    applied = world.apply(plan, recheck=False)
    assert applied.exit_codes == (0,), applied.outcomes
    assert world.lines == ["POST /v1/agents", "PUT /v1/agents/agent_"]
    assert world.plan().is_empty
