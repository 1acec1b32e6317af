"""The `--json` stream: one JSON object a line, each with `schema` and `type`, for programs.

| type        | members                                                                                     |
| ----------- | ------------------------------------------------------------------------------------------- |
| `started`   | `verb`, `version`                                                                           |
| `fault`     | `path`, `line`, `column` (null without a place), `message`, `hint`                          |
| `change`    | `address`, `action`, `title`, `fields`, `notes`, `where`, `id`, `secrets`, `after`, `since`... |
| `plan`      | `counts` by action, `unchanged` by kind, `orgs`, `digest`, `empty`, `refusals`, ...              |
| `saved`     | `file`, `environment`: the changes and the plan that follow were read from this file        |
| `running`   | `address`, `action`, `step`: a change is being carried out                                  |
| `outcome`   | `address`, `action`, `step`, `status`; see below                                            |
| `throttled` | `seconds`: how long the platform made the run wait                                          |
| `remainder` | `address`, `message`, `fields`: what still differs after a write that was accepted          |
| `file`      | `path`, `address`, `fate`: `written`, `unchanged`, `in_the_way` or `left_out`               |
| `gap`       | `address`, `path`, `message`, `left_out`: what is live and stays out of the manifests       |
| `needed`    | `variable`, `address`, `path`: a secret that must be provided before it can be sent         |
| `suspect`   | `address`, `path`: a text that looks like a secret in clear                                 |
| `import`    | `files` by fate, `declared` (addresses), `archived` and `owned` (counts)                    |
| `ledger`    | `place`, `owner`, `serial`, `lock`: what the ledger is, and who holds it (or null)          |
| `owned`     | `address`, `id`, `protect`, `commit`, `applied_at`, and the paths of `fields` and `secrets` |
| `archived`  | `run`, `at`, `ids` by address: what a run archived, for `undo`                              |
| `forgotten` | `addresses`, `everything`: what the ledger knows no more                                    |
| `taken_over` | `addresses`: what is ours from now on; `left`: what differs, and is not                     |
| `ledger_moved` | `source`, `place`, `entries`, `aside`: from where to where it was brought                   |
| `unlocked`  | `lock`: whose lock was taken away (null: nobody's)                                          |
| `drifted`   | `address`, `what`, `fields`, `message`, `since`, `where`, `id`, `revert`, `capture`         |
| `captured`  | `files`, `addresses`, `left`: what was taken into which manifests, and what could not be     |
| `resource`  | `address`, `fields` (`name`, `desired`, `live`, `written`), `owned`, `live`, `touched`...    |
| `drift`     | `counts` by what, `watched`, `unsettled`, `unowned` (counts), `partial`                     |
| `kind`      | `name`, `managed`, `identity`, ..., `fields` (`path`, `when`, `holds`, `required`, `default`, ...)  |
| `unfinished` | `run`, `at`, `who`, `host`, `commit`, `open`: a run did not end; so many writes of it are open |
| `settled`   | `run`, `step`, `address`, `action`, `request_id`, `finding`, `message`, `command`; see below |
| `run`       | `run`, `standing`, `at`, `who`, `commit`, `steps`, `counts`, `exit_codes`, `damage`...       |
| `write`     | a write of a run: `step`, `method`, `path`, `request_id`, `id`, `status`, `error`, `open`... |
| `step`      | a step of a run: `step`, `status` as of an outcome, or `adopted`; `message`, `at`           |
| `error`     | `error` (its class), `message`, `exit_code`, `hint`, `moved`                                |
| `finished`  | `exit_code` (the worst) and `exit_codes` (all)                                              |

`fields` is a list of `{path, old, new, sensitive, side}`; `side` says who moved: `pending`, `drifted`, `both` or
null. `frees` is the id of what holds the name and is renamed first, to `detour`. An outcome's `status` is `done`
(with `adopted` and `note`), `failed` (with `error`, as in the event of that name), `blocked` (with `by`),
`conflicted` (with `message`, `fields` and `hint`) or `not_started`. A `finding` is `carried_out`, `not_carried_out`,
`partly`, `unreadable` (a secret), `moot` (git or the platform moved on), `key_lost` (a rotation whose answer was lost)
or `not_seen` (no part of this plan); `command` makes a new key where one was lost. A secret is
`{"$secret": {"env": NAME}}` where it is declared and `{"$secret": "set"}` where the platform has one; a value never
appears. Members may be added to an event, never taken away within v1.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, assert_never

import orjson

from reconciler.errors import Exit, json_of, worst
from reconciler.plan.change import Change, FieldChange
from reconciler.plan.digest import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.errors import LocatedFault, ReconcilerError
    from reconciler.kinds.describe import KindFacts
    from reconciler.plan.drift import Drift, Drifted
    from reconciler.plan.outcome import Outcome, Remainder
    from reconciler.plan.plan import Plan
    from reconciler.plan.side_by_side import SideBySide

SCHEMA = "everruns.reconciler/events/v1"

Event = dict[str, Any]


def event(type_: str, /, **members: Any) -> Event:
    """Make an event of a type."""
    return {"schema": SCHEMA, "type": type_, **members}


def started(verb: str, version: str) -> Event:
    """Say which verb runs, of which version."""
    return event("started", verb=verb, version=version)


def fault(one: LocatedFault) -> Event:
    """Describe a fault; never the line it stands in, which may hold a secret."""
    return event(
        "fault",
        path=one.path or None,
        line=one.line if one.path else None,
        column=one.column if one.path else None,
        message=one.message,
        hint=one.hint,
    )


def change(one: Change) -> Event:
    """Describe a change."""
    return event(
        "change",
        address=str(one.address),
        action=one.action.value,
        title=one.title,
        fields=_fields(one.fields),
        notes=list(one.notes),
        where=one.where,
        id=one.id,
        replace=one.replace,
        frees=one.frees,
        detour=one.detour,
        secrets=[plain(secret) for secret in one.secrets],
        after=list(one.after),
        since=one.since,
    )


def plan_made(plan: Plan) -> Event:
    """Sum a plan up."""
    return event(
        "plan",
        counts={action.value: count for action, count in plan.counts.items()},
        unchanged=dict(plan.unchanged),
        orgs={name: {"id": org.id, "title": org.title} for name, org in plan.orgs.items()},
        digest=plan.digest,
        partial=plan.partial,
        empty=plan.is_empty,
        refusals=[{"message": one.message, "hint": one.hint} for one in plan.refusals],
        secret_states={state.value: count for state, count in plan.secrets.items()},
    )


def saved_plan(file: str, *, environment: str) -> Event:
    """Say which file the following plan was read from."""
    return event("saved", file=file, environment=environment)


def running(one: Change) -> Event:
    """Say that a change is being carried out."""
    return event("running", address=str(one.address), action=one.action.value, step=one.step)


def outcome(one: Outcome) -> Event:
    """Describe what became of a change."""
    about = one.change
    return event("outcome", address=str(about.address), action=about.action.value, step=about.step, **_became(one))


def throttled(seconds: float) -> Event:
    """Say how long the platform made a run wait."""
    return event("throttled", seconds=round(seconds, 3))


def remainder(one: Remainder) -> Event:
    """Describe what still differs after a write."""
    return event("remainder", address=str(one.address), message=one.message, fields=_fields(one.fields))


def drifted(one: Drifted, *, revert: str | None, capture: str | None) -> Event:
    """Describe what moved on the platform, with the commands that undo it and that take it into git."""
    return event(
        "drifted",
        address=str(one.address),
        what=one.what.value,
        title=one.title,
        fields=_fields(one.fields),
        message=one.message,
        since=one.since,
        where=one.where,
        id=one.id,
        revert=revert,
        capture=capture,
    )


def drift_found(one: Drift) -> Event:
    """Sum a drift up."""
    counts = Counter(each.what.value for each in one.drifted)
    told = {"watched": one.watched, "unsettled": one.unsettled, "unowned": one.unowned}
    return event("drift", counts=dict(counts), **told, partial=one.partial)


def kind(one: KindFacts) -> Event:
    """Describe a kind and its fields."""
    return event("kind", **asdict(one))


def shown(one: SideBySide, *, touched: str | None) -> Event:
    """Describe a resource on its three sides, and the commit that last touched its lines."""
    entry = one.entry
    return event(
        "resource",
        address=str(one.desired.address),
        title=one.desired.title,
        where=f"{one.desired.source.file.path}:{one.desired.source.line}",
        touched=touched,
        owned=None if entry is None else {"id": entry.id, "protect": entry.protect, "applied_at": entry.applied_at},
        live=one.observed.id if one.observed else None,
        archived=one.twin.id if one.twin else None,
        fields=[
            {"name": row.name, "desired": plain(row.desired), "live": plain(row.live), "written": row.written}
            for row in one.rows
        ],
        actions=[each.action.value for each in one.changes],
    )


def captured(files: Sequence[str], taken: Sequence[Drifted], left: Sequence[tuple[Drifted, str]]) -> Event:
    """Say which files were changed, what was taken into them, and what could not be."""
    return event(
        "captured",
        files=list(files),
        addresses=[str(one.address) for one in taken],
        left=[{"address": str(one.address), "message": why} for one, why in left],
    )


def error(one: ReconcilerError) -> Event:
    """Describe an error."""
    return event("error", **json_of(one))


def finished(exit_codes: Sequence[Exit]) -> Event:
    """Say how the run ends."""
    return event("finished", exit_code=int(worst(exit_codes)), exit_codes=[int(code) for code in exit_codes])


def line(one: Event) -> str:
    """Write an event as one line of JSON, without a line end."""
    try:
        return orjson.dumps(one, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        return orjson.dumps(_encodable(one), option=orjson.OPT_NON_STR_KEYS).decode()


def _fields(fields: Sequence[FieldChange]) -> list[dict[str, Any]]:
    return [
        {
            "path": list(one.path),
            "old": plain(one.old),
            "new": plain(one.new),
            "sensitive": one.sensitive,
            "side": one.side.value if one.side else None,
        }
        for one in fields
    ]


def _became(one: Outcome) -> dict[str, Any]:
    from reconciler.plan.outcome import Blocked, Conflicted, Done, Failed, NotStarted

    match one:
        case Done(_, adopted, note):
            return {"status": "done", "adopted": adopted, "note": note}
        case Failed(_, why):
            return {"status": "failed", "error": json_of(why)}
        case Blocked(_, by):
            return {"status": "blocked", "by": by}
        case Conflicted(_, message, fields, hint):
            return {"status": "conflicted", "message": message, "fields": _fields(fields), "hint": hint}
        case NotStarted():
            return {"status": "not_started"}
        case _:
            assert_never(one)


def _encodable(value: Any) -> Any:
    """Bring what JSON cannot hold to text: half of a surrogate pair, an integer beyond 64 bits."""
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case dict():
            return {_encodable(key): _encodable(item) for key, item in value.items()}
        case list():
            return [_encodable(item) for item in value]
        case bool() | None | float():
            return value
        case int() if -(2**63) <= value < 2**64:
            return value
    return str(value)
