"""What counts as a difference, and what is sent for it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.kinds import BY_NAME
from reconciler.kinds.fields import SET, SecretRef
from reconciler.plan.diff import diff, merged, retagged, same

AGENT, APP, MEMORY, CHANNEL = (BY_NAME[name] for name in ("Agent", "App", "Memory", "Channel"))
TOKEN, OTHER = SecretRef(source="env", name="TOKEN"), SecretRef(source="env", name="OTHER")
NONE = object()


def changed(kind, want, have):
    """Return what differs as `path: old -> new`."""
    return [(change.name, change.old, change.new) for change in diff(kind, want, have)]


TABLE = [
    ("not declared", {}, {"description": "live"}, []),
    ("the same", {"description": "a"}, {"description": "a"}, []),
    ("another", {"description": "a"}, {"description": "b"}, [("description", "b", "a")]),
    ("nothing there", {"description": "a"}, {}, [("description", None, "a")]),
    ("null against something", {"description": None}, {"description": "b"}, [("description", "b", None)]),
    ("null against nothing", {"description": None}, {}, []),
    ("null against null", {"description": None}, {"description": None}, []),
    ("empty list against nothing", {"tags": []}, {}, []),
    ("empty list against null", {"tags": []}, {"tags": None}, []),
    ("empty list against a list", {"tags": []}, {"tags": ["a"]}, [("tags", ["a"], [])]),
    ("empty map against nothing", {"mcpServers": {}}, {}, []),
    ("empty map against a map", {"mcpServers": {}}, {"mcpServers": {"a": {}}}, [("mcpServers", {"a": {}}, {})]),
    ("null against an empty list", {"network_access": None}, {"network_access": []}, []),
    ("empty text is a value", {"description": ""}, {}, [("description", None, "")]),
    ("zero is a value", {"max_iterations": 0}, {}, [("max_iterations", None, 0)]),
    ("false is a value", {"parallel_tool_calls": False}, {}, [("parallel_tool_calls", None, False)]),
]


@pytest.mark.parametrize(("want", "have", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_table(want, have, expected):
    """Only declared fields count, and emptiness of every spelling is one."""
    assert changed(AGENT, want, have) == expected


EQUALITY = [
    (True, True, True),
    (True, 1, False),
    (1, True, False),
    (False, 0, False),
    (0, False, False),
    (0, None, False),
    (False, None, False),
    (1, 1.0, True),
    ("1", 1, False),
    ("", None, False),
    ("", [], False),
    ("", {}, False),
    (None, None, True),
    (None, [], True),
    (None, {}, True),
    (None, "", False),
    (None, 0, False),
    (None, False, False),
    ([], None, True),
    ([], {}, True),
    ([], "", False),
    ([], 0, False),
    ([], False, False),
    ({}, None, True),
    ({}, [], True),
    ({}, "", False),
    ({}, False, False),
    ([1], [True], False),
    ([1, 2], [2, 1], False),
    ([1], [1, 1], False),
    ({"a": 1}, {"a": 1, "b": 2}, False),
    ({"a": 1}, {"b": 1}, False),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
    ({"a": {"b": [True]}}, {"a": {"b": [1]}}, False),
    ({"a": None}, {"b": None}, False),
    (TOKEN, SET, True),
    (TOKEN, None, False),
    (TOKEN, "TOKEN", False),
    (TOKEN, TOKEN, False),
    ([TOKEN], [SET], True),
    ({"h": TOKEN}, {"h": SET}, True),
    (None, SET, False),
    ("set", SET, False),
]


@pytest.mark.parametrize(("want", "have", "equal"), EQUALITY)
def test_equality(want, have, equal):
    """True is not 1, nothing is one, a secret equals a set one, and maps have no order."""
    assert same(want, have) is equal


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(json_values)
def test_everything_equals_itself(value):
    """No canonical value differs from itself, and none makes the comparison fail."""
    assert same(value, value)
    assert diff(AGENT, {"description": value}, {"description": value}) == []


@settings(deadline=None, derandomize=True, max_examples=200)
@given(json_values, json_values)
def test_difference_is_mutual(one, two):
    """Without secrets, what differs one way differs the other way."""
    assert same(one, two) is same(two, one)


SCHEDULE = {"cron_expression": "0 0 2 * * * *", "message": "Run."}


def test_maps_are_compared_by_declared_key():
    """What is not declared inside a map is not compared either."""
    want = {"type": "schedule", "config": {"message": "Go."}}
    have = {"type": "schedule", "enabled": True, "config": SCHEDULE}
    assert changed(CHANNEL, want, have) == [("config.message", "Run.", "Go.")]


def test_absence_means_the_default():
    """A setting the server does not mention has its default."""
    want = {"type": "schedule", "config": {**SCHEDULE, "timezone": "UTC", "session_mode": "shared_session"}}
    assert changed(CHANNEL, want, {"type": "schedule", "enabled": True, "config": SCHEDULE}) == []
    want["config"]["timezone"] = "Europe/Oslo"
    assert changed(CHANNEL, want, {"type": "schedule", "enabled": True, "config": SCHEDULE}) == [
        ("config.timezone", "UTC", "Europe/Oslo")
    ]


WHOLE_MAPS = [
    ("same", {"crm": {"url": "u"}}, {"crm": {"url": "u"}}, False),
    ("another member", {"crm": {"url": "u"}}, {"crm": {"url": "v"}}, True),
    ("a live member that is not declared", {"crm": {"url": "u"}}, {"crm": {"url": "u"}, "erp": {"url": "v"}}, True),
    ("a secret that is set", {"crm": {"headers": {"A": TOKEN}}}, {"crm": {"headers": {"A": SET}}}, False),
    ("a secret that is not", {"crm": {"headers": {"A": TOKEN}}}, {"crm": {}}, True),
    ("a live secret that is not declared", {"crm": {}}, {"crm": {"headers": {"A": SET}}}, True),
]


@pytest.mark.parametrize(("want", "have", "differs"), [row[1:] for row in WHOLE_MAPS], ids=[r[0] for r in WHOLE_MAPS])
def test_whole_maps(want, have, differs):
    """A map marked WHOLE is one value: one change at its root, sent as declared."""
    found = changed(AGENT, {"mcpServers": want}, {"mcpServers": have})
    assert found == ([("mcpServers", have, want)] if differs else [])
    assert merged(AGENT, "mcpServers", want, have) == want


TAGS = [
    ({"type": "a"}, {"type": "a"}, False),
    ({"type": "a"}, {"type": "b"}, True),
    ({"mode": "a"}, {"mode": "b"}, True),
    ({"mode": "a", "type": "x"}, {"mode": "a", "type": "y"}, True),
    ({"type": "a"}, {}, False),
    ({}, {"type": "a"}, False),
]


@pytest.mark.parametrize(("want", "have", "other"), TAGS)
def test_variants(want, have, other):
    """Two maps are different variants when a tag that both carry differs."""
    assert retagged(want, have) is other


GITHUB = {"type": "github", "repository": "acme/docs", "branch": "main", "root_folder": None, "sync_interval_secs": 600}
GIT = {"type": "git", "url": "https://git.example.com/docs.git"}


def test_another_variant_is_one_change():
    """Nothing of the old variant belongs to the new one: neither in the change nor in what is sent."""
    assert changed(MEMORY, {"source": GIT}, {"source": GITHUB}) == [("source", GITHUB, GIT)]
    assert merged(MEMORY, "source", GIT, GITHUB) == GIT


BASIC = {"type": "http_basic", "username": "partner", "password": TOKEN}
LIVE_BASIC = {"type": "http_basic", "username": "other", "password": SET}
MERGED = [
    ("what is live and not declared stays", {"a": 1}, {"a": 2, "b": 3}, {"a": 1, "b": 3}),
    ("a set secret that is not declared is not mentioned", {"a": 1}, {"a": 2, "token": SET}, {"a": 1}),
    ("a set secret that is declared is not sent again", {"a": 1, "token": TOKEN}, {"token": SET}, {"a": 1}),
    ("a secret that is not set is sent", {"token": TOKEN}, {"a": 1}, {"a": 1, "token": TOKEN}),
    ("a secret that is cleared is sent as null", {"token": None}, {"token": SET, "a": 1}, {"a": 1, "token": None}),
    (
        "a nested set secret that is not declared",
        {"a": 1},
        {"captcha": {"k": "s", "secret_key": SET}},
        {"captcha": {"k": "s"}, "a": 1},
    ),
    ("lists are one value", {"l": [1]}, {"l": [1, 2]}, {"l": [1]}),
    (
        "a secret of the same variant is not sent again",
        {"auth": {"mode": "http_basic", "provider": BASIC}},
        {"auth": {"mode": "http_basic", "provider": LIVE_BASIC}},
        {"auth": {"mode": "http_basic", "provider": {"type": "http_basic", "username": "partner"}}},
    ),
    (
        "another mode brings its secrets along",
        {"auth": {"mode": "http_basic", "provider": BASIC}},
        {"auth": {"mode": "oidc", "provider": {"type": "oidc", "issuer": "i", "client_secret": SET}}},
        {"auth": {"mode": "http_basic", "provider": BASIC}},
    ),
    ("nothing is live", {"token": TOKEN, "a": {"b": 1}}, None, {"token": TOKEN, "a": {"b": 1}}),
]


@pytest.mark.parametrize(("want", "have", "sent"), [row[1:] for row in MERGED], ids=[row[0] for row in MERGED])
def test_merged(want, have, sent):
    """What the API replaces whole is sent whole, less the secrets it keeps by itself."""
    assert merged(CHANNEL, "config", want, have) == sent


def test_order_matters_only_where_it_does():
    """Tags are a set, capabilities a list."""
    canonical = AGENT.canonical
    assert changed(AGENT, canonical({"tags": ["b", "a", "a"]}), canonical({"tags": ["a", "b"]})) == []
    one, two = {"ref": "web_fetch"}, {"ref": "current_time", "config": {}}
    want, have = canonical({"capabilities": [one, two]}), canonical({"capabilities": [two, one]})
    assert [change.name for change in diff(AGENT, want, have)] == ["capabilities"]


def test_what_the_server_adds_is_no_difference():
    """The file system capability that comes with initial files is expected, not drift."""
    files = [{"path": "a.md", "content": "x"}]
    want = AGENT.canonical({"initial_files": files, "capabilities": [{"ref": "web_fetch"}]})
    have = AGENT.canonical(
        {"initial_files": files, "capabilities": [{"ref": "session_file_system", "config": {}}, {"ref": "web_fetch"}]}
    )
    assert changed(AGENT, want, have) == []


def test_secrets_are_compared_by_being_there():
    """A declared secret differs only where the platform has none, whatever its reference."""
    have = {"type": "webhook", "enabled": True, "config": {"token": SET, "message": "m"}}
    for ref in (TOKEN, OTHER):
        assert changed(CHANNEL, {"type": "webhook", "config": {"token": ref, "message": "m"}}, have) == []
    (change,) = diff(CHANNEL, {"type": "fcp", "config": {"token": TOKEN}}, {"type": "fcp", "config": {}})
    assert (change.name, change.old, change.new, change.sensitive) == ("config.token", None, TOKEN, True)
