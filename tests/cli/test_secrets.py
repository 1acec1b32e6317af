"""Secrets reach the platform and nothing else: no stream, no plan, no file of ours."""

import json
import re
import shutil
from pathlib import Path

import pytest

API_KEY = "evr_pat_k3y-that-nobody-may-see"


@pytest.fixture
def secrets(fleet, demo_env) -> dict[str, str]:
    """Give every secret of the example fleet a value like no other."""
    values = {name: f"v4lue-{number:03}-of-{name.lower()}" for number, name in enumerate(demo_env)}
    fleet.env |= values | {"EVERRUNS_API_KEY": API_KEY}
    return values | {"EVERRUNS_API_KEY": API_KEY}


def _files(folder: Path) -> str:
    """Read everything that runs left behind, less the manifests and the emulator's own database."""
    texts = [
        path.read_bytes().decode(errors="replace")
        for path in folder.rglob("*")
        if path.is_file() and "manifests" not in path.parts and "emulator.sqlite" not in path.name
    ]
    return "\n".join(texts)


def _leaked(text: str, secrets: dict[str, str]) -> list[str]:
    return [name for name, value in secrets.items() if value in text]


FORMATS = [
    part for name in ("text", "markdown", "summary", "html", "json") for part in ("--format", f"{name}=%.{name}")
]


def _formats(run: str) -> list[str]:
    """Ask for every format, each in a file of this run."""
    return [part.replace("%", run) for part in FORMATS]


def test_no_output_holds_a_secret(fleet, secrets):
    """A fleet is planned, saved, applied, planned again and changed, in every format: no secret is anywhere."""
    said = [
        fleet.run("validate").text,
        fleet.run("plan", "--out", "a.plan", *_formats("plan")).text,
        fleet.run("plan", "--json", "--out", "b.plan").text,
        fleet.run("apply", "a.plan", *_formats("apply")).text,
        fleet.run("plan", "--json").text,
        fleet.run("drift", *_formats("drift")).text,
    ]
    for run in ("plan", "apply", "drift"):
        assert len(list(fleet.folder.glob(f"{run}.*"))) == 5
    sent = str([one.body for one in fleet.world.writes])
    assert _leaked(sent, secrets) == sorted(set(secrets) - {"EVERRUNS_API_KEY"}, key=list(secrets).index)
    assert _leaked("".join(said) + _files(fleet.folder), secrets) == []


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["text", "json"])
def test_no_error_holds_a_secret(fleet, secrets, serve, flags):
    """A server that repeats the secrets it was sent in its refusals does not bring them out."""

    def echoing(environ, start_response):
        if environ["REQUEST_METHOD"] != "POST" or not environ["PATH_INFO"].endswith(("/channels", "/agents")):
            return fleet.world.emulator(environ, start_response)
        told = environ["wsgi.input"].read().decode()
        start_response("422 Unprocessable Entity", [("Content-Type", "application/problem+json")])
        return [json.dumps({"title": "Unprocessable", "status": 422, "detail": f"cannot take {told}"}).encode()]

    with serve(echoing) as url:
        ran = fleet.run("apply", "--auto-approve", "--api-url", url, *flags)
    assert ran.code == 6
    assert "cannot take" in ran.text
    assert _leaked(ran.text + _files(fleet.folder), secrets) == []


def test_server_that_keeps_no_secret(fleet, secrets):
    """A server that shows a secret in clear when read back does not bring it out in what differs."""
    named = "NORTHWIND_MOBILE_AG_UI_TOKEN"

    def shown(answer):
        for app in answer["data"]:
            for channel in app["channels"]:
                if channel["channel_config"].pop("token_configured", None):
                    channel["channel_config"]["token"] = secrets[named]
        return answer

    fleet.world.meddler.edit("GET", "/v1/apps", shown, times=None)
    for arguments in (["apply", "--auto-approve"], ["plan"], ["plan", "--json", "--out", "a.plan"]):
        ran = fleet.run(*arguments)
        assert _leaked(ran.text + _files(fleet.folder), secrets) == []


def test_local_files_hold_no_secret(shell, repository, demo_env):
    """--local keeps secrets in the emulator's database alone."""
    shutil.copytree(repository / "manifests", shell.folder / "manifests")
    shell.env |= {name: f"v4lue-of-{name.lower()}" for name in demo_env}
    plan = shell.run("plan", "--local", "--out", "a.plan")
    ran = shell.run("apply", "--local", "a.plan")
    assert (plan.code, ran.code) == (0, 0)
    assert not re.search("v4lue-of-", plan.text + ran.text + _files(shell.folder))
    kept = [path.name for path in (shell.folder / ".reconciler").rglob("*") if path.is_file()]
    assert ".gitignore" in kept


def test_secret_in_clear_is_refused_and_not_repeated(shell):
    """A secret that stands in a manifest is a fault that does not repeat it."""
    shell.write(
        "manifests/app.yaml",
        "apiVersion: everruns.reconciler/v1\nkind: App\nmetadata: {name: bot}\nspec:\n  harness: generic\n  channels:\n"
        "    - {name: hook, type: webhook, config: {token: v4lue-in-clear, message: Run.}}\n",
    )
    for flags in ([], ["--json"]):
        ran = shell.run("validate", *flags)
        assert ran.code == 1
        assert "must not stand in a manifest" in ran.text
        assert "v4lue-in-clear" not in ran.text
