"""What the flags do that several verbs share."""

import subprocess
import time
from urllib.parse import unquote

import pytest

ORG = "apiVersion: everruns.reconciler/v1\nkind: Organization\nmetadata: {{name: {0}}}\n"
APP = """\
apiVersion: everruns.reconciler/v1
kind: App
metadata: {name: bot}
spec: {harness: generic, agent: one, channels: [{name: chat, type: ag_ui}]}
"""


def _addresses(ran) -> list[str]:
    return [event["address"] for event in ran.of("change")]


def test_target_brings_what_it_stands_on(site):
    """A target comes with what it refers to and its children; the plan says what was left out."""
    site.agents("one", "two")
    site.write("manifests/app.yaml", APP)
    ran = site.run("plan", "--json", "--target", "App/bot")
    assert _addresses(ran) == ["default/Agent/one", "default/App/bot", "default/App/bot/Channel/chat"]
    text = site.run("plan", "--target", "App/bot").out
    assert "Partial plan: 1 of 4 declared resources left out by --target App/bot" in text
    site.converge("--target", "App/bot")
    assert [agent["name"] for agent in site.world.live("agents")] == ["one"]


def test_exclude_leaves_out(site):
    """What is excluded is left alone, and what needs it is a fault."""
    site.agents("one", "two")
    site.write("manifests/app.yaml", APP)
    assert _addresses(site.run("plan", "--json", "--exclude", "App/*")) == ["default/Agent/one", "default/Agent/two"]
    ran = site.run("plan", "--exclude", "*/Agent/one")
    assert ran.code == 1
    assert "refers to Agent/one, which does not exist yet and is left out of this run" in ran.err
    site.converge("--exclude", "App/*", "--exclude", "Agent/two")
    assert _addresses(site.run("plan", "--json", "--exclude", "*/Agent/one"))[0] == "default/Agent/two"


def test_org_chooses_organizations(site):
    """--org keeps a run to one organization; nothing is read of another."""
    for org in ("acme", "labs"):
        site.write(f"manifests/{org}/org.yaml", ORG.format(org))
        site.agents("triage", file=f"manifests/{org}/agents.yaml")
    assert _addresses(site.run("plan", "--json", "--org", "labs")) == ["labs/Organization/labs", "labs/Agent/triage"]
    site.converge("--org", "labs")
    names = [org["name"] for org in site.world.api.get("/v1/orgs").json()["data"]]
    assert sorted(names) == ["Default", "labs"]
    assert site.run("plan", "--org", "labs", "--detailed-exitcode").code == 0
    assert site.run("plan", "--org", "labs", "--org", "acme", "--detailed-exitcode").code == 2


def test_environment_chooses_the_organization(site):
    """EVERRUNS_ORG_ID says where documents without an organization belong."""
    acme = site.world.post("/v1/orgs", name="Acme")["id"]
    site.agents("triage")
    assert site.run("plan").code == 64
    site.env["EVERRUNS_ORG_ID"] = acme
    site.converge()
    assert not site.world.live("agents")
    assert site.run("plan", "--detailed-exitcode").code == 0


def test_manifests_from_stdin(site):
    """Manifests are taken from stdin, too."""
    site.agents("triage")
    text = (site.folder / "manifests/agents.yaml").read_text()
    (site.folder / "manifests/agents.yaml").unlink()
    ran = site.run("plan", "-f", "-", stdin=text)
    assert ran.code == 0
    assert "<stdin>:1" in ran.out
    assert site.run("apply", "-f", "-", "--auto-approve", stdin=text).code == 0
    assert site.run("plan", "-f", "-", "--detailed-exitcode", stdin=text).code == 0
    assert site.run("validate", "-f", "-", stdin="").code == 64


def test_several_sources(site):
    """Several -f add up; a file reached twice counts once."""
    site.agents("one", file="a/one.yaml")
    site.agents("two", file="b.yml")
    site.agents("three", file="c/three.yaml")
    text = (site.folder / "c/three.yaml").read_text()
    ran = site.run("plan", "--json", "-f", "a", "-f", "b.yml", "-f", "a/one.yaml", "-f", "-", stdin=text)
    assert _addresses(ran) == [f"default/Agent/{name}" for name in ("one", "three", "two")]


def test_reason_is_recorded(site):
    """A reason travels beside every write, percent-encoded, and beside no read."""
    site.agents("one", "two")
    site.converge("--target", "Agent/one")
    site.agents("one", "two", prompt="Help more.")
    assert site.run("apply", "-y", "--reason", "Ticket 7: größer, 100 %").code == 0
    reasons = {sent.method: sent.headers.get("everruns-change-reason") for sent in site.world.sent}
    assert reasons["GET"] is None
    assert unquote(reasons["PATCH"]) == unquote(reasons["POST"]) == "Ticket 7: größer, 100 %"
    assert reasons["PATCH"].isascii()


def test_reason_is_the_commit(site):
    """Without a reason the commit that the manifests stand at is recorded; outside git there is none."""
    site.agents("one")
    site.converge()
    assert not any("everruns-change-reason" in sent.headers for sent in site.world.writes)

    def git(*arguments: str) -> None:
        flags = ["-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *flags, *arguments], cwd=site.folder, check=True, capture_output=True)

    git("init", "--initial-branch=main")
    git("add", "manifests")
    git("commit", "-m", "Teach the agent to help")
    site.agents("one", prompt="Help more.")
    assert site.run("apply", "-y").code == 0
    (write,) = site.world.writes
    reason = unquote(write.headers["everruns-change-reason"])
    assert reason.endswith(" Teach the agent to help (with uncommitted changes)")
    assert len(reason.split()[0]) == 12


@pytest.mark.parametrize("parallelism", [1, 3])
def test_parallelism_is_a_bound(site, parallelism):
    """No more requests are under way at once than --parallelism says."""
    site.agents(*[f"agent-{number}" for number in range(12)])
    under_way, most = [], []

    def counted() -> None:
        under_way.append(1)
        most.append(len(under_way))
        time.sleep(0.03)
        under_way.pop()

    site.world.meddler.before("POST", "/v1/agents", counted, times=None)
    site.converge("--parallelism", str(parallelism))
    assert max(most) <= parallelism
    assert parallelism == 1 or max(most) > 1


def test_flags_win_over_the_environment(site):
    """A flag wins over the environment."""
    site.agents("triage")
    assert site.run("plan", "--api-url", site.url, EVERRUNS_API_URL="http://127.0.0.1:1").code == 0


def test_local_needs_no_environment(shell):
    """--local needs neither key nor address, keeps its data between runs, and hides it from git."""
    shell.write("manifests/o.yaml", ORG.format("acme"))
    shell.agents("triage")
    env = {"EVERRUNS_API_URL": "https://never.invalid", "EVERRUNS_ORG_ID": "org_" + "0" * 32}
    assert shell.run("apply", "--local", "-y", **env).code == 0
    assert shell.run("plan", "--local", "--detailed-exitcode", **env).code == 0
    assert (shell.folder / ".reconciler/.gitignore").read_text() == "*\n"


def test_the_platform_is_told_who_asks(site):
    """Every request says who sends it, and to which organization where that matters."""
    site.agents("triage")
    site.converge()
    site.run("plan")
    for sent in site.world.sent:
        assert sent.headers["user-agent"].startswith("everruns-reconciler/")
        assert (sent.org is None) is (sent.path == "/v1/orgs")


def test_the_embedded_emulator_has_no_ledger_on_a_branch(site):
    """What --local cannot do is refused, not left out."""
    ran = site.run("ledger", "show", "--local", "--ledger", "git")
    assert (ran.code, "beside the emulator's data" in ran.err) == (64, True)
