"""A memory whose files come from the repository of the manifests themselves."""

import pytest

from reconciler.plan.change import Action, Change
from reconciler.plan.owned import Owner
from reconciler.plan.remarks import told_of_itself

NOTE = "it is fed from this repository itself: what reaches main is what agents read after its next sync"


@pytest.mark.parametrize(
    ("source", "notes"),
    [
        ({"type": "github", "repository": "Acme/Fleet"}, (NOTE,)),
        ({"type": "git", "url": "https://github.com/acme/fleet.git"}, (NOTE,)),
        ({"type": "github", "repository": "acme/docs"}, ()),
        ({"type": "manual"}, ()),
    ],
)
def test_fed_by_itself(desired, source, notes):
    """Such a memory is pointed out, however its repository is spelled; no other one is."""
    one = desired("Memory/docs", {"source": source})
    steps = [Change(one.address, Action.CREATE)]
    (told,) = told_of_itself(one, steps, Owner("github.com/acme/fleet", "manifests", "production"))
    assert told.notes == notes
