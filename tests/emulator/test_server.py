"""The stand-in as a process: a real port, a file that survives, several threads."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from reconciler.emulator import create_app

TOKEN = {"Authorization": "Bearer evr_pat_local"}
SCRIPT = """
import sys
from reconciler.emulator import serve
serve(data=sys.argv[1], default_org=True, on_ready=lambda url: print(url, flush=True))
"""


@pytest.fixture
def start(tmp_path):
    """Give a function that starts a server on a free port over one file."""
    running = []

    def launch():
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "data.db")], stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout
        return process, process.stdout.readline().strip()

    yield launch
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def test_server_keeps_its_file_and_stops_cleanly(start):
    """What was written is there after SIGTERM and a new start; both ends are clean."""
    process, url = start()
    with httpx.Client(base_url=url, headers=TOKEN) as api:
        agent = api.post("/v1/agents", json={"name": "a", "system_prompt": "é"}).json()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    process, url = start()
    with httpx.Client(base_url=f"{url}/api", headers=TOKEN) as api:
        assert api.get("/v1/agents/a").json()["id"] == agent["id"]
        assert len(api.get("/v1/orgs").json()["data"]) == 1
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0


def test_store_takes_several_threads(tmp_path):
    """Writes from many threads all arrive, and no name is given twice."""
    app = create_app(data=str(tmp_path / "data.db"), default_org=True)

    def create(number):
        with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://emulator", headers=TOKEN) as api:
            body = {"name": f"a{number % 20}", "system_prompt": ""}
            return api.post("/v1/agents", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(create, range(40)))
    app.close()
    assert sorted(statuses) == [201] * 20 + [409] * 20


def test_server_syncs_memories(tmp_path, repositories):
    """A served stand-in syncs memories from the mirrors it is given, and stops cleanly."""
    repositories.commit("acme/docs", {"a.md": "x"})
    command = [sys.executable, "-m", "reconciler", "emulator", "--port", "0", "--data", str(tmp_path / "data.db")]
    command += ["--git-base", str(repositories.base), "--sync-poll", "0.05"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().split()[2]
            with httpx.Client(base_url=url, headers=TOKEN) as api:
                api.headers["X-Org-Id"] = api.post("/v1/orgs", json={"name": "o"}).json()["id"]
                body = {"name": "m", "source": {"type": "github", "repository": "acme/docs"}}
                path = f"/v1/memories/{api.post('/v1/memories', json=body).json()['id']}"
                deadline = time.monotonic() + 30
                while api.get(path).json()["sync_status"] != "succeeded" and time.monotonic() < deadline:
                    time.sleep(0.02)
                assert api.get(f"{path}/fs/a.md").json()["content"] == "x"
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()


def test_a_bad_base_is_a_usage_error():
    """A base that is no directory is told at the start, with what to do."""
    command = [sys.executable, "-m", "reconciler", "emulator", "--port", "0", "--git-base", "/does/not/exist"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 64
    assert "the git base is no directory: /does/not/exist" in ended.stderr
    assert "choose another --git-base" in ended.stderr


def test_import_is_light():
    """Importing the package does not load the server beneath."""
    script = (
        "import sys, reconciler.emulator; sys.exit(any(name in sys.modules for name in ('waitress', 'click', 'git')))"
    )
    env = {**os.environ, "PYTHONWARNINGS": "error"}
    assert subprocess.run([sys.executable, "-c", script], check=False, env=env).returncode == 0


def test_emulator_imports_nothing_of_the_product():
    """The stand-in shares no module with the package it stands against."""
    script = (
        "import sys, reconciler.emulator;"
        "own = [m for m in sys.modules if m.startswith('reconciler.') and '.emulator' not in m];"
        "sys.exit(len(own))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
