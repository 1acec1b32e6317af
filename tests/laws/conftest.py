"""Secrets that are easy to find, and patience for the long profile."""

from contextlib import contextmanager

import pytest

from tests.survival.wire import STILL

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


@pytest.fixture(scope="session")
def open_world(open_world):
    """Open worlds on whose clock nobody waits."""

    @contextmanager
    def still(**options):
        with open_world(**options) as world:
            world.clock = STILL
            yield world

    return still
