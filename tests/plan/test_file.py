"""The plan as a file: the same plan again, or a clear refusal."""

import json
from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import PlanFileError
from reconciler.kinds.fields import SET, SecretRef
from reconciler.kinds.key_to import Command, EnvFile
from reconciler.plan.change import Action, Change, FieldChange, Precondition, Record, Side
from reconciler.plan.digest import digest, plain, unplain
from reconciler.plan.file import FORMAT, Origin, dumps, loads
from reconciler.plan.owned import Owner
from reconciler.plan.plan import OrgRef, Plan, described
from reconciler.plan.secrecy import SecretState
from reconciler.plan.verdict import Refusal
from reconciler.resource import Address

ORIGIN = Origin("https://app.everruns.com/api", ("manifests",), "c" * 40, "release 7")

words = st.text(st.characters(codec="utf-8"), max_size=8)
slugs = st.sampled_from(["a", "b", "triage", "docs-2"])
refs = st.builds(lambda source, name: SecretRef(source=source, name=name), st.sampled_from(["env", "file"]), words)
keys = words | st.sampled_from(["$secret", "$$secret", "$ref", "secret", "env"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | words | refs | st.just(SET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
shapes = st.dictionaries(words, values, max_size=3)
maybe = st.none() | words
known_ids = st.sampled_from(["agent_1", "app_" + "0" * 32, "mem_f"])
ids = st.none() | known_ids
addresses = st.builds(
    lambda org, kind, name, parent: Address(org, kind, name, parent if kind == "Channel" else None),
    slugs,
    st.sampled_from(["Organization", "Memory", "Agent", "App", "Channel"]),
    slugs,
    slugs,
)
preconditions = st.builds(
    Precondition,
    ids,
    maybe,
    st.none() | st.lists(words, max_size=2).map(tuple),
    st.booleans(),
)
records = st.builds(
    Record,
    fields=st.dictionaries(words, words, max_size=2),
    secrets=st.dictionaries(words, refs, max_size=2),
    protect=st.booleans(),
    adds=st.booleans(),
    moved_from=st.none() | addresses,
)
changes = st.builds(
    Change,
    addresses,
    st.sampled_from(Action),
    title=words,
    fields=st.lists(
        st.builds(
            FieldChange,
            st.lists(words, min_size=1, max_size=2).map(tuple),
            values,
            values,
            st.none() | st.sampled_from(Side),
        ),
        max_size=2,
    ).map(tuple),
    body=shapes,
    then=shapes,
    replace=st.booleans(),
    replaces=st.booleans(),
    frees=ids,
    detour=maybe,
    id=ids,
    pre=preconditions,
    notes=st.lists(words, max_size=2).map(tuple),
    where=words,
    record=st.none() | records,
    since=maybe,
    key_to=st.none() | st.sampled_from([EnvFile("keys.env", "KEY"), Command(("put", "it"))]),
)


def sound(drawn):
    """Make changes that can stand in one plan: each step once, waiting for those before it, switches with a field."""
    made = []
    for one in drawn:
        if one.action in (Action.PUBLISH, Action.UNPUBLISH):
            switch = FieldChange(("published",), None, one.action is Action.PUBLISH)
            one = replace(one, address=Address("a", "App", one.address.name), fields=(switch,))  # noqa: PLW2901
        if one.action is Action.RELEASE:
            number = FieldChange(("version", "publish"), None, "0.1.0")
            one = replace(one, address=Address("a", "Agent", one.address.name), fields=(number,))  # noqa: PLW2901
        if one.action is Action.ROTATE:
            where = Address("a", "Channel", one.address.name, "bot")
            one = replace(one, address=where, id=one.id or "x", body={"type": "a2a"}, key_to=EnvFile("a.env", "KEY"))  # noqa: PLW2901
        if one.action is Action.SYNC:
            where, when = Address("a", "Memory", one.address.name), FieldChange(("synced",), None, "c0ffee")
            one = replace(one, address=where, id=one.id or "x", fields=(when,), body={}, then={})  # noqa: PLW2901
        if one.step not in [other.step for other in made]:
            made.append(replace(one, after=tuple(other.step for other in made[: len(one.notes)])))
    return tuple(made)


plans = st.builds(
    Plan,
    st.lists(changes, max_size=3).map(sound),
    orgs=st.dictionaries(slugs, st.builds(OrgRef, ids, words), max_size=2),
    bindings=st.dictionaries(addresses.filter(lambda address: address.parent is None), known_ids, max_size=2),
    unchanged=st.dictionaries(slugs, st.integers(0, 9), max_size=2),
    partial=maybe,
    owner=st.none() | st.builds(Owner, words, words, words),
    serial=st.integers(0, 9),
    refusals=st.lists(st.builds(Refusal, words, words), max_size=2).map(tuple),
    secrets=st.dictionaries(st.sampled_from(SecretState), st.integers(0, 9), max_size=2),
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(plans)
def test_round_trip(plan):
    """A plan read back is the plan that was written: equal, of the same digest, describing the same."""
    read = loads(dumps(plan, plan_id="1", origin=ORIGIN), name="p")
    assert read.plan == plan
    assert read.plan.digest == plan.digest
    assert [described(change) for change in read.plan.changes] == [described(change) for change in plan.changes]
    assert (read.id, read.origin) == ("1", ORIGIN)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(plans)
def test_spelling_is_canonical(plan):
    """A plan has one spelling: written again after reading it is the same bytes."""
    data = dumps(plan, plan_id="1", origin=ORIGIN)
    assert dumps(loads(data, name="p").plan, plan_id="1", origin=ORIGIN) == data


@settings(deadline=None, derandomize=True, max_examples=200)
@given(values)
def test_values_survive(value):
    """Whatever a user writes stays what it is: a map that looks like a secret does not become one."""
    assert unplain(orjson.loads(orjson.dumps(plain(value)))) == value


LOOKALIKES = [
    {"$secret": "set"},
    {"$secret": {"env": "PATH"}},
    {"$$secret": {"env": "PATH"}},
    {"$secret": {}},
    {"$secret": None},
]


@pytest.mark.parametrize("value", LOOKALIKES)
def test_lookalikes(value):
    """Text that is spelled like a secret has another digest than a secret, and is never read as one."""
    assert unplain(plain(value)) == value
    assert digest(value) != digest(SET)
    assert digest(value) != digest(SecretRef(source="env", name="PATH"))


def test_a_file_holds_references_only(monkeypatch):
    """The value of a secret has no way into a plan file."""
    monkeypatch.setenv("TOKEN", "sesame-open")
    ref = SecretRef(source="env", name="TOKEN")
    body = {"type": "webhook", "config": {"token": ref}}
    change = Change(Address("acme", "Channel", "hook", "bot"), Action.CREATE, body=body)
    data = dumps(Plan((change,)), plan_id="1", origin=ORIGIN)
    assert b"sesame-open" not in data
    assert json.loads(data)["changes"][0]["body"]["config"]["token"] == {"$secret": {"env": "TOKEN"}}


PLAN = Plan(
    (
        Change(
            Address("acme", "Agent", "triage"),
            Action.UPDATE,
            "triage",
            (FieldChange(("tags",), [], ["a"]),),
            {"tags": ["a"]},
            id="agent_1",
            pre=Precondition("agent_1", "sha256:0", ("tags",)),
            where="fleet.yaml:1",
            record=Record({"/tags": "0" * 32}, protect=False),
        ),
    ),
    {"acme": OrgRef("org_1", "Acme")},
    {Address("acme", "Model", "m"): "model_1"},
    {"Agent": 2},
    serial=3,
)
DATA = dumps(PLAN, plan_id="abc", origin=ORIGIN)


def edited(change):
    """Return the file with its JSON changed and everything else as it was."""
    raw = json.loads(DATA)
    change(raw)
    return json.dumps(raw).encode()


def sealed(change):
    """Return the file changed by somebody who also knows the checksum."""
    raw = json.loads(DATA)
    change(raw)
    raw["checksum"] = digest({key: value for key, value in raw.items() if key != "checksum"})
    return json.dumps(raw).encode()


CHANGED = "was changed after it was written"
BAD = [
    ("empty", b"", "is not a plan file"),
    ("text", b"plan: no", "is not a plan file"),
    ("not UTF-8", b"\xff\xfe", "is not a plan file"),
    ("a list", b"[]", "is not a plan file of this version (format: None)"),
    ("a number", b"7", "is not a plan file of this version (format: None)"),
    ("some JSON", b'{"format": "terraform"}', "is not a plan file of this version (format: terraform)"),
    ("another version", DATA.replace(b"plan/v1", b"plan/v2"), f"format: {FORMAT[:-1]}2"),
    ("cut short", DATA[: len(DATA) // 2], "is not a plan file"),
    ("an address edited", edited(lambda raw: raw["changes"][0].update(address="acme/Agent/other")), CHANGED),
    ("a value edited", edited(lambda raw: raw["changes"][0]["body"].update(tags=["b"])), CHANGED),
    ("a note edited", edited(lambda raw: raw["changes"][0].update(notes=["x"])), CHANGED),
    ("the place edited", edited(lambda raw: raw.update(api_url="https://evil.example.com")), CHANGED),
    ("the id edited", edited(lambda raw: raw.update(id="other")), CHANGED),
    ("a member added", edited(lambda raw: raw.update(more=1)), "/more "),
    ("a change dropped", edited(lambda raw: raw["changes"].clear()), CHANGED),
    ("no checksum", edited(lambda raw: raw.pop("checksum")), "/checksum "),
    ("no changes", edited(lambda raw: raw.pop("changes")), "is damaged"),
    ("no address", edited(lambda raw: raw["changes"][0].update(address="nowhere")), "is damaged"),
    ("an unknown kind", sealed(lambda raw: raw["changes"][0].update(address="acme/Robot/x")), "is damaged"),
    ("an unknown action", sealed(lambda raw: raw["changes"][0].update(action="explode")), "is damaged"),
    ("a body that is none", sealed(lambda raw: raw["changes"][0].update(body=3)), "is damaged"),
    ("changes that are none", sealed(lambda raw: raw.update(changes=7)), "is damaged"),
    ("a secret that is none", sealed(lambda raw: raw["changes"][0]["body"].update(x={"$secret": {}})), "is damaged"),
    ("an edited refusal", edited(lambda raw: raw.update(refusals=[["x", "y"]])), CHANGED),
    ("a lower serial", edited(lambda raw: raw["ledger"].update(serial=0)), CHANGED),
    ("an edited record", edited(lambda raw: raw["changes"][0]["record"].update(protect=True)), CHANGED),
    ("a ledger that is none", sealed(lambda raw: raw.update(ledger=None)), "is damaged"),
    ("a release of nothing", sealed(lambda raw: raw["changes"][0].update(action="release")), "no version to publish"),
    ("a side that is none", sealed(lambda raw: raw["changes"][0].update(sides=["left"])), "is damaged"),
    ("a side too many", sealed(lambda raw: raw["changes"][0].update(sides=[None, None])), "is damaged"),
    ("an odd refusal", sealed(lambda raw: raw.update(refusals=[["x"]])), "is damaged"),
    ("an unknown state", sealed(lambda raw: raw.update(secrets={"lost": 1})), "is damaged"),
    ("a record of another kind", sealed(lambda raw: raw["changes"][0].update(record=[])), "is damaged"),
    ("a commit of another kind", sealed(lambda raw: raw.update(commit=7)), "is damaged"),
    ("a URL that is none", sealed(lambda raw: raw.update(api_url=None)), "is damaged"),
    ("bindings that are none", sealed(lambda raw: raw.update(bindings=[[1]])), "is damaged"),
    ("nesting beyond reason", b'{"format":"%s","changes":' % FORMAT.encode() + b"[" * 1000 + b"]" * 1000 + b"}", "is"),
    (
        "deep values",
        edited(lambda raw: raw["changes"][0]["body"].update(x=json.loads('{"a":' * 600 + "1" + "}" * 600))),
        "is",
    ),
]


@pytest.mark.parametrize(("data", "says"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_is_no_plan_is_refused(data, says):
    """Whatever is not the file as written is refused with its name, a reason and what to do."""
    with pytest.raises(PlanFileError) as raised:
        loads(data, name="saved.plan")
    assert raised.value.message.startswith("saved.plan ")
    assert says in raised.value.message
    assert raised.value.hint


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.data())
def test_one_changed_byte_is_noticed(data):
    """A file in which any one byte differs is refused, or still says the very same."""
    place = data.draw(st.integers(0, len(DATA) - 1))
    byte = data.draw(st.integers(0, 255))
    try:
        read = loads(DATA[:place] + bytes([byte]) + DATA[place + 1 :], name="p")
    except PlanFileError:
        return
    assert (read.plan, read.id, read.origin) == (PLAN, "abc", ORIGIN)


def _resealed(tree):
    """Spell a plan file with the checksum of what it says."""
    del tree["checksum"]
    return orjson.dumps(tree | {"checksum": digest(tree)})


CHANGE = Change(Address("a", "Agent", "x"), Action.UPDATE, fields=(FieldChange(("n",), 1, 2),), id="agent_1")


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        (lambda tree: tree["changes"][0]["fields"][0].update(path=[{}]), "/changes/0/fields/0/path/0 "),
        (lambda tree: tree["changes"][0]["precondition"].update(covers=[[]]), "/changes/0/precondition/covers/0 "),
        (lambda tree: tree["changes"][0].update(notes=[1]), "/changes/0/notes/0 "),
        (lambda tree: tree["changes"][0].update(id="../x?y"), "/changes/0/id "),
        (lambda tree: tree["changes"][0].update(body={"k": {"$secret": {}}}), "/changes/0/body "),
        (lambda tree: tree["changes"][0].update(action="publish"), "/changes/0 "),
        (lambda tree: tree["changes"][0].update(action="rotate"), "/changes/0 "),
        (lambda tree: tree["changes"][0].update(key_to={"command": []}), "/changes/0/key_to"),
        (lambda tree: tree["changes"][0].update(key_to={"env_file": "a", "variable": "A=1"}), "/changes/0/key_to"),
        (lambda tree: tree["changes"][0].update(sides=[]), "/changes/0 "),
        (lambda tree: tree["changes"][0].update(after=["a/Agent/x"]), "/changes/0/after "),
        (lambda tree: tree["changes"].append(tree["changes"][0]), "/changes/1 "),
        (lambda tree: tree["orgs"].update(a={"id": 7, "title": "A"}), "/orgs/a/id "),
        (lambda tree: tree["bindings"].append(["a", "Kind", "x", "y"]), "Kind"),
        (lambda tree: tree["ledger"].update(serial=2**63), "/ledger/serial "),
        (lambda tree: tree.update(extra=1), "/extra "),
        (lambda tree: tree.pop("partial"), "/partial "),
        (lambda tree: tree.update(manifests=[]), "/manifests "),
    ],
)
def test_a_right_checksum_excuses_nothing(damage, place):
    """Every member is looked at, whoever wrote the checksum, and the message says which one is odd."""
    tree = orjson.loads(dumps(Plan((CHANGE,)), plan_id="1", origin=ORIGIN))
    assert loads(_resealed(dict(tree)), name="p").plan.changes == (CHANGE,)
    damage(tree)
    with pytest.raises(PlanFileError, match=rf"^p is damaged: .*{place}"):
        loads(_resealed(tree), name="p")


def test_a_message_about_a_plan_file_is_short():
    """It names the place, and quotes no more of the file than somebody reads."""
    tree = orjson.loads(dumps(Plan((CHANGE,)), plan_id="1", origin=ORIGIN))
    tree["changes"][0] |= {"address": "x" * 50_000, "k" * 50_000: 1}
    with pytest.raises(PlanFileError) as raised:
        loads(_resealed(tree), name="p")
    assert len(raised.value.message) < 1_000


def test_what_is_nested_too_deep_for_a_checksum_is_damage():
    """JSON may be read deeper than it can be written again."""
    tree = orjson.loads(dumps(Plan((CHANGE,)), plan_id="1", origin=ORIGIN))
    deep = orjson.dumps(tree).replace(b'"old":1', b'"old":' + b"[" * 900 + b"]" * 900)
    with pytest.raises(PlanFileError, match="nested too deep"):
        loads(deep, name="p")
