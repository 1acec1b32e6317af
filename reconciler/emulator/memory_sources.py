"""Where a memory takes its files from: what is accepted, and how it is normalized."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from reconciler.emulator import bodies
from reconciler.emulator.addresses import is_public
from reconciler.emulator.bodies import Field, MismatchError
from reconciler.emulator.problems import bad_request

COMMON = {
    "branch": Field(bodies.text),
    "root_folder": Field(bodies.text),
    "sync_interval_secs": Field(bodies.i32),
}
KINDS = {
    "github": {"repository": Field(bodies.text, required=True), **COMMON},
    "git": {"url": Field(bodies.text, required=True), **COMMON},
}
MANUAL: Mapping[str, Any] = {"provider": "manual"}
BRANCH_LENGTH = 255
URL_LENGTH = 2048
INTERVAL = range(300, 604_800 + 1)
GITHUB_PREFIXES = ("https://github.com/", "git@github.com:")
PART = re.compile(r"[A-Za-z0-9._-]{1,100}")
REPOSITORY_FAULT = "GitHub repository must be owner/repo or https://github.com/owner/repo (optionally ending in .git)"
NOT_ABSOLUTE = "Git URL must be an absolute https URL"
FOLDER_FAULT = "root_folder must be a relative path without empty segments or '..'"


def request_source(value: Any) -> dict[str, Any]:
    """Accept the source of a request, told apart by `type`; there is no `manual` one."""
    told = bodies.map_of(bodies.anything)(value)
    if "type" not in told:
        raise MismatchError("missing field `type`")
    kind = bodies.choice(*KINDS)(told["type"])
    return {"type": kind, **bodies.parse(KINDS[kind], told)}


def normalized(source: Mapping[str, Any] | None) -> dict[str, Any]:
    """Turn the source of a request into the source of the response."""
    if source is None:
        return dict(MANUAL)
    kind = source["type"]
    place = {"repository": _repository(source["repository"])} if kind == "github" else {"url": _url(source["url"])}
    return {
        "provider": kind,
        **place,
        "branch": _branch(source.get("branch")),
        "root_folder": _folder(source.get("root_folder")),
        "sync_interval_secs": _interval(source.get("sync_interval_secs")),
    }


def _branch(wanted: str | None) -> str:
    """Trim a branch; none means `main`, whatever the repository's own default is."""
    branch = (wanted or "").strip() or "main"
    if len(branch.encode()) > BRANCH_LENGTH or "\0" in branch:
        raise bad_request(f"branch must be a non-empty ref at most {BRANCH_LENGTH} characters")
    return branch


def _folder(wanted: str | None) -> str | None:
    """Strip a folder of blanks and outer slashes; the root itself is null."""
    folder = (wanted or "").strip().strip("/")
    if folder in ("", "."):
        return None
    if "\0" in folder or any(segment in ("", "..") for segment in folder.split("/")):
        raise bad_request(FOLDER_FAULT)
    return folder


def _interval(wanted: int | None) -> int | None:
    """Keep an interval between five minutes and a week; zero means none."""
    if not wanted:
        return None
    if wanted not in INTERVAL:
        raise bad_request("sync_interval_secs must be between 300 and 604800")
    return wanted


def _repository(wanted: str) -> str:
    """Reduce every accepted spelling of a GitHub repository to owner/repo, in its own case."""
    text = wanted.strip()
    for prefix in GITHUB_PREFIXES:
        text = text.removeprefix(prefix)
    parts = text.strip("/").removesuffix(".git").split("/")
    is_pair = len(parts) == 2 and all(PART.fullmatch(part) for part in parts)  # noqa: PLR2004 - owner and repo
    if not is_pair or {".", ".."}.intersection(parts):
        raise bad_request(REPOSITORY_FAULT)
    return "/".join(parts)


def _url(wanted: str) -> str:
    """Accept a public https URL without credentials, query or fragment; it is only trimmed."""
    url = wanted.strip()
    if not url or len(url) > URL_LENGTH or re.search(r"\s", url):
        raise bad_request("Git URL must be a non-empty URL without whitespace")
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise bad_request(NOT_ABSOLUTE) from error
    faults = (
        ("?" in url or "#" in url, "Git URL must not include query strings or fragments"),
        (not parts.scheme, NOT_ABSOLUTE),
        (parts.scheme != "https", "Git URL must use https scheme"),
        (not host, NOT_ABSOLUTE),
        ("@" in parts.netloc, "Git URL must not include inline credentials"),
        (not is_public(host), "Git URL must target a public non-local host"),
    )
    for is_wrong, message in faults:
        if is_wrong:
            raise bad_request(message)
    return url
