"""What the laws do with a world: declare a fleet, bring it about, and look at what is there."""

from collections import Counter

from hypothesis import assume

from reconciler.errors import ManifestError
from reconciler.plan.change import Action

UNCLEAR = (
    "cannot tell which live",
    "secrets not declared here",
    "whose key is made when it is created",
    "it is synced: its",
)
"""What a plan may refuse instead of guessing: only then it may end otherwise than git says, and writes nothing."""


def declare(world, fleet):
    """Declare a fleet, and nothing else."""
    world.declared.clear()
    for (kind, name), spec in fleet.items():
        say(world, kind, name, spec)
    assume(fleet)


def say(world, kind, name, spec):
    """Declare one thing; a session may take the place of another."""
    world.declare(kind, name, spec, **({"replace": True} if kind == "Session" else {}))


def settle(world):
    """Apply what is declared, whatever leaves with it, insisting that all of it goes well."""
    plan = world.plan()
    gone = Counter(one.address.kind for one in plan.changes if one.action is Action.ARCHIVE and not one.replaces)
    applied = world.apply(world.plan(allow_archive=dict(gone)) if plan.refusals else plan)
    used = [one for one in applied.outcomes if "still used by" in str(getattr(one, "message", ""))]
    assume(not used)  # what git released may still use what git gave up: that is told, and left to a person
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


def alive(world):
    """Return what is live by kind and name, and of each app the types of its channels."""
    return sorted(
        (plural, item["name"], sorted(channel["channel_type"] for channel in item.get("channels", [])))
        for plural in ("memories", "agents", "apps")
        for item in world.live(plural)
        if item["status"] != "archived"
    ) + sorted(sessions(world))


def files(world, item):
    """Return the files of a memory, each with its bytes."""
    found = world.emulator.store.query(
        "SELECT path, content FROM memory_files WHERE memory = ? AND NOT is_directory ORDER BY path", (item["id"],)
    )
    return [tuple(row) for row in found]


def sessions(world):
    """Return the address of every session of ours."""
    return [tag for item in world.live("sessions") for tag in item["tags"] if tag.startswith("reconciler:")]


def published(world):
    """Return the hashes of what is published of each agent, oldest first, an agent's each once in a row."""
    found = {}
    for item in world.live("agents"):
        listed = world.api.get(f"/v1/agents/{item['id']}/versions").json()
        found[item["name"]] = [one["config_hash"] for one in reversed(listed) if one["is_published"]]
    return found


def stored(world):
    """Return every document of the server as it is stored, and every file of a memory."""
    store = world.emulator.store
    return dict(
        store.query("SELECT id, body FROM documents")
        + store.query("SELECT memory || path, hex(content) || updated_at FROM memory_files WHERE NOT is_directory")
    )
