"""What an apply came to, as values: its sentence, and what reading back proved."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.plan.outcome import Done, Failed
from reconciler.report.sheet import Alert
from reconciler.report.style import counted
from reconciler.report.vocabulary import BECAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.plan.outcome import Applied


def applied_verdict(applied: Applied) -> str:
    """Count what became of the changes."""
    kinds = Counter(type(outcome) for outcome in applied.outcomes)
    made = sum(isinstance(one, Failed) and one.made for one in applied.outcomes)
    more = f" ({made:,} of them created, and not completed)" if made else ""
    counts = [(kind, f"{kinds[kind]:,} {word}") for kind, word in BECAME.items() if kinds[kind] or kind is Done]
    return ", ".join(count + (more if kind is Failed else "") for kind, count in counts) + "."


def proof(applied: Applied) -> Iterator[Alert]:
    """Yield what reading back found, and whether it is remembered; after an interruption nothing was read."""
    done = [one for one in applied.outcomes if isinstance(one, Done)]
    left = len(applied.remainders)
    if applied.unrecorded:
        hint = "the platform is as told above; plan again: what is there is compared with git"
        yield Alert("bad", "Not remembered", applied.unrecorded.message, hint)
    if left:
        yield Alert("bad", "Not converged", f"{counted(left, 'resource')} read back not as written.")
    elif applied.unproved:
        hint = "plan again when the platform can be read: it shows what is left"
        why = "the run was stopped before it could read back" if applied.stopped else applied.unproved.message
        yield Alert("bad", "Not proved", why, hint)
    elif done and not applied.interrupted:
        whole = len(applied.outcomes) == len(done)
        sent = len({secret for one in done if not one.adopted for secret in one.change.secrets})
        unseen = f" {counted(sent, 'secret')} sent, which cannot be read back." if sent else ""
        text = f"what was written is as git wants it ({counted(len(done), 'change')}).{unseen}"
        yield Alert("good", "Proved", text) if whole else Alert("note", "Read back", text)


def undo_hint(applied: Applied, *, flags: str) -> str | None:
    """Return the command that brings back what was archived, where the platform can and the ledger remembers."""
    if not applied.archived or applied.unrecorded:
        return None
    return f"reconciler undo {flags}{applied.run}"
