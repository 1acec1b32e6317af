"""Generated requests against every operation of the published file that the emulator serves: orgs."""

import pytest

from .generated import insist


@pytest.mark.timeout(300)
def test_generated_orgs():
    """Organizations and their flags answer as the file and the known deviations say, whatever is sent, in any order."""
    insist("orgs")
