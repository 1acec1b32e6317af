"""No input is a traceback: an error of ours with its place, or a clean outcome, in two seconds and 500 MB."""

import pytest

from .judge import judged
from .subjects import INPUTS, SUBJECTS, pieces, seeds

MOST_SHOWN = 5


@pytest.mark.timeout(0 if INPUTS > 10_000 else 300)
@pytest.mark.parametrize(
    ("subject", "some"),
    [pytest.param(*piece, id=f"{piece[0].name}, {piece[1].start}-{piece[1].stop}") for piece in pieces()],
)
def test_bad_input_is_told_or_harmless(subject, some):
    """Whatever stands in a file or comes from the platform, nobody meets an exception that is not ours."""
    tally = judged(subject, some)
    assert not tally.defects, f"{len(tally.defects)} of {len(some)}:\n" + "\n".join(tally.defects[:MOST_SHOWN])


def test_a_run_is_of_ten_thousand_inputs():
    """As many as the profile says, and every subject has its part."""
    assert sum(len(seeds(subject)) for subject in SUBJECTS) >= INPUTS
    assert sum(len(some) for _, some in pieces()) == sum(len(seeds(subject)) for subject in SUBJECTS)
