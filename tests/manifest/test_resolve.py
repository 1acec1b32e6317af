"""From documents to what git wants: organizations, addresses, children, titles."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import Source, SourceFile
from reconciler.kinds.fields import SecretRef
from reconciler.manifest.load import Loaded, load
from reconciler.manifest.parse import parse
from reconciler.manifest.resolve import resolve
from reconciler.resource import Document

MEM_ID = "mem_01933b5a000070008000000000000001"
APP_ID = "app_01933b5a000070008000000000000001"
CHANNEL_ID = "appchan_01933b5a000070008000000000000001"


def document(kind, name="x", *, folder=".", spec=None, **metadata):
    """Return a document as `load` would."""
    value = {"apiVersion": "everruns.reconciler/v1", "kind": kind, "metadata": {"name": name, **metadata}}
    required = {"Agent": {"system_prompt": "Be brief."}, "App": {"harness": "generic"}}.get(kind, {})
    if "archive" not in metadata or spec is not None:
        value["spec"] = required | (spec or {})
    return Document(value, Source(SourceFile(f"{folder}/{name}.yaml", ""), 0, 1), folder)


def wanted(*documents):
    """Resolve documents that have no fault."""
    resolved = resolve(Loaded(documents=list(documents)))
    assert [fault.message for fault in resolved.faults] == []
    return resolved.desired


def addresses(*documents):
    """Return what the addresses of the documents are, in order."""
    return [str(one.address) for one in wanted(*documents)]


def messages(*documents):
    """Return what is wrong with the documents."""
    return [fault.message for fault in resolve(Loaded(documents=list(documents))).faults]


ORGANIZATIONS = {
    "of the folder": ([("acme", "m")], ("m", None), "acme"),
    "of a folder above": ([("acme", "m")], ("m/a/b", None), "acme"),
    "the nearest": ([("acme", "m"), ("labs", "m/labs")], ("m/labs/agents", None), "labs"),
    "not of a sibling": ([("labs", "m/labs")], ("m/care", None), "default"),
    "not of a folder whose name begins alike": ([("labs", "m/lab")], ("m/labs", None), "default"),
    "of the working folder": ([("acme", ".")], ("m/agents", None), "acme"),
    "of the working folder, by its file": ([("acme", ".")], (".", None), "acme"),
    "below an absolute root": ([("acme", "/srv/m")], ("/srv/m/agents", None), "acme"),
    "none": ([], ("m", None), "default"),
    "by name": ([("acme", "m"), ("labs", "other")], ("m", "labs"), "labs"),
    "by id": ([("acme", "m")], ("m", "org_" + "0" * 32), "org_" + "0" * 32),
    "by name out of two": ([("acme", "m"), ("labs", "m")], ("m", "labs"), "labs"),
}


@pytest.mark.parametrize(("declared", "where", "org"), ORGANIZATIONS.values(), ids=ORGANIZATIONS)
def test_a_document_belongs_to_the_organization_it_names_or_the_nearest(declared, where, org):
    """The one that metadata names, else the nearest declared upwards, else the default."""
    folder, named = where
    metadata = {"org": named} if named else {}
    documents = [document("Organization", name, folder=below) for name, below in declared]
    assert addresses(*documents, document("Agent", folder=folder, **metadata))[-1] == f"{org}/Agent/x"


def test_an_organization_is_in_itself():
    """An organization's address is below itself, and naming itself changes nothing."""
    assert addresses(document("Organization", "acme")) == ["acme/Organization/acme"]
    assert addresses(document("Organization", "acme", org="acme")) == ["acme/Organization/acme"]


def test_an_unknown_organization_may_be_the_one_at_fault():
    """While an Organization document has a fault, nobody who names it is blamed."""
    bad = document("Organization", "acme", spec={"name": 5})
    assert messages(bad, document("Agent", org="acme")) == ["must be text, not the number 5"]
    assert messages(document("Agent", org="acme")) == ['organization "acme" is not declared']


CHANNELS = [
    {"name": "nightly", "type": "schedule", "config": {"cron_expression": "0 2 * * *", "message": "Run."}},
    {"name": "chat", "type": "ag_ui", "enabled": False},
    {
        "name": "weekly",
        "type": "schedule",
        "config": {"cron_expression": "0 2 * * 1", "message": "Run."},
        "id": CHANNEL_ID,
    },
    {"name": "old", "type": "fcp", "archive": True, "id": CHANNEL_ID[:-1] + "9"},
]


def test_channels_are_lifted_out_of_their_app():
    """Each channel has an address below its app, without the fields that are ours, and the place of its type."""
    app, *channels = wanted(document("App", "bot", spec={"channels": CHANNELS, "description": "A bot"}))
    assert (app.spec, app.lists_children) == ({"harness": "generic", "description": "A bot"}, True)
    assert [str(one.address) for one in channels] == [
        f"default/App/bot/Channel/{name}" for name in ("nightly", "chat", "weekly", "old")
    ]
    assert [one.spec for one in channels] == [
        {"type": "schedule", "config": {"cron_expression": "0 0 2 * * * *", "message": "Run."}},
        {"type": "ag_ui", "enabled": False},
        {"type": "schedule", "config": {"cron_expression": "0 0 2 * * 1 *", "message": "Run."}},
        {"type": "fcp"},
    ]
    assert [(one.title, one.position) for one in channels] == [
        ("schedule", 0),
        ("ag_ui", 0),
        ("schedule", 1),
        ("fcp", 0),
    ]
    assert [one.pinned for one in channels] == [None, None, CHANNEL_ID, CHANNEL_ID[:-1] + "9"]
    assert [one.archive for one in channels] == [False, False, False, True]
    assert [one.path for one in channels] == [("spec", "channels", number) for number in range(4)]
    assert {one.kind.name for one in channels} == {"Channel"}


@pytest.mark.parametrize(
    ("spec", "metadata", "lists", "children"),
    [
        ({}, {}, False, 0),
        ({"channels": []}, {}, True, 0),
        ({"channels": CHANNELS}, {}, True, 4),
        ({"channels": CHANNELS}, {"archive": True}, True, 0),
        ({"name": "Bot"}, {"archive": True}, False, 0),
    ],
)
def test_an_app_lists_its_channels_or_says_nothing_of_them(spec, metadata, lists, children):
    """An empty list says that there are none; no list says nothing; an app to be archived takes its channels along."""
    app, *rest = wanted(document("App", "bot", spec=spec, **metadata))
    assert (app.lists_children, len(rest), app.archive) == (lists, children, bool(metadata))


@pytest.mark.parametrize(
    ("kind", "spec", "title"),
    [
        ("Agent", {"display_name": "Triage"}, "x"),
        ("Memory", {}, "x"),
        ("Memory", {"name": " Design docs "}, "Design docs"),
        ("App", {"name": "Support bot"}, "Support bot"),
        ("Organization", {"name": "Acme Corp"}, "Acme Corp"),
    ],
)
def test_the_title_is_what_the_platform_calls_it(kind, spec, title):
    """The display name where the platform knows it by that, else the address."""
    assert wanted(document(kind, spec=spec))[0].title == title


def test_only_what_is_written_counts():
    """No default finds its way into a spec: what is not declared is not managed."""
    assert wanted(document("App", spec={"channels": [{"name": "a", "type": "fcp", "config": {}}]}))[1].spec == {
        "type": "fcp",
        "config": {},
    }
    assert wanted(document("Memory"))[0].spec == {}
    assert wanted(document("Agent", spec={"description": None}))[0].spec == {
        "system_prompt": "Be brief.",
        "description": None,
    }


def test_pins_and_archives_are_kept():
    """An id that settles which resource is meant, and the wish to archive, come along."""
    (one,) = wanted(document("Memory", id=MEM_ID, archive=True))
    assert (one.pinned, one.archive, one.spec) == (MEM_ID, True, {})


@pytest.mark.parametrize(
    ("said", "carried"),
    [
        ({}, (None, None, None)),
        ({"protect": True, "adopt": "never", "moved_from": "y"}, (True, "never", "y")),
        ({"protect": False, "adopt": "exact"}, (False, "exact", None)),
    ],
)
def test_what_a_resource_says_of_its_keeping_is_carried_along(said, carried):
    """Protection, adoption and the old name are told of every kind and of channels, and are no part of a spec."""
    channel = {"name": "door", "type": "fcp", **said}
    for kind in ("Organization", "Memory", "Agent"):
        (one,) = wanted(document(kind, **said))
        assert (one.protect, one.adopt, one.moved_from) == carried
    app, door = wanted(document("App", spec={"channels": [channel]}, **said))
    assert (app.protect, app.adopt, app.moved_from) == carried
    assert (door.protect, door.adopt, door.moved_from) == carried
    assert door.spec == {"type": "fcp"}


def test_a_protection_may_be_lifted_where_it_is_archived():
    """What was protected says that it no longer is in the document that archives it."""
    (one,) = wanted(document("Agent", archive=True, protect=False))
    assert (one.archive, one.protect) == (True, False)


def test_an_old_name_is_one_of_its_kind_organization_and_parent():
    """What stands elsewhere under the old name is another resource, and may have become another one."""
    renamed = {"name": "new", "type": "fcp", "moved_from": "old"}
    assert (
        messages(
            document("Organization", "acme", folder="a"),
            document("Agent", "new", moved_from="old"),
            document("Agent", "old", folder="a"),
            document("Memory", "old"),
            document("Memory", "new", moved_from="older"),
            document("App", "one", spec={"channels": [renamed]}),
            document("App", "two", spec={"channels": [renamed]}),
            document("App", "three", spec={"channels": [{"name": "old", "type": "fcp"}]}),
        )
        == []
    )


def test_the_old_name_of_an_organization_is_its_whole_address():
    """An organization is its own organization, also under its old name."""
    old, new = document("Organization", "labs"), document("Organization", "acme", moved_from="labs", folder="b")
    assert messages(new) == []
    assert messages(old, new) == ["Organization/labs is still declared, and cannot have become Organization/acme"]


def test_secrets_stay_references():
    """The value of a secret is not read; a file of a secret is named from the folder of its manifest."""
    config = {"signing_secret": {"env": "SLACK_SIGNING_SECRET"}, "bot_token": {"file": "../secrets/token"}}
    channel = {"name": "s", "type": "slack", "config": config}
    loaded = Loaded(documents=[document("App", spec={"channels": [channel]}, folder="m/apps")], roots={"m/apps": "m"})
    _, slack = resolve(loaded).desired
    assert slack.spec["config"] == {
        "signing_secret": SecretRef(source="env", name="SLACK_SIGNING_SECRET"),
        "bot_token": SecretRef(source="file", name="m/apps/../secrets/token"),
    }


AGENT_A, ELSEWHERE = ("Agent", "a", {}), {"org": "org_" + "0" * 32}


def two(kind, first, second, **metadata):
    """Return two entries of a kind with these specs; the second has the metadata."""
    return [(kind, "a", {"spec": first}), (kind, "b", {"spec": second} | metadata)]


REPEATED = {
    "an address": ([AGENT_A, AGENT_A], 1),
    "an address, thrice": ([AGENT_A] * 3, 2),
    "an address of another kind": ([AGENT_A, ("Memory", "a", {})], 0),
    "an address of another organization": ([AGENT_A, ("Agent", "a", ELSEWHERE)], 0),
    "a title": (two("App", {"name": "T"}, {"name": "T"}), 1),
    "a title that is an address": (two("App", {}, {"name": "a"}), 1),
    "a title but for its case": (two("App", {"name": "T"}, {"name": "t"}), 0),
    "a title that an id settles": (two("App", {"name": "T"}, {"name": "T"}, id=APP_ID), 0),
    "a memory's title but for its case": (two("Memory", {"name": "Größe"}, {"name": "GRÖßE"}), 1),
    "a memory's title, which no id settles": (two("Memory", {"name": "T"}, {"name": "t"}, id=MEM_ID), 1),
    "an agent's display name": (two("Agent", {"display_name": "T"}, {"display_name": "T"}), 0),
}


@pytest.mark.parametrize(("documents", "faults"), REPEATED.values(), ids=REPEATED)
def test_what_the_platform_could_not_tell_apart_is_refused(documents, faults):
    """Addresses are unique; so are names by which the platform, or we on it, know a resource."""
    told = messages(*(document(kind, name, **rest) for kind, name, rest in documents))
    assert len(told) == faults
    assert all("declared twice" in message or "could not tell them apart" in message for message in told)


@pytest.mark.parametrize(
    ("reference", "refused"),
    [
        ({"agent": "old"}, True),
        ({"agent": "new"}, False),
        ({"agent": "elsewhere"}, False),
    ],
)
def test_nothing_may_need_what_is_to_be_archived(reference, refused):
    """A reference to what git wants archived is a fault, unless who refers goes as well."""
    old, new = document("Agent", "old", archive=True), document("Agent", "new")
    assert bool(messages(old, new, document("App", "bot", spec=reference))) is refused
    assert messages(old, new, document("App", "bot", spec=reference, archive=True)) == []
    elsewhere = document("App", "bot", spec=reference, org="org_" + "0" * 32)
    assert messages(old, new, elsewhere) == []


def test_a_bad_document_leaves_the_others_alone():
    """A document with faults contributes its faults only; the others are wanted all the same."""
    resolved = resolve(Loaded(documents=[document("Agent", "Bad"), document("Agent", "good")]))
    assert [str(one.address) for one in resolved.desired] == ["default/Agent/good"]
    assert [fault.path for fault in resolved.faults] == [("metadata", "name")]


KINDS = st.sampled_from(["Agent", "Memory", "App"])
SETS = st.lists(st.tuples(KINDS, st.sampled_from("abcdef")), unique=True, max_size=10).flatmap(
    lambda entries: st.tuples(st.just(entries), st.permutations(entries))
)


@settings(deadline=None)
@given(sets=SETS)
def test_the_order_of_documents_does_not_matter(sets):
    """The same documents in another order are the same wish."""
    first, second = ({one.address: one for one in wanted(*(document(*entry) for entry in order))} for order in sets)
    assert first == second


WORDS = st.sampled_from(["apiVersion", "kind", "metadata", "spec", "name", "type", "channels", "Agent", "App"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=5),
    max_leaves=12,
)


@settings(deadline=None)
@given(value=ANYTHING)
def test_any_document_is_wanted_or_at_fault(value):
    """Whatever stands in a document, it has faults to report; never an exception."""
    source = Source(SourceFile("x.yaml", ""), 0, 1)
    resolved = resolve(Loaded(documents=[Document(value, source, ".")]))
    assert resolved.faults
    assert not resolved.desired


SPOILED = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@settings(deadline=None)
@given(data=st.data())
def test_one_spoiled_value_never_raises(data):
    """A value of the example below, replaced by any other at any depth, is accepted or a fault with a place."""
    documents, _ = parse(EXAMPLE)
    value = documents[0].value
    holder, key = value, "spec"
    while data.draw(st.booleans()) and holder[key]:
        if isinstance(holder[key], dict):
            holder, key = holder[key], data.draw(st.sampled_from(sorted(holder[key])))
        elif isinstance(holder[key], list):
            holder, key = holder[key], data.draw(st.integers(0, len(holder[key]) - 1))
        else:
            break
    holder[key] = data.draw(SPOILED)
    resolved = resolve(Loaded(documents=[Document(value, Source(SourceFile("x.yaml", EXAMPLE), 0, 1), ".")]))
    assert bool(resolved.faults) is not bool(resolved.desired)
    for fault in resolved.faults:
        assert fault.source
        assert fault.message
        assert fault.path[0] == "spec"


EXAMPLE = """\
apiVersion: everruns.reconciler/v1
kind: App
metadata: {name: bot, org: org_00000000000000000000000000000001}
spec:
  harness: generic
  agent: triage
  published: true
  channels:
    - name: chat
      type: public_chat
      config:
        captcha: {site_key: k, secret_key: {env: TURNSTILE}}
        auth: {mode: oidc, provider: {type: oidc, issuer: "https://a.example"}, requirements: {scopes: [a]}}
    - {name: nightly, type: schedule, config: {cron_expression: 0 2 * * *, message: Run.}}
"""


def test_the_example_has_no_fault(tmp_path):
    """What the law above spoils is sound before."""
    (tmp_path / "x.yaml").write_text(EXAMPLE)
    assert len(resolve(load([str(tmp_path)])).desired) == 3


def test_a_name_that_is_too_long_for_a_memory_is_a_fault(tmp_path):
    """The limit of our own is told in its own words, not taken for one of pydantic's."""
    text = "apiVersion: everruns.reconciler/v1\nkind: Memory\nmetadata: {name: a}\nspec: {name: %s}\n"
    (tmp_path / "a.yaml").write_text(text % ("x" * 256))
    (fault,) = resolve(load([str(tmp_path)])).faults
    assert fault.message == "a memory's name may have at most 255 characters"
