"""The law of taint: no value of a secret, and no key, comes out of any verb in any spelling."""

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from reconciler.emulator.channel_auth import SECRETS as PROVIDER_SECRETS
from reconciler.emulator.channel_configs import TYPES

from .cli.conftest import serving
from .laws.test_laws import SECRETS, declare, fleets
from .no_secret import SPELLINGS, Desk, Echo, leaked
from .openapi.published import document

KEY = "evr_pat_5ecret0f7he0perator"
TEXTS = ["sesame-0-open-00000", 'pa"ss\\w\u00f6rt+1\n/x', "correct horse battery"]
VALUES = dict(zip(sorted(SECRETS), TEXTS, strict=True))
law = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.generate],
)


@pytest.fixture(scope="module", autouse=True)
def _secrets():
    """Give the secrets of the fleets values that are easy to find and hard to spell."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in VALUES.items():
            patch.setenv(name, value)
        yield


@pytest.mark.timeout(600)  # refusals by 5xx are waited out
@law
@given(
    fleets(),
    st.sampled_from([400, 403, 409, 422, 500]),
    st.sampled_from(sorted(SPELLINGS)),
    st.booleans(),
)
def test_no_value_comes_out(open_world, fleet, status, spelling, is_document):
    """A server that repeats whole requests in its refusals does not bring out what was in them, nor does success."""
    assume(any("LAW_SECRET" in json.dumps(spec) for spec in fleet.values()))
    with open_world(tokens={KEY: "owner", "evr_pat_local": "owner"}) as world:
        declare(world, fleet)
        world._written()
        echo = Echo(world.meddler)
        echo.status, echo.spell, echo.is_document = status, SPELLINGS[spelling], is_document
        with serving(echo) as url:
            desk = Desk(world.folder.parent, url, KEY)
            flags = ["-f", "fleet", "--ledger", "file"]
            echo.methods = ("POST", "PATCH", "PUT", "DELETE")
            for more in ([], ["--json"], ["--debug"]):
                desk.run("apply", *flags, "--auto-approve", *more)
            assert echo.count
            echo.methods = ()
            desk.run("plan", *flags, "--debug", "--out", "a.plan")
            assert desk.run("apply", "a.plan", "--ledger", "file", "--debug") == 0
            echo.methods = ("PATCH", "PUT")
            desk.run("apply", *flags, "--auto-approve", "--rotate", "*", "--json", "--debug")
            for reads in ((), ("GET",)):
                echo.methods = reads
                _read(desk, flags, next(iter(fleet)))
        sent = json.dumps([one.body for one in world.writes])
        assert any(json.dumps(value)[1:-1] in sent for value in VALUES.values())
        assert leaked(desk.left, [*VALUES.values(), KEY]) == []


def _read(desk, flags, one):
    """Run every verb that reads, as text and as events."""
    kind, name = one
    for more in ([], ["--json"], ["--debug"]):
        desk.run("validate", "-f", "fleet", *[flag for flag in more if flag != "--debug"])
        desk.run("plan", *flags, "--rotate", "*", *more)
        desk.run("show", f"{kind}/{name}", *flags, *more)
        desk.run("drift", *flags, "--unmanaged", *more)
        desk.run("import", "--all", "--into", f"into{len(desk.said)}", "--ledger", "file", *more)
        desk.run("ledger", "show", "-f", "fleet", "--ledger", "file", *[flag for flag in more if flag != "--debug"])


# --- what a server shows ---

MARK = "m4rked-Value/of+a secret"
UNKNOWN = {"relay_token": MARK, "client_key": MARK, "methods": [{"provider": {"client_secret": MARK}}]}
PROVIDER = {"type": "mtls", "header_name": "h", "allowed_values": ["v"], "proxy_secret_header": "p"}


def shown(channel):
    """Return a channel as a server that hides nothing would show it."""
    config = {key: value for key, value in channel["channel_config"].items() if not key.endswith("_configured")}
    for secret in TYPES[channel["channel_type"]].secrets:
        holder = config.setdefault(secret.within, {}) if secret.within else config
        holder[secret.name] = MARK
    if "auth" in TYPES[channel["channel_type"]].fields:
        config["auth"] = {"mode": "mtls", "provider": PROVIDER | dict.fromkeys([*PROVIDER_SECRETS, "password"], MARK)}
    return channel | {"channel_config": config}


def app(answer):
    """Show all the channels of an answer."""
    return answer | {"api_key": MARK, "channels": [shown(channel) for channel in answer.get("channels", [])]}


def agent(answer):
    """Show what an agent's servers are called with, and what versions and providers would have."""
    url = f"https://u:{MARK}@mcp.example.com/v1?key={MARK}"
    server = {"type": "http", "url": url, "headers": {"Authorization": MARK}}
    more = {"env": {"A": MARK}, "args": [MARK], "command": "x", "api_key": MARK, "oauth": {"client_secret": MARK}}
    return answer | {"mcpServers": {"crm": server | more}, "api_key": MARK, "credentials": {"a": MARK}}


def memory(answer):
    """Show a source with a login."""
    url = f"https://u:{quote(MARK, safe='')}@git.example.com/a.git"
    source = {"provider": "git", "url": url, "branch": "main"}
    failed = {"sync_status": "failed", "last_sync_error": f"cannot clone {url}", "last_synced_at": None}
    return answer | {"source": source, "source_type": "git"} | failed


def everywhere(change, is_newer):
    """Apply a change to an object, or to each of a list."""

    def changed(answer):
        if "data" in answer:
            return answer | {"data": list(map(changed, answer["data"]))}
        return of_tomorrow(change(answer)) if is_newer else change(answer)

    return changed


def of_tomorrow(answer):
    """Add settings that no manifest has a field for."""
    for channel in answer.get("channels", []):
        channel["channel_config"] |= UNKNOWN
    if "source" in answer:
        answer["source"]["access_token"] = MARK
    return answer


CONFIGS = {
    "slack": {"signing_secret": {"env": "LAW_SECRET_0"}, "bot_token": {"env": "LAW_SECRET_0"}},
    "webhook": {"token": {"env": "LAW_SECRET_0"}, "message": "Go."},
    "ag_ui": {"token": {"env": "LAW_SECRET_0"}},
    "public_chat": {"rate_limit_per_minute": 5},
    "fcp": {"rate_limit_per_minute": 5},
    "a2a": {"message": "Go."},
    "api_endpoint": {"rate_limit_per_minute": 5},
}


@pytest.mark.parametrize("is_newer", [False, True], ids=["known", "unknown"])
def test_no_secret_of_the_server_comes_out(open_world, is_newer):
    """What the published file and the server's own table call secret is in no output, however much the server shows.

    Nor are secrets among settings that are not known yet: what would have to send them back is refused.
    """
    with open_world(tokens={KEY: "owner", "evr_pat_local": "owner"}) as world:
        world.agent("triage", mcpServers={"crm": {"url": "https://mcp.example.com/v1"}})
        world.memory("docs", source={"type": "git", "url": "https://git.example.com/a.git"})
        for type_, config in CONFIGS.items():
            world.bot(f"bot-{type_.replace('_', '-')}", {"name": "way", "type": type_, "config": config})
        world._written()
        with serving(world.meddler) as url:
            desk = Desk(world.folder.parent, url, KEY)
            flags = ["-f", "fleet", "--ledger", "file"]
            assert desk.run("apply", *flags, "--auto-approve") == 0
            world.forget()
            for path, change in (("apps", app), ("agents", agent), ("memories", memory)):
                world.meddler.edit("GET", f"/v1/{path}(/(?!config)[^/]*)?", everywhere(change, is_newer), times=None)
            for type_, config in CONFIGS.items():  # what is live and not declared has to be sent back
                more = {"team_id": "T1"} if type_ == "slack" else {"rate_limit_per_minute": 7}
                world.bot(f"bot-{type_.replace('_', '-')}", {"name": "way", "type": type_, "config": config | more})
            world.agent("triage", mcpServers={"crm": {"url": "https://mcp.example.com/v2"}})
            world._written()
            assert desk.run("plan", *flags, "--out", "b.plan", "--json") == int(is_newer)
            assert desk.run("show", "Agent/triage", *flags) == int(is_newer)
            assert desk.run("drift", *flags, "--unmanaged") == (1 if is_newer else 3)
            for one in world.declared:
                _read(desk, flags, one)
            for target in ("App/*", "Agent/*", "Memory/*"):
                desk.run("plan", *flags, "--target", target, "--out", f"{target[:3]}.plan")
                desk.run("apply", *flags, "--auto-approve", "--target", target, "--debug")
            desk.run("drift", *flags, "--capture")
        assert ("relay_token" in desk.left) is is_newer
        lines = {line.split("/")[2] for line in world.lines}
        assert lines >= ({"agents"} if is_newer else {"agents", "apps", "memories"})
        assert leaked(desk.left, [MARK, *VALUES.values(), KEY]) == []
        assert MARK not in json.dumps([one.body for one in world.writes])


def test_the_marks_are_where_the_published_file_says():
    """Every setting of a provider that the published file calls secret, or that is named as one, was marked above."""
    marked = {*PROVIDER_SECRETS, "password"}
    schemas = document()["components"]["schemas"]
    members = [member["properties"] for member in schemas["AppEndpointAuthProviderConfig"]["oneOf"]]
    named = {
        name
        for properties in members
        for name, schema in properties.items()
        if "secret" in name or "password" in name or "Write-only" in schema.get("description", "")
    }
    assert named - {"proxy_secret_header"} <= marked
    server = schemas["BTreeMap"]["additionalProperties"]["properties"]
    assert {"headers", "env", "args"} <= server.keys()
