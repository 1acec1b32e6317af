"""Generated requests against every operation of the published file that the emulator serves: harnesses."""

import pytest

from .generated import insist


@pytest.mark.timeout(300)
def test_generated_harnesses():
    """Harnesses answer as the published file and the known deviations say, whatever they are sent, in any order."""
    insist("harnesses")
