"""Error answers of every shape, and of none."""

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import AllowedAction, Problem, from_problem
from reconciler.live.problems import problem_of

JSON = {"content-type": "application/problem+json"}


def parsed(status, content, headers=JSON):
    """Parse an answer."""
    content = content if isinstance(content, bytes) else orjson.dumps(content)
    return problem_of(httpx.Response(status, content=content, headers=headers))


SHAPES = [
    (
        "problem details",
        (409, {"title": "Conflict", "status": 409, "detail": "taken", "code": "already_exists"}),
        Problem(409, "Conflict", "taken", "already_exists"),
    ),
    (
        "without a code",
        (404, {"title": "Not Found", "detail": "Agent not found"}),
        Problem(404, "Not Found", "Agent not found"),
    ),
    ("the older form", (400, {"error": "no"}), Problem(400, "Bad Request", "no")),
    ("a message", (400, {"message": "no"}), Problem(400, "Bad Request", "no")),
    ("the status line wins", (404, {"title": "", "status": 0, "detail": "gone"}), Problem(404, "Not Found", "gone")),
    ("an empty object", (422, {}), Problem(422, "Unprocessable Entity", "{}", is_document=False)),
    (
        "an object that goes too deep",
        (400, b'{"title": "x", "a": ' + b"[" * 900 + b"]" * 900 + b"}"),
        Problem(400, "Bad Request", ('{"title": "x", "a": ' + "[" * 300)[:300], is_document=False),
    ),
    ("a list", (400, [1]), Problem(400, "Bad Request", "[1]", is_document=False)),
    ("null", (400, b"null"), Problem(400, "Bad Request", "null", is_document=False)),
    (
        "members of the wrong type",
        (400, {"title": 1, "detail": [], "code": {}, "error": None}),
        Problem(400, "Bad Request"),
    ),
    ("nothing", (503, b"", {}), Problem(503, "Service Unavailable", is_document=False)),
    ("a status nobody knows", (499, b"", {}), Problem(499, is_document=False)),
    (
        "text",
        (422, b"missing field\n  `name`", {"content-type": "text/plain"}),
        Problem(422, "Unprocessable Entity", "missing field `name`", is_document=False),
    ),
    (
        "terminal codes in text",
        (400, b"\x1b[2Jgone\x07", {}),
        Problem(400, "Bad Request", "[2Jgone", is_document=False),
    ),
    ("terminal codes in JSON", (400, {"title": "a\x1b[2J", "detail": "b\x07\nc"}), Problem(400, "a [2J", "b c")),
    (
        "a web page",
        (502, b"<html>nginx", {"content-type": "text/html"}),
        Problem(502, "Bad Gateway", "the answer is a web page, not the API's", is_document=False),
    ),
    (
        "a request id",
        (500, b"", {"x-request-id": "r-1"}),
        Problem(500, "Internal Server Error", request_id="r-1", is_document=False),
    ),
]


@pytest.mark.parametrize(("answer", "problem"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES])
def test_shapes(answer, problem):
    """Whatever the server answers becomes a problem of one line that says whether it was a document."""
    assert parsed(*answer) == problem


def test_long_texts_are_cut():
    """Nobody wants a page of detail."""
    assert len(parsed(400, {"detail": "x" * 10_000, "title": "y" * 10_000}).detail) == 300
    assert len(parsed(400, b"x" * 10_000, {}).detail) == 300
    assert len(str(parsed(400, {"detail": "x" * 10_000, "title": "y" * 10_000}))) < 700


ACTIONS = [
    (
        [
            {
                "rel": "get-existing",
                "href": "/v1/agents/a",
                "method": "GET",
                "operation_id": "get_agent",
                "hint": "h",
                "x": 1,
            }
        ],
        (AllowedAction("get-existing", "/v1/agents/a", "GET", "get_agent", "h"),),
    ),
    ([{"rel": "retry-later", "hint": "Wait."}], (AllowedAction("retry-later", hint="Wait."),)),
    ([{"method": "POST"}], ()),
    ([{"rel": 3}, {"rel": "retry", "href": 7}, "retry", None], (AllowedAction("retry"),)),
    ({"rel": "retry"}, ()),
    (None, ()),
    ("retry", ()),
]


@pytest.mark.parametrize(("raw", "actions"), ACTIONS)
def test_actions(raw, actions):
    """Recovery actions are kept when they say what they are; an action without rel is an artefact."""
    problem = parsed(409, {"allowed_actions": raw})
    assert problem.allowed_actions == actions
    assert problem.action("unarchive") is None
    for action in actions:
        assert problem.action(action.rel) == action


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
members = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ["title", "detail", "error", "message", "code", "status", "retry_after_seconds", "allowed_actions"], json_values
    ),
)
headers = st.fixed_dictionaries(
    {},
    optional={
        b"retry-after": st.binary(max_size=20) | st.text("0123456789,: GMTonJan-", max_size=30).map(str.encode),
        b"content-type": st.sampled_from([b"application/json", b"text/html", b"\xff", b""]),
        b"x-request-id": st.binary(max_size=6),
    },
)


@settings(deadline=None, derandomize=True, max_examples=400)
@given(
    st.integers(400, 599), st.binary(max_size=60) | json_values.map(orjson.dumps) | members.map(orjson.dumps), headers
)
def test_garbage(status, content, raw_headers):
    """No answer, however broken, makes the parser fail; what comes out is printable and patient."""
    response = httpx.Response(status, content=content, headers=list(raw_headers.items()))
    problem = problem_of(response)
    assert problem.status == status
    assert problem.retry_after is None or problem.retry_after >= 0
    assert all(c.isprintable() for c in f"{problem.title}{problem.detail}")
    error = from_problem(problem, doing="trying")
    assert error.message.startswith(f"trying: {status}")
