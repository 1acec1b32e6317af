"""Fetching repositories: what git is kept from, and how failures are told."""

import base64
import contextlib
import dataclasses
import os
import socket
import stat
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reconciler.emulator import git_fetch, sync_worker
from reconciler.emulator.git_addresses import Remote
from reconciler.emulator.git_process import StoppedError, SyncError

MISSING = (
    "Repository or branch was not found, or the repository is private. "
    "Check the repository or connect GitHub for private access"
)
UNREACHABLE = "Could not reach the repository. Check the network and retry"
SOURCE = {"type": "github", "repository": "acme/docs"}


@pytest.fixture
def answering():
    """Give a function that serves one status to everybody and keeps the paths and credentials it was sent."""
    servers = []

    def start(status, **headers):
        seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                seen.append((self.path, self.headers.get("Authorization")))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                """Keep quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"127.0.0.1:{server.server_port}", seen

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def silent():
    """Give the address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def failing(open_api, made):
    """Give a function that syncs a memory from a base and shows its error."""

    def sync(base, **source):
        api = open_api(git_base=base)
        memory = made(api, "/v1/memories", name="m", source=SOURCE | source)
        api.app.sync.step()
        return api.get(f"/v1/memories/{memory['id']}").json()["last_sync_error"]

    return sync


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """Surround git with configuration, prompts and helpers that leave a mark when they are run."""
    mark = tmp_path / "mark"
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\necho "$0 $*" >> "{mark}"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    home = tmp_path / "home"
    templates = tmp_path / "templates"
    (templates / "hooks").mkdir(parents=True)
    home.mkdir()
    for hook in ("post-checkout", "reference-transaction", "post-merge", "pre-auto-gc"):
        (templates / "hooks" / hook).symlink_to(script)
    config = (
        f"[credential]\n\thelper = {script}\n[core]\n\taskPass = {script}\n\thooksPath = {templates}/hooks\n"
        f"\tfsmonitor = {script}\n[init]\n\ttemplateDir = {templates}\n[protocol]\n\tallow = always\n"
    )
    (home / ".gitconfig").write_text(config)
    (home / ".netrc").write_text("machine 127.0.0.1 login me password netrc-secret\n")
    surroundings = {
        "HOME": str(home),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_ASKPASS": str(script),
        "SSH_ASKPASS": str(script),
        "GIT_TEMPLATE_DIR": str(templates),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.hooksPath",
        "GIT_CONFIG_VALUE_0": str(templates / "hooks"),
    }
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    return mark


@pytest.mark.parametrize(
    ("status", "headers", "github", "other"),
    [
        (
            401,
            {"WWW_Authenticate": 'Basic realm="x"'},
            "Repository authentication failed. Reconnect GitHub and retry",
            "Repository authentication failed. Check repository access and retry",
        ),
        (
            403,
            {},
            "Repository authentication failed. Reconnect GitHub and retry",
            "Repository authentication failed. Check repository access and retry",
        ),
        (404, {}, MISSING, "Repository or branch was not found. Check the repository URL and branch"),
        (500, {}, UNREACHABLE, UNREACHABLE),
    ],
)
def test_memories_4_5_error_texts(answering, failing, hostile, status, headers, github, other):
    """What a server answers is told in the documented words; nobody is asked for a password, no helper is run."""
    address, seen = answering(status, **headers)
    assert failing(f"http://{address}") == github
    assert failing(f"http://{address}", type="git", url="https://git.example.com/x") == other
    assert {path for path, _ in seen} >= {
        "/acme/docs.git/info/refs?service=git-upload-pack",
        "/git.example.com/x.git/info/refs?service=git-upload-pack",
    }
    assert {credentials for _, credentials in seen} == {None}
    assert not hostile.exists()


def test_memories_4_5_unreachable(failing):
    """A server that does not listen cannot be reached."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert failing(f"http://127.0.0.1:{port}") == UNREACHABLE


def test_credentials_of_the_base_stay_secret(answering, failing, caplog):
    """The credentials in a base are used, and shown nowhere."""
    address, seen = answering(401, WWW_Authenticate='Basic realm="x"')
    caplog.set_level(0)
    error = failing(f"http://me:s3cret@{address}")
    assert f"Basic {base64.b64encode(b'me:s3cret').decode()}" in {credentials for _, credentials in seen}
    assert error == "Repository authentication failed. Reconnect GitHub and retry"
    assert "s3cret" not in caplog.text


def test_redirects_keep_the_protocol(answering, failing, repositories):
    """A redirect to another protocol is not followed."""
    repositories.commit("acme/docs", {"a": ""})
    address, seen = answering(302, Location=f"{repositories.base.as_uri()}/acme/docs.git/info/refs")
    assert failing(f"http://{address}") == UNREACHABLE
    assert seen


@pytest.mark.parametrize("url", ["ext::sh -c true", "file:///", "ssh://git@127.0.0.1/x", "http://127.0.0.1:1/x"])
def test_one_protocol_alone(url, hostile):
    """Whatever address reaches git, only the protocol of the base is spoken, configuration or not."""
    with (
        pytest.raises(SyncError, match=UNREACHABLE),
        git_fetch.fetched(Remote(url, "https"), "main", is_github=False, stop=threading.Event(), seconds=30),
    ):
        pass
    assert not hostile.exists()


def test_nothing_of_this_machine_takes_part(repositories, synced, hostile, tmp_path, monkeypatch):
    """Hooks, templates and helpers are not run, and below a hook the repository of the hook is left alone."""
    mine = tmp_path / "mine"
    subprocess.run(["git", "init", "-q", "--template=", str(mine)], check=True, env={"PATH": os.environ["PATH"]})
    before = sorted(mine.rglob("*"))
    repositories.commit("acme/docs", {"a.txt": "x", ".gitattributes": "*.txt filter=lfs", ".gitmodules": "[submodule"})
    for name, place in {"DIR": ".git", "INDEX_FILE": ".git/index", "OBJECT_DIRECTORY": ".git/objects"}.items():
        monkeypatch.setenv(f"GIT_{name}", str(mine / place))
    monkeypatch.setenv("GIT_WORK_TREE", str(mine))
    memory = synced()
    assert memory["sync_status"] == "succeeded"
    listed = synced.api.get(f"/v1/memories/{memory['id']}/fs").json()["data"]
    assert [entry["path"] for entry in listed] == ["/.gitattributes", "/.gitmodules", "/a.txt"]
    assert sorted(mine.rglob("*")) == before
    assert not hostile.exists()


def test_repositories_of_others_are_read(repositories, synced):
    """A mirror may belong to another user, as a mounted directory in a container does."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory away")
    repositories.commit("acme/docs", {"a.txt": "x"})
    for path in [repositories.base / "acme/docs.git", *(repositories.base / "acme/docs.git").rglob("*")]:
        os.chown(path, 12345, 12345)
    assert synced()["sync_status"] == "succeeded"


def test_a_clone_has_a_time_limit(silent, open_api, made, tmp_path, monkeypatch):
    """A server that never answers fails the sync when its time is up, and nothing is left behind."""
    monkeypatch.setattr(git_fetch.tempfile, "tempdir", str(tmp_path))
    api = open_api(git_base=silent)
    api.app.sync._seconds = 0.3
    memory = made(api, "/v1/memories", name="m", source=SOURCE)
    api.app.sync.step()
    assert api.get(f"/v1/memories/{memory['id']}").json()["last_sync_error"] == UNREACHABLE
    assert list(tmp_path.iterdir()) == []


def test_a_shutdown_kills_the_clone(silent, open_api, made, tmp_path, monkeypatch):
    """A server that is closed does not wait for a clone: git is killed, and the memory waits to be synced again."""
    monkeypatch.setattr(git_fetch.tempfile, "tempdir", str(tmp_path))
    data = str(tmp_path / "data.db")
    api = open_api(data=data, git_base=silent, sync_poll=0.01)
    memory = made(api, "/v1/memories", name="m", source=SOURCE)
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("emulator-sync-*/snapshot.git/objects")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    began = time.monotonic()
    api.app.close()
    assert time.monotonic() - began < 5
    assert not api.app.sync._thread.is_alive()
    assert list(tmp_path.glob("emulator-sync-*")) == []
    assert _running(tmp_path) == []
    again = open_api(data=data)
    assert again.get(f"/v1/memories/{memory['id']}").json()["sync_status"] == "pending"


def _running(folder):
    """List the processes that work in a directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(folder) in str((process / "cwd").readlink()):
                found.append(process.name)
    return found


def test_a_stop_before_the_end_drops_the_result(repositories, synced, monkeypatch):
    """A sync that ends while the server stops is not written down; its memory is pending again."""
    repositories.commit("acme/docs", {"a": ""})
    worker = synced.api.app.sync
    taken = sync_worker.snapshots.taken

    def stopping(*arguments):
        worker.stop()
        return taken(*arguments)

    monkeypatch.setattr(sync_worker.snapshots, "taken", stopping)
    assert synced()["sync_status"] == "pending"


def test_what_is_fetched_has_a_limit(repositories, tmp_path, monkeypatch):
    """A pack longer than the limit fails the sync as too large, and nothing is left behind."""
    repositories.commit("acme/docs", {"noise": os.urandom(200_000)})
    monkeypatch.setattr(git_fetch.tempfile, "tempdir", str(tmp_path))
    remote = Remote(f"{repositories.base.as_uri()}/acme/docs.git", "file")
    for most, refused in ((100_000, True), (400_000, False)):
        fetching = git_fetch.fetched(remote, "main", is_github=True, stop=threading.Event(), seconds=30, most=most)
        expected = pytest.raises(SyncError, match="repository snapshot exceeds maximum sync size")
        with expected if refused else contextlib.nullcontext(), fetching:
            pass
        assert list(tmp_path.glob("emulator-sync-*")) == []


@pytest.mark.parametrize(("stops", "error"), [(True, StoppedError), (False, SyncError)])
def test_reading_ends_with_the_server_and_with_the_time(repositories, tmp_path, monkeypatch, stops, error):
    """What is read after the fetch heeds the shutdown and the time limit as the fetch does, in the middle of it too."""
    repositories.commit("acme/docs", {f"{number}": "x" * 1000 for number in range(300)})
    monkeypatch.setattr(git_fetch.tempfile, "tempdir", str(tmp_path))
    remote = Remote(f"{repositories.base.as_uri()}/acme/docs.git", "file")
    stop = threading.Event()
    with git_fetch.fetched(remote, "main", is_github=True, stop=stop, seconds=30) as repository:
        # Git waits for a pipe that nobody writes to, as it would for a disk that hangs.
        reading, writing = os.pipe()
        with os.fdopen(reading, "rb") as stdin, os.fdopen(writing, "wb"):
            began = time.monotonic()
            hurried = dataclasses.replace(repository, deadline=began + (30 if stops else 0.2))
            if stops:
                threading.Timer(0.2, stop.set).start()
            with pytest.raises(error), hurried.streamed("cat-file", "--batch", stdin=stdin) as chunks:
                list(chunks)
            assert 0.1 < time.monotonic() - began < 5
        assert _running(tmp_path) == []


def test_a_stop_ends_a_fetch(silent):
    """A fetch that is to stop says so, and is no failure."""
    stop = threading.Event()
    stop.set()
    with (
        pytest.raises(StoppedError),
        git_fetch.fetched(Remote(f"{silent}/x", "http"), "main", is_github=True, stop=stop, seconds=30),
    ):
        pass


def test_without_git(repositories, synced, monkeypatch):
    """A machine without a git program cannot prepare a checkout."""
    repositories.commit("acme/docs", {"a": ""})
    monkeypatch.setenv("PATH", "/nonexistent")
    assert synced()["last_sync_error"] == "failed to prepare repository checkout"
