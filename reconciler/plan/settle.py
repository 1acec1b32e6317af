"""What became of the open intents of a run that did not end, as a later plan's reading shows; pure."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote

from reconciler.plan.change import Action, Change
from reconciler.plan.journal import Finding, Intent, Log, content_of
from reconciler.plan.plan import Plan

_MADE = (Finding.CARRIED_OUT, Finding.PARTLY, Finding.UNREADABLE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an open intent of a run came to.

    `command` makes a new key where one was shown in an answer that nobody got; it holds no value.
    """

    run: str
    intent: Intent
    finding: Finding
    command: str | None = None

    @property
    def message(self) -> str:
        """Say it for people."""
        if self.finding is Finding.KEY_LOST:
            return _WORDS[self.finding]
        lost = "; if it was, its" if self.finding is Finding.MOOT else "; its"
        lost = f"{lost} key was shown in an answer that was lost: make a new one" if self.command else ""
        return _WORDS[self.finding] + lost


_WORDS = {
    Finding.CARRIED_OUT: "was carried out",
    Finding.NOT_CARRIED_OUT: "was not carried out",
    Finding.PARTLY: "was carried out in part, or changed since: the plan says what is left",
    Finding.UNREADABLE: "cannot be told: a secret cannot be read back, so it is sent again",
    Finding.KEY_LOST: "cannot be told: if it was, the old key is dead and nobody got the new one",
    Finding.MOOT: "cannot be told any more: git or the platform has changed since, and the plan says what is now",
    Finding.NOT_SEEN: "was not looked at: it is no part of this plan",
}


def settle(
    run: str, log: Log, plan: Plan, *, is_whole: bool, api_url: str, commit: str | None = None
) -> tuple[Verdict, ...]:
    """Judge every open intent of a run by a plan whose reading is younger than the run.

    `is_whole` says that the plan looked at everything that git declares: then what has no step is as git wants it; at
    another `commit` than the run's that may be how it was before.
    """
    has_moved = bool(log.head and log.head.commit and commit and log.head.commit != commit)
    steps: dict[str, Change] = {}
    for change in plan.changes:
        steps.setdefault(change.step, change)
    found = []
    for intent in log.open:
        left = steps.get(intent.step)
        finding = _finding(intent, left, is_whole=is_whole, has_moved=has_moved)
        is_made = finding in _MADE or (left is not None and left.action is Action.CONFLICT)
        is_lost = intent.one_time and intent.action == Action.CREATE.value and is_made
        is_lost &= f"{intent.step} {Action.ROTATE.value}" not in steps  # the plan makes another one
        command = _new_key(intent, left, plan, api_url=api_url) if is_lost else None
        if finding is Finding.KEY_LOST:
            command = f"reconciler apply --rotate {quote(intent.address)}"
        found.append(Verdict(run, intent, finding, command))
    return tuple(found)


def _finding(intent: Intent, change: Change | None, *, is_whole: bool, has_moved: bool) -> Finding:
    if intent.action == Action.ROTATE.value:
        return Finding.KEY_LOST
    is_in_sync = change is not None and change.action is Action.REPORT and change.id is not None
    if change is None or is_in_sync:
        is_back = has_moved and intent.action != Action.CREATE.value
        return Finding.NOT_SEEN if not is_whole else Finding.MOOT if is_back else Finding.CARRIED_OUT
    same = change.action.value == intent.action
    match intent.action, change.action:
        case "create" | "update" | "restore", Action.ADOPT | Action.RECORD:
            return Finding.CARRIED_OUT
        case "archive", Action.FORGET:
            return Finding.CARRIED_OUT
        case "create" | "restore", Action.UPDATE:
            return Finding.PARTLY
        case "update", Action.UPDATE if content_of(change) != intent.content:
            return Finding.PARTLY
        case "release", Action.RELEASE if content_of(change) != intent.content:
            return Finding.PARTLY
        case "sync", Action.SYNC if content_of(change) != intent.content:
            return Finding.MOOT
        case "update", Action.UPDATE if change.fields and all(one.sensitive for one in change.fields):
            return Finding.UNREADABLE
        case _ if same:
            return Finding.NOT_CARRIED_OUT
    return Finding.MOOT


def _new_key(intent: Intent, change: Change | None, plan: Plan, *, api_url: str) -> str:
    """Spell the call that gives a channel a new key (everruns-api/orgs-apps-errors.md, 3.6)."""
    bound = next((id_ for address, id_ in plan.bindings.items() if str(address) == intent.address), None)
    id_ = (change.id if change else None) or bound or "CHANNEL_ID"
    org = plan.orgs.get(intent.address.partition("/")[0])
    header = f"-H {quote(f'X-Org-Id: {org.id}')} " if org and org.id else ""
    url = f"{api_url.rstrip('/')}{intent.path}/{id_}/regenerate-key"
    return f'curl -X POST -H "Authorization: Bearer $EVERRUNS_API_KEY" {header}{quote(url)}'
