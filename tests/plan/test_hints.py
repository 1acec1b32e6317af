"""What looks like a rename, and what does not."""

import time
from random import Random

import pytest

from reconciler.kinds.fields import SET, SecretRef
from reconciler.plan.hints import ENOUGH, Likeness, Sight, hints, likenesses
from reconciler.resource import Address

PROMPT = """You sort the mail of our customers.
Read the whole thread before you answer.
Complaints about bills go to Anna; anything about delivery goes to Bert.
Be brief, be friendly, and never promise a date.
If you do not know, say so and hand over to a person.
"""


def sight(text, spec, *children, **more):
    """Make something at `org/Kind/name`."""
    return Sight(Address.parse(text), spec, children, **more)


def agent(name, prompt=PROMPT, **more):
    """Make an agent of acme, as git declares it."""
    return sight(f"acme/Agent/{name}", {"system_prompt": prompt, **more})


def live(name, prompt=PROMPT, **more):
    """Make an agent of acme with all that the platform tells of it."""
    full = {"name": name, "display_name": None, "tags": [], "harness": "generic", "capabilities": [], "tools": []}
    return sight(f"acme/Agent/{name}", full | {"system_prompt": prompt, **more})


def found(new, old):
    """Return which is taken for which."""
    return [(pair.old.name, pair.new.name) for pair in likenesses(new, old)]


def test_the_same_under_another_name():
    """Whatever the platform has beside what is declared does not matter; both sides are told."""
    pairs = likenesses([agent("support-triage")], [live("triage", max_iterations=5)])
    new, old = Address("acme", "Agent", "support-triage"), Address("acme", "Agent", "triage")
    assert pairs == [Likeness(new, old, 1.0, "moved_from: triage")]
    assert hints(pairs) == {
        new: "looks like a rename of Agent/triage: write moved_from: triage in its metadata to keep it",
        old: "looks like a rename to Agent/support-triage: see there",
    }


def test_what_is_not_ours_is_kept_by_its_id():
    """The ledger knows no old address of what it does not own."""
    foreign = Sight(Address("acme", "Agent", "triage"), live("triage").spec, id="agent_1")
    (pair,) = likenesses([agent("new")], [foreign])
    assert pair.line == "id: agent_1"


def test_a_channel_says_it_beside_its_name():
    """A channel has no metadata; it is compared with those of its own app alone."""
    config = {"type": "schedule", "config": {"cron_expression": "0 0 2 * * * *", "message": PROMPT}}
    new = sight("acme/App/bot/Channel/night", config)
    old = sight("acme/App/bot/Channel/nightly", config)
    other = sight("acme/App/desk/Channel/nightly", config)
    assert hints(likenesses([new], [old, other]))[new.address] == (
        "looks like a rename of App/bot/Channel/nightly: write moved_from: nightly beside its name to keep it"
    )
    assert likenesses([new], [other]) == []


@pytest.mark.parametrize(
    ("edited", "alike"),
    [
        (PROMPT.replace("Be brief, be friendly, and", "Be kind, and"), True),
        (PROMPT + "Sign with the name of the team.\n", True),
        ("\n\n".join(line + "  " for line in PROMPT.splitlines()), True),
        (PROMPT.replace("\n", " "), True),
        ("\n".join(PROMPT.splitlines()[:2]), False),
        (PROMPT.upper(), False),
    ],
)
def test_edited_texts_are_alike_while_most_is_the_same(edited, alike):
    """Four fifths must be the same; line breaks and a changed sentence do not matter."""
    assert bool(found([agent("new", edited)], [live("old")])) is alike


@pytest.mark.parametrize(
    ("new", "old"),
    [
        (agent("new", "Be brief."), live("old", "Be brief.")),
        (agent("new", "x" * (ENOUGH - 1)), live("old", "x" * (ENOUGH - 1))),
        (sight("acme/Memory/new", {}), sight("acme/Memory/old", {"description": None, "source": {"type": "manual"}})),
        (
            sight("acme/Memory/new", {"description": "Notes"}),
            sight("acme/Memory/old", {"name": "old", "description": "Notes", "source": {"type": "manual"}}),
        ),
        (
            sight("acme/App/new", {"harness": "generic", "agent": "triage", "description": None}),
            sight("acme/App/old", {"name": "old", "harness": "generic", "agent": "triage"}),
        ),
        (sight("acme/Organization/new", {"name": "n" * 99}), sight("acme/Organization/old", {"name": "n" * 99})),
    ],
)
def test_small_things_are_no_renames(new, old):
    """What says little is like many others, and its name says nothing here."""
    assert likenesses([new], [old]) == []


def test_enough_is_enough():
    """One character more than too few is a likeness."""
    assert found([agent("new", "x" * ENOUGH)], [live("old", "x" * ENOUGH)]) == [("old", "new")]


def test_an_app_is_known_by_its_channels():
    """What its children say counts for their parent."""
    channel = {"type": "schedule", "enabled": True, "config": {"message": PROMPT}}
    new = sight("acme/App/desk", {"harness": "generic"}, channel)
    old = sight("acme/App/bot", {"name": "bot", "harness": "generic", "description": "x"}, channel)
    assert found([new], [old]) == [("bot", "desk")]
    assert found([new], [sight("acme/App/bot", {"harness": "generic"})]) == []


def test_secrets_say_nothing():
    """Neither a reference nor what the platform has set is compared."""
    new = agent("new", mcpServers={"crm": {"headers": {"A": SecretRef(source="env", name="A_VERY_LONG_NAME" * 9)}}})
    old = live("old", mcpServers={"crm": {"headers": {"A": SET}}})
    assert likenesses([new], [old])[0].score == 1.0


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ([agent("one"), agent("two")], [live("old")]),
        ([agent("new")], [live("one"), live("two")]),
        ([agent("one"), agent("two")], [live("three"), live("four")]),
    ],
)
def test_no_hint_where_two_could_be_meant(new, old):
    """A guess would be worse than silence."""
    assert likenesses(new, old) == []


def test_the_better_one_is_meant():
    """One that agrees wholly is preferred to one that was edited."""
    edited = PROMPT.replace("Be brief, be friendly, and never promise a date.", "")
    assert found([agent("new")], [live("other", edited), live("old")]) == [("old", "new")]


@pytest.mark.parametrize("place", ["labs/Agent/old", "acme/Memory/old"])
def test_only_of_one_kind_and_organization(place):
    """What stands elsewhere is another thing."""
    assert likenesses([agent("new")], [sight(place, {"system_prompt": PROMPT, "description": PROMPT})]) == []


def test_many_against_many():
    """A thousand that appear and a thousand that vanish, with much in common, are told apart in no time."""
    rng = Random(5)
    words = [f"word{number}" for number in range(300)]
    prompts = [PROMPT + "\n".join(" ".join(rng.choices(words, k=9)) for _ in range(40)) for _ in range(1000)]
    old = [live(f"old-{number}", prompt) for number, prompt in enumerate(prompts)]
    new = [agent(f"new-{number}", prompt + "\nOne more line.") for number, prompt in enumerate(prompts)]
    rng.shuffle(new)
    start = time.process_time()
    assert sorted(found(new, old)) == sorted((f"old-{number}", f"new-{number}") for number in range(1000))
    clones = [agent(f"clone-{number}") for number in range(1000)]
    assert found(clones, [live(f"gone-{number}") for number in range(1000)]) == []
    assert time.process_time() - start < 5
