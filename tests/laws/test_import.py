"""What holds for every import: the plan after it is empty, and a copy made of it is the same again."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given

from reconciler.intake import adopt, import_live
from reconciler.manifest.config import Config
from reconciler.plan.change import Action
from reconciler.reconcile import apply_plan, plan_afresh
from reconciler.settings import settings as settings_of

from .fleets import fleets
from .profile import law
from .steps import declare, settle


def imported(world, folder):
    """Import everything into a folder, insisting that nothing is left out and nothing is written."""
    client = world.reader()
    world.forget()
    result = import_live(settings_of(env={}), client=client, ledger=world.ledger, into=str(folder), words=())
    assert result.exit_code == 0
    assert result.gaps == ()
    assert {sent.method for sent in world.sent} == {"GET"}
    return result


def planned(world, folder):
    """Plan a folder, with the rule that nothing is taken over which differs."""
    chosen = settings_of(env={}, manifests=(str(folder),))
    return plan_afresh(chosen, client=world.reader(), read_ledger=world.backend.read, config=Config())


def files(folder):
    """Return the text of every file below a folder, without the ids of channels, which are the platform's."""
    texts = {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in folder.rglob("*.*")}
    return {name: re.sub(r"(?m)^ +id: appchan_.*\n", "", text) for name, text in texts.items()}


@law
@given(fleets())
def test_the_plan_after_an_import_is_empty(open_world, fleet):
    """Whatever is live, its manifests agree, and plan nothing once it is ours; a second import finds all declared."""
    with open_world() as world:
        declare(world, fleet)
        settle(world)
        folder = world.folder / "imported"
        result = imported(world, folder)
        world.lose_ledger()
        plan = planned(world, folder)
        assert [change for change in plan.changes if change.action is not Action.ADOPT] == []
        adopt(plan, client=world.reader(), keeper=world.keeper, chosen=lambda _address: True)
        assert planned(world, folder).changes == ()
        before = files(folder)
        again = imported(world, folder)
        assert again.saved == ()
        assert {str(one.address) for one in again.declared} >= {str(one.address) for one in result.saved}
        assert files(folder) == before


@law
@given(fleets())
def test_a_copy_of_an_import_is_the_original(open_world, fleet):
    """What was imported, applied where nothing is yet, and imported from there, gives the same files."""
    with open_world() as world, open_world() as other:
        declare(world, fleet)
        settle(world)
        folder, copy = world.folder / "imported", other.folder / "imported"
        needed = imported(world, folder).needed
        for name, text in files(folder).items():
            place = other.folder / "first" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode())
        chosen = settings_of(env={}, manifests=(str(other.folder / "first"),), parallelism=1)
        with pytest.MonkeyPatch.context() as patch:
            for one in needed:
                patch.setenv(one.variable, f"value of {one.variable}")
            plan = plan_afresh(
                chosen, client=other.reader(), read_ledger=other.backend.read, config=Config(adopt="overwrite")
            )
            applied = apply_plan(
                plan, chosen, client=other.writer(), keeper=other.keeper, listen=lambda _news: None, recheck=True
            )
        assert applied.exit_codes == (0,), applied
        imported(other, copy)
        assert files(copy) == files(folder)


def documents(folder: Path):
    """Return the documents below a folder by kind and name."""
    found = [yaml.safe_load(path.read_text()) for path in folder.rglob("*.yaml")]
    return {(one["kind"], one["metadata"]["name"]): one for one in found}
