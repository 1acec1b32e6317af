"""A drift as a sheet: what is gone first, then what touches access, then what else changed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from reconciler.kinds import BY_NAME
from reconciler.plan.change import Side
from reconciler.plan.concern import touches_access
from reconciler.plan.drift import What
from reconciler.report.drift_text import UNSYNCED_HINT, drift_verdict, remedies, reverts, said_of, unowned_text
from reconciler.report.plan_sheet import orgs_of
from reconciler.report.sheet import Alert, Item, Remark, Section, Sheet
from reconciler.report.vocabulary import DRIFTED, SIGNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.plan.drift import Drift, Drifted

_HEADINGS = {
    "Gone or archived": True,
    "Exposure": True,
    "Changed on the platform": True,
    "Not settled": True,
    "Not in sync": False,
    "Unmanaged": False,
}
"""The sections in the order of reading, and whether they are urgent."""


def drift_sheet(drift: Drift, *, flags: str, facts: Mapping[str, str], environment: str = "") -> Sheet:
    """Return the sheet of a drift; `flags` lead to the same manifests and platform."""
    items: defaultdict[str, list[Item]] = defaultdict(list)
    for one in drift.drifted:
        items[_heading(one)].append(_item(one, flags=flags))
    sections = [Section(name, tuple(items[name]), urgent=urgent) for name, urgent in _HEADINGS.items() if items[name]]
    return Sheet(
        "Drift",
        environment,
        drift_verdict(drift).removeprefix("Drift: "),
        nothing=not drift.drifted,
        alerts=tuple(_alerts(drift)),
        orgs=orgs_of([(one.address.org, DRIFTED[one.what]) for one in drift.drifted], drift.orgs),
        words=tuple(DRIFTED.values()),
        sections=tuple(sections),
        facts=facts,
    )


def _alerts(drift: Drift) -> Iterator[Alert]:
    if drift.partial:
        yield Alert("note", "Partial", drift.partial)
    if drift.unowned:
        yield Alert("note", "Not ours yet", unowned_text(drift))


def _heading(one: Drifted) -> str:
    match one.what:
        case What.GONE | What.ARCHIVED:
            return "Gone or archived"
        case What.UNSETTLED:
            return "Not settled"
        case What.UNSYNCED:
            return "Not in sync"
        case What.UNMANAGED:
            return "Unmanaged"
        case What.CHANGED if touches_access(BY_NAME[one.address.kind], one.fields):
            return "Exposure"
    return "Changed on the platform"


def _item(one: Drifted, *, flags: str) -> Item:
    sign, paint = SIGNS[one.what]
    return Item(
        one.address.org,
        one.address.kind,
        one.address.local,
        sign,
        DRIFTED[one.what],
        paint,
        title=one.title if one.title != one.address.name else "",
        where=one.where,
        badges=("exposure",) if _heading(one) == "Exposure" else (),
        fields=one.fields,
        manner="moved",
        remarks=tuple(_remarks(one, flags=flags)),
        step=str(one.address),
    )


def _remarks(one: Drifted, *, flags: str) -> Iterator[Remark]:
    yield Remark(said_of(one), paint="dim")
    if both := [field.name for field in one.fields if field.side is Side.BOTH]:
        yield Remark(f"changed in git as well, and not applied yet: {', '.join(both)}", paint="red")
    if one.what is What.UNSYNCED:
        yield Remark(UNSYNCED_HINT, paint="dim")
    revert, capture = remedies(one, flags=flags)
    if revert:
        yield Remark(revert, reverts(one), "dim", command=True)
    if capture:
        yield Remark(capture, "capture", "dim", command=True)
    elif one.where and one.what in (What.GONE, What.ARCHIVED):
        yield Remark(f"remove it from git, at {one.where}", "capture", "dim")
