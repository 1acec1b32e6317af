"""The ledger is a branch of a git remote: a dead run leaves its lock there, and the next one takes it over."""

import pytest

from .kills import killed_at
from .profile import IS_LONG, PARTS, PATIENCE, sampled
from .verdict import insist

pytestmark = pytest.mark.timeout(PATIENCE)
EACH = 5 if IS_LONG else 1
"""Every so manieth request is tried."""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("part", range(PARTS))
def test_some_requests(on_branch, record_property, moment, part):
    """Killed at a request, one clean run ends with exactly what git says; nobody has to unlock anything."""
    numbers = sampled(range(1, on_branch.requests + 1, EACH), quick=2, part=part)
    insist(killed_at(on_branch, numbers, moment), record_property)
