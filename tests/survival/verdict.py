"""What became of one try: whether it ended as git says, what was wrong otherwise, and the table of all tries."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

PROPERTY = "survival"
MOST_SHOWN = 12


@dataclass(frozen=True)
class Tried:
    """One try: what happened, what repeats it, how many runs it took after, and what was wrong after the first."""

    kinds: tuple[str, ...]
    repeat: str
    runs: int | None
    faults: tuple[str, ...] = ()

    @property
    def story(self) -> str:
        """Say what was wrong, and how to see it again."""
        rest = len(self.faults) - MOST_SHOWN
        lines = [*self.faults[:MOST_SHOWN], *([f"... and {rest} more"] if rest > 0 else [])]
        runs = "never converged" if self.runs is None else f"converged after {self.runs} runs"
        return "\n    ".join([f"{', '.join(self.kinds)}: SURVIVE_ONLY={self.repeat}: {runs}", *lines])


def insist(tried: Iterable[Tried], record_property: Any) -> None:
    """Put tries into the table, and insist that each converged in exactly one further run."""
    found = list(tried)
    for one in found:
        record_property(PROPERTY, asdict(one) | {"faults": len(one.faults)})
    failed = [one.story for one in found if one.faults]
    assert not failed, f"{len(failed)} of {len(found)} did not survive:\n" + "\n".join(failed)


def table(told: Iterable[Mapping[str, Any]]) -> list[str]:
    """Write the table: by kind how many tries there were, how many converged in one run, and the most runs it took."""
    kinds: dict[str, list[Mapping[str, Any]]] = {}
    for one in told:
        for kind in one["kinds"]:
            kinds.setdefault(kind, []).append(one)
    width = max((len(kind) for kind in kinds), default=0)
    lines = [f"{'what happened':<{width}}  {'tries':>6}  {'converged':>9}  {'extra runs':>10}"]
    for kind, tries in sorted(kinds.items()):
        good = sum(not one["faults"] for one in tries)
        runs = [one["runs"] for one in tries]
        most = "never" if None in runs else f"{min(runs)}-{max(runs)}" if min(runs) != max(runs) else str(max(runs))
        lines.append(f"{kind:<{width}}  {len(tries):>6}  {good:>9}  {most:>10}")
    return lines


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table at the end of a test run that had tries."""
    reports = [one for found in terminalreporter.stats.values() for one in found if getattr(one, "when", "") == "call"]
    told = [value for one in reports for name, value in one.user_properties if name == PROPERTY]
    if told:
        terminalreporter.section("survival: one clean run after each of these")
        for line in table(told):
            terminalreporter.write_line(line)
