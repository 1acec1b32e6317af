"""The storage: many threads at once, a process that is killed, units that are whole."""

import contextlib
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from reconciler.emulator import create_app
from reconciler.emulator.store import Record, Store

TOKEN = {"Authorization": "Bearer evr_pat_local"}
SECONDS = float(os.environ.get("EMULATOR_STRESS_SECONDS", "2"))
THREADS = 50
FIELDS = ("display_name", "description", "system_prompt", "max_iterations", "tags")
SCRIPT = """
import sys
from reconciler.emulator import serve
serve(data=sys.argv[1], default_org=True, on_ready=lambda url: print(url, flush=True))
"""


@contextlib.contextmanager
def served(data):
    """Serve a data file from a process of its own; gives the process and its address."""
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, data], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Worker:
    """One of many writers: one field of a shared agent is its own, and so is what it creates."""

    def __init__(self, number, url):
        self.number = number
        self.client = httpx.Client(base_url=url, headers=TOKEN, timeout=60, verify=False)
        self.statuses = Counter()
        self.slowest = 0.0
        self.writes = 0
        self.live = set()
        self.gone = set()

    @property
    def shared(self):
        """The agent that five writers share."""
        return f"shared-{self.number // len(FIELDS)}"

    @property
    def field(self):
        """The field that this one alone writes."""
        return FIELDS[self.number % len(FIELDS)]

    @property
    def value(self):
        """What its field holds after its last write."""
        kinds = {"max_iterations": self.writes, "tags": [str(self.writes)]}
        return kinds.get(self.field, f"{self.number}: {self.writes}")

    def send(self, method, path, **options):
        """Send a request and count how it was answered."""
        started = time.monotonic()
        answer = self.client.request(method, path, **options)
        self.slowest = max(self.slowest, time.monotonic() - started)
        self.statuses[f"{method} {answer.status_code}"] += 1
        return answer

    def run(self, ident, until):
        """Write and create until the time is over, insisting that its field holds what it wrote."""
        with self.client:
            while time.monotonic() < until:
                self.writes += 1
                answer = self.send("PATCH", f"/v1/agents/{ident}", json={self.field: self.value})
                assert answer.json()[self.field] == self.value
                assert self.send("GET", f"/v1/agents/{ident}").json()[self.field] == self.value
                self.create()

    def create(self):
        """Create an agent, race the others for another one, and archive every second of its own."""
        name = f"w{self.number}-{self.writes}"
        body = {"name": name, "system_prompt": ""}
        ident = self.send("POST", "/v1/agents", json=body).json()["id"]
        self.live.add(name)
        self.send("POST", "/v1/agents", json={**body, "name": f"race-{self.writes}"})
        if self.writes % 2:
            self.send("DELETE", f"/v1/agents/{ident}")
            self.live.remove(name)
            self.gone.add(name)


def everything(client):
    """List all agents with their status, page by page."""
    found, url = {}, "/v1/agents?limit=100&include_archived=true"
    while url:
        page = client.get(url).json()
        found |= {agent["name"]: agent["status"] for agent in page["data"]}
        url = page.get("next_url")
    return found


@pytest.mark.timeout(300)
def test_fifty_threads_lose_nothing(tmp_path):
    """Fifty clients create, patch and archive at once: no update is lost, no answer is 5xx, no name is given twice.

    EMULATOR_STRESS_SECONDS says for how long.
    """
    with served(str(tmp_path / "data.db")) as (_, url), httpx.Client(base_url=url, headers=TOKEN, timeout=60) as client:
        body = {"system_prompt": ""}
        made = [
            client.post("/v1/agents", json={**body, "name": f"shared-{number}"}).json()["id"]
            for number in range(THREADS // len(FIELDS))
        ]
        workers = [Worker(number, url) for number in range(THREADS)]
        started = time.monotonic()
        with ThreadPoolExecutor(THREADS) as pool:
            running = [pool.submit(one.run, made[one.number // len(FIELDS)], started + SECONDS) for one in workers]
            for one in running:
                one.result()
        elapsed = time.monotonic() - started
        for worker in workers:
            assert client.get(f"/v1/agents/{worker.shared}").json()[worker.field] == worker.value
        found = everything(client)
    total = sum((worker.statuses for worker in workers), Counter())
    slowest = max(worker.slowest for worker in workers)
    figures = f"{total.total()} requests in {elapsed:.1f} s, the slowest in {slowest:.2f} s: {dict(total)}"
    sys.stdout.write(f"\n{figures}\n")
    assert set(total) <= {"PATCH 200", "GET 200", "POST 201", "POST 409", "DELETE 204"}
    live = {name for name, status in found.items() if status == "active"}
    races = {f"race-{number}" for number in range(1, 1 + max(worker.writes for worker in workers))}
    shared = {worker.shared for worker in workers}
    assert live == races | shared | set().union(*(worker.live for worker in workers))
    assert found.keys() - live == set().union(*(worker.gone for worker in workers))
    assert total["POST 201"] == len(found) - len(shared)


def write_until_cut(url, harness, number, kept):
    """Create apps with a channel each until the server is gone; note what it confirmed."""
    with httpx.Client(base_url=url, headers=TOKEN, timeout=30, verify=False) as client:
        channel = {"channel_type": "webhook", "channel_config": {"token": "t", "message": "m"}}
        while True:
            name = f"{number}-{len(kept)}"
            try:
                answer = client.post("/v1/apps", json={"name": name, "harness_id": harness, **channel})
            except httpx.TransportError:
                return
            assert answer.status_code == 201
            kept.append(answer.json()["id"])


def test_kill_9_leaves_whole_resources(tmp_path):
    """A server killed in the middle of writes keeps what it confirmed, and nothing by halves."""
    data = str(tmp_path / "data.db")
    for enough in (20, 33):
        kept = [[] for _ in range(8)]
        with served(data) as (process, url), ThreadPoolExecutor(8) as pool:
            harness = httpx.get(f"{url}/v1/harnesses/generic", headers=TOKEN, timeout=30).json()["id"]
            writing = [pool.submit(write_until_cut, url, harness, number, one) for number, one in enumerate(kept)]
            while sum(map(len, kept)) < enough and not any(one.done() for one in writing):
                time.sleep(0.001)
            process.kill()
            for one in writing:
                one.result()
        assert sum(map(len, kept)) >= enough
        app = create_app(data=data)
        with httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://emulator", headers=TOKEN) as client:
            apps = {one["id"]: one for one in client.get("/v1/apps").json()["data"]}
        app.close()
        assert {ident for confirmed in kept for ident in confirmed} <= apps.keys()
        assert {len(one["channels"]) for one in apps.values()} == {1}
        with sqlite3.connect(data) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            orphans = "SELECT count(*) FROM documents WHERE parent <> '' AND parent NOT IN (SELECT id FROM documents)"
            assert database.execute(orphans).fetchone() == (0,)
        database.close()


def record(ident, **said):
    """Give a document to store."""
    return Record(org="o", collection="things", id=ident, text='{"status":"active"}', **said)


def test_a_unit_inside_a_unit_is_part_of_it():
    """What fails outside takes back what was done inside."""
    store = Store()

    def fail():
        with store.transaction():
            with store.transaction():
                store.insert(record("a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert store.is_empty()
    store.close()


def test_two_stores_of_one_file_do_not_lock_each_other_out(tmp_path):
    """Two processes that share a file wait for each other, even when they read before they write."""
    stores = [Store(str(tmp_path / "data.db")) for _ in range(2)]
    done = []

    def write(number):
        for turn in range(100):
            with stores[number % 2].transaction():
                stores[number % 2].count("o", "things")
                stores[number % 2].insert(record(f"{number}-{turn}"))
            time.sleep(random.random() / 5000)
        done.append(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert sorted(done) == [0, 1, 2, 3]
    assert {store.count("o", "things") for store in stores} == {400}
    for store in stores:
        store.close()


def test_a_file_is_written_ahead(tmp_path):
    """A data file is in WAL mode, so that readers do not wait for a writer."""
    path = str(tmp_path / "data.db")
    Store(path).close()
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()
