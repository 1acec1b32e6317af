"""A platform that says no, or nothing: one clear sentence, what to do about it, and never a traceback."""

import re
import socket

import pytest

ORG = "org_" + "0" * 31 + "9"


def _answering(status: str, headers: list[tuple[str, str]], body: bytes):
    def app(_environ, start_response):
        start_response(status, headers)
        return [body]

    return app


def _says(ran, *, what: str, hint: str) -> None:
    """Insist on an error of one sentence and one hint."""
    assert ran.code == 1
    assert ran.out == ""
    error, *rest = ran.err.splitlines()
    assert error.startswith("error: ")
    assert what in error
    (told,) = rest
    assert told.startswith("hint: ")
    assert hint in told


@pytest.fixture(params=["plan", "apply"])
def arguments(request) -> list[str]:
    """Give a verb that asks the platform."""
    return {"plan": ["plan"], "apply": ["apply", "--auto-approve"]}[request.param]


def test_no_key(site, arguments):
    """Without a key nothing is asked."""
    site.agents("triage")
    ran = site.run(*arguments, EVERRUNS_API_KEY="")
    _says(ran, what="EVERRUNS_API_KEY is not set", hint="export EVERRUNS_API_KEY")
    assert not site.world.sent


@pytest.mark.parametrize("key", ["evr pat", "evr_pat_\n", "evr_pat_ü"])
def test_key_that_is_none(site, key):
    """A key that cannot be one is not sent, and not repeated."""
    site.agents("triage")
    ran = site.run("plan", EVERRUNS_API_KEY=key)
    _says(ran, what="EVERRUNS_API_KEY contains", hint="copy the key again")
    assert not site.world.sent


def test_unknown_key(open_site, arguments):
    """401 says which variable to look at."""
    with open_site(tokens={"evr_pat_real": "owner"}) as site:
        site.agents("triage")
        ran = site.run(*arguments, EVERRUNS_API_KEY="evr_pat_mistyped")
        _says(ran, what="401", hint="check EVERRUNS_API_KEY")
        assert "mistyped" not in ran.text


def test_nobody_answers(shell, arguments):
    """A host that refuses connections is named."""
    shell.agents("triage")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    ran = shell.run(*arguments, EVERRUNS_API_URL=url, EVERRUNS_API_KEY="evr_pat_x")
    _says(ran, what=url, hint="check EVERRUNS_API_URL")


def test_unknown_organization(site, arguments):
    """An organization that is not one of the key's is said so, with those that are."""
    site.agents("triage")
    ran = site.run(*arguments, EVERRUNS_ORG_ID=ORG)
    _says(ran, what=ORG, hint="Default")
    assert not site.lines


def test_organization_lost_on_the_way(site):
    """404 for the organization itself says what to check."""
    site.agents("triage")
    problem = {"title": "Not Found", "status": 404, "detail": "Organization not found"}
    site.world.meddler.instead("GET", "/v1/agents", (404, problem), times=None)
    _says(site.run("plan"), what="Organization not found", hint="EVERRUNS_ORG_ID")


@pytest.mark.parametrize(
    ("status", "headers", "body", "what"),
    [
        ("200 OK", [("Content-Type", "text/html")], b"<html>Sign in</html>", "is not JSON"),
        ("200 OK", [("Content-Type", "application/json")], b'{"hello": "world"}', "is not a list"),
        ("200 OK", [("Content-Type", "application/json")], b"[]", "is not a list"),
        ("200 OK", [], b"", "is not a list"),
        ("200 OK", [("Content-Encoding", "gzip")], b"no gzip at all", "cannot be decoded"),
        ("302 Found", [("Location", "https://sso.example.com/login")], b"", "the server redirects elsewhere"),
    ],
    ids=["html", "other-json", "list", "nothing", "not-gzip", "redirect"],
)
def test_not_this_api(shell, serve, status, headers, body, what):
    """A server that is not this API is asked once, and the address is what is doubted."""
    shell.agents("triage")
    with serve(_answering(status, headers, body)) as url:
        ran = shell.run("plan", EVERRUNS_API_URL=url, EVERRUNS_API_KEY="evr_pat_x")
    _says(ran, what=what, hint="EVERRUNS_API_URL")


def test_server_in_trouble(site):
    """A server that stays in trouble is asked three times; its own words are passed on."""
    site.agents("triage")
    problem = {"title": "Internal Server Error", "status": 500, "detail": "Out of cheese"}
    site.world.meddler.instead("GET", "/v1/agents", (500, problem), times=None)
    ran = site.run("plan")
    assert ran.code == 1
    assert "Out of cheese" in ran.err
    assert len([path for path in site.reads if path.startswith("/v1/agents")]) == 3


def test_server_that_stumbles_once(site):
    """A read that fails once is read again, and nobody hears of it."""
    site.agents("triage")
    site.world.meddler.instead("GET", "/v1/agents", (503, {"title": "Unavailable", "status": 503}))
    ran = site.run("plan")
    assert (ran.code, ran.err) == (0, "")


def test_rate_limit(site):
    """A server that asks for patience gets it, and the summary says what it cost."""
    site.agents("one", "two")
    wait = (429, {"title": "Too Many Requests", "status": 429}, {"Retry-After": "1"})
    site.world.meddler.instead("POST", "/v1/agents", wait)
    ran = site.run("apply", "--auto-approve")
    assert ran.code == 0
    assert re.search(r"asked for, cost 1\.[0-3] s", ran.out)


def test_member_is_stopped_before_the_first_write(open_site):
    """403 for the last step of a plan is found out before the first: nothing is written."""
    with open_site(tokens={"evr_pat_member": "member", "evr_pat_local": "owner"}) as site:
        site.agents("triage")
        site.write(
            "manifests/app.yaml",
            "apiVersion: everruns.reconciler/v1\nkind: App\nmetadata: {name: bot}\n"
            "spec: {harness: generic, published: true, channels: [{name: chat, type: ag_ui}]}\n",
        )
        ran = site.run("apply", "--auto-approve", EVERRUNS_API_KEY="evr_pat_member")
        assert ran.code == 1
        assert "this key may not do default/App/bot publish: app.dangerous is denied" in ran.err
        assert "the owner role" in ran.err
        assert not site.lines
        site.env["EVERRUNS_API_KEY"] = "evr_pat_local"
        site.converge()


def test_member_may_do_what_a_member_may(open_site):
    """The preflight asks only for what the plan does."""
    with open_site(tokens={"evr_pat_member": "member", "evr_pat_local": "owner"}) as site:
        site.agents("triage")
        site.env["EVERRUNS_API_KEY"] = "evr_pat_member"
        site.converge()


def test_forbidden_where_there_is_no_preflight(open_site):
    """403 for what cannot be asked beforehand fails that change alone, with the platform's words."""
    with open_site(tokens={"evr_pat_member": "member", "evr_pat_local": "owner"}) as site:
        site.agents("triage")
        site.write("manifests/m.yaml", "apiVersion: everruns.reconciler/v1\nkind: Memory\nmetadata: {name: notes}\n")
        ran = site.run("apply", "--auto-approve", EVERRUNS_API_KEY="evr_pat_member")
        assert ran.code == 6
        assert "memory.manage" in ran.out
        assert "created" in ran.out
