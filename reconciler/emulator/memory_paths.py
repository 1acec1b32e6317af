"""Paths inside a memory: one spelling for each, and nothing that leads out of it."""

from reconciler.emulator.problems import ProblemError, unfilled

ROOT = "/"


def normalized(path: str) -> str:
    """Check a path and take its trailing slash off (everruns-api/agents-memories-sessions.md, 4.6)."""
    fault = _fault(path)
    if fault:
        raise _refused(fault)
    return path.rstrip("/") or ROOT


def from_url(rest: str) -> str:
    """Make a path of what stands behind `/fs/` in a URL; it is not checked yet."""
    return rest if rest.startswith("/") else f"/{rest}"


def parents(path: str) -> list[str]:
    """List the directories above a path, outermost first, without the root."""
    segments = path.split("/")[1:-1]
    return ["/" + "/".join(segments[: depth + 1]) for depth in range(len(segments))]


def parent(path: str) -> str:
    """Give the directory a path lies in."""
    return path.rpartition("/")[0] or ROOT


def root_refused() -> ProblemError:
    """Refuse to create the root, which is always there."""
    return _refused("cannot create root")


def _fault(path: str) -> str | None:
    """Say what is wrong with a path, in the server's order."""
    if not path:
        return "empty path"
    if "\0" in path:
        return "null byte in path"
    if "//" in path:
        return "double slash in path"
    segments = path.split("/")
    if ".." in segments:
        return "'..' in path"
    if segments[0]:
        return f"path must start with '/', got '{path}'"
    if any(segment.startswith("_") for segment in segments):
        return "path segments starting with '_' are reserved"
    return None


def _refused(fault: str) -> ProblemError:
    """Refuse a path with 400."""
    return unfilled(400, f"invalid path: {fault}")
