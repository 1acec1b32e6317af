"""Caps and rates: how they are asked for, and those of the platform."""

import pytest

from reconciler.emulator import LimitError, create_app
from reconciler.emulator.limits import PLATFORM, parse


def test_limits_8_of_the_platform():
    """The platform's own: 5 organizations, 10 an hour, 50 harnesses, 500 agents, 10000 sessions, 60 a minute."""
    assert parse(["platform"]) == PLATFORM
    assert list(PLATFORM.values()) == [5, 10, 50, 500, 10000, 60]


def test_a_later_limit_overrides():
    """Exceptions stand beside `platform`; what is not named has no limit."""
    assert parse(["platform", "agents=3", "orgs=none"]) == {**PLATFORM, "agents": 3, "orgs": None}
    assert parse(["agents=3", "platform"])["agents"] == 500
    assert parse([]) == {}


@pytest.mark.parametrize("text", ["agents", "agents=", "agents=many", "agents=-1", "agents=1.5", "agnts=1", ""])
def test_a_limit_that_is_wrong_is_refused(text):
    """A limit is a name that there is and a whole number, or none."""
    with pytest.raises(LimitError):
        parse([text])


def test_limits_of_an_application_are_known():
    """An application takes no limit that it would not keep."""
    with pytest.raises(LimitError, match="no such limit: agnts; there are orgs, "):
        create_app(limits={"agnts": 1})
