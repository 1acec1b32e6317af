"""The ledger is a branch of a git remote: a dead run leaves its lock there, and the next one takes it over."""

import pytest

from .kills import killed_at
from .profile import PARTS, PATIENCE, boundaries
from .verdict import insist

pytestmark = pytest.mark.timeout(PATIENCE)
EACH = 5
"""Every so manieth request is tried, or a sample of these."""


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("part", range(PARTS))
def test_some_requests(on_branch, record_property, moment, part):
    """Killed at a request, one clean run ends with exactly what git says; nobody has to unlock anything."""
    numbers = boundaries(on_branch.requests, moment=moment, quick=2, part=part, each=EACH)
    insist(killed_at(on_branch, numbers, moment), record_property)
