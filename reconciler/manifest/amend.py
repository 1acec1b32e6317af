"""AMEND: other values in a manifest that somebody wrote; the rest of the text stays as it is, to the byte.

The text is cut open at offsets (`tree.py`, `splice.py`) instead of being written anew from a tree that remembers its
comments: such round trips reformat two thirds of what people write. `parse` is the judge: a text counts only if it
reads as the old value with the edits applied, whatever was meant by the cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any, Final

from reconciler.errors import CannotAmend
from reconciler.manifest.parse import parse
from reconciler.manifest.places import place
from reconciler.manifest.splice import attempts, trail
from reconciler.manifest.steps import Drop, Path, Step, same, stepped, steps
from reconciler.manifest.suggest import shown
from reconciler.manifest.tree import Form, Node, tree_of

_BOM: Final = "\ufeff"
_MOST_STEPS: Final = 10_000
_MOST_ATTEMPTS: Final = 200


class Removed(Enum):
    """Stands for the value of a key that is to go."""

    REMOVED = "removed"

    def __repr__(self) -> str:
        return "removed"


REMOVED = Removed.REMOVED


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one document: the path from its root, and the plain value to stand there, or REMOVED.

    Maps on the way that are missing are made. Edits are taken one after the other: each path counts in what the ones
    before it left.
    """

    path: Path
    value: Any


def amend(text: str, *, document: int, edits: Iterable[Edit]) -> str:
    """Return a text in which a document says what the edits want; every line that has no part in it is as it was.

    Raises CannotAmend where that cannot be done without a change elsewhere.
    """
    mark, bare = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    now, others = _said(bare, document)
    if now is None:
        raise CannotAmend("there is no document to amend, or it has faults", hint="see reconciler validate")
    target = edited(now, edits)
    for _ in range(_MOST_STEPS):
        if same(now, target):
            return mark + bare
        bare, now = _step(bare, document, now, target, others)
    raise CannotAmend("too many changes for one document", hint="write the file anew with reconciler import")


def edited(value: Any, edits: Iterable[Edit]) -> Any:
    """Return a plain value with edits applied; raises CannotAmend for a path that leads nowhere."""
    for edit in edits:
        value = _applied(value, edit.path, edit)
    return value


def _applied(value: Any, path: Path, edit: Edit) -> Any:
    if not path:
        if edit.value is REMOVED:
            raise CannotAmend("a whole document cannot be removed from a manifest", hint="delete it by hand")
        return edit.value
    key, rest = path[0], path[1:]
    if value is None and isinstance(key, str):  # `spec:` with nothing below it means a map, as it does for `validate`
        return None if edit.value is REMOVED else _applied({}, path, edit)
    if isinstance(key, str) and isinstance(value, dict):
        if edit.value is REMOVED and key not in value:
            return value
        if edit.value is REMOVED and not rest:
            return {name: item for name, item in value.items() if name != key}
        return value | {key: _applied(value.get(key, {}), rest, edit)}
    if (
        isinstance(key, int)
        and isinstance(value, list)
        and 0 <= key < len(value) + (edit.value is not REMOVED and not rest)
    ):
        if edit.value is REMOVED and not rest:
            return value[:key] + value[key + 1 :]
        return [*value[:key], _applied(value[key] if key < len(value) else None, rest, edit), *value[key + 1 :]]
    raise CannotAmend(f"{spoken(edit.path)} leads nowhere", hint="the manifest has another form there: edit it by hand")


def spoken(path: Path) -> str:
    """Say a path as `spec.tags[2]`."""
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{shown(step)}" for step in path)
    return words.removeprefix(".") or "the document"


def _step(text: str, document: int, now: Any, target: Any, others: list[Any]) -> tuple[str, Any]:
    """Take the first step towards the target that can be taken; return the text and what it says then."""
    pending = list(steps(now, target))
    root = tree_of(text, document=document)
    for step in pending:
        wanted = stepped(now, step)
        for attempt in _tried(text, root, step, now):
            value, rest = _said(attempt, document)
            if value is None or not same(rest, others):
                continue
            if same(value, wanted) or _is_nearer(value, target, pending):
                return attempt, value
    raise _refusal(text, root, document, pending[0])


def _tried(text: str, root: Node, step: Step, now: Any) -> Iterator[str]:
    """Yield the candidates of a step; what YAML cannot hold has none."""
    try:
        yield from islice(attempts(text, root, step, now), _MOST_ATTEMPTS)
    except ValueError as error:
        message = f"{spoken(step.path)}: YAML cannot hold what is in it (half characters, or numbers beyond 64 bits)"
        raise CannotAmend(message, hint="change it on the platform") from error


def _said(text: str, document: int) -> tuple[Any, list[Any]]:
    """Return what a document says, None for nothing, and what is to stay: the other documents, and the faults."""
    documents, faults = parse(text)
    others = [[one.index, one.value] for one in documents if one.index != document]
    value = next((one.value for one in documents if one.index == document), None)
    return value, [*others, *(fault.message for fault in faults)]


def _is_nearer(value: Any, target: Any, pending: list[Step]) -> bool:
    """Say whether a change that was repeated elsewhere, by an alias, was wanted there as well."""
    left = {step.path for step in steps(value, target)}
    return left < {step.path for step in pending}


def _refusal(text: str, root: Node, document: int, step: Step) -> CannotAmend:
    """Say why a step cannot be taken: most often since something else repeats the place."""
    way = trail(root, step.path)
    last = way[-1][1].value if way else root
    anchors = [node.anchor for node in (root, *(entry.value for _, entry in way), *last.inside()) if node.anchor]
    alias = next((one for one in root.inside() if one.form is Form.ALIAS and one.text in anchors), None)
    line = place(text, index=document, path=step.path).line
    where = f"{spoken(step.path)} on line {line}"
    if alias is not None:
        other = len(text[: alias.start].splitlines()) or 1
        return CannotAmend(
            f"{where} cannot be changed alone: *{shown(alias.text)} on line {other} repeats it",
            hint="write out one of the two, then run again",
        )
    holder = way[-1][0] if len(way) == len(step.path) else last
    if isinstance(step, Drop) and any(entry.is_merge for entry in holder.entries):
        return CannotAmend(f"{where} cannot be removed: << brings it", hint="write out what << brings, then run again")
    return CannotAmend(f"{where} cannot be changed without touching what stands around it", hint="edit it by hand")
