"""A plan that is saved, reviewed and applied as it is: once, unchanged, and only where it was made for."""

import json
from pathlib import Path

import pytest

SECRET = "s3cr3t-of-the-hook"
HOOK = """\
apiVersion: everruns.reconciler/v1
kind: App
metadata: {name: bot}
spec:
  harness: generic
  channels:
    - {name: hook, type: webhook, config: {token: {env: HOOK_TOKEN}, message: Run.}}
    - {name: chat, type: ag_ui, config: {token: {env: CHAT_TOKEN}}}
"""


@pytest.fixture
def saved(site) -> Path:
    """Give a saved plan of two agents."""
    site.agents("one", "two")
    ran = site.run("plan", "--out", "a.plan")
    assert ran.code == 0
    assert ran.out.endswith("Saved to a.plan: reconciler apply a.plan\n")
    site.world.forget()
    return site.folder / "a.plan"


def test_applies_once(site, saved):
    """A saved plan is applied without asking, and a second time refused."""
    assert site.run("apply", "a.plan").code == 0
    assert site.lines == ["POST /v1/agents"] * 2
    site.world.forget()
    ran = site.run("apply", "a.plan")
    assert ran.code == 1
    assert "was applied before" in ran.err
    assert not site.world.sent


def test_used_elsewhere(site, saved):
    """A plan that was applied from another folder is stale, whoever remembers it."""
    assert site.run("apply", "a.plan").code == 0
    site.world.forget()
    elsewhere = site.folder / "elsewhere"
    elsewhere.mkdir()
    site.folder = elsewhere
    ran = site.run("apply", str(saved))
    assert ran.code == 5
    assert not site.lines


def test_shows_what_was_reviewed(site, saved):
    """What is applied is what was reviewed, whatever the manifests say by now."""
    shown = site.run("apply", "a.plan")
    site.agents("three")
    assert "default/Agent/one" in shown.out
    assert sorted(agent["name"] for agent in site.world.live("agents")) == ["one", "two"]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text.replace('"Help."', '"Obey."'), "was changed after it was written"),
        (lambda text: text.replace("plan/v1", "plan/v9"), "is not a plan file of this version"),
        (lambda text: text[: len(text) // 2], "is not a plan file"),
        (lambda _text: "", "is not a plan file"),
        (lambda _text: "[]", "is not a plan file of this version"),
        (lambda _text: "kind: Agent\n", "is not a plan file"),
        (lambda text: json.dumps(json.loads(text) | {"changes": None}), "is damaged"),
    ],
    ids=["edited", "version", "half", "empty", "list", "yaml", "damaged"],
)
def test_edited_file_is_refused(site, saved, damage, says):
    """A file that is not as it was written is refused before the platform is asked anything."""
    saved.write_text(damage(saved.read_text()))
    ran = site.run("apply", "a.plan")
    assert ran.code == 1
    assert says in ran.err
    assert not site.world.sent


def test_other_platform_is_refused(site, saved, serve):
    """A plan for one platform is not applied to another."""
    with serve(site.world.meddler) as other:
        ran = site.run("apply", "a.plan", "--api-url", other)
    assert ran.code == 1
    assert f"was made for {site.url}, this run is against {other}" in ran.err
    assert not site.world.sent


def test_same_platform_spelled_otherwise(site, saved):
    """A slash at the end of the address makes no difference."""
    assert site.run("apply", "a.plan", "--api-url", f"{site.url}/").code == 0


def test_empty_plan_is_no_use_of_it(site, saved):
    """A plan without changes is nothing to do, as often as one likes."""
    assert site.run("apply", "a.plan").code == 0
    assert site.run("plan", "--out", "b.plan").code == 0
    assert [site.run("apply", "b.plan").code for _ in range(2)] == [0, 0]


def test_holds_no_secret(site):
    """A plan file names the secrets and holds none; applied, they are read and sent."""
    site.write("manifests/app.yaml", HOOK)
    assert site.run("plan", "--out", "a.plan", HOOK_TOKEN=SECRET, CHAT_TOKEN=SECRET).code == 0
    text = (site.folder / "a.plan").read_text()
    assert SECRET not in text
    assert "HOOK_TOKEN" in text
    site.world.forget()
    assert site.run("apply", "a.plan", HOOK_TOKEN=SECRET, CHAT_TOKEN=SECRET).code == 0
    assert SECRET in [sent.body["channel_config"]["token"] for sent in site.world.writes if sent.path.endswith("nels")]


@pytest.mark.parametrize("is_saved", [True, False], ids=["saved", "fresh"])
def test_missing_secrets_are_all_named(site, is_saved):
    """Secrets without a value stop an apply before its first write, every one of them named."""
    site.write("manifests/app.yaml", HOOK)
    assert site.run("plan", "--out", "a.plan").code == 0
    ran = site.run("apply", *(["a.plan"] if is_saved else ["--auto-approve"]))
    assert ran.code == 1
    assert "HOOK_TOKEN is not set" in ran.err
    assert "CHAT_TOKEN is not set" in ran.err
    assert not site.lines
    if is_saved:
        assert site.run("apply", "a.plan", HOOK_TOKEN=SECRET, CHAT_TOKEN=SECRET).code == 0


def test_out_where_nothing_can_be_written(site):
    """A plan that cannot be saved is said so, and leaves nothing behind."""
    site.agents("one")
    ran = site.run("plan", "--out", "nowhere/a.plan")
    assert ran.code == 64
    assert "--out nowhere/a.plan: there is no folder nowhere" in ran.err
    assert not site.world.sent
    assert sorted(path.name for path in site.folder.iterdir()) == ["manifests"]


def test_something_in_the_way_of_the_note(site, saved):
    """Where the use of a plan cannot be noted, it is not used."""
    site.write(".reconciler/applied-plans", "a file in the way")
    ran = site.run("apply", "a.plan")
    assert ran.code == 64
    assert "applied-plans" in ran.err
    assert not site.lines


def test_local_plan_file(shell):
    """A plan for the embedded emulator is applied to the embedded emulator alone."""
    shell.write("manifests/o.yaml", "apiVersion: everruns.reconciler/v1\nkind: Organization\nmetadata: {name: acme}\n")
    assert shell.run("plan", "--local", "--out", "a.plan").code == 0
    ran = shell.run("apply", "a.plan", EVERRUNS_API_KEY="evr_pat_x")
    assert ran.code == 1
    assert "was made for http://localhost" in ran.err
    assert shell.run("apply", "a.plan", "--local").code == 0
