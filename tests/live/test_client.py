"""The one door to the platform: addresses, headers, patience, retries, answers."""

import email.utils
import gzip
from dataclasses import replace

import httpx
import pytest

from reconciler import __version__
from reconciler.api_errors import (
    ApiError,
    Conflict,
    Forbidden,
    NotFound,
    Refused,
    ServerFault,
    Throttled,
    Unauthorized,
    Unreachable,
    is_ambiguous,
)
from reconciler.errors import UsageError
from reconciler.live import connection as connection_module
from reconciler.live.client import open_reader, open_writer
from reconciler.live.endpoint import Endpoint, checked_url
from reconciler.live.limiter import PATIENCE

KEY = "evr_pat_very_secret"
BROKEN = [
    httpx.ReadError("reset"),
    httpx.ReadTimeout("slow"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("gone"),
]
REFUSED = [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("busy")]


@pytest.fixture
def read(world):
    """Give a GET of the agents, as the tool does it."""
    client = world.reader()
    return lambda: client.get("/v1/agents", doing="listing agents")


@pytest.fixture
def send(world):
    """Give a POST of an agent, as the tool does it."""
    client = world.writer()
    return lambda: client.send("POST", "/v1/agents", doing="creating it", body={"name": "a", "system_prompt": "x"})


# --- addresses ---

ADDRESSES = [
    ("https://app.everruns.com/api", "https://app.everruns.com/api"),
    ("https://app.everruns.com/api///", "https://app.everruns.com/api"),
    ("https://host:8443", "https://host:8443"),
    ("http://localhost:9300/api", "http://localhost:9300/api"),
    ("http://api.localhost", "http://api.localhost"),
    ("http://127.0.0.1", "http://127.0.0.1"),
    ("http://127.8.8.8:1", "http://127.8.8.8:1"),
    ("http://[::1]:80", "http://[::1]:80"),
]


@pytest.mark.parametrize(("url", "base"), ADDRESSES)
def test_addresses(url, base):
    """Https goes anywhere, http only to this machine."""
    assert checked_url(url) == base


NO_ADDRESS = [
    "http://app.everruns.com/api",
    "http://192.168.1.1",
    "http://localhost.example.com",
    "http://127.0.0.1.example.com",
    "http://0.0.0.0",
    "ftp://localhost",
    "file:///etc/passwd",
    "localhost:9300",
    "https://",
    "https:///api",
    "",
    "https://host:0",
    "https://host:99999",
    "https://host:x",
    "http://[::1",
    "https://user@host/api",
    "https://user:pass@host/api",
    "https://host/api?x=1",
    "https://host/api#x",
    "https://ho st/api",
    "https://host/a pi",
    "https://ho\nst/api",
]


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_no_address(url):
    """Plain http, credentials and what is no URL are refused before anything is sent, and say what to do."""
    with pytest.raises(UsageError) as raised:
        open_reader(Endpoint(url=url, key=KEY)).get("/v1/orgs", doing="listing organizations")
    assert raised.value.hint
    assert KEY not in str(raised.value)


# --- the key ---


@pytest.mark.parametrize("key", ["", "evr pat", "evr_pat\n", "evr_pät", "evr_pat\x00", "evr_pat\x7f"])
def test_keys_that_are_none(key):
    """A missing or mangled key is said before anything is sent, without repeating it."""
    for opens in (open_reader, open_writer):
        with pytest.raises(Unauthorized) as raised:
            opens(Endpoint(url="https://host", key=key)).get("/v1/orgs", doing="listing organizations")
        assert raised.value.hint
        assert not key or key not in f"{raised.value} {raised.value.hint}"


def test_the_key_is_never_shown(world):
    """Neither the endpoint nor an error nor its traceback's arguments contain the key."""
    world.key = KEY
    endpoint = world.endpoint
    assert KEY not in repr(endpoint)
    assert KEY not in repr(replace(endpoint, reason="x"))
    world.meddler.cut("GET", ".*", httpx.ReadError("reset"), times=None)
    world.meddler.instead("POST", ".*", (401, {"detail": "Invalid personal access token"}))
    world.meddler.contract.but("POST /v1/agents : Missing required request body")
    reader, writer = world.reader(), world.writer()
    for call in (
        lambda: reader.get("/v1/agents", doing="reading"),
        lambda: writer.send("POST", "/v1/agents", doing="writing"),
    ):
        with pytest.raises(ApiError) as raised:
            call()
        assert KEY not in repr(raised.value.args) + str(raised.value.hint) + str(raised.value.problem)
    assert KEY not in repr(reader) + repr(writer) + repr(vars(reader)) + repr(vars(writer._connection))


# --- headers ---


def test_headers(world):
    """Every request says who calls and what it accepts; only writes carry a body, its type and the reason."""
    world.reason = "commit 1a2b"
    client = world.writer()
    client.get("/v1/orgs", doing="reading")
    client.send("POST", "/v1/orgs", doing="writing", body={"name": "New"})
    read, write = world.sent
    for sent in (read, write):
        assert sent.headers["authorization"] == f"Bearer {world.key}"
        assert sent.headers["accept"] == "application/json"
        assert sent.headers["user-agent"] == f"everruns-reconciler/{__version__}"
    assert "everruns-change-reason" not in read.headers
    assert write.headers["everruns-change-reason"] == "commit 1a2b"
    assert (read.body, write.body) == (None, {"name": "New"})


REASONS = [
    ("commit 1a2b: Fix it", "commit 1a2b%3A Fix it"),
    ("50% more", "50%25 more"),
    ("a+b", "a%2Bb"),
    ("première\nligne", "premi%C3%A8re%0Aligne"),
    ("見る", "%E8%A6%8B%E3%82%8B"),
    ("x\r\nX-Org-Id: evil", "x%0D%0AX-Org-Id%3A evil"),
]


@pytest.mark.parametrize(("reason", "header"), REASONS)
def test_reason_is_percent_encoded(world, reason, header):
    """Any reason travels as ASCII that decodes to it, and cannot start another header."""
    world.reason = reason
    world.writer().send("POST", "/v1/orgs", doing="writing", body={"name": "New"})
    assert world.sent[0].headers["everruns-change-reason"] == header


def test_a_read_that_breaks_off_is_repeated(world, clock):
    """An answer that begins as JSON and ends in the middle is asked for again; a web page is not."""
    world.meddler.instead("GET", ".*", (200, b'{"data": [{"id"'))
    world.reader().get("/v1/orgs", doing="listing organizations")
    assert len(world.sent) == 2
    assert clock.waited > 0
    for content, tries in ((b"<html>", 1), (b'[{"id"', 3)):
        world.forget()
        world.meddler.rules.clear()
        world.meddler.instead("GET", ".*", (200, content), times=None)
        with pytest.raises(ServerFault, match="not JSON"):
            world.reader().get("/v1/orgs", doing="listing organizations")
        assert len(world.sent) == tries


def test_a_wrong_address_is_suspected(world):
    """A 404 without a document comes from no operation of the API, so the hint is about the address."""
    world.meddler.instead("GET", ".*", (404, b"<html>Not Found</html>"))
    with pytest.raises(NotFound) as raised:
        world.reader().get("/v1/orgs", doing="listing organizations")
    assert "EVERRUNS_API_URL" in str(raised.value.hint)


def test_waiting_is_told_once(world, clock):
    """Who waits because the platform asked is told for how long and at what, once for all workers."""
    told = []
    endpoint = replace(world.endpoint, waiting=lambda seconds, doing: told.append((seconds, doing)))
    world.meddler.instead("GET", ".*", (429, {"detail": "slow down", "retry_after_seconds": 7}))
    open_reader(endpoint).get("/v1/orgs", doing="listing organizations")
    assert told == [(7.0, "as the platform asks (listing organizations)")]
    assert clock.waited == 7.0


def test_organization_header_only_where_it_belongs(world):
    """X-Org-Id goes with every call inside an organization and with none above it."""
    world.declare("Organization", "acme", {"name": "Default", "default_model": "gpt-4o"})
    world.agent("triage")
    world.memory("docs")
    world.bot("bot", {"name": "api", "type": "api_endpoint"}, agent="triage", published=True)
    world.apply()
    above = [sent for sent in world.sent if sent.path.startswith("/v1/orgs")]
    inside = [sent for sent in world.sent if sent not in above]
    assert above
    assert {sent.org for sent in above} == {None}
    assert {sent.org for sent in inside} == {world.org}


# --- 429 ---

WAITS = [
    ("seconds", {"Retry-After": "7"}, {}, 7.0),
    ("a date gone by", {"Retry-After": email.utils.formatdate(999_999_000, usegmt=True)}, {}, 1.0),
    ("the body wins", {"Retry-After": "7"}, {"retry_after_seconds": 3}, 3.0),
    ("parts of a second", {}, {"retry_after_seconds": 0.5}, 0.5),
    ("nothing said", {}, {}, 1.0),
    ("zero", {"Retry-After": "0"}, {}, 1.0),
    ("negative", {"Retry-After": "-5"}, {"retry_after_seconds": -5}, 1.0),
    ("nonsense", {"Retry-After": "soon"}, {"retry_after_seconds": "soon"}, 1.0),
    ("no date", {"Retry-After": "Mon, soon"}, {}, 1.0),
    ("a date that never was", {"Retry-After": "Wed, 99 Foo 2015 77:28:00 GMT"}, {}, 1.0),
    ("true is no number", {}, {"retry_after_seconds": True}, 1.0),
]


@pytest.mark.parametrize(("headers", "body", "seconds"), [row[1:] for row in WAITS], ids=[row[0] for row in WAITS])
def test_throttled_calls_wait_as_told(world, clock, read, send, headers, body, seconds):
    """A 429 is waited for and repeated, reads and writes alike: it was certainly not carried out."""
    for method, call in (("GET", read), ("POST", send)):
        clock.slept.clear()
        world.meddler.instead(method, "/v1/agents", (429, body, headers), times=2)
        call()
        assert clock.waited == pytest.approx(2 * seconds)
    assert [sent.method for sent in world.sent] == ["GET"] * 3 + ["POST"] * 3


def test_throttled_calls_wait_until_the_date(world, clock, read, send):
    """Retry-After may be a date as well."""
    for method, call in (("GET", read), ("POST", send)):
        clock.slept.clear()
        date = email.utils.formatdate(clock.now + 9, usegmt=True)
        world.meddler.instead(method, "/v1/agents", (429, b"", {"Retry-After": date}))
        call()
        assert clock.waited == 9


def test_throttling_holds_everybody_back(world, clock):
    """One client's workers share one gate, and the wait is counted once."""
    client = world.writer()
    client.pause(5)
    client.pause(3)
    client.get("/v1/agents", doing="reading")
    client.get("/v1/agents", doing="reading")
    assert (clock.waited, client.throttled_for) == (5.0, 5.0)


@pytest.mark.parametrize("seconds", [PATIENCE + 1, 3600, 10**30])
def test_patience(world, clock, read, send, seconds):
    """A wait longer than our patience is an error at once, which says how long."""
    world.meddler.instead("GET", "/v1/agents", (429, {"retry_after_seconds": seconds}))
    world.meddler.instead("POST", "/v1/agents", (429, {}, {"Retry-After": f"{seconds:.0f}"}))
    for call in (read, send):
        with pytest.raises(Throttled) as raised:
            call()
        assert f"{seconds:.0f} s" in raised.value.message
        assert raised.value.hint.startswith("run again")
    assert clock.waited == 0
    assert len(world.sent) == 2


def test_a_moment_to_wait_is_no_spin(world, clock, read):
    """A server that says next to nothing, for ever, is not asked thousands of times until our patience is over."""
    world.meddler.instead("GET", "/v1/agents", (429, {"retry_after_seconds": 0.001}), times=None)
    with pytest.raises(Throttled):
        read()
    assert len(world.sent) <= 500


def test_patience_adds_up(world, clock, read):
    """A server that says a little longer for ever is given up on, too."""
    world.meddler.instead("GET", "/v1/agents", (429, {"retry_after_seconds": 50}), times=None)
    with pytest.raises(Throttled):
        read()
    assert clock.waited == 100


# --- faults and broken connections ---


@pytest.mark.parametrize("error", BROKEN + REFUSED, ids=lambda error: type(error).__name__)
def test_reads_are_repeated(world, clock, read, error):
    """A read survives two broken connections, not three."""
    world.meddler.cut("GET", "/v1/agents", error, times=2)
    assert read()["data"] == []
    assert len(world.sent) == 3
    world.forget()
    world.meddler.cut("GET", "/v1/agents", error, times=None)
    with pytest.raises(Unreachable) as raised:
        read()
    assert len(world.sent) == 3
    assert not raised.value.ambiguous
    assert raised.value.message.startswith("listing agents: http://localhost ")


def test_reads_are_repeated_on_faults(world, clock, read):
    """A read survives two faults of the server, not three, and waits as told."""
    world.meddler.instead("GET", "/v1/agents", (503, {"retry_after_seconds": 4}))
    world.meddler.instead("GET", "/v1/agents", (500, b""))
    assert read()["data"] == []
    assert clock.slept[0] >= 1
    assert clock.waited == pytest.approx(4.5)
    world.meddler.instead("GET", "/v1/agents", (502, b"<html>"), times=None)
    world.forget()
    with pytest.raises(ServerFault):
        read()
    assert len(world.sent) == 3


def test_faults_do_not_outlast_patience(world, clock, read):
    """A server that is down for an hour is not waited for."""
    world.meddler.instead("GET", "/v1/agents", (503, {"title": "Maintenance"}, {"Retry-After": "3600"}), times=None)
    with pytest.raises(ServerFault):
        read()
    assert clock.waited <= PATIENCE


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
def test_ambiguous_writes_are_not_repeated(world, clock, send, error, carried_out):
    """A write whose fate is unknown is sent once, and the error says that it may have been carried out."""
    world.meddler.cut("POST", "/v1/agents", error, carried_out=carried_out, times=None)
    with pytest.raises(Unreachable) as raised:
        send()
    assert len(world.sent) == 1
    assert raised.value.ambiguous
    assert is_ambiguous(raised.value)
    assert "may have been carried out" in raised.value.hint
    assert len(world.live("agents")) == carried_out


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_writes_are_not_repeated_on_faults(world, clock, send, status):
    """A fault of the server leaves a write in doubt: it is not repeated, whatever Retry-After says."""
    world.meddler.after("POST", "/v1/agents", (status, {"retry_after_seconds": 1}), times=None)
    with pytest.raises(ServerFault) as raised:
        send()
    assert is_ambiguous(raised.value)
    assert len(world.sent) == 1


@pytest.mark.parametrize("error", REFUSED, ids=lambda error: type(error).__name__)
def test_writes_that_never_left_are_repeated(world, clock, send, error):
    """A write that certainly was not sent is tried three times, and its failure is not ambiguous."""
    world.meddler.cut("POST", "/v1/agents", error, times=2)
    assert send()["name"] == "a"
    world.meddler.cut("POST", "/v1/agents", error, times=None)
    world.forget()
    with pytest.raises(Unreachable) as raised:
        send()
    assert (len(world.sent), is_ambiguous(raised.value)) == (3, False)
    assert "EVERRUNS_API_URL" in raised.value.hint


# --- answers ---

CLASSES = [
    (400, Refused, False),
    (401, Unauthorized, True),
    (403, Forbidden, True),
    (404, NotFound, True),
    (405, Refused, False),
    (409, Conflict, True),
    (410, Refused, False),
    (415, Refused, False),
    (422, Refused, False),
    (500, ServerFault, True),
    (599, ServerFault, True),
]


@pytest.mark.parametrize(("status", "error", "hints"), CLASSES)
def test_each_status_has_its_class(world, clock, send, status, error, hints):
    """An error answer becomes our own error with what was tried, the server's words, and what to do.

    What is said about the key is only shown if it is a known text: an error page may repeat it.
    """
    world.meddler.instead("POST", "/v1/agents", (status, {"detail": "Because."}, {"X-Request-ID": "r-1"}))
    with pytest.raises(error) as raised:
        send()
    assert type(raised.value) is error
    assert raised.value.message.startswith(f"creating it: {status}")
    said = "(its words are not shown: they may repeat the key)" if status in (401, 403) else "Because."
    assert raised.value.message.endswith(f"{said} (request r-1)")
    assert bool(raised.value.hint) is hints
    assert raised.value.problem.status == status


NONSENSE = [
    ("HTML", (200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html"}), "is not JSON"),
    ("text", (200, b"OK"), "is not JSON"),
    ("not UTF-8", (200, b'"\xff"'), "is not JSON"),
    ("broken gzip", (200, b"garbage", {"Content-Encoding": "gzip"}), "cannot be decoded"),
    ("redirect", (302, b"", {"Location": "https://login.example.com"}), "the server redirects elsewhere (302)"),
    ("redirect to nowhere", (301, b""), "the server redirects elsewhere (301)"),
    ("permanent redirect", (308, b"", {"Location": "/elsewhere"}), "the server redirects elsewhere (308)"),
]


@pytest.mark.parametrize(("answer", "says"), [row[1:] for row in NONSENSE], ids=[row[0] for row in NONSENSE])
def test_nonsense_is_one_clear_error(world, read, send, answer, says):
    """What no Everruns API answers is a fault that points at the address; a redirect is never followed."""
    world.meddler.instead("GET", "/v1/agents", answer)
    world.meddler.instead("POST", "/v1/agents", answer)
    for call in (read, send):
        with pytest.raises(ServerFault) as raised:
            call()
        assert says in raised.value.message
        assert "EVERRUNS_API_URL" in raised.value.hint
        assert is_ambiguous(raised.value)
    assert len(world.sent) == 2


def test_an_empty_answer_is_nothing(world):
    """204 has no body; a list that is empty text is not a list."""
    world.meddler.instead("POST", "/v1/agents", (204, b""))
    world.meddler.contract.but("POST /v1/agents : Missing required request body")
    assert world.writer().send("POST", "/v1/agents", doing="x") is None
    world.meddler.instead("GET", "/v1/orgs", (200, b""))
    world.agent("a")
    with pytest.raises(ServerFault):
        world.plan()


# --- the reading transport ---


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_a_reader_cannot_write(world, method):
    """Whatever asks for it, nothing but GET leaves a client that reads; it has no method to send with."""
    reader = world.reader()
    assert not hasattr(reader, "send")
    with pytest.raises(AssertionError, match="a reading verb tried to"):
        reader._connection._http.send(httpx.Request(method, "http://localhost/v1/agents"))
    assert world.sent == []


PROXIES = [
    ("https://app.everruns.com/api", {}, None),
    ("https://app.everruns.com/api", {"https_proxy": "http://proxy:3128"}, "http://proxy:3128"),
    ("https://app.everruns.com/api", {"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
    ("https://app.everruns.com/api", {"http_proxy": "http://proxy:3128"}, None),
    ("https://app.everruns.com/api", {"https_proxy": "http://proxy:3128", "no_proxy": "everruns.com"}, None),
    ("http://localhost:9300", {"http_proxy": "http://proxy:3128"}, None),
]


@pytest.mark.parametrize(("url", "env", "proxy"), PROXIES)
def test_network(monkeypatch, url, env, proxy):
    """Without an app there is a pool as wide as the workers, behind the proxy of the environment."""
    made = []

    def transport(**options):
        made.append(options)
        return httpx.MockTransport(lambda _request: httpx.Response(200))

    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(connection_module.httpx, "HTTPTransport", transport)
    client = open_reader(Endpoint(url=url, key=KEY, connections=12))
    client.get("/v1/orgs", doing="listing organizations")
    client.close()
    (options,) = made
    assert options["proxy"] == proxy
    assert options["limits"].max_connections >= 12
    assert options["verify"] is url.startswith("https")


def test_an_answer_that_is_too_large_is_not_read_to_its_end(world, monkeypatch):
    """However small it is on the wire: what it unpacks to is counted."""
    monkeypatch.setattr("reconciler.live.answer.MOST_BYTES", 2**20)
    packed = gzip.compress(b" " * (4 * 2**20))
    world.meddler.instead("GET", "/v1/orgs", (200, packed, {"Content-Encoding": "gzip"}), times=None)
    with pytest.raises(ServerFault, match="the answer is too large"):
        world.reader().get("/v1/orgs", doing="listing")
