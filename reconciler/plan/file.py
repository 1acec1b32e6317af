"""The plan as a file: canonical JSON, versioned, without any secret value, read back to the same Plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from reconciler import __version__
from reconciler.errors import PlanFileError
from reconciler.kinds.key_to import destination
from reconciler.plan.change import Action, Change, FieldChange, Precondition, Record, Side
from reconciler.plan.digest import digest, plain, unplain
from reconciler.plan.owned import Owner
from reconciler.plan.plan import OrgRef, Plan, described
from reconciler.plan.secrecy import SecretState
from reconciler.plan.verdict import Refusal
from reconciler.resource import Address

FORMAT = "everruns.reconciler/plan/v1"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a plan was made for and from: the platform, the manifests and their commit.

    `reason` is what the platform will record beside its writes; `manifests` are paths from where plan was called.
    """

    api_url: str
    manifests: tuple[str, ...] = ()
    commit: str | None = None
    reason: str | None = None


def dumps(plan: Plan, *, plan_id: str, origin: Origin) -> bytes:
    """Spell a plan as canonical JSON; `plan_id` makes it single-use."""
    data: dict[str, Any] = {
        "format": FORMAT,
        "tool": __version__,
        "id": plan_id,
        "api_url": origin.api_url,
        "manifests": list(origin.manifests),
        "commit": origin.commit,
        "reason": origin.reason,
        "ledger": {"owner": None if plan.owner is None else list(plan.owner), "serial": plan.serial},
        "refusals": [[one.message, one.hint] for one in plan.refusals],
        "secrets": {state.value: count for state, count in plan.secrets.items()},
        "digest": plan.digest,
        "partial": plan.partial,
        "orgs": {name: {"id": org.id, "title": org.title} for name, org in plan.orgs.items()},
        "bindings": [[*address[:3], id_] for address, id_ in sorted(plan.bindings.items())],
        "unchanged": dict(plan.unchanged),
        "changes": [described(change) | _beside(change) for change in plan.changes],
    }
    data["checksum"] = digest(data)
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan read from a file, with what it was made for."""

    plan: Plan
    id: str
    origin: Origin


def loads(data: bytes, *, name: str) -> PlanFile:
    """Read a plan file; raises PlanFileError for anything that is not one, or was changed since it was written."""
    try:
        raw = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise PlanFileError(
            f"{name} is not a plan file: {error}", hint="make one with reconciler plan --out FILE"
        ) from error
    found = raw.get("format") if isinstance(raw, dict) else None
    if found != FORMAT:
        hint = f"this version reads {FORMAT}: make a new plan"
        raise PlanFileError(f"{name} is not a plan file of this version (format: {str(found)[:60]})", hint=hint)
    from reconciler.plan.file_shape import OddPlan, ensure_shape

    try:
        ensure_shape(raw)
        checksum = digest({key: value for key, value in raw.items() if key != "checksum"})
    except OddPlan as odd:
        raise PlanFileError(f"{name} is damaged: {odd}", hint="make a new plan") from odd
    except (TypeError, RecursionError) as error:  # JSON can be read deeper than it is ever written
        raise PlanFileError(f"{name} is damaged: it is nested too deep", hint="make a new plan") from error
    if raw["checksum"] != checksum:
        raise PlanFileError(
            f"{name} was changed after it was written: its checksum does not match", hint="make a new plan"
        )
    origin = Origin(raw["api_url"], tuple(raw["manifests"]), raw["commit"], raw["reason"])
    return PlanFile(plan=_plan(raw), id=raw["id"], origin=origin)


def _plan(raw: dict[str, Any]) -> Plan:
    return Plan(
        changes=tuple(_change(change) for change in raw["changes"]),
        orgs={name: OrgRef(id=org["id"], title=org["title"]) for name, org in raw["orgs"].items()},
        bindings={Address(org, kind, title): id_ for org, kind, title, id_ in raw["bindings"]},
        unchanged={name: int(count) for name, count in raw["unchanged"].items()},
        partial=raw["partial"],
        owner=None if raw["ledger"]["owner"] is None else Owner(*raw["ledger"]["owner"]),
        serial=int(raw["ledger"]["serial"]),
        refusals=tuple(Refusal(message, hint) for message, hint in raw["refusals"]),
        secrets={SecretState(state): int(count) for state, count in raw["secrets"].items()},
    )


def _beside(change: Change) -> dict[str, Any]:
    """Spell what of a change does not bear on its effect: its place, who moved, what the ledger learns."""
    record = change.record
    return {
        "where": change.where,
        "since": change.since,
        "adopt": change.adopt,
        "sides": [one.side.value if one.side else None for one in change.fields],
        "record": None
        if record is None
        else {
            "fields": dict(record.fields),
            "secrets": {path: plain(ref) for path, ref in record.secrets.items()},
            "protect": record.protect,
            "adds": record.adds,
            "moved_from": str(record.moved_from) if record.moved_from else None,
        },
    }


def _record(raw: dict[str, Any] | None) -> Record | None:
    if raw is None:
        return None
    return Record(
        fields=dict(raw["fields"]),
        secrets={path: unplain(ref) for path, ref in raw["secrets"].items()},
        protect=bool(raw["protect"]),
        adds=bool(raw["adds"]),
        moved_from=Address.parse(raw["moved_from"]) if raw["moved_from"] else None,
    )


def _change(raw: dict[str, Any]) -> Change:
    pre = raw["precondition"]
    covers = pre["covers"]
    return Change(
        address=Address.parse(raw["address"]),
        action=Action(raw["action"]),
        title=raw["title"],
        fields=tuple(
            FieldChange(tuple(f["path"]), unplain(f["old"]), unplain(f["new"]), Side(side) if side else None)
            for f, side in zip(raw["fields"], raw["sides"], strict=True)
        ),
        body=dict(unplain(raw["body"])),
        then=dict(unplain(raw["then"])),
        holds=dict(unplain(raw.get("holds") or {})),
        replace=bool(raw["replace"]),
        completes=bool(raw["completes"]),
        replaces=bool(raw.get("replaces")),
        frees=raw["frees"],
        detour=raw["detour"],
        id=raw["id"],
        pre=Precondition(
            pre["id"],
            pre["digest"],
            None if covers is None else tuple(covers),
            bool(pre["with_time"]),
            tuple(pre["beside"]),
        ),
        after=tuple(raw["after"]),
        notes=tuple(raw["notes"]),
        where=raw["where"],
        record=_record(raw["record"]),
        since=raw["since"],
        adopt=raw["adopt"],
        key_to=None if raw["key_to"] is None else destination(raw["key_to"], variable=""),
        patience=raw["patience"],
    )
