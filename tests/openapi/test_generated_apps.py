"""Generated requests against every operation of the published file that the emulator serves: apps and all the rest."""

import pytest

from .generated import insist

ELSEWHERE = "agents harnesses orgs resolve-org".split()


@pytest.mark.timeout(300)
def test_generated_apps():
    """Apps and their keyed channels answer as the file and the known deviations say, in any order."""
    findings = insist("/v1/apps")
    assert findings.phases["stateful"]


@pytest.mark.timeout(300)
def test_generated_rest():
    """Memories, models and whatever else is served answer as the file and the known deviations say."""
    findings = insist(rf"/v1/(?!({'|'.join([*ELSEWHERE, 'apps'])})(/|$))")
    assert findings.phases["stateful"]
