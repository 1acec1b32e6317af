"""What a reference means, and what a live resource is called here."""

import pytest

from reconciler.kinds import BY_NAME
from reconciler.live.names import Directory, Names, Unresolved, needed


def ident(prefix, number):
    """Spell an id."""
    return f"{prefix}_{number:032x}"


def model(number, name, provider, *, shown=None, **more):
    """Make a live model."""
    return {
        "id": ident("model", number),
        "model_id": name,
        "provider_name": provider,
        "provider_type": provider.lower(),
        "display_name": shown or name.title(),
        "enabled": True,
        **more,
    }


MODELS = [
    model(1, "claude-sonnet-4-5", "Anthropic", shown="Claude Sonnet 4.5"),
    model(2, "gpt-4o", "OpenAI", shown="GPT-4o"),
    model(3, "gpt-4o", "Azure", shown="GPT-4o on Azure"),
    model(4, "old", "OpenAI", shown="Old", enabled=False),
    model(5, "twin", "One", shown="Twin", healthy=False),
    model(6, "twin", "Two", shown="Twin", healthy=True),
]
BY_ID = {wire["id"]: wire for wire in MODELS}
CATALOGUE = Directory(BY_NAME["Model"], BY_ID, {})

MEANINGS = [
    ("by its own name", "claude-sonnet-4-5", 1),
    ("by provider and name", "Anthropic/claude-sonnet-4-5", 1),
    ("by the provider's type", "anthropic/claude-sonnet-4-5", 1),
    ("by what people are shown", "Claude Sonnet 4.5", 1),
    ("whatever its case", "CLAUDE-sonnet-4-5", 1),
    ("shown, whatever its case", "claude sonnet 4.5", 1),
    ("an ambiguous name with its provider", "OpenAI/gpt-4o", 2),
    ("an ambiguous name with its provider's type", "azure/gpt-4o", 3),
    ("an exact title of a later tier", "GPT-4o", 2),
    ("by id", ident("model", 3), 3),
]


@pytest.mark.parametrize(("text", "number"), [row[1:] for row in MEANINGS], ids=[row[0] for row in MEANINGS])
def test_meanings(text, number):
    """Each spelling is tried as a whole, the exact ones first; what it means has one name."""
    name = CATALOGUE.resolve(text)
    assert not isinstance(name, Unresolved), name
    assert CATALOGUE.id_of(name) == ident("model", number)
    assert CATALOGUE.name_of(ident("model", number)) == name


def test_a_name_that_is_shared_is_made_longer():
    """What is alone with its title goes by it, what shares it by a longer one, what has nothing else by its id."""
    assert CATALOGUE.name_of(ident("model", 1)) == "claude-sonnet-4-5"
    assert CATALOGUE.name_of(ident("model", 2)) == "OpenAI/gpt-4o"
    assert CATALOGUE.name_of(ident("model", 4)) == ident("model", 4)
    identities = [{"id": ident("identity", number), "name": "desk", "status": "active"} for number in (1, 2)]
    directory = Directory(BY_NAME["AgentIdentity"], {wire["id"]: wire for wire in identities}, {})
    assert directory.name_of(ident("identity", 1)) == ident("identity", 1)


@pytest.mark.parametrize("number", range(1, 7))
def test_the_name_of_something_means_it(number):
    """Whatever a live resource is called here, a reference of that name means it alone, unless nobody may use it."""
    name = CATALOGUE.name_of(ident("model", number))
    assert CATALOGUE.resolve(name) == name
    assert CATALOGUE.id_of(name) == ident("model", number)


def test_an_unknown_id_is_its_own_name():
    """What was never listed keeps its id."""
    assert CATALOGUE.name_of("model_unknown") == "model_unknown"


UNRESOLVED = [
    (
        "gpt-4o",
        f'2 models are called "gpt-4o": Azure/gpt-4o ({ident("model", 3)}), OpenAI/gpt-4o ({ident("model", 2)})',
        "by a longer name or by its id",
    ),
    ("old", 'model "old" is archived or disabled', "bring it back"),
    ("claude-sonet-4-5", 'no model is called "claude-sonet-4-5"', "did you mean claude-sonnet-4-5?"),
    ("zzz", 'no model is called "zzz"', "known: Azure/gpt-4o, One/twin, OpenAI/gpt-4o, Two/twin, claude-sonnet-4-5"),
    (ident("model", 99), f"no model has the id {ident('model', 99)}", ""),
]


@pytest.mark.parametrize(("text", "message", "hint"), UNRESOLVED)
def test_what_means_nothing(text, message, hint):
    """Several candidates are listed, the gone are named as such, a slip is guessed at."""
    why = CATALOGUE.resolve(text)
    assert isinstance(why, Unresolved)
    assert why.message == message
    assert hint in (why.hint or "")


def test_long_lists_are_cut():
    """Ten known names are enough."""
    wires = [{"id": ident("harness", n), "name": f"h{n:02}"} for n in range(25)]
    why = Directory(BY_NAME["Harness"], {wire["id"]: wire for wire in wires}, {}).resolve("zzzzzz")
    assert why.hint == "known: h00, h01, h02, h03, h04, h05, h06, h07, h08, h09 and 15 more"
    assert Directory(BY_NAME["Harness"], {}, {}).resolve("x").hint == "there are no harnesses yet"


LIVE = [
    {"id": ident("mem", 1), "name": "Design docs", "status": "active"},
    {"id": ident("mem", 2), "name": "Notes", "status": "active"},
    {"id": ident("mem", 3), "name": "Attic", "status": "archived"},
]
MEMORIES = Directory(
    BY_NAME["Memory"], {wire["id"]: wire for wire in LIVE}, {"docs": ident("mem", 1), "new": None, "notes": None}
)

ADDRESSES = [
    ("docs", "docs", ident("mem", 1)),
    ("Design docs", "docs", ident("mem", 1)),
    (ident("mem", 1), "docs", ident("mem", 1)),
    ("new", "new", None),
    ("Notes", "Notes", ident("mem", 2)),
    ("notes", "notes", None),
]


@pytest.mark.parametrize(("text", "name", "id_"), ADDRESSES)
def test_addresses_come_first(text, name, id_):
    """What is declared goes by its address, whether it is live or not, and an address wins over a title."""
    assert MEMORIES.resolve(text) == name
    assert MEMORIES.id_of(name) == id_


def test_archived_things_are_not_meant():
    """An archived resource keeps its id for a name, and a reference to its title is refused as such."""
    assert MEMORIES.name_of(ident("mem", 3)) == ident("mem", 3)
    assert "is archived or disabled" in MEMORIES.resolve("Attic").message


def desired_agent(world, **spec):
    """Declare one agent and read it."""
    world.agent("triage", **spec)
    return [one for one in world.wanted().chosen if one.address.kind == "Agent"]


def test_bind(world):
    """Every reference gets its one name; each that means nothing is a fault on its own place."""
    mounts = [{"memory": name, "path": f"/workspace/{n}"} for n, name in enumerate(["Design docs", "nope", "Attic"])]
    (agent,) = desired_agent(
        world, default_model="GPT-4o", capabilities=[{"ref": "memory", "config": {"mounts": mounts}}]
    )
    names = Names()
    names.add("default", CATALOGUE)
    names.add("default", MEMORIES)
    (bound,), faults = names.bind([agent])
    assert bound.spec["default_model"] == "OpenAI/gpt-4o"
    assert [mount["memory"] for mount in bound.spec["capabilities"][0]["config"]["mounts"]] == ["docs", "nope", "Attic"]
    assert [fault.path[-2:] for fault in faults] == [(1, "memory"), (2, "memory")]
    assert agent.spec["default_model"] == "GPT-4o"


def test_bind_before_the_organization_exists(world):
    """References into an organization that is yet to be created stay as written."""
    (agent,) = desired_agent(world, default_model="whatever")
    bound, faults = Names().bind([agent])
    assert (bound, faults) == ([agent], [])


def test_needed(world):
    """A run lists the kinds it declares, their parents and what they refer to; nothing else."""
    world.agent("plain")
    assert needed(world.wanted().chosen) == {"default": {"Agent"}}
    world.agent("triage", default_model="m", harness="h")
    world.bot("bot", {"name": "api", "type": "api_endpoint"})
    assert needed(world.wanted().chosen) == {"default": {"Agent", "Model", "Harness", "App"}}
    world.declare("Organization", "acme", {"default_model": "m"})
    assert needed(world.wanted().chosen)["acme"] == {"Agent", "Model", "Harness", "App"}
