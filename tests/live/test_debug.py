"""The log of requests: what was asked, before secrets were opened, and what was measured of the answer."""

import re
from dataclasses import replace

import httpx
import pytest

from reconciler.api_errors import Conflict, Unreachable
from reconciler.kinds.fields import SecretRef
from reconciler.kinds.taint import Tainted
from reconciler.live.client import open_reader, open_writer

TOKEN = Tainted(SecretRef(source="env", name="HOOK"), "sesame")
TIME = r"\d\d:\d\d:\d\d\.\d\d\d"


@pytest.fixture
def lines():
    """Give what was logged."""
    return []


@pytest.fixture
def writer(world, lines):
    """Give a client that logs."""
    client = open_writer(replace(world.endpoint, log=lines.append))
    yield client
    client.close()


def test_a_line_for_each_request_and_answer(world, writer, lines):
    """Time, method, path, organization, attempt and body; then status, duration, the request's id and size."""
    writer.send("POST", "/v1/agents", doing="trying", org=world.org, body={"name": "a", "system_prompt": "Hi\x1b[2J"})
    asked, answered = lines
    line = f"POST /v1/agents {world.org}"
    body = r'\{"name": "a", "system_prompt": "Hi\\u001b\[2J"\}'
    assert re.fullmatch(rf"{TIME} > {line} attempt 1 \d+ B {body}", asked)
    assert re.fullmatch(rf"{TIME} < 201 {line} \d+ ms request [0-9a-f-]{{36}} \d+ B", answered)


def test_a_secret_is_shown_as_its_reference(world, writer, lines):
    """The body is logged as it was before its secrets were opened, and of an answer that repeats them nothing is."""
    world.meddler.instead("POST", ".*", (409, {"detail": "sesame"}, {"X-Request-ID": "sesame", "X-Echo": "sesame"}))
    with pytest.raises(Conflict):
        writer.send("POST", "/v1/apps/x/channels", doing="trying", org=world.org, body={"channel_config": {"a": TOKEN}})
    assert world.sent[-1].body == {"channel_config": {"a": "sesame"}}
    assert '{"channel_config": {"a": "{env: HOOK}"}}' in lines[0]
    assert "request - " in lines[1]
    assert "sesame" not in "".join(lines)
    assert world.key not in "".join(lines)


def test_attempts_are_counted(world, lines, clock):
    """A read that is repeated is one request with a further attempt; the next request begins anew."""
    world.meddler.instead("GET", "/v1/orgs", (503, {"detail": "later"}), times=2)
    client = open_reader(replace(world.endpoint, log=lines.append))
    client.get("/v1/orgs", doing="trying")
    client.get("/v1/orgs", doing="trying")
    client.close()
    found = [re.search(r"(attempt \d)|< (\d+)", line) for line in lines]
    assert [one[1] or one[2] for one in found] == [
        "attempt 1", "503", "attempt 2", "503", "attempt 3", "200", "attempt 1", "200",
    ]  # fmt: skip


def test_no_answer_is_a_line_too(world, writer, lines):
    """What broke off is told by the kind of error alone."""
    world.meddler.cut("POST", ".*", httpx.ReadError("sesame"))
    with pytest.raises(Unreachable) as raised:
        writer.send("POST", "/v1/agents", doing="trying", org=world.org, body={"name": "a", "system_prompt": "Hi"})
    assert re.fullmatch(rf"{TIME} < ReadError POST /v1/agents {world.org} \d+ ms", lines[1])
    assert "sesame" not in raised.value.message + "".join(lines)
