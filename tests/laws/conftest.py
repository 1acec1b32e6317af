"""Secrets that are easy to find, and patience for the long profile."""

import pytest

from .fleets import SECRETS
from .profile import PATIENCE


@pytest.fixture(scope="module", autouse=True)
def _secrets():
    """Give every secret of the fleets a value."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        yield


def pytest_collection_modifyitems(items):
    """Let the laws take as long as their profile needs."""
    for item in items:
        if item.path.parent.name == "laws":
            item.add_marker(pytest.mark.timeout(PATIENCE))
