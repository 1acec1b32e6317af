"""What the laws do with a world: declare a fleet, bring it about, and look at what is there."""

from collections import Counter

from hypothesis import assume

from reconciler.errors import ManifestError
from reconciler.plan.change import Action


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
    )


def stored(world):
    """Return every document of the server as it is stored."""
    return dict(world.emulator.store._db.execute("SELECT id, body FROM documents").fetchall())
