"""The command line dies before the platform carries a request out: every request of an apply, one after another."""

import pytest

from .kills import EVERYBODY_AT_ONCE, killed_at
from .profile import PARTS, PATIENCE, boundaries
from .verdict import insist

pytestmark = pytest.mark.timeout(PATIENCE)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_request(on_file, record_property, part):
    """Killed before any request, one clean run ends as git says, nothing is twice and nothing foreign touched."""
    numbers = boundaries(on_file.requests, moment="before", quick=7, part=part)
    insist(killed_at(on_file, numbers, "before"), record_property)


@pytest.mark.parametrize("part", range(PARTS))
def test_in_a_crowd(on_file, record_property, part):
    """The same with eight workers: whatever else is on its way is carried out by the platform."""
    numbers = boundaries(on_file.requests, moment="before", quick=2, part=part)
    insist(killed_at(on_file, numbers, "before", parallelism=EVERYBODY_AT_ONCE), record_property)
