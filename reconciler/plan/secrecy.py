"""What can be known of a secret that nobody may look at: whether its value is the one that was last sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from reconciler.kinds import KINDS
from reconciler.kinds.fields import SecretRef
from reconciler.kinds.taint import Tainted
from reconciler.plan.leaves import Path, declared_secrets, secret_fields
from reconciler.plan.owned import Entry, pointer
from reconciler.resource import Address, Desired


class SecretState(Enum):
    """What is known of a declared secret.

    SET: it was never sent from here. UNCHANGED: its value here is the one last sent. ROTATE: it is another one, or
    somebody asked to send it again. UNKNOWN: it has no value here, or nothing was remembered of what was sent.
    """

    SET = "set"
    UNCHANGED = "unchanged"
    ROTATE = "rotate"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Secrets:
    """The state of every declared secret that the ledger may know of, by address and path."""

    states: Mapping[tuple[Address, Path], SecretState] = field(default_factory=dict)

    @property
    def rotate(self) -> dict[Address, list[Path]]:
        """Where secrets are to be sent again."""
        found: dict[Address, list[Path]] = {}
        for (address, path), state in self.states.items():
            if state is SecretState.ROTATE:
                found.setdefault(address, []).append(path)
        return found


def tell_secrets(
    chosen: Iterable[Desired],
    *,
    entry_of: Callable[[Address], Entry | None],
    value_of: Callable[[SecretRef], Tainted | None],
    matching: Callable[[Sequence[tuple[str, Tainted]]], Sequence[bool]],
    asked: Callable[[Address], bool],
) -> Secrets:
    """Say of every declared secret what is known of it.

    `value_of` reads one, or gives None where it has no value here; `matching` compares fingerprints with values;
    `asked` says where all are to be sent again.
    """
    states: dict[tuple[Address, Path], SecretState] = {}
    pairs: dict[tuple[Address, Path], tuple[str, Tainted]] = {}
    suspects = {kind.name: secret_fields(kind) for kind in KINDS if kind.managed}
    for one in chosen:
        if one.archive or suspects[one.address.kind].isdisjoint(one.spec):
            continue  # as nearly all
        for path, ref in declared_secrets(one.kind, one.spec):
            place = one.address, path
            entry = entry_of(one.address)
            known = entry.secrets.get(pointer(path)) if entry else None
            value = value_of(ref) if known else None
            if entry is None:
                states[place] = SecretState.SET
            elif asked(one.address):
                states[place] = SecretState.ROTATE
            elif known is None or value is None:
                states[place] = SecretState.UNKNOWN
            else:
                pairs[place] = known, value
    for place, same in zip(pairs, matching(list(pairs.values())) if pairs else (), strict=True):
        states[place] = SecretState.UNCHANGED if same else SecretState.ROTATE
    return Secrets(states)
