"""`reconciler show` as a user runs it: git, ledger and platform beside each other, and who touched the lines last."""

import subprocess

import pytest

HEAD = "apiVersion: everruns.reconciler/v1\n"
FLEET = f"""\
{HEAD}kind: Agent
metadata: {{name: triage}}
spec:
  system_prompt: Help.
  description: One.
  tags: [a]
  max_iterations: 3
---
{HEAD}kind: App
metadata: {{name: bot, protect: true}}
spec:
  name: Support bot
  harness: generic
  channels:
    - {{name: in, type: webhook, config: {{token: {{env: T}}, message: Go.}}}}
"""
GIT = ["git", "-c", "user.name=Ada Lovelace", "-c", "user.email=ada@example.com"]


def git(site, *arguments):
    """Run git in the folder of a site, as somebody with a name."""
    done = subprocess.run([*GIT, *arguments], cwd=site.folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def desk(site):
    """Give a site in a repository, whose manifests were committed and applied."""
    site.env |= {"T": "sesame-open", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    site.write("manifests/fleet.yaml", FLEET)
    git(site, "init", "-q")
    git(site, "add", "manifests")
    git(site, "commit", "-qm", "Begin the desk")
    site.converge()
    return site


def rows(ran):
    """Give what is written of each field: a mark where it differs, git, live, last written."""
    (shown,) = ran.of("resource")
    return {one["name"]: (one["desired"], one["live"], one["written"]) for one in shown["fields"]}


def test_in_sync(desk):
    """What is in sync says so, with its place, its id, the commit of the last apply and that of its lines."""
    ran = desk.run("show", "Agent/triage")
    assert (ran.code, ran.err) == (0, "")
    commit = git(desk, "rev-parse", "HEAD")[:7]
    ident = desk.world.one("agents", "triage")["id"]
    lines = ran.out.splitlines()
    assert lines[:2] == ["default/Agent/triage", "  git:    manifests/fleet.yaml:1"]
    assert commit in lines[2]
    assert "Ada Lovelace" in lines[2]
    assert lines[3].startswith(f"  ledger: {ident}, last written 20")
    assert lines[3].endswith(f", {commit}")
    assert lines[4] == f"  live:   {ident}"
    assert [line.split() for line in lines if "tags" in line] == [["tags", "[a]", "[a]", "as", "both"]]
    assert lines[-1] == "In sync."
    assert desk.lines == []


def test_three_sides(desk):
    """Of each field it is told whether what was last written agrees with git, with what is live, or with neither."""
    path = f"/v1/agents/{desk.world.one('agents', 'triage')['id']}"
    changed = {"description": "Live.", "max_iterations": 9}
    assert desk.world.api.patch(path, json=changed).status_code == 200
    desk.write("manifests/fleet.yaml", FLEET.replace("max_iterations: 3", "max_iterations: 4").replace("[a]", "[b]"))
    ran = desk.run("show", "default/Agent/triage", "--json")
    assert rows(ran) == {
        "system_prompt": ("Help.", "Help.", "both"),
        "description": ("One.", "Live.", "git"),
        "tags": (["b"], ["a"], "live"),
        "max_iterations": (4, 9, "neither"),
    }
    (shown,) = ran.of("resource")
    assert shown["actions"] == ["update"]
    text = desk.run("show", "Agent/triage").out
    assert [line.split()[1] for line in text.splitlines() if line.startswith("~")] == [
        "description",
        "tags",
        "max_iterations",
    ]
    assert text.endswith("Plan: 1 to update.\n")


def test_secrets(desk):
    """Of a secret its name and what is known of it are told, nowhere a value."""
    told = [desk.run("show", "App/bot/Channel/in"), desk.run("show", "App/bot/Channel/in", "--json")]
    (line,) = [line for line in told[0].out.splitlines() if "config.token" in line]
    assert line.split() == ["config.token", "(env", "T)", "set", "unchanged"]
    assert rows(told[1])["config.token"][2] == "unchanged"
    desk.env["T"] = "sesame-shut"
    told.append(desk.run("show", "App/bot/Channel/in", "--json"))
    assert rows(told[-1])["config.token"][2] == "rotate"
    del desk.env["T"]
    told.append(desk.run("show", "App/bot/Channel/in", "--json"))
    assert rows(told[-1])["config.token"][2] == "unknown"
    everything = "".join(one.text for one in told)
    assert "sesame" not in everything
    assert "scrypt" not in everything


def test_what_is_not_there(desk):
    """What is gone or archived on the platform, not ours yet, or protected, is told as that."""
    ran = desk.run("show", "App/bot")
    assert ", protected\n" in ran.out
    ident = desk.world.one("apps", "Support bot")["id"]
    assert desk.world.api.delete(f"/v1/apps/{ident}").is_success
    ran = desk.run("show", "App/bot")
    assert f"  live:   archived ({ident})\n" in ran.out
    desk.agents("new")
    ran = desk.run("show", "Agent/new")
    assert "  ledger: not ours\n  live:   nothing\n" in ran.out
    assert "never" in ran.out
    assert ran.out.endswith("Plan: 1 to create.\n")


def test_what_cannot_be_shown(desk):
    """What means nothing, or several things, or left git, is wrong usage that says what would mean something."""
    desk.agents("triage-eu")
    for word, message in (
        ("Agent/triag", "did you mean Agent/triage"),
        ("Agent/*", "means 2 resources: "),
        ("Memory/zzz", "is not declared"),
    ):
        ran = desk.run("show", word)
        assert ran.code == 64
        assert message in ran.err
    (desk.folder / "manifests/fleet.yaml").unlink()
    ran = desk.run("show", "Agent/triage")
    assert ran.code == 64
    assert "default/Agent/triage is ours and no longer in git" in ran.err


def test_uncommitted_lines(desk):
    """Lines that nobody committed yet have no author."""
    desk.agents("new")
    (shown,) = desk.run("show", "Agent/new", "--json").of("resource")
    assert "Ada" not in str(shown["touched"])
    (shown,) = desk.run("show", "Agent/triage", "--json").of("resource")
    assert "Ada Lovelace" in shown["touched"]


def test_versions(site):
    """What git says of versions stands beside how the agent is released, a pin beside the version that it means."""
    agent = "spec: {system_prompt: Help., version: {publish: on-change, kind: minor}}"
    pin = "spec: {harness: generic, agent: triage, agent_version_policy: pinned, agent_version: latest-published}"
    site.write("manifests/triage.yaml", f"{HEAD}kind: Agent\nmetadata: {{name: triage}}\n{agent}\n")
    site.write("manifests/bot.yaml", f"{HEAD}kind: App\nmetadata: {{name: bot}}\n{pin}\n")
    site.converge()
    asked = {"publish": "on-change", "kind": "minor"}
    assert rows(site.run("show", "Agent/triage", "--json"))["version"] == (asked, asked, "both")
    shown = rows(site.run("show", "App/bot", "--json"))
    assert shown["agent_version"] == ("triage@0.1.0", "triage@0.1.0", "both")
    ident = site.world.one("agents", "triage")["id"]
    site.world.api.patch(f"/v1/agents/{ident}", json={"description": "Sorts mail."})
    behind = {"publish": "manual", "default": True}
    assert rows(site.run("show", "Agent/triage", "--json"))["version"] == (asked, behind, "git")


def test_what_no_plan_would_change_is_not_marked(site):
    """A capability that comes along with starter files is no difference; what git changed is marked."""
    head = "apiVersion: everruns.reconciler/v1\nkind: Agent\nmetadata: {name: one}\nspec:\n  system_prompt: "
    more = "\n  capabilities: [{ref: current_time}]\n  initial_files: [{path: /a.md, content: A}]\n"
    site.write("manifests/a.yaml", f"{head}Help.{more}")
    site.converge()
    ran = site.run("show", "Agent/one")
    assert ran.out.endswith("In sync.\n")
    assert "~" not in ran.out
    site.write("manifests/a.yaml", f"{head}Changed.{more}")
    marked = [line.split()[1] for line in site.run("show", "Agent/one").out.splitlines() if line.startswith("~")]
    assert marked == ["system_prompt"]


def test_a_plan_file_that_is_not_there(desk):
    """What looks like a file is told as one that is missing."""
    ran = desk.run("show", "nosuch.plan")
    assert ran.code == 64
    assert "there is no file nosuch.plan" in ran.err
