"""One word for one thing, whichever renderer says it: what actions mean, how they are counted, who moved."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reconciler.plan.change import Action, Side
from reconciler.plan.drift import What
from reconciler.plan.outcome import Blocked, Conflicted, Done, Failed, NotStarted
from reconciler.plan.secrecy import SecretState
from reconciler.report.style import Paint, counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.plan.change import Change
    from reconciler.plan.outcome import Outcome
    from reconciler.plan.plan import Plan

COLORS: dict[Action, Paint] = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.RESTORE: "green",
    Action.ARCHIVE: "red",
    Action.PUBLISH: "cyan",
    Action.UNPUBLISH: "cyan",
    Action.RELEASE: "cyan",
    Action.ROTATE: "yellow",
    Action.SYNC: "cyan",
    Action.AWAIT: "cyan",
    Action.ADOPT: "cyan",
    Action.RECORD: "cyan",
    Action.FORGET: "cyan",
    Action.CONFLICT: "red",
    Action.KEEP: "yellow",
    Action.REPORT: "yellow",
}
"""The colour of each action."""

REPLACED = "written as a whole: the API has no other way to clear a field"
"""What is said of an update that replaces."""

COUNTED = {Action.REPORT: "to know of", Action.CONFLICT: "in conflict", Action.KEEP: "kept"}
"""How what is no step is counted."""

PAST = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.RESTORE: "restored",
    Action.ARCHIVE: "archived",
    Action.PUBLISH: "published",
    Action.UNPUBLISH: "unpublished",
    Action.RELEASE: "released",
    Action.ROTATE: "given a new key",
    Action.SYNC: "asked to sync",
    Action.AWAIT: "waited for",
    Action.ADOPT: "adopted",
    Action.RECORD: "recorded",
    Action.FORGET: "forgotten",
    Action.CONFLICT: "left in conflict",
    Action.KEEP: "kept",
    Action.REPORT: "reported",
}
"""What an action that was carried out did."""

BECAME: dict[type[Outcome], str] = {
    Done: "done",
    Failed: "failed",
    Conflicted: "in conflict",
    Blocked: "blocked",
    NotStarted: "not started",
}
"""What became of a change."""

SIGNS: dict[What, tuple[str, Paint]] = {
    What.CHANGED: ("~", "yellow"),
    What.GONE: ("-", "red"),
    What.ARCHIVED: ("-", "red"),
    What.UNSYNCED: ("!", "yellow"),
    What.UNSETTLED: ("!", "yellow"),
    What.UNMANAGED: ("?", "cyan"),
}
"""The sign of each sort of drift, and its colour."""

DRIFTED = {
    What.CHANGED: "changed",
    What.GONE: "gone",
    What.ARCHIVED: "archived",
    What.UNSYNCED: "not in sync with its source",
    What.UNSETTLED: "cannot be told",
    What.UNMANAGED: "unmanaged",
}
"""What each sort of drift is called."""

_MEANS = {
    Action.RESTORE: "restore: brought back from the archive",
    Action.ARCHIVE: "archive",
    Action.PUBLISH: "publish: reachable by the world",
    Action.UNPUBLISH: "unpublish: no longer reachable",
    Action.RELEASE: "release: the version that runs",
    Action.ROTATE: "rotate: a new key",
    Action.SYNC: "sync: its source is fetched anew",
    Action.AWAIT: "await: nothing is written",
    Action.ADOPT: "adopt: ours from now on",
    Action.RECORD: "only the ledger changes",
    Action.FORGET: "forget: ours no longer",
    Action.CONFLICT: "conflict",
    Action.KEEP: "kept",
}
_MOVED: dict[Side, tuple[str, Paint]] = {
    Side.PENDING: ("you changed", "dim"),
    Side.DRIFTED: ("changed on the platform", "yellow"),
    Side.BOTH: ("changed both here and on the platform", "red"),
}
_MOST_NAMED = 6


def verb_of(change: Change) -> str:
    """Return the word for what is done: that of the action, but that an archive without return is a deletion."""
    return "delete" if change.action is Action.ARCHIVE and change.kind.archive_is_final else change.action.value


def means_of(change: Change) -> str | None:
    """Say what an action means where its sign does not."""
    verb = verb_of(change)
    return verb if verb == "delete" else _MEANS.get(change.action)


def done_word(done: Done) -> str:
    """Say in a word or two what a change did, or that it found done."""
    change = done.change
    word = "deleted" if verb_of(change) == "delete" else PAST[change.action]
    if done.adopted:
        return "adopted" if change.action is Action.CREATE else f"already {word}"
    return word


def counts_text(changes: Iterable[Change]) -> str:
    """Write how many changes there are of each action, as `2 to create, 1 to update`."""
    listed = list(changes)
    counts = Counter(change.action for change in listed)
    final = sum(verb_of(change) == "delete" for change in listed)
    counts[Action.ARCHIVE] -= final
    parts = [f"{counts[action]:,} to {action.value}" for action in Action if action.is_step and counts[action] > 0]
    parts += [f"{final:,} to delete"] if final else []
    parts += [f"{counts[action]:,} {words}" for action, words in COUNTED.items() if counts.get(action)]
    return ", ".join(parts)


def moved_words(change: Change) -> Iterator[tuple[Paint, str]]:
    """Yield, for each side, which fields moved there, and since when; nothing where that is not known."""
    if change.since is None:
        return
    for side, (words, color) in _MOVED.items():
        names = [one.name for one in change.fields if one.side is side]
        if names:
            more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
            yield color, f"{words} since {change.since}: {', '.join(names[:_MOST_NAMED])}{more}"


def nothing_words(plan: Plan) -> str:
    """Say of an empty plan how much is in sync, and what else is to be known."""
    it = "it" if plan.in_sync == 1 else "them"
    told = [f" {count:,} {words}." for action, words in COUNTED.items() if (count := plan.counts.get(action))]
    unknown = plan.secrets.get(SecretState.UNKNOWN, 0)
    if unknown:
        why = "no value here, or not sent since the ledger began (--rotate sends them)"
        told.append(f" {counted(unknown, 'secret')} not compared: {why}.")
    are = "is" if plan.in_sync == 1 else "are"
    return f"{counted(plan.in_sync, 'resource')} {are} as git wants {it}.{''.join(told)}"
