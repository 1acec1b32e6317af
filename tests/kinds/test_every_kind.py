"""What holds for every kind and every channel type, generated from the declarations: a new kind gets it for free."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.errors import Exit, ManifestError, PlanRefused
from reconciler.kinds import TENANT
from reconciler.kinds.kind import Identity, Twin
from reconciler.plan.change import Action, Change
from reconciler.plan.drift import What
from reconciler.settings import settings
from reconciler.views import find_drift

from ..test_import import settled  # noqa: TID252 - tests are found by path, there is no package to name
from .declared import LATER_SERVERS, NAME, SORTS, UNSAYABLE, Path, Sort, provided

FIELDS = [(sort, path) for sort in SORTS for path in sort.fields() if path not in UNSAYABLE.get(sort.label, {})]
MUTABLE = [(sort, path) for sort, path in FIELDS if not sort.is_fixed(path)]
FIXED = [(sort, path) for sort, path in FIELDS if sort.is_fixed(path)]
VISIBLE = [(sort, path) for sort, path in MUTABLE if not sort.is_secret(path)]


def called(value: Any) -> str:
    """Name a case."""
    return value.label.replace(" ", "-") if isinstance(value, Sort) else ".".join(value)


every_sort = pytest.mark.parametrize("sort", SORTS, ids=called)
every_field = pytest.mark.parametrize(("sort", "path"), FIELDS, ids=called)
every_mutable_field = pytest.mark.parametrize(("sort", "path"), MUTABLE, ids=called)
every_fixed_field = pytest.mark.parametrize(("sort", "path"), FIXED, ids=called)
every_visible_field = pytest.mark.parametrize(("sort", "path"), VISIBLE, ids=called)


@pytest.fixture
def world(open_world, request):
    """Give a world whose server knows what the case is about."""
    case = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    is_clearing = request.function is test_each_field_is_cleared_or_refuses_to_be
    profile = LATER_SERVERS.get((case["sort"].label, case["path"])) if is_clearing else None
    with open_world(**({"profile": profile} if profile else {})) as world:
        yield world


@pytest.fixture
def tell(world, monkeypatch):
    """Give a function that declares something and gives a value to every secret of it."""

    def declare(sort: Sort, spec: dict[str, Any], **metadata: Any) -> None:
        sort.declare(world, spec, **metadata)
        for name, value in provided(world).items():
            monkeypatch.setenv(name, value)

    return declare


def steps(world, sort: Sort) -> list[Change]:
    """Give what a plan does to the resource; beside it there is nothing to do but to its children."""
    plan = world.plan()
    assert {change.address.above or change.address for change in plan.steps} <= {sort.address, sort.address.above}
    return [change for change in plan.steps if change.address == sort.address]


def nothing_left(world) -> None:
    """Insist that there is nothing to do, and that nothing is sent for it."""
    world.forget()
    plan = world.plan()
    assert plan.is_empty, [(str(one.address), one.fields) for one in plan.changes]
    assert world.apply(plan).exit_codes == (0,)
    assert not world.writes


@every_sort
@pytest.mark.parametrize("much", ["least", "full"])
def test_created_then_in_sync(world, tell, sort, much):
    """What git declares is created, with little said and with everything; then there is nothing to do."""
    tell(sort, getattr(sort, much)())
    made = [change.action for change in world.plan().steps if change.address == sort.address]
    assert made[0] is Action.CREATE
    world.converge()
    nothing_left(world)


@every_mutable_field
def test_each_field_is_updated(world, tell, sort, path):
    """One field that changes in git is one update that speaks of it alone, and then there is nothing to do."""
    before, after = sort.values(path)
    tell(sort, before)
    world.converge()
    tell(sort, after)
    (change,) = steps(world, sort)
    turned = (Action.PUBLISH, Action.UNPUBLISH) if sort.is_switch(path) else (Action.UPDATE,)
    assert change.action in turned
    for field in change.fields:
        assert field.path[: len(path)] == path[: len(field.path)], field
    world.converge()
    nothing_left(world)


@every_fixed_field
def test_each_immutable_field_takes_another_resource(world, tell, sort, path):
    """A field that is said once is never written again: without leave nothing happens, with it a new one is made."""
    before, after = sort.values(path)
    tell(sort, before)
    world.converge()
    first = world.ledger.entries[sort.address].id
    tell(sort, after)
    assert [change.action for change in steps(world, sort)] == [Action.ARCHIVE, Action.CREATE]
    world.forget()
    with pytest.raises(PlanRefused) as caught:
        world.apply(world.plan())
    assert caught.value.exit_code == Exit.REFUSED
    assert path[0] in caught.value.message
    assert not world.writes
    tell(sort, after, replace=True)
    world.converge()
    assert world.ledger.entries[sort.address].id != first
    nothing_left(world)


@every_fixed_field
def test_each_immutable_field_is_released(world, tell, sort, path):
    """A field that is said once and leaves git stays as it is: nothing is replaced for it."""
    before, _ = sort.values(path)
    tell(sort, before)
    world.converge()
    first = world.ledger.entries[sort.address].id
    tell(sort, {name: value for name, value in before.items() if name != path[0]})
    assert [change.action for change in world.plan().changes] == [Action.RECORD]
    world.converge()
    assert world.ledger.entries[sort.address].id == first
    nothing_left(world)


@every_mutable_field
def test_each_field_is_cleared_or_refuses_to_be(world, tell, sort, path):
    """What a manifest may empty is empty on the platform afterwards; any other null is refused when it is read."""
    before, _ = sort.values(path)
    tell(sort, before)
    ways = sort.emptied(before, path)
    if sort.clear(path) is not None:
        assert ways
    if not any(_at(way, path) is None for way in ways):
        tell(sort, sort.with_field(before, path, None))
        with pytest.raises(ManifestError):
            world.plan()
    for way in ways:
        tell(sort, before)
        world.converge()
        tell(sort, way)
        assert [change.action for change in steps(world, sort)] == [Action.UPDATE]
        world.converge()
        nothing_left(world)


def _at(spec: Any, path: Path) -> Any:
    for name in path:
        spec = spec[name]
    return spec


@every_sort
def test_archived_when_it_leaves_git(world, tell, sort):
    """What leaves git is archived where the platform can do that, and let go where it cannot."""
    tell(sort, sort.going())
    world.converge()
    sort.drop(world)
    (change,) = steps(world, sort)
    assert change.action is (Action.ARCHIVE if sort.kind.can_archive else Action.FORGET)
    world.converge()
    nothing_left(world)


@every_sort
def test_declared_again(world, tell, sort):
    """What was archived and is declared again is brought back, made anew, or refused: as the kind says."""
    tell(sort, sort.going())
    world.converge()
    first = world.ledger.entries[sort.address].id
    sort.drop(world)
    world.converge()
    tell(sort, sort.going())
    if sort.kind.twin is Twin.BLOCK:
        with pytest.raises(ManifestError) as caught:
            world.plan()
        assert "holds the name" in caught.value.faults[0].message
        assert caught.value.faults[0].hint
        return
    made = steps(world, sort)[0].action
    expected = Action.RESTORE if sort.kind.can_restore else Action.CREATE
    is_found = not sort.kind.can_archive and sort.kind.identity is not Identity.CALLER
    assert made is (Action.ADOPT if is_found else expected)
    world.converge()
    nothing_left(world)
    is_same = world.ledger.entries[sort.address].id == first
    assert is_same is (sort.kind.can_restore or not sort.kind.can_archive)


@every_sort
def test_archive_is_said_in_git(world, tell, sort):
    """A document that says archive takes the resource away, and then there is nothing to do."""
    tell(sort, sort.going())
    world.converge()
    ident = {"id": world.ledger.entries[sort.address].id} if sort.kind.parent else {}
    tell(sort, sort.going(), archive=True, **ident)
    if not sort.kind.can_archive:
        with pytest.raises(ManifestError):
            world.plan()
        return
    assert [change.action for change in steps(world, sort)] == [Action.ARCHIVE]
    world.converge()
    nothing_left(world)


@every_sort
@pytest.mark.parametrize("much", ["least", "full"])
def test_imported(world, tell, sort, much):
    """What is live can be imported whole, and the plan of the import is empty."""
    tell(sort, getattr(sort, much)())
    world.converge()
    settled(world)


@every_visible_field
def test_drift_is_seen(world, tell, sort, path):
    """A field that somebody else changed is drift, and the plan says that the platform moved."""
    before, after = sort.values(path)
    tell(sort, before)
    world.converge()
    ledger = world.folder.with_suffix(".ledger")
    shutil.copytree(ledger, world.folder.with_suffix(".before"))
    tell(sort, after)
    world.converge()
    shutil.rmtree(ledger)
    shutil.move(world.folder.with_suffix(".before"), ledger)
    tell(sort, before)
    drift = find_drift(
        world.wanted(), settings(env={}), client=world.reader(), config=world.config, now=datetime.now(UTC)
    )
    (drifted,) = drift.drifted
    assert (drifted.address, drifted.what) == (sort.address, What.CHANGED)
    assert any(field.path[: len(path)] == path[: len(field.path)] for field in drifted.fields)
    world.converge()
    nothing_left(world)


def test_what_cannot_be_made_up_is_told():
    """Every exception is a field that exists, with a reason."""
    known = {sort.label: sort.fields() for sort in SORTS}
    for label, paths in UNSAYABLE.items():
        for path, why in paths.items():
            assert path in known[label]
            assert why


def test_every_kind_is_there():
    """All kinds that can be managed are held to these rules."""
    assert {sort.kind.name for sort in SORTS} >= {TENANT.name, "Harness", "AgentIdentity", "Channel"}
    assert NAME == "it"
