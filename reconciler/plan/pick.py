"""PICK: which live resources an import is about; a selection that means nothing is an error, never an empty success."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from reconciler.errors import UsageError
from reconciler.kinds import BY_NAME, DECLARABLE, TENANT
from reconciler.plan.capture import Candidate, Home

_KINDS = [kind.name for kind in DECLARABLE]
_LISTED = 10


def kinds_of(words: Iterable[str]) -> frozenset[str]:
    """Return the kinds that a selection can be about, all of them for none; raises UsageError for an impossible one."""
    kinds: set[str] = set()
    for word in words:
        parts = word.split("/")
        told = parts[0] if len(parts) <= 2 else parts[1]  # noqa: PLR2004 - Kind, Kind/name, org/Kind/name
        _ensure_possible(word, parts, told)
        kinds |= {told} if told in _KINDS else set(_KINDS)
    return frozenset(kinds or _KINDS)


def _ensure_possible(word: str, parts: Sequence[str], told: str) -> None:
    """Refuse what is written inside something else, is only referred to, or is no kind at all."""
    below = next((BY_NAME[part] for part in parts if part in BY_NAME and BY_NAME[part].parent), None)
    if below is not None:
        raise UsageError(
            f"{word}: {below.plural} are written inside their {below.parent}", hint=f"import the {below.parent}"
        )
    if told in BY_NAME and not BY_NAME[told].managed:
        raise UsageError(f"{word}: {BY_NAME[told].plural} are only referred to", hint=f"known: {', '.join(_KINDS)}")
    if len(parts) == 1 and word not in _KINDS:
        by_word = {spelling: kind.name for kind in DECLARABLE for spelling in (kind.noun, kind.plural)}
        close = get_close_matches(word.lower(), by_word, n=1)
        hint = f"did you mean {by_word[close[0]]}?" if close else f"a kind ({', '.join(_KINDS)}) or an address"
        raise UsageError(f"{word}: no such kind", hint=hint)


def pick(candidates: Sequence[Candidate], words: Sequence[str], *, archived: Iterable[str] = ()) -> list[Candidate]:
    """Return what the words mean: a kind, or a glob on addresses with or without the organization; all for none.

    A display name or an id may stand in the place of the address's name. `archived` are the addresses of what was
    left out for being archived. Raises UsageError for a word that means nothing.
    """
    if not words:
        return list(candidates)
    spelled = [(one, _spellings(one)) for one in candidates]
    wanted: set[str] = set()
    for word in words:
        hits = {
            one.id
            for one, texts in spelled
            if word == one.address.kind or any(text == word or fnmatchcase(text, word) for text in texts)
        }
        if not hits and word not in _KINDS:
            raise _miss(word, [text for _, texts in spelled for text in texts[:2]], archived)
        wanted |= hits
    return [one for one in candidates if one.id in wanted]


def with_tenants(
    chosen: Sequence[Candidate], candidates: Iterable[Candidate], homes: Mapping[str, Home]
) -> list[Candidate]:
    """Put before what was chosen the organizations that have to be declared for it."""
    orgs = {one.address.org for one in chosen if homes[one.address.org].is_new}
    have = {one.address for one in chosen}
    tenants = [one for one in candidates if one.address.kind == TENANT.name and one.address.org in orgs]
    return [*(one for one in tenants if one.address not in have), *chosen]


def _spellings(one: Candidate) -> tuple[str, ...]:
    kind, org = one.address.kind, one.address.org
    return (
        str(one.address),
        one.address.local,
        *(text for name in (one.title, one.id) for text in (f"{kind}/{name}", f"{org}/{kind}/{name}")),
    )


def _miss(word: str, known: Sequence[str], archived: Iterable[str]) -> UsageError:
    if any(fnmatchcase(text, word) for name in archived for text in (name, name.partition("/")[2])):
        return UsageError(f"{word}: archived, and therefore left out", hint="restore it on the platform first")
    locals_ = sorted({name for name in known if name.count("/") == 1})
    close = get_close_matches(word, known if word.count("/") > 1 else locals_, n=2, cutoff=0.6)
    more = f" and {len(locals_) - _LISTED} more" if len(locals_) > _LISTED else ""
    there = f"there are: {', '.join(locals_[:_LISTED])}{more}" if locals_ else "there is nothing to import"
    return UsageError(
        f"{word}: nothing live is called that", hint=f"did you mean {' or '.join(close)}?" if close else there
    )
