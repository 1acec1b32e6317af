"""What a run is about: --org, --target, --exclude."""

import pytest

from reconciler.errors import UsageError
from reconciler.plan.select import Selection, Since, select
from reconciler.resource import Address

FLEET = [
    ("Organization/acme", {"default_model": "m"}),
    ("Memory/docs", {}),
    ("Memory/spare", {}),
    (
        "Agent/triage",
        {"capabilities": [{"ref": "memory", "config": {"mounts": [{"memory": "docs", "path": "/workspace/d"}]}}]},
    ),
    ("Agent/writer", {}),
    ("App/bot", {"agent": "triage", "harness": "generic"}),
    ("App/bot/Channel/nightly", {"type": "schedule"}),
    ("App/desk", {"agent": "writer", "harness": "generic"}),
]
EVERYTHING = [address for address, _ in FLEET]


@pytest.fixture(scope="module")
def fleet(desired):
    """Give a fleet of one organization, as resolved from files."""
    return [desired(address, spec) for address, spec in FLEET]


def chosen(result):
    """Return the addresses of a selection within the organization."""
    return [one.address.local for one in result[0]]


TARGETS = [
    ("nothing asked", (), (), EVERYTHING),
    ("alone", ("Memory/spare",), (), ["Organization/acme", "Memory/spare"]),
    ("with the organization spelled", ("acme/Memory/spare",), (), ["Organization/acme", "Memory/spare"]),
    ("with what it refers to", ("Agent/triage",), (), ["Organization/acme", "Memory/docs", "Agent/triage"]),
    (
        "with children and what those above refer to",
        ("App/bot",),
        (),
        ["Organization/acme", "Memory/docs", "Agent/triage", "App/bot", "App/bot/Channel/nightly"],
    ),
    (
        "a child brings its parent",
        ("App/bot/Channel/*",),
        (),
        ["Organization/acme", "Memory/docs", "Agent/triage", "App/bot", "App/bot/Channel/nightly"],
    ),
    ("a glob", ("Memory/*",), (), ["Organization/acme", "Memory/docs", "Memory/spare"]),
    ("two targets", ("Memory/spare", "Agent/writer"), (), ["Organization/acme", "Memory/spare", "Agent/writer"]),
    ("exclude alone", (), ("*/Agent/triage", "Agent/writer"), [a for a in EVERYTHING if not a.startswith("Agent")]),
    ("a parent takes its children along", (), ("App/bot",), [a for a in EVERYTHING if not a.startswith("App/bot")]),
    ("exclude wins over target", ("App/desk",), ("Agent/*",), ["Organization/acme", "App/desk"]),
]


@pytest.mark.parametrize(("target", "exclude", "expected"), [r[1:] for r in TARGETS], ids=[r[0] for r in TARGETS])
def test_selection(fleet, target, exclude, expected):
    """A target brings what it stands on and its children; an exclusion takes children along and nothing else."""
    assert chosen(select(fleet, Selection(target=target, exclude=exclude))) == expected


def test_words(fleet):
    """What was left out is said with its reason, and nothing is said when nothing was."""
    assert select(fleet, Selection())[1] is None
    assert select(fleet, Selection(target=("*",)))[1] is None
    words = select(fleet, Selection(target=("Memory/*",), exclude=("Memory/spare",)))[1]
    assert words == "6 of 8 declared resources left out by --target Memory/* --exclude Memory/spare"


NOTHING = [
    ({"target": ("Agent/triag",)}, "--target Agent/triag: matches no declared resource"),
    ({"target": ("Agent/*", "Agnet/*")}, "--target Agnet/*: matches no declared resource"),
    ({"target": ("agent/*",)}, "--target agent/*: matches no declared resource"),
    ({"exclude": ("App/none",)}, "--exclude App/none: matches no declared resource"),
    ({"orgs": ("acmee",)}, "--org acmee: no manifest belongs to it"),
    ({"target": ("Agent/triage",), "exclude": ("App/bot",)}, "--exclude App/bot: matches no declared resource"),
]


@pytest.mark.parametrize(("flags", "message"), NOTHING)
def test_a_pattern_must_match(fleet, flags, message):
    """A selection is never silently empty, and case counts."""
    with pytest.raises(UsageError) as raised:
        select(fleet, Selection(**flags))
    assert raised.value.message == message
    assert raised.value.hint


def test_orgs(fleet, desired):
    """--org keeps whole organizations."""
    assert len(select(fleet, Selection(orgs=("acme",)))[0]) == len(FLEET)


def test_an_exclusion_of_everything(fleet):
    """To leave out all there is cannot be meant, and is no plan without changes."""
    with pytest.raises(UsageError, match="--exclude leaves nothing"):
        select(fleet, Selection(exclude=("*",)))


GONE = [Address.parse(f"acme/{name}") for name in ("Agent/old", "App/past", "App/past/Channel/nightly")]


def test_what_is_leaving_can_be_named(fleet):
    """A pattern may mean what is ours and no longer declared; nothing declared is chosen by it."""
    assert chosen(select(fleet, Selection(target=("Agent/old",)), leaving=GONE)) == []
    assert [one for one in GONE if Selection(target=("Agent/old",)).takes(one)] == GONE[:1]
    assert [one for one in GONE if Selection(exclude=("App/past",)).takes(one)] == GONE[:1]
    assert [one for one in GONE if Selection(orgs=("other",)).takes(one)] == []


def test_words_count_what_is_leaving(fleet):
    """What leaves git counts among what there is, and what of it is left out is said."""
    assert select(fleet, Selection(), leaving=GONE)[1] is None
    words = select(fleet, Selection(target=("Agent/old",)), leaving=GONE)[1]
    assert words == "10 of 11 declared resources left out by --target Agent/old"


def test_an_exclusion_of_all_that_is_declared_leaves_what_leaves(fleet):
    """A run may be about nothing but what is leaving."""
    others = ("Organization/*", "Memory/*", "Agent/[tw]*", "App/[bd]*")
    assert chosen(select(fleet, Selection(exclude=others), leaving=GONE)) == []
    with pytest.raises(UsageError, match="--exclude leaves nothing"):
        select(fleet, Selection(exclude=("*",)), leaving=GONE)


def test_an_organization_that_only_leaves_is_known(fleet):
    """--org may name an organization that only the ledger still knows."""
    leaving = [Address("globex", "Agent", "old")]
    assert chosen(select(fleet, Selection(orgs=("globex",)), leaving=leaving)) == []
    with pytest.raises(UsageError, match="no manifest belongs to it") as raised:
        select(fleet, Selection(orgs=("initech",)), leaving=leaving)
    assert raised.value.hint == "known: acme, globex"


def since(*touched, **more):
    """Select what was touched, within the organization."""
    addresses = frozenset(Address.parse(f"acme/{one}") for one in touched)
    return Selection(since=Since("main", addresses), **more)


TOUCHED = [
    ("nothing", (), []),
    ("alone", ("Memory/spare",), ["Organization/acme", "Memory/spare"]),
    (
        "what stands on it, at any distance, and what that stands on",
        ("Memory/docs",),
        ["Organization/acme", "Memory/docs", "Agent/triage", "App/bot", "App/bot/Channel/nightly"],
    ),
    (
        "a child",
        ("App/bot/Channel/nightly",),
        ["Organization/acme", "Memory/docs", "Agent/triage", "App/bot", "App/bot/Channel/nightly"],
    ),
    ("what everything is in", ("Organization/acme",), EVERYTHING),
    ("what is declared no more, and still referred to by a built-in's name", ("Harness/other",), []),
]


@pytest.mark.parametrize(("touched", "expected"), [case[1:] for case in TOUCHED], ids=[case[0] for case in TOUCHED])
def test_what_was_touched_brings_what_stands_on_it(fleet, touched, expected):
    """What was touched brings its dependants, and all of these what they stand on; nothing touched is no mistake."""
    assert chosen(select(fleet, since(*touched))) == expected


def test_a_dependant_of_what_was_removed_is_looked_at(fleet):
    """What still refers to a resource that git declares no more is part of the run."""
    left = [one for one in fleet if one.address.local != "Agent/writer"]
    assert "App/desk" in chosen(select(left, since("Agent/writer")))


def test_a_reference_may_say_a_title(desired):
    """A reference by display name stands on the same resource as one by address."""
    fleet = [desired("Memory/docs", {"name": "Design docs"}), desired("Agent/a", MOUNT), desired("Agent/b", {})]
    assert [one.address.local for one in select(fleet, since("Memory/docs"))[0]] == ["Memory/docs", "Agent/a"]


MOUNT = {"capabilities": [{"ref": "memory", "config": {"mounts": [{"memory": "Design docs", "path": "/workspace/d"}]}}]}


def test_a_target_and_what_was_touched_must_both_agree(fleet):
    """With a target, only what was touched (or stands on it) among its matches is meant."""
    both = select(fleet, since("Agent/writer", target=("App/*",)))
    assert chosen(both) == ["Organization/acme", "Agent/writer", "App/desk"]
    assert chosen(select(fleet, since("Memory/spare", target=("App/*",)))) == []
    with pytest.raises(UsageError, match="matches no declared"):
        select(fleet, since("Memory/spare", target=("App/none",)))


def test_what_left_git_counts_only_where_it_was_touched(fleet):
    """What left git before the commit is no part of the run; an exclusion of what was not touched is no mistake."""
    selection = since("Agent/gone", exclude=("Memory/spare",))
    assert selection.takes(Address.parse("acme/Agent/gone"))
    assert not selection.takes(Address.parse("acme/Agent/older"))
    assert select(fleet, selection) == ([], "8 of 8 declared resources left out by --exclude Memory/spare --since main")
