"""The actions of others that the workflows use, as these tests carry them out."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from .runner import Action, ActionError, Machine, UnknownFormError
from .toolcache import python_of


def known(artifacts: Path) -> Mapping[str, Action]:
    """Return them by name; artifacts of a run are kept in the given folder, which all its jobs share."""

    def upload(machine: Machine, given: Mapping[str, str]) -> Mapping[str, str]:
        return _upload(machine, given, artifacts)

    return {"actions/checkout": _checkout, "actions/setup-python": _python, "actions/upload-artifact": upload}


def _checkout(machine: Machine, given: Mapping[str, str]) -> Mapping[str, str]:
    """Clone for real; what a token may do is kept in the clone's settings, and the remote's hook asks for it.

    Not real: reading needs no token, as if the repository were public.
    """
    _insist(given, {"fetch-depth", "persist-credentials"})
    event, depth = machine.event, int(given.get("fetch-depth", "1"))
    local = event.ref.replace("refs/heads/", "refs/remotes/origin/").replace("refs/pull/", "refs/remotes/pull/")
    _git(machine, "init", "-q", "-b", "unborn")
    _git(machine, "remote", "add", "origin", str(machine.remote))
    own = f"+{event.sha}:{local}"
    if depth:
        _git(machine, "fetch", "-q", "--no-tags", f"--depth={depth}", "origin", own)
    else:
        _git(
            machine,
            "fetch",
            "-q",
            "--prune",
            "origin",
            "+refs/heads/*:refs/remotes/origin/*",
            "+refs/tags/*:refs/tags/*",
        )
        _git(machine, "fetch", "-q", "--no-tags", "origin", own)
    branch = ["-B", event.ref.removeprefix("refs/heads/")] if event.ref.startswith("refs/heads/") else ["--detach"]
    _git(machine, "checkout", "-q", "--force", *branch, local)
    if given.get("persist-credentials", "true") == "true" and machine.permissions.get("contents") == "write":
        _git(machine, "config", "remote.origin.receivepack", "MAY_PUSH=yes git-receive-pack")
    return {"ref": event.ref, "commit": event.sha}


def _git(machine: Machine, *arguments: str) -> None:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=machine.workspace, env=machine.env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ActionError(f"{' '.join(command)}: {done.stderr}")


def _python(machine: Machine, given: Mapping[str, str]) -> Mapping[str, str]:
    """Give the Python of these tests, whichever is asked for; `update-environment: false` leaves PATH alone."""
    _insist(given, {"python-version", "update-environment"})
    if given["update-environment"] != "false":
        raise UnknownFormError("setup-python leaves PATH alone here")
    return {"python-path": str(python_of(machine.place / "toolcache")), "python-version": given["python-version"]}


def _upload(machine: Machine, given: Mapping[str, str], artifacts: Path) -> Mapping[str, str]:
    """Copy what is in a folder, hidden files left out; a name is there once, unless it is written over."""
    _insist(given, {"name", "path", "if-no-files-found", "overwrite", "retention-days"})
    name, source = given["name"], Path(given["path"])
    place = artifacts / name
    if set(name) & set('":<>|*?\r\n\\/'):
        raise ActionError(f"The artifact name is not valid: {name}")
    if not source.is_dir() or all(path.name.startswith(".") for path in source.iterdir()):
        if given["if-no-files-found"] != "ignore":
            raise ActionError("No files were found")
        return {}
    if place.exists() and given["overwrite"] != "true":
        raise ActionError(f"an artifact with this name already exists: {name}")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(source, place, ignore=shutil.ignore_patterns(".*"))
    machine.job.artifacts[name] = place
    return {"artifact-digest": "none"}


def _insist(given: Mapping[str, str], inputs: set[str]) -> None:
    if strange := set(given) - inputs:
        raise UnknownFormError(f"an input that is not known here: {', '.join(sorted(strange))}")
