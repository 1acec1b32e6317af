"""How many requests may be under way at once: one more for a window of successes, half of them for a refusal."""

from __future__ import annotations

from enum import Enum, auto


class Verdict(Enum):
    """What became of a request, as far as the next one is concerned."""

    ANSWERED = auto()
    """Any answer but those below, a refusal of what was asked included."""
    REFUSED = auto()
    """429: too many requests."""
    UNAVAILABLE = auto()
    """503: too much to do."""
    FAULTED = auto()
    """Any other 5xx."""
    BROKEN = auto()
    """No answer: the connection was refused, or broke, or nothing came in time."""

    @property
    def asks_for_less(self) -> bool:
        """Whether the server has more to do than it can."""
        return self in (Verdict.REFUSED, Verdict.UNAVAILABLE)

    @property
    def is_fault(self) -> bool:
        """Whether something is wrong with the server, or with the way to it."""
        return self in (Verdict.UNAVAILABLE, Verdict.FAULTED, Verdict.BROKEN)


class Window:
    """How many requests are under way and how many may be; used by one thread at a time.

    It begins at the most there may be. One burst of refusals halves it once: who was sent before the last halving
    tells nothing new. It grows by one when as many were answered as it is wide.
    """

    def __init__(self, most: int) -> None:
        self.most = self.limit = most
        self.in_flight = 0
        self.epoch = 0
        self._answered = 0

    @property
    def has_room(self) -> bool:
        """Whether one more may be sent."""
        return self.in_flight < self.limit

    def take(self) -> int:
        """Count a request that is sent; return the epoch it belongs to."""
        self.in_flight += 1
        return self.epoch

    def give_back(self, epoch: int, verdict: Verdict) -> None:
        """Count a request that ended, and learn from how."""
        self.in_flight -= 1
        if epoch != self.epoch:
            return
        if verdict.asks_for_less:
            self.limit = max(1, self.limit // 2)
            self.epoch += 1
            self._answered = 0
        elif verdict is Verdict.ANSWERED:
            self._answered += 1
            if self._answered >= self.limit:
                self.limit = min(self.most, self.limit + 1)
                self._answered = 0
