"""docs/operations.md says what the code does: its codes, outcomes and numbers are those of the code."""

import re
from pathlib import Path

from reconciler.errors import Exit
from reconciler.live.beforehand import SYNC_PATIENCE
from reconciler.live.ladder import TRIES
from reconciler.live.limiter import LEAST, MOST_FAULTS, PATIENCE
from reconciler.report.vocabulary import BECAME

TEXT = (Path(__file__).parents[1] / "docs" / "operations.md").read_text(encoding="utf-8")


def rows(heading):
    """Return the first column of the table below a heading."""
    part = TEXT.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| ([^|]+?) \|", part, re.MULTILINE)[2:]


def test_every_exit_code_is_told():
    """Each code has its row, in order, and no other has one."""
    assert rows("Exit codes") == [str(int(code)) for code in Exit]


def test_every_outcome_is_told():
    """Each outcome of a change has its row, under the word that a run prints."""
    assert set(rows("Outcomes of an apply")) == set(BECAME.values())


def test_numbers_are_those_of_the_code():
    """What the page says of tries and seconds is what happens."""
    assert f"sent again, {({4: 'four'})[TRIES]} times in all at most" in TEXT
    assert f"{MOST_FAULTS} in a row" in TEXT
    assert f"more than {PATIENCE:.0f} s" in TEXT
    assert f"at least {LEAST:.0f} s" in TEXT
    assert f"waited for, {SYNC_PATIENCE:.0f} s at most" in TEXT
