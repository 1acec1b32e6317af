"""Declarative capabilities of an organization: stored under a prefix, with a config that the server fills in."""

import pytest

from reconciler.kinds.agent import AGENT
from reconciler.plan.diff import diff

LIVE = {"ref": "declarative:triage", "config": {"steps": 3}}
OTHER = {"ref": "web_fetch"}


@pytest.mark.parametrize(
    ("desired", "observed", "differs"),
    [
        ([{"ref": "triage"}, OTHER], [LIVE, OTHER], False),
        ([{"ref": "declarative:triage"}, OTHER], [LIVE, OTHER], False),
        ([{"ref": "triage", "config": {"steps": 4}}], [LIVE], False),
        ([OTHER, {"ref": "triage"}], [LIVE, OTHER], True),
        ([{"ref": "other"}], [LIVE], True),
        ([{"ref": "triage"}], [LIVE, {"ref": "triage"}], True),
        ([{"ref": "web_fetch", "config": {"a": 1}}, {"ref": "triage"}], [OTHER, LIVE], True),
        ([], [LIVE], True),
    ],
)
def test_a_declarative_capability_is_what_it_is_stored_as(desired, observed, differs):
    """Prefix and config of a declarative capability are the server's; its place in the order, and all others, count."""
    found = diff(AGENT, {"capabilities": desired}, {"capabilities": observed})
    assert bool(found) is differs


def test_it_stands_behind_the_file_system():
    """What the server adds and what it spells otherwise go together."""
    live = {"capabilities": [{"ref": "session_file_system"}, LIVE], "initial_files": [{"path": "/workspace/a"}]}
    assert diff(AGENT, {"capabilities": [{"ref": "triage"}]}, live) == []
