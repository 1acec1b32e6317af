"""Random fleets over every kind and field, as strategies: the specs by kind and name."""

from hypothesis import strategies as st

SECRETS = {f"LAW_SECRET_{n}": f"sesame-{n}-open-{n * 7919:05}" for n in range(3)}


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
DOCS = ["docs", "notes"]
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
kept_files = st.lists(
    record({"path": st.sampled_from(["a.md", "/b/c.md", "/b/d.md", "/e/f/g.md"]), "content": texts}),
    unique_by=lambda file: file["path"],
    max_size=3,
)
kept = record(description=texts | st.none(), files=kept_files)
"""Memories that are kept by hand, with files."""
versions = record(
    {"publish": st.just("on-change")}, kind=st.sampled_from(["patch", "minor"]), default=st.booleans()
) | (record({"publish": st.just("manual")}, default=st.booleans()))
flags = st.dictionaries(st.sampled_from(["voice", "evals", "skills"]), st.booleans(), min_size=1)


@st.composite
def sessions(draw, known):
    """Make a session that may have an agent; most of it is said once."""
    spec = draw(
        record(
            title=words,
            tags=each_once(["a", "b"], max_size=2),
            locale=st.sampled_from(["de-DE", "en"]),
            max_iterations=st.integers(1, 3),
            system_prompt=words,
        )
    )
    if known and draw(st.booleans()):
        spec["agent"] = draw(st.sampled_from(sorted(known)))
    return spec


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
def released(draw, known):
    """Make an agent that may be published."""
    return draw(agents(known)) | draw(record(version=versions))


@st.composite
def fleets(draw, *, alike=True, below=False):
    """Make a small fleet: the specs by kind and name; `below` are files, versions and sessions, which no import has."""
    fleet = {("Memory", name): draw(memories | kept if below else memories) for name in draw(each_once(DOCS))}
    known = [name for _, name in fleet]
    team = draw(each_once(["triage", "writer"]))
    fleet |= {("Agent", name): draw(released(known) if below else agents(known)) for name in team}
    if below:
        fleet |= {("Session", name): draw(sessions(team)) for name in draw(each_once(["weekly", "daily"]))}
    return fleet | {("App", name): draw(apps(team, alike=alike)) for name in draw(each_once(["bot", "desk"]))}
