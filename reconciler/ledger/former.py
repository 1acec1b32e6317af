"""Where a ledger was kept before: what a repository that got a remote, or was told otherwise, left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import LedgerError
from reconciler.ledger import codec
from reconciler.plan.owned import Ledger, Owner

if TYPE_CHECKING:
    from reconciler.ledger.git import Git


@dataclass(frozen=True, slots=True)
class Former:
    """What is kept elsewhere for the same manifests and environment; `path` is its file, None where it is a branch."""

    place: str
    ledger: Ledger
    path: Path | None = None

    def leave(self) -> str | None:
        """Put what was brought elsewhere out of the way; return where it is now, None where it stays as it is."""
        if self.path is None:
            return None
        aside = self.path.with_suffix(".moved")
        try:
            self.path.replace(aside)
        except OSError as error:
            hint = "remove it by hand: it is not used any more"
            raise LedgerError(f"cannot put {self.path} aside: {error.strerror}", hint=hint) from error
        return str(aside)


Look = Callable[[], Former | None]
"""Looks at where a ledger was kept before."""


def nowhere() -> None:
    """Know of no other place."""


def in_file(path: Path, *, by: Owner) -> Former | None:
    """Return what a file beside the manifests keeps for them under whatever repository; None for nothing of use."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return _kept(data, str(path), by=by, path=path)


def on_branch(git: Git, ref: str, document: str, *, by: Owner) -> Former | None:
    """Return what a branch of a remote kept when it was last seen from here; nobody is asked over the network."""
    ran = git.run("cat-file", "blob", f"{ref}:{document}")
    return None if ran.code else _kept(ran.out, ref.removeprefix("refs/remotes/"), by=by, path=None)


def ensure_not_left(ledger: Ledger, *, place: str, former: Look) -> Ledger:
    """Return the ledger, unless it knows nothing yet and another place knows much. Raises LedgerError."""
    if ledger.serial or (found := former()) is None:
        return ledger
    raise LedgerError(
        f"there is no ledger yet in {place}, and the one in {found.place} knows {len(found.ledger.entries)} resources "
        "of these manifests: without it they would be nobody's, and what leaves git would stay",
        hint="reconciler ledger move brings it here; to begin anew without it: reconciler ledger rebuild",
    )


def _kept(data: bytes, place: str, *, by: Owner, path: Path | None) -> Former | None:
    try:
        ledger = codec.loads(data, place=place)
    except LedgerError:
        return None
    is_same = ledger.owner[1:] == by[1:]
    return Former(place, ledger, path) if is_same and (ledger.entries or ledger.begun) else None
