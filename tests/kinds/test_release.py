"""Versions as data: which one holds what is live, and which number comes next."""

import pytest

from reconciler.kinds.agent import AGENT
from reconciler.kinds.release import Released, next_number, released_from

RELEASE = AGENT.release
WIRE = {"name": "triage", "system_prompt": "Help.", "default_version_id": "agentver_1"}


def version(number, hash_, *, published=True, **config):
    """Give a snapshot as the API lists it."""
    return {
        "id": f"agentver_{number}",
        "version": f"0.1.{number}",
        "is_published": published,
        "config_hash": hash_,
        "authored_config": {"name": "triage", "system_prompt": "Help.", "description": None} | config,
    }


NUMBERS = [
    (None, "major", "0.1.0"),
    ("0.1.0", "patch", "0.1.1"),
    ("0.1.9", "minor", "0.2.0"),
    ("1.2.3", "major", "2.0.0"),
    ("draft.3", "patch", "?"),
    ("1.x.3", "patch", "?"),
]


@pytest.mark.parametrize(("last", "part", "after"), NUMBERS)
def test_the_number_that_comes_next(last, part, after):
    """The first is 0.1.0 whatever is asked; later the part that is named grows, and those behind it start anew."""
    assert next_number(last, part) == after


def test_drafts_are_no_versions():
    """Only what is published counts, newest first; a newer draft says that none holds what is live."""
    found = released_from(RELEASE, WIRE, [version(3, "c", published=False), version(2, "b"), version(1, "a")])
    assert [(one.number, one.is_current) for one in found.editions] == [("0.1.2", False), ("0.1.1", False)]
    assert found.default == found.editions[1]
    assert not found.is_current


def test_a_draft_of_the_old_text_makes_it_current_again():
    """What was edited and put back has the hash of the version: nothing is to be published."""
    found = released_from(RELEASE, WIRE, [version(3, "a", published=False), version(2, "b"), version(1, "a")])
    assert [one.is_current for one in found.editions] == [False, True]


def test_a_text_that_differs_is_not_current_whatever_the_hash():
    """An edit while the feature was off left no draft; nothing and null are the same text."""
    assert released_from(RELEASE, WIRE | {"description": ""}, [version(1, "a")]).is_current
    assert not released_from(RELEASE, WIRE | {"system_prompt": "More."}, [version(1, "a")]).is_current


def test_a_number_that_is_none():
    """What the server calls a version is shown to people and put into names: anything but a number is not repeated."""
    found = released_from(RELEASE, WIRE, [version(1, "a") | {"version": "x" * 999}])
    assert found.newest.number == "?"
    assert found.is_current


def test_what_was_never_published():
    """Without versions there is neither a newest nor a default, and nothing is current."""
    nothing = released_from(RELEASE, {"name": "triage"}, [])
    assert nothing == Released()
    assert (nothing.newest, nothing.default, nothing.is_current) == (None, None, False)
