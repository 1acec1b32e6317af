"""A create of an earlier run whose fate nobody knows: waited for where two of a name are possible, then taken over."""

import httpx
import pytest

from reconciler.live import beforehand
from reconciler.live.clock import Clock
from reconciler.live.runs import MAY_ARRIVE, Runs
from reconciler.plan.outcome import Failed
from tests.conftest import FakeTime

SCHEDULE = {"name": "s", "type": "schedule", "config": {"cron_expression": "0 2 * * *", "message": "Run."}}


@pytest.fixture
def kept(world, tmp_path):
    """Give a world whose runs leave journals, and on whose clock nobody waits; `arrives` is called at each sleep."""
    world.runs = Runs(tmp_path / "runs")
    world.time = FakeTime()
    world.arrives = lambda: None

    def sleep(seconds):
        world.time.sleep(seconds)
        world.arrives()

    world.clock = Clock(world.time.monotonic, sleep, chance=lambda: 0.0)
    return world


def held(world, path):
    """Hold a create back, as a slow server does after its client gave up; return how to let it go."""
    waiting = []

    def hold(_sent, pass_on):
        waiting.append(pass_on)
        raise httpx.ReadTimeout("slow")

    world.meddler.cut("POST", path, httpx.ReadTimeout("slow"))
    world.meddler.rules[-1].do = hold
    return lambda: waiting and waiting.pop()()


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("/v1/apps", lambda w: len(w.live("apps"))),
        ("/v1/apps/[^/]*/channels", lambda w: len(w.one("apps", "bot")["channels"])),
    ],
    ids=["app", "channel"],
)
def test_the_next_run_waits_for_what_may_arrive(kept, path, count):
    """What comes after the first run gave up is found by the second, which makes no other."""
    kept.bot("bot", SCHEDULE)
    let_go = held(kept, path)
    first = kept.apply()
    assert [type(one) for one in first.outcomes if isinstance(one, Failed)] == [Failed]
    waited = kept.time.waited

    def arrives():
        if kept.time.waited - waited > 20:
            let_go()

    kept.arrives = arrives
    assert kept.apply().exit_codes == (0,)
    assert count(kept) == 1
    assert kept.plan().is_empty


def versions(world):
    """Give the numbers of the versions that are published."""
    ident = world.one("agents", "triage")["id"]
    return [one["version"] for one in world.api.get(f"/v1/agents/{ident}/versions").json() if one["is_published"]]


@pytest.mark.parametrize("comes", [True, False])
def test_a_version_that_may_arrive_is_waited_for(kept, comes):
    """What an earlier run asked to be published is published once, whether it arrives late or never."""
    kept.agent("triage", version={"publish": "on-change"})
    let_go = held(kept, "/v1/agents/[^/]*/versions")
    assert kept.apply().exit_codes != (0,)
    waited = kept.time.waited
    kept.arrives = lambda: comes and kept.time.waited - waited > 20 and let_go()
    assert kept.apply().exit_codes == (0,)
    assert 0 < kept.time.waited - waited <= MAY_ARRIVE
    assert versions(kept) == ["0.1.0"]
    assert kept.plan().is_empty


def test_who_does_not_wait_publishes_twice(kept, monkeypatch):
    """The wait is what keeps the version from being there twice: without it, it is."""
    monkeypatch.setattr(beforehand, "await_version", lambda _climb: None)
    with pytest.raises(AssertionError):
        test_a_version_that_may_arrive_is_waited_for(kept, comes=True)


def test_a_key_that_may_arrive_is_waited_for(kept):
    """A key that was asked for and comes late would be the death of the next one, which therefore waits."""
    door = {"name": "door", "type": "api_endpoint", "key_to": {"env_file": "keys.env"}}
    kept.bot("bot", door)
    assert kept.apply().exit_codes == (0,)
    lost = held(kept, ".*/regenerate-key")
    kept.meddler.instead("POST", ".*/regenerate-key", (403, {"detail": "no"}))
    assert kept.apply(kept.plan(rotate=("*",))).exit_codes != (0,)
    waited = kept.time.waited
    kept.arrives = lambda: kept.time.waited - waited > 20 and lost()
    assert kept.apply(kept.plan(rotate=("*",))).exit_codes == (0,)
    (channel,) = kept.one("apps", "bot")["channels"]
    key = (kept.folder / "keys.env").read_text().partition("=")[2]
    assert key.startswith(channel["channel_config"]["api_key_prefix"].removesuffix("..."))


def test_what_never_arrives_is_made(kept):
    """The wait has an end, and then it is created."""
    kept.bot("bot")
    kept.meddler.cut("POST", "/v1/apps", httpx.ReadTimeout("slow"))
    kept.apply()
    before = kept.time.waited
    assert kept.apply().exit_codes == (0,)
    assert 0 < kept.time.waited - before <= MAY_ARRIVE
    assert len(kept.live("apps")) == 1


def test_nothing_is_waited_for_without_need(kept):
    """What was answered, and what has a unique name or an id of ours, is not waited for."""
    kept.bot("bot")
    kept.agent("triage")
    kept.memory("docs")
    for path in ("/v1/agents", "/v1/memories"):
        kept.meddler.instead("POST", path, (500, {}), times=4)
    kept.apply()
    before = kept.time.waited
    assert kept.apply().exit_codes == (0,)
    assert kept.time.waited == before
