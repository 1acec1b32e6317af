"""Who last touched the lines of a document: commit, author, date and subject, from git's blame; nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.errors import Source
from reconciler.manifest.splice import trail
from reconciler.manifest.steps import Path as Steps
from reconciler.manifest.tree import starts_of, tree_of

if TYPE_CHECKING:
    from git import Repo

_HEAD: Final = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64}) \d+ \d+(?: \d+)?")
_SHORT: Final = 12
_PLACES: Final = {
    "GIT_ALLOW_PROTOCOL": "none",  # a partial clone would fetch what it has not, one file after the other
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


@dataclass(frozen=True, slots=True)
class Touched:
    """The last commit that touched some lines, its id in twelve digits, its date that of the author.

    `commit` and what belongs to it is None where no line is committed yet; `has_uncommitted` says that some are not.
    `is_boundary`: a shallow clone ends at this commit, so that the lines may be older.
    """

    commit: str | None
    author: str | None
    date: datetime | None
    subject: str | None
    has_uncommitted: bool = False
    is_boundary: bool = False

    def __str__(self) -> str:
        """Say it in one line, as `0123456789ab 2026-01-31 Ada: Shorten the prompt`."""
        if self.commit is None or self.date is None:
            return "not committed yet"
        words = f"{self.commit} {self.date.date().isoformat()} {self.author}: {self.subject}"
        notes = ["this clone knows nothing older"] * self.is_boundary + [
            "with uncommitted changes"
        ] * self.has_uncommitted
        return f"{words} ({'; '.join(notes)})" if notes else words


@dataclass(slots=True)
class _Commit:
    """A commit as blame tells it."""

    id: str
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def order(self) -> tuple[int, int]:
        """When it was made: by the committer's clock, as a rebase makes an old text new, then by the author's."""
        return int(self.facts["committer-time"]), int(self.facts["author-time"])

    @property
    def is_made(self) -> bool:
        """Whether it is one: lines that are not committed have a number of zeros."""
        return bool(self.id.strip("0"))


def lines_of(source: Source, path: Steps = ()) -> range:
    """Return the numbers, from 1, of the lines of a document, or of what stands at a path in it.

    They are counted as git does, which ends a line at a line feed only. A document has the comments above it, down
    to the next one. Where the path leads further than what is written, it is its nearest ancestor that is.
    """
    text = source.file.text.removeprefix("\ufeff")
    way = trail(tree_of(text, document=source.index), path) if path else []
    if way:
        start, end = way[-1][1].start, way[-1][1].end
    else:
        starts = [*starts_of(text), len(text)]
        start, end = starts[source.index] if source.index else 0, starts[source.index + 1]
    first = text.count("\n", 0, start) + 1
    return range(first, first + text[start:end].rstrip().count("\n") + 1)


def last_touched(source: Source, lines: range) -> Touched | None:
    """Return what last touched these lines of a manifest, from the file as it is on disk.

    None outside git, in a file that git does not know, and where git cannot tell.
    """
    try:
        from git import Repo
        from git.exc import GitError
    except ImportError:
        return None
    try:
        file = Path(source.file.path).resolve()
        with Repo(file.parent, search_parent_directories=True) as repo:
            if repo.working_tree_dir is None or not repo.head.is_valid():
                return None
            commits = list(_commits(_blamed(repo, file, lines)))
            shallow = _shallow(repo)
    except (GitError, OSError, ValueError):
        return None
    made = [commit for commit in commits if commit.is_made]
    has_uncommitted = len(made) < len(commits)
    if not made:
        return Touched(None, None, None, None, has_uncommitted=True) if has_uncommitted else None
    last = max(made, key=lambda commit: commit.order)
    return Touched(
        commit=last.id[:_SHORT],
        author=_printable(last.facts["author"]),
        date=_date(last.facts),
        subject=_printable(last.facts.get("summary", "")),
        has_uncommitted=has_uncommitted,
        is_boundary=last.id in shallow,
    )


def _blamed(repo: Repo, file: Path, lines: range) -> str:
    """Return git's answer in porcelain; folders are named, as a hook's environment names others."""
    git = repo.git
    git.update_environment(**_PLACES)
    git.set_persistent_git_options(git_dir=repo.git_dir, work_tree=repo.working_tree_dir)
    last = max(lines.stop - 1, lines.start)
    options: Any = ("--porcelain", "--no-textconv", "-L", f"{lines.start},{last}", "--", str(file))
    return str(git.blame(*options))


def _commits(answer: str) -> Iterator[_Commit]:
    """Yield each commit of an answer once; a line of the file itself begins with a tab."""
    seen: dict[str, _Commit] = {}
    current: _Commit | None = None
    for line in answer.split("\n"):
        head = _HEAD.fullmatch(line)
        if line.startswith("\t"):
            current = None
        elif current is None and head is not None:
            current = seen.setdefault(head[1], _Commit(head[1]))
        elif current is not None:
            word, _, rest = line.partition(" ")
            current.facts.setdefault(word, rest)
    yield from seen.values()


def _shallow(repo: Repo) -> frozenset[str]:
    """Return the commits at which a shallow clone ends."""
    place = Path(repo.common_dir) / "shallow"
    return frozenset(place.read_text().split()) if place.exists() else frozenset()


def _date(facts: dict[str, str]) -> datetime:
    """Return when the author made it, on the author's clock."""
    zone = facts.get("author-tz", "+0000")
    away = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])) * (-1 if zone[0] == "-" else 1)
    moment = datetime.fromtimestamp(int(facts["author-time"]), UTC)
    return moment.astimezone(timezone(away)) if abs(away) < timedelta(days=1) else moment


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())
