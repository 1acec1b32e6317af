"""What holds for every fleet: converge, write once, touch nothing else, tell no secret."""

import json
import os
import random

import httpx
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.errors import ReconcilerError, StalePlan
from reconciler.kinds.channel_config import CONFIGS as MODELS
from reconciler.kinds.channel_config import with_defaults
from reconciler.plan.file import Origin, dumps
from reconciler.plan.outcome import Failed
from reconciler.reconcile import make_plan, read_manifests, want
from reconciler.settings import settings as settings_of

from .fleets import SECRETS, fleets
from .profile import law
from .steps import UNCLEAR, alive, declare, files, pending, published, refusals, sessions, settle, stored


@law
@given(fleets(below=True))
def test_what_was_applied_is_in_sync(open_world, fleet):
    """The plan of what was just applied is empty, and applying again sends no write."""
    with open_world() as world:
        declare(world, fleet)
        settle(world)
        world.forget()
        assert pending(world.plan()) == []
        assert settle(world).outcomes == ()
        assert world.writes == []


@law
@given(fleets(below=True))
def test_a_plan_writes_nothing(open_world, fleet):
    """Planning sends nothing but GET, and leaves every byte of the server as it was."""
    with open_world() as world:
        before = "\n".join(world.emulator.store._db.iterdump())
        declare(world, fleet)
        world.plan()
        assert {sent.method for sent in world.sent} == {"GET"}
        assert "\n".join(world.emulator.store._db.iterdump()) == before


def shuffled(value, rng):
    """Return the same value with the keys of every map in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(item, rng)) for key, item in value.items()]
        rng.shuffle(items)
        return {key: sorted(item, key=lambda _: rng.random()) if key == "tags" else item for key, item in items}
    return [shuffled(item, rng) for item in value] if isinstance(value, list) else value


@law
@given(fleets(below=True), st.randoms(use_true_random=False))
def test_order_does_not_matter(open_world, fleet, rng: random.Random):
    """Files, documents, keys and tags in any order make the same plan."""
    with open_world() as world:
        declare(world, fleet)
        plan = world.plan()
        documents = [shuffled(document, rng) for document in world.declared.values()]
        rng.shuffle(documents)
        (world.folder / "fleet.yaml").unlink()
        names = [f"{rng.randrange(10**6)}-{number}.yaml" for number in range(len(documents))]
        for name, document in zip(names, documents, strict=True):
            place = world.folder / rng.choice(["", "deep", "deep/er"]) / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps(document))
        chosen = settings_of(env={}, manifests=(str(world.folder),))
        wanted = want(read_manifests(chosen.manifests), chosen, ledger=world.ledger, config=world.config)
        again = make_plan(wanted, chosen, client=world.reader())
        assert again.digest == plan.digest
        assert [change.step for change in again.changes] == [change.step for change in plan.changes]


def declared_part(world, fleet):
    """Return what the server has of every declared field that it shows as written."""
    seen = {}
    for (kind, name), spec in fleet.items():
        if kind == "Session":
            seen[kind, name] = said(world, name, spec)
            continue
        live = world.one({"Memory": "memories", "Agent": "agents", "App": "apps"}[kind], name)
        fields = {key: value for key, value in spec.items() if key in SHOWN}
        seen[kind, name] = {key: live.get(key) for key in fields}
        if kind == "App" and "published" in spec:
            seen[kind, name]["published"] = live["status"] == "published"
        if "files" in spec:
            seen[kind, name]["files"] = files(world, live)
        for channel in spec.get("channels", []):
            (match,) = [item for item in live["channels"] if item["channel_type"] == channel["type"]]
            plain = [key for key in channel.get("config", {}) if key not in HIDDEN]
            seen[kind, name, channel["name"]] = {
                **{key: with_defaults(match["channel_config"], MODELS[channel["type"]]).get(key) for key in plain},
                "enabled": match["enabled"] if "enabled" in channel else None,
            }
    return seen


def said(world, name, spec):
    """Return what the server has of a session, as far as it is declared and said in plain words."""
    (live,) = [item for item in world.live("sessions") if f"reconciler:{name}" in item["tags"]]
    return {key: sorted(live[key]) if key == "tags" else live.get(key) for key in spec.keys() - {"agent"}}


SHOWN = ("system_prompt", "display_name", "tags", "max_iterations", "parallel_tool_calls", "network_access")
HIDDEN = ("token", "signing_secret", "bot_token", "auth", "captcha", "branding")


@law
@given(fleets(alike=False, below=True), fleets(alike=False, below=True))
def test_the_past_does_not_matter(open_world, first, second):
    """Applying one fleet and then another ends where the other alone ends: what left git is gone, and was ours."""
    with open_world() as world, open_world() as fresh:
        declare(world, first)
        settle(world)
        declare(world, second)
        faults = refusals(world)
        assert all(any(known in message for known in UNCLEAR) for message in faults), faults
        assume(not faults)
        settle(world)
        assert pending(world.plan()) == []
        declare(fresh, second)
        settle(fresh)
        assert declared_part(world, second) == declared_part(fresh, second)
        assert alive(world) == alive(fresh)
        assert world.ledger.entries.keys() == fresh.ledger.entries.keys()


@law
@given(fleets(below=True), fleets(alike=False, below=True))
def test_foreign_resources_are_untouched(open_world, theirs, ours):
    """What git does not declare is the same byte for byte afterwards, whatever is applied beside it."""
    with open_world() as world:
        declare(world, theirs)
        settle(world)
        world.lose_ledger()
        for table in ("agents", "memories", "apps"):
            for item in world.live(table):
                renamed = {"name": f"foreign-{item['name']}"}
                assert world.api.patch(f"/v1/{table}/{item['id']}", json=renamed).status_code == 200
        for item in world.live("sessions"):
            assert world.api.patch(f"/v1/sessions/{item['id']}", json={"tags": ["theirs"]}).status_code == 200
        before = stored(world)
        declare(world, ours)
        settle(world)
        after = stored(world)
        assert {ident: after[ident] for ident in before} == before


@law
@given(fleets(), st.integers(0, 11), st.booleans())
def test_no_secret_is_told(open_world, fleet, breaks_at, carried_out):
    """No value of a secret is in a plan, its file, an outcome or an error, whatever goes wrong."""
    with open_world() as world:
        declare(world, fleet)
        plan = world.plan()
        told = [repr(plan), dumps(plan, plan_id="1", origin=Origin("http://localhost")).decode(), repr(world.declared)]
        error = httpx.ReadError("reset")
        for method in ("POST", "PATCH"):
            world.meddler.cut(method, ".*", error, carried_out=carried_out, skip=breaks_at)
        applied = world.apply(plan)
        told += [repr(applied), repr(plan.digest)]
        told += [f"{failed.error!r} {failed.error.hint}" for failed in applied.outcomes if isinstance(failed, Failed)]
        try:
            world.apply(plan)
        except StalePlan as stale:
            told.append(f"{stale!r} {stale.moved}")
        except ReconcilerError as other:
            told.append(f"{other!r} {other.hint}")
        everything = "\n".join(told)
        assert not [name for name in SECRETS if os.environ[name] in everything]


@law
@given(fleets(below=True), st.integers(0, 11), st.booleans())
def test_an_interrupted_run_is_finished_by_the_next(open_world, fleet, breaks_at, carried_out):
    """Wherever a run breaks off, the next one converges, and nothing is there twice."""
    with open_world() as world:
        declare(world, fleet)
        for method in ("POST", "PATCH", "PUT", "DELETE"):
            world.meddler.cut(
                method, ".*", httpx.ReadError("killed"), carried_out=carried_out, times=None, skip=breaks_at
            )
        world.apply()
        world.meddler.rules.clear()
        settle(world)
        assert pending(world.plan()) == []
        for plural, kind in (("memories", "Memory"), ("agents", "Agent"), ("apps", "App")):
            assert sorted(item["name"] for item in world.live(plural)) == sorted(n for k, n in fleet if k == kind)
        for (kind, name), spec in fleet.items():
            if kind == "App":
                live = [channel["channel_type"] for channel in world.one("apps", name)["channels"]]
                assert sorted(live) == sorted(channel["type"] for channel in spec.get("channels", []))
        assert sorted(sessions(world)) == sorted(f"reconciler:{name}" for kind, name in fleet if kind == "Session")
        assert all(len(hashes) <= 1 for hashes in published(world).values())
