"""Error answers of every shape, and of none."""

import base64
from urllib.parse import quote

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.api_errors import AllowedAction, Problem
from reconciler.kinds.fields import SecretRef
from reconciler.kinds.taint import Tainted
from reconciler.live.hearsay import Asked
from reconciler.live.problems import NOT_SHOWN, problem_of
from reconciler.live.refusals import from_problem

JSON = {"content-type": "application/problem+json"}


def parsed(status, content, headers=JSON, asked=None):
    """Parse an answer to a request that carried no secret, unless told otherwise."""
    content = content if isinstance(content, bytes) else orjson.dumps(content)
    return problem_of(httpx.Response(status, content=content, headers=headers), asked or Asked())


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
        (400, b"\x1b[2J gone\x07", {}),
        Problem(400, "Bad Request", "[… gone", is_document=False),
    ),
    ("terminal codes in JSON", (400, {"title": "a\x1b[2J", "detail": "b\x07\nc"}), Problem(400, "Bad Request", "b c")),
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
    assert len(parsed(400, {"detail": "x " * 10_000, "title": "y" * 10_000}).detail) == 300
    assert len(parsed(400, b"x " * 10_000, {}).detail) == 300
    assert len(str(parsed(400, {"detail": "x " * 10_000, "title": "y" * 10_000}))) < 350


ACTIONS = [
    (
        [
            {
                "rel": "get-existing",
                "href": "/v1/agents/triage",
                "method": "GET",
                "operation_id": "get_agent",
                "hint": "h",
                "x": 1,
            }
        ],
        (AllowedAction("get-existing", "/v1/agents/triage", "GET", "get_agent", "h"),),
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
    problem = parsed(409, {"allowed_actions": raw}, asked=Asked(body={"name": "triage"}))
    assert problem.allowed_actions == actions
    assert problem.action("unarchive") is None
    for action in actions:
        assert problem.action(action.rel) == action


SECRET = "s3same-open"
CARRYING = Asked(
    "POST",
    "/v1/apps/app_0/channels",
    "https://api.test/api",
    body={"name": "triage", "token": Tainted(SecretRef(source="env", name="HOOK"), SECRET)},
)
NAMED = "its words are not shown: they may repeat {env: HOOK}"
TOLD = [
    (409, "Agent name 'triage' is already taken", True),
    (409, "Agent name 's3same-open' is already taken", False),
    (409, "Agent name 'triage' is already taken by s3same-open", False),
    (400, "App must be draft before publishing", True),
    (400, "Slack channel config requires non-empty signing_secret and bot_token", True),
    (400, "Slack channel config requires non-empty open and sesame", False),
    (400, "A2A signing_secret must be at most 4096 bytes", True),
    (400, "Invalid webhook channel config: missing field `message` at line 1 column 27", True),
    (400, "Invalid webhook channel config: missing field `sesame`", False),
    (400, "ordinary words alone", False),
    (403, "Access denied: policy 'app.dangerous' requires 'org:apps:dangerous'", True),
    (403, "Access denied: policy 'app.sesame' requires 'org:apps:dangerous'", False),
    (404, "Feature 'public_chat' is not enabled", True),
    (404, "Feature 'sesame' is not enabled", False),
    (409, "Agent limit reached (max 500)", True),
    (500, "Internal server error", True),
]


@pytest.mark.parametrize(("status", "detail", "is_shown"), TOLD)
def test_an_answer_to_a_secret_is_shown_if_it_is_known(status, detail, is_shown):
    """Common refusals stay understandable; anything else could repeat the secret, and says which one was sent."""
    problem = parsed(status, {"detail": detail}, asked=CARRYING)
    assert problem.detail == (detail if is_shown else "")
    assert problem.withheld == (None if is_shown else NAMED)
    error = from_problem(problem, doing="creating it")
    assert ("check that the values" in (error.hint or "")) is not is_shown


def test_an_answer_that_is_not_shown_can_be_looked_up():
    """The message says why it is short, and which request to ask about."""
    answer = parsed(422, b"bad: " + SECRET.encode(), {"x-request-id": "req-77"}, asked=CARRYING)
    error = from_problem(answer, doing="creating it")
    assert error.message == f"creating it: 422 Unprocessable Entity ({NAMED}) (request req-77)"
    assert error.hint == (
        "check that the values of these secrets are what the field takes; "
        "the platform's operator can look up request req-77"
    )


def test_no_part_of_an_answer_to_a_secret_repeats_it():
    """Title, code, links, methods, hints and the request's id have known forms, or are left out."""
    action = {"rel": "get-existing", "href": f"https://{SECRET}/v1/agents/{SECRET}", "method": SECRET, "hint": SECRET}
    raw = {
        "title": SECRET,
        "code": SECRET,
        "detail": SECRET,
        "retry_after_seconds": SECRET,
        "allowed_actions": [action | {"operation_id": SECRET}, action | {"rel": SECRET}],
    }
    problem = parsed(409, raw, {**JSON, "x-request-id": SECRET, "retry-after": SECRET}, asked=CARRYING)
    assert SECRET not in repr(problem)
    assert problem.allowed_actions == (AllowedAction("get-existing", NOT_SHOWN, "another method"),)


KEY = "evr_pat_0123456789abcdef"
PREFIX = "Invalid app ID: invalid prefix: expected 'app', got 'org_1-x'"
PLAIN = [
    ("The moon is in the wrong house!", "The moon is in the wrong house!"),
    (f"Invalid a=b in Authorization header: 'Bearer {KEY}'", "Invalid a=b in Authorization header: 'Bearer …'"),
    (base64.b64encode(f"Bearer {KEY}".encode()).decode(), "…=="),
    (quote(f"Bearer {KEY}"), "…"),
    ("evr_pat_local evr_pat_tests", "… …"),
    ("rate_limit_per_minute must be at most 1,000,000", "rate_limit_per_minute must be at most 1,000,000"),
    (PREFIX, PREFIX),
    ("'Tri4ge Bot' and 'Oth3r Bot'", "'Tri4ge Bot' and '… Bot'"),
    (f"agent_{7:032x} is archived", f"agent_{7:032x} is archived"),
]


@pytest.mark.parametrize(("said", "shown"), PLAIN)
def test_other_answers_are_shown_word_by_word(said, shown):
    """Every request carries the key: what could be one is left out, unless it was sent in clear."""
    asked = Asked("GET", "/v1/apps/org_1-x", body={"name": "Tri4ge Bot"})
    assert parsed(400, {"detail": said}, asked=asked).detail == shown


def test_what_is_said_of_a_key_is_shown_if_it_is_known():
    """Error pages about authorization are the ones that repeat headers."""
    assert parsed(401, {"detail": "Personal access token expired"}).detail == "Personal access token expired"
    told = parsed(401, {"detail": "ordinary words"})
    assert (told.detail, told.withheld) == ("", "its words are not shown: they may repeat the key")


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
    problem = problem_of(response, Asked())
    assert problem.status == status
    assert problem.retry_after is None or problem.retry_after >= 0
    assert all(c.isprintable() for c in f"{problem.title}{problem.detail}")
    error = from_problem(problem, doing="trying")
    assert error.message.startswith(f"trying: {status}")


@pytest.mark.parametrize("noun", ["Capability", "MCP server", "Skill"])
def test_what_a_body_refers_to_is_not_the_organization(noun):
    """A reference to what is not there has a hint of its own, not the one for a wrong organization."""
    error = from_problem(Problem(404, "Not Found", f"{noun} not found"), doing="creating it")
    assert error.hint is not None
    assert "capabilities" in error.hint
    assert "EVERRUNS_ORG_ID" in (from_problem(Problem(404, "Not Found", "No"), doing="reading it").hint or "")
