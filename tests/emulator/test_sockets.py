"""The stand-in on a socket: cuts, slow bodies, the end of the server, the access log."""

import contextlib
import io
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest

from reconciler.emulator import create_app
from reconciler.emulator.access_log import AccessLog
from reconciler.emulator.sockets import Listener

TOKEN = {"Authorization": "Bearer evr_pat_local"}
HEADER = "X-Emulator-Fault"
BODY = {"name": "a", "system_prompt": "Help."}


@contextlib.contextmanager
def listening(**options):
    """Serve a stand-in from a thread; gives its address, the stand-in and the access log."""
    app = create_app(default_org=True, **options)
    log = io.StringIO()
    listener = Listener(AccessLog(app, log))
    thread = threading.Thread(target=listener.run)
    thread.start()
    try:
        yield listener.url, app, log
    finally:
        listener.stop()
        thread.join(15)
        app.close()
    assert not thread.is_alive()


@pytest.fixture
def served():
    """Give a client of a stand-in on a socket, and its access log."""
    with listening() as (url, _, log), httpx.Client(base_url=url, headers=TOKEN, timeout=10) as client:
        yield client, log


def lines(log, count):
    """Read the log once it has so many lines; a line is written when the request has ended."""
    until = time.monotonic() + 5
    while log.getvalue().count("\n") < count and time.monotonic() < until:
        time.sleep(0.01)
    return [json.loads(line) for line in log.getvalue().splitlines()]


def raw(client, fault, *, method="GET", path="/v1/harnesses"):
    """Send a request over a bare socket and give all that comes before the end, and how it ended."""
    where = urlsplit(str(client.base_url))
    received = b""
    with socket.create_connection((where.hostname, where.port), timeout=10) as stream:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer evr_pat_local\r\n{HEADER}: {fault}\r\n\r\n"
        )
        stream.sendall(head.encode())
        try:
            while part := stream.recv(65536):
                received += part
        except ConnectionResetError:
            return received, "reset"
    return received, "close"


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_cut_is_real(served, when, how):
    """The connection ends without a byte of an answer, by a reset or by a close."""
    assert raw(served[0], f"cut when={when} how={how}") == (b"", how)


@pytest.mark.parametrize("how", ["reset", "close"])
def test_cut_in_the_middle(served, how):
    """Half of the body arrives under the length of the whole."""
    received, end = raw(served[0], f"cut when=body how={how}")
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))[15:])
    assert (len(body), end) == (length // 2, how)


@pytest.mark.parametrize(
    ("fault", "errors", "kept"),
    [
        ("cut", (httpx.ReadError, httpx.RemoteProtocolError), 404),
        ("cut when=after", (httpx.ReadError, httpx.RemoteProtocolError), 200),
        ("cut when=after how=close", httpx.RemoteProtocolError, 200),
        ("cut when=body how=close", httpx.RemoteProtocolError, 200),
    ],
)
def test_cut_as_a_client_sees_it(served, fault, errors, kept):
    """A client gets a transport error; what was committed before the cut is there, and nothing else."""
    client, log = served
    with pytest.raises(errors):
        client.post("/v1/agents", json=BODY, headers={HEADER: fault})
    assert client.get("/v1/agents/a").status_code == kept
    cut, _ = lines(log, 2)
    assert (cut["cut"], cut["faults"]) == (True, [fault])
    assert cut["status"] == (201 if "body" in fault else None)


def test_slow_body_comes_in_pieces(served):
    """A slow body begins at once and takes its time."""
    client, log = served
    started = time.perf_counter()
    with client.stream("GET", "/v1/harnesses", headers={HEADER: "slow seconds=0.5"}) as answer:
        moments = [time.perf_counter() - started for _ in answer.iter_raw()]
    assert len(moments) > 3
    assert moments[0] < 0.3
    assert moments[-1] > 0.4
    (line,) = lines(log, 1)
    assert line["ms"] > 400
    assert line["bytes"] == int(answer.headers["content-length"])


def test_a_connection_outlives_other_faults(served):
    """After a 503, a truncated body or a slow one the same connection goes on."""
    client, _ = served
    for fault in ("503", "truncate", "slow seconds=0.01", "429"):
        client.get("/v1/harnesses", headers={HEADER: fault})
    assert client.get("/v1/agents").status_code == 200


def test_access_log(served):
    """A line tells time, method, path, status, bytes, duration and request id; never a header, a query or a body."""
    client, log = served
    headers = {"X-Request-ID": "r-1", "X-Secret": "topsecret"}
    answer = client.post("/api/v1/agents?why=topsecret", json={**BODY, "description": "topsecret"}, headers=headers)
    (line,) = lines(log, 1)
    assert {**line, "time": "", "ms": 0} == {
        "time": "",
        "method": "POST",
        "path": "/api/v1/agents",
        "status": 201,
        "bytes": len(answer.content),
        "ms": 0,
        "request_id": "r-1",
    }
    assert line["time"].endswith("Z")
    assert "topsecret" not in log.getvalue()


def test_access_log_cannot_be_forged(served):
    """A line break or a quote in a path stays inside its line."""
    client, log = served
    client.get("/v1/agents/%0A%22é")
    assert [line["path"] for line in lines(log, 1)] == ['/v1/agents/\n"é']


SCRIPT = """
import sys
from reconciler.emulator import serve
serve(data=sys.argv[1], access_log=sys.argv[2], default_org=True, on_ready=lambda url: print(url, flush=True))
"""


def test_sigterm_finishes_what_is_in_flight(tmp_path):
    """On SIGTERM a request that has begun is answered, new connections are refused, and the end is clean."""
    data, log = tmp_path / "data.db", tmp_path / "access.jsonl"
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, data, log], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=url, headers=TOKEN) as client:
            headers = {HEADER: "slow seconds=1"}
            with client.stream("POST", "/v1/agents", json=BODY, headers=headers) as answer:
                process.send_signal(signal.SIGTERM)
                content = answer.read()
            assert json.loads(content)["name"] == "a"
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/_emulator/health")
    assert [json.loads(line)["status"] for line in log.read_text().splitlines()] == [201]
    assert [path.name for path in tmp_path.glob("data.db*")] == ["data.db"]
