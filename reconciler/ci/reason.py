"""Why a write was made, as the platform records it: commit, subject, pull request and run."""

from __future__ import annotations

from reconciler.manifest.commit import subject_of
from reconciler.settings import REASON_LIMIT

_SHA = 12


def reason_of(manifests: str, *, sha: str, number: int | None, run_url: str) -> str:
    """Return `a1b2c3d4e5f6 Subject (pull request #12) https://.../actions/runs/1`, within the platform's limit.

    The subject gives way when there is no room for all; where it looks like a credential it is replaced
    (everruns-api/orgs-apps-errors.md, 6).
    """
    subject = subject_of(manifests) or ""
    behind = [f"(pull request #{number})"] if number is not None else []
    behind += [run_url] if run_url else []
    rest = " ".join([sha[:_SHA], *behind]).strip()[:REASON_LIMIT]
    room = REASON_LIMIT - len(rest) - 1
    if len(subject) > room:
        subject = subject[: max(room - 1, 0)].rstrip() + "…" if room > 0 else ""
    return " ".join(part for part in (sha[:_SHA], subject, *behind) if part) if len(rest) < REASON_LIMIT else rest
