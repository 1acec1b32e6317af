"""Random schedules of faults: a bad network, a server in trouble, and somebody who clicks in the UI meanwhile."""

import pytest

from .profile import PARTS, PATIENCE, seeds
from .rehearsal import rehearsed
from .schedules import schedule
from .verdict import insist

pytestmark = pytest.mark.timeout(PATIENCE)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory):
    """Give a platform in this process, with manifests and a ledger."""
    with rehearsed(tmp_path_factory.mktemp("rehearsal")) as found:
        yield found


@pytest.mark.parametrize("part", range(PARTS))
def test_one_clean_run_is_enough(rehearsal, record_property, part):
    """Whatever went wrong in an apply, one run without faults ends as git says, and what others did stays theirs."""
    insist((rehearsal.tried(schedule(seed)) for seed in seeds(part=part)), record_property)


def test_a_schedule_is_its_seed():
    """A seed makes the same schedule again, and another one another."""
    assert schedule(7) == schedule(7)
    assert len({schedule(seed).faults for seed in range(50)}) > 45
