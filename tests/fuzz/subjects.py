"""Everything that is fuzzed, and which seeds of it a run takes."""

import os
from collections.abc import Iterator

from .answers import ANSWERS
from .files import FILES
from .judge import Subject
from .records import RECORDS

SUBJECTS: tuple[Subject, ...] = (*FILES, *RECORDS, *ANSWERS)
INPUTS = int(os.environ.get("FUZZ_INPUTS", "10000"))
"""How many inputs a run makes, of all subjects together."""
PIECES = 8
"""Into so many ranges the seeds are cut, for as many processes as there are."""
WHOLE = sum(subject.share for subject in SUBJECTS)


def seeds(subject: Subject, inputs: int = INPUTS) -> range:
    """Return the seeds of a subject: its share of the inputs, at least one."""
    return range(max(1, -(-inputs * subject.share // WHOLE)))


def pieces() -> Iterator[tuple[Subject, range]]:
    """Yield ranges of seeds that together are a run."""
    for number in range(PIECES):
        for subject in SUBJECTS:
            whole = seeds(subject)
            yield subject, whole[len(whole) * number // PIECES : len(whole) * (number + 1) // PIECES]
