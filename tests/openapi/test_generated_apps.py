"""Generated requests against every operation of the published file that the emulator serves: apps and all the rest."""

import pytest

from .generated import insist


@pytest.mark.timeout(300)
def test_generated_apps():
    """Apps and their keyed channels answer as the file and the known deviations say, in any order."""
    insist("apps")


@pytest.mark.timeout(300)
def test_generated_rest():
    """Memories, models and whatever else is served answer as the file and the known deviations say."""
    insist("rest")
