"""Fuzz everything and print what came of it: `FUZZ_INPUTS=100000 python -m tests.fuzz`; exits with 1 for a defect."""

import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from .judge import Tally, judged
from .subjects import INPUTS, SUBJECTS, pieces


def main() -> int:
    """Share the seeds among the processors, and print a table."""
    started = time.monotonic()
    tallies = {subject.name: Tally() for subject in SUBJECTS}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for name, part in pool.map(_judged, range(len([*pieces()]))):
            tallies[name].take(part)
    print(f"{'what was fuzzed':26}{'inputs':>9}{'error with place':>18}{'clean':>9}{'defects':>9}{'slowest':>10}")
    for name, one in [*tallies.items(), ("together", _together(tallies.values()))]:
        row = f"{name:26}{one.inputs:9,}{one.told:18,}{one.clean:9,}{len(one.defects):9,}"
        print(f"{row}{one.slowest:8.2f} s")
    print(f"{INPUTS:,} inputs asked for, {time.monotonic() - started:.0f} s")
    defects = [why for one in tallies.values() for why in one.defects]
    print("\n".join(defects))
    return 1 if defects else 0


def _judged(number: int) -> tuple[str, Tally]:
    subject, some = [*pieces()][number]
    return subject.name, judged(subject, some)


def _together(tallies: Iterable[Tally]) -> Tally:
    whole = Tally()
    for one in tallies:
        whole.take(one)
    return whole


if __name__ == "__main__":
    sys.exit(main())
