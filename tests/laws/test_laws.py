"""What holds for every fleet: converge, write once, touch nothing else, tell no secret."""

import json
import os
import random
from collections import Counter

import httpx
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from reconciler.errors import ManifestError, ReconcilerError, StalePlan
from reconciler.kinds.channel_config import CONFIGS as MODELS
from reconciler.kinds.channel_config import with_defaults
from reconciler.plan.change import Action
from reconciler.plan.file import Origin, dumps
from reconciler.plan.outcome import Failed
from reconciler.reconcile import make_plan, read_manifests, want
from reconciler.settings import settings as settings_of

law = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.generate],  # to shrink a fleet takes longer than a test may
)
SECRETS = {f"LAW_SECRET_{n}": f"sesame-{n}-open-{n * 7919:05}" for n in range(3)}


@pytest.fixture(scope="module", autouse=True)
def _secrets():
    """Give every secret of the fleets a value that is easy to find."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        yield


# --- fleets ---


def record(required=None, **optional):
    """Make a map of what must be there and any part of the rest."""
    return st.fixed_dictionaries(required or {}, optional=optional)


def each_once(items, **size):
    """Make a list without repetition."""
    return st.lists(st.sampled_from(items), unique=True, **size)


words = st.text("abc -.é\n\"'{}#:", min_size=1, max_size=12).filter(str.strip)
texts = words | st.just("")
secrets = st.sampled_from(sorted(SECRETS)).map(lambda name: {"env": name})
counts = st.integers(0, 50)
modes = st.sampled_from(["shared_session", "session_per_invocation"])
crons = st.sampled_from(["0 2 * * *", "*/5 9-17 * * 1-5", "0 0 2 * * * *", "15  3 1 * *"])

requirements = record(
    audiences=each_once(["a", "b", "c"], max_size=3),
    scopes=each_once(["x", "y"], max_size=2),
    claims=st.dictionaries(st.sampled_from(["k", "l"]), st.booleans() | counts | words, max_size=2),
)
auths = st.one_of(
    record({"mode": st.just("anonymous")}),
    record(
        {
            "mode": st.just("oidc"),
            "provider": record({"type": st.just("oidc"), "issuer": st.just("https://login.example.com")}),
        },
        requirements=requirements,
    ),
    record(
        {
            "mode": st.sampled_from(["o_auth2_introspection", "oauth2_introspection"]),
            "provider": record(
                {
                    "type": st.just("o_auth2_introspection"),
                    "introspection_url": st.just("https://login.example.com/introspect"),
                },
                client_id=words,
                client_secret=secrets,
            ),
        }
    ),
    record(
        {
            "mode": st.just("http_basic"),
            "provider": record({"type": st.just("http_basic"), "username": words, "password": secrets}),
        }
    ),
    record(
        {
            "mode": st.just("mtls"),
            "provider": record(
                {
                    "type": st.just("mtls"),
                    "header_name": words,
                    "allowed_values": each_once(["CN=a", "CN=b"], min_size=1),
                    "proxy_secret_header": words,
                    "proxy_secret": secrets,
                }
            ),
        }
    ),
)
chat = {
    "anonymous": st.booleans(),
    "token": secrets,
    "session_expiration_seconds": counts,
    "rate_limit_per_minute": counts,
    "tool_visibility": st.sampled_from(["none", "generic", "narrated"]),
    "generic_tool_text": words,
    "auth": auths,
}
CONFIGS = {
    "slack": record(
        {"signing_secret": secrets, "bot_token": secrets},
        channel_id=words,
        session_strategy=st.sampled_from(["per_thread", "per_channel", "per_user"]),
        reply_mode=st.sampled_from(["all_messages", "report_progress_only"]),
    ),
    "ag_ui": record(**chat | {"token": secrets | st.none(), "reasoning_summary_visible": st.booleans()}),
    "schedule": record(
        {"cron_expression": crons, "message": words},
        timezone=st.sampled_from(["UTC", "Europe/Oslo"]),
        session_mode=modes,
    ),
    "webhook": record({"token": secrets, "message": words}, session_mode=modes, rate_limit_per_minute=counts),
    "a2a": record(
        {"message": words},
        session_mode=modes,
        agent_card_name=words,
        agent_card_description=words,
        rate_limit_per_minute=counts,
        signing_secret=secrets | st.none(),
        auth=auths,
    ),
    "fcp": record(
        anonymous=st.booleans(),
        token=secrets,
        handshake=texts,
        session_expiration_seconds=counts,
        rate_limit_per_minute=counts,
        response_timeout_seconds=st.integers(1, 600),
    ),
    "api_endpoint": record(session_mode=modes, rate_limit_per_minute=counts, auth=auths),
    "public_chat": record(
        **chat,
        branding=record(display_name=words, primary_color=words, welcome_message=texts),
        captcha=record({"site_key": words, "secret_key": secrets}, enabled=st.booleans()),
    ),
}
OPTIONAL_CONFIG = ("ag_ui", "fcp", "api_endpoint", "public_chat")


@st.composite
def channels(draw, *, alike):
    """Make the channels of an app; `alike` allows several of one type."""
    types = draw(st.lists(st.sampled_from(sorted(CONFIGS)), unique=not alike, max_size=3))
    names = draw(st.permutations([f"ch-{number}" for number in range(len(types))]))
    found = []
    for name, type_ in zip(names, types, strict=True):
        channel = {"name": name, "type": type_}
        if type_ not in OPTIONAL_CONFIG or draw(st.booleans()):
            channel["config"] = draw(CONFIGS[type_])
        if draw(st.booleans()):
            channel["enabled"] = draw(st.booleans())
        found.append(channel)
    return found


sources = st.one_of(
    record(
        {
            "type": st.just("github"),
            "repository": st.sampled_from(["acme/docs", "https://github.com/acme/docs.git", "acme/notes"]),
        },
        branch=st.sampled_from(["main", " dev ", ""]),
        root_folder=st.sampled_from(["docs/", "/a/b", "."]),
        sync_interval_secs=st.sampled_from([0, 300, 3600, None]),
    ),
    record({"type": st.just("git"), "url": st.just("https://git.example.com/docs.git")}, branch=st.just("dev")),
)
memories = record(description=texts | st.none(), source=sources)
files = st.lists(
    record(
        {"path": st.sampled_from(["a.md", "/b.md", "/workspace/c.md"]), "content": texts},
        encoding=st.just("text"),
        is_readonly=st.booleans(),
    ),
    unique_by=lambda file: file["path"],
    max_size=2,
)
tools = st.lists(
    record(
        {
            "type": st.just("client_side"),
            "name": st.sampled_from(["open_url", "copy"]),
            "description": words,
            "parameters": st.just({"type": "object", "$ref": "#/x"}),
        }
    ),
    unique_by=lambda tool: tool["name"],
    max_size=2,
)
servers = st.dictionaries(
    st.sampled_from(["crm", "erp"]),
    record(
        {"url": st.just("https://mcp.example.com/v1")},
        type=st.just("http"),
        headers=st.dictionaries(st.sampled_from(["Authorization", "X-Key"]), secrets, max_size=2),
        auth_mode=st.sampled_from(["none", "api_key", "o_auth"]),
    ),
    max_size=2,
)


@st.composite
def agents(draw, known):
    """Make an agent that may mount memories."""
    refs = draw(each_once(["web_fetch", "current_time", "session_file_system"], max_size=3))
    capabilities = [{"ref": ref, **draw(record(config=st.sampled_from([{}, None, {"timeout_ms": 5}])))} for ref in refs]
    mounted = draw(each_once(sorted(known), max_size=2)) if known else []
    if mounted:
        mounts = [{"memory": name, "path": f"/workspace/{name}"} for name in mounted]
        capabilities.insert(0, {"ref": "memory", "config": {"mounts": mounts}})
    return draw(
        record(
            {"system_prompt": texts},
            display_name=texts | st.none(),
            description=texts | st.none(),
            harness=st.sampled_from(["generic", "base"]),
            default_model=st.sampled_from(["gpt-4o", "Claude Sonnet 4.5", "openai/gpt-4o-mini", None]),
            capabilities=st.just(capabilities) | st.just([]),
            tags=each_once(["a", "b", "c"], max_size=3),
            initial_files=files,
            tools=tools,
            mcpServers=servers,
            network_access=record(allowed=each_once(["a.com", "b.com"]), blocked=each_once(["c.com"])) | st.none(),
            max_iterations=counts | st.none(),
            parallel_tool_calls=st.booleans() | st.none(),
        )
    )


@st.composite
def apps(draw, known, *, alike):
    """Make an app that may run an agent."""
    spec = draw(record({"harness": st.sampled_from(["generic", "base"])}, description=texts | st.none()))
    listed = draw(channels(alike=alike))
    if listed or draw(st.booleans()):
        spec["channels"] = listed
    if known and draw(st.booleans()):
        spec["agent"] = draw(st.sampled_from(sorted(known)))
    if draw(st.booleans()):
        spec["published"] = bool(listed) and draw(st.booleans())
    return spec


@st.composite
def fleets(draw, *, alike=True):
    """Make a small fleet: the specs by kind and name."""
    fleet = {("Memory", name): draw(memories) for name in draw(each_once(["docs", "notes"]))}
    known = [name for _, name in fleet]
    team = draw(each_once(["triage", "writer"]))
    fleet |= {("Agent", name): draw(agents(known)) for name in team}
    return fleet | {("App", name): draw(apps(team, alike=alike)) for name in draw(each_once(["bot", "desk"]))}


def declare(world, fleet):
    """Declare a fleet, and nothing else."""
    world.declared.clear()
    for (kind, name), spec in fleet.items():
        world.declare(kind, name, spec)
    assume(fleet)


def settle(world):
    """Apply what is declared, whatever leaves with it, insisting that all of it goes well."""
    plan = world.plan()
    gone = Counter(one.address.kind for one in plan.changes if one.action is Action.ARCHIVE)
    applied = world.apply(world.plan(allow_archive=dict(gone)) if plan.refusals else plan)
    assert applied.exit_codes == (0,), (applied.outcomes, applied.remainders)
    return applied


def refusals(world):
    """Return why what is declared cannot be planned."""
    try:
        world.plan()
    except ManifestError as refused:
        return [fault.message for fault in refused.faults]
    return []


def pending(plan):
    """Return what a plan would still write."""
    return [(str(change.address), change.action.value, change.fields) for change in plan.writes]


# --- laws ---


@law
@given(fleets())
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
@given(fleets())
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
@given(fleets(), st.randoms(use_true_random=False))
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
        live = world.one({"Memory": "memories", "Agent": "agents", "App": "apps"}[kind], name)
        fields = {key: value for key, value in spec.items() if key in SHOWN}
        seen[kind, name] = {key: live.get(key) for key in fields}
        if kind == "App" and "published" in spec:
            seen[kind, name]["published"] = live["status"] == "published"
        for channel in spec.get("channels", []):
            (match,) = [item for item in live["channels"] if item["channel_type"] == channel["type"]]
            plain = [key for key in channel.get("config", {}) if key not in HIDDEN]
            seen[kind, name, channel["name"]] = {
                **{key: with_defaults(match["channel_config"], MODELS[channel["type"]]).get(key) for key in plain},
                "enabled": match["enabled"] if "enabled" in channel else None,
            }
    return seen


SHOWN = ("system_prompt", "display_name", "tags", "max_iterations", "parallel_tool_calls", "network_access")
HIDDEN = ("token", "signing_secret", "bot_token", "auth", "captcha", "branding")


@law
@given(fleets(alike=False), fleets(alike=False))
def test_the_past_does_not_matter(open_world, first, second):
    """Applying one fleet and then another ends where the other alone ends: what left git is gone, and was ours."""
    with open_world() as world, open_world() as fresh:
        declare(world, first)
        settle(world)
        declare(world, second)
        faults = refusals(world)
        assert all("secrets not declared here" in message for message in faults), faults
        assume(not faults)
        settle(world)
        assert pending(world.plan()) == []
        declare(fresh, second)
        settle(fresh)
        assert declared_part(world, second) == declared_part(fresh, second)
        assert alive(world) == alive(fresh)
        assert world.ledger.entries.keys() == fresh.ledger.entries.keys()


def alive(world):
    """Return what is live by kind and name, and of each app the types of its channels."""
    return sorted(
        (plural, item["name"], sorted(channel["channel_type"] for channel in item.get("channels", [])))
        for plural in ("memories", "agents", "apps")
        for item in world.live(plural)
        if item["status"] != "archived"
    )


@law
@given(fleets(), fleets(alike=False))
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
        before = stored(world)
        declare(world, ours)
        settle(world)
        after = stored(world)
        assert {ident: after[ident] for ident in before} == before


def stored(world):
    """Return every document of the server as it is stored."""
    return dict(world.emulator.store._db.execute("SELECT id, body FROM documents").fetchall())


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
@given(fleets(), st.integers(0, 11), st.booleans())
def test_an_interrupted_run_is_finished_by_the_next(open_world, fleet, breaks_at, carried_out):
    """Wherever a run breaks off, the next one converges, and nothing is there twice."""
    with open_world() as world:
        declare(world, fleet)
        for method in ("POST", "PATCH", "PUT"):
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
