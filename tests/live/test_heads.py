"""When branches last moved: asked of real repositories, and never a failure where they cannot be asked."""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest
from git import Actor, Repo

from reconciler.kinds.kind import Origin
from reconciler.live.heads import heads, heads_so_far

WHO = Actor("Fitter", "fitter@example.com")
URL = "https://git.example.com/docs.git"


@pytest.fixture
def docs(tmp_path, monkeypatch):
    """Give a repository that git finds under its https address on this machine, with one commit."""
    with Repo.init(tmp_path / "docs.git", initial_branch="main") as repo:
        commit = repo.index.commit(
            "Begin",
            author=WHO,
            committer=WHO,
            author_date="2020-01-01T00:00:00+0000",
            commit_date="2026-11-02T10:00:00+0000",
        )
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{tmp_path.as_uri()}/.insteadOf")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://git.example.com/")
        yield commit.hexsha


def test_head_and_its_time(docs):
    """The head of a branch comes with the time at which it was committed."""
    found = heads([Origin(URL, "main")], parallelism=2)
    assert found[Origin(URL, "main")].commit == docs
    assert found[Origin(URL, "main")].at == datetime(2026, 11, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "origin",
    [
        Origin(URL, "no-such-branch"),
        Origin("https://git.example.com/absent.git", "main"),
        Origin("https://fitter:sesame@git.example.com/docs.git", "main"),
        Origin("ext::sh -c touch% stolen", "main"),
        Origin("--upload-pack=touch stolen", "main"),
    ],
)
def test_what_cannot_be_asked_is_left_out(docs, origin):
    """A branch, repository or address that leads nowhere, or where none should be led to, is no failure."""
    assert heads([origin, Origin(URL, "main")], parallelism=2).keys() == {Origin(URL, "main")}


def test_a_repository_that_a_hook_is_about_is_left_alone(docs, tmp_path, monkeypatch):
    """Where a hook calls us, GIT_DIR is about another repository: nothing is done to that one."""
    theirs = tmp_path / "theirs"
    Repo.init(theirs).close()
    before = {path: path.read_bytes() for path in theirs.rglob("*") if path.is_file()}
    monkeypatch.setenv("GIT_DIR", str(theirs / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(theirs))
    assert heads([Origin(URL, "main")], parallelism=1)[Origin(URL, "main")].commit == docs
    assert {path: path.read_bytes() for path in theirs.rglob("*") if path.is_file()} == before


class Wary(BaseHTTPRequestHandler):
    """Asks everybody for a password, and sends who asks for `moved` elsewhere; notes what it was asked."""

    asked: ClassVar[list[tuple[str, str | None]]]

    def do_GET(self):
        """Note the request and turn it away."""
        self.asked.append((self.path.partition("?")[0], self.headers.get("Authorization")))
        is_moved = self.path.startswith("/moved")
        self.send_response(302 if is_moved else 401)
        if is_moved:
            self.send_header("Location", self.path.replace("/moved", "/elsewhere"))
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def wary(monkeypatch):
    """Give what a host is asked that stands at two https addresses, with a login at hand for every host."""
    handler = type("Handler", (Wary,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        here = f"http://127.0.0.1:{server.server_address[1]}/"
        rows = {
            "credential.helper": "!f() { echo username=x; echo password=sesame; }; f",
            f"url.{here}github/.insteadOf": "https://github.com/",
            f"url.{here}.insteadOf": "https://git.example.com/",
            "http.extraHeader": "Authorization: Bearer sesame",
        }
        monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "http")
        monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(rows)))
        for number, (key, value) in enumerate(rows.items()):
            monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
            monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
        yield handler.asked
        server.shutdown()
        thread.join()


def test_no_login_for_a_host_that_a_manifest_names(wary):
    """The platform reads only public repositories by their address, so no host is given a login, nor followed."""
    assert heads([Origin(URL, "main"), Origin("https://git.example.com/moved.git", "main")], parallelism=1) == {}
    assert {*wary} == {("/docs.git/info/refs", None), ("/moved.git/info/refs", None)}


def test_login_for_github(wary):
    """GitHub is asked with the login that git has for it, as whoever runs this could ask."""
    assert heads([Origin("https://github.com/acme/docs.git", "main")], parallelism=1) == {}
    assert any(login for _, login in wary)


def test_a_host_that_never_answers(tmp_path, monkeypatch):
    """What git started ends with it, though nothing on the path could list processes; all have one deadline."""
    where = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
    for name in ("git", "sh", "git-remote-http"):
        (tmp_path / name).symlink_to(shutil.which(name) or f"{where}/{name}")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        here = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
        monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{here}.insteadOf")
        monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://git.example.com/")
        monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "http")
        monkeypatch.setenv("PATH", str(tmp_path))
        origins = [Origin(f"https://git.example.com/{number}.git", "main") for number in range(20)]
        begun = time.monotonic()
        assert heads(origins[:1], parallelism=1, seconds=0.5) == {}
        silent.settimeout(1)
        silent.accept()[0].close()  # it was asked
        assert heads(origins, parallelism=2, seconds=0.5, together=1) == {}
        assert time.monotonic() - begun < 5


def test_nobody_can_be_asked_on_a_terminal(tmp_path, monkeypatch):
    """What git starts has a session of its own, in which there is no terminal to ask for a passphrase on."""
    told = tmp_path / "session"
    script = f"import os; open({str(told)!r}, 'w').write(str(os.getsid(0)))"
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "ssh")
    monkeypatch.setenv("GIT_SSH_COMMAND", shlex.join([sys.executable, "-c", script]))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "url.git@git.example.com:.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://git.example.com/")
    assert heads([Origin(URL, "main")], parallelism=1) == {}
    assert int(told.read_text()) != os.getsid(0)


@pytest.mark.parametrize("when", ["99999999999999999999 +0000", "253402300800 +0000", "9999999999999 +0000"])
def test_a_time_that_is_none(docs, tmp_path, when):
    """Whoever may push chooses the time of a commit: one beyond all calendars is as good as none."""
    with Repo(tmp_path / "docs.git") as repo:
        text = f"tree {repo.head.commit.tree.hexsha}\nauthor a <a@b> 1 +0000\ncommitter a <a@b> {when}\n\nx\n"
        with (tmp_path / "commit").open("w+b") as stream:
            stream.write(text.encode())
            stream.seek(0)
            commit = repo.git.hash_object("-t", "commit", "-w", "--stdin", "--literally", istream=stream)
        (tmp_path / "docs.git/.git/refs/heads/main").write_text(f"{commit}\n")
    found = heads_so_far([Origin(URL, "main")], parallelism=1)
    assert all(head.at < datetime(2000, 1, 1, tzinfo=UTC) for head in found.values())
