"""`reconciler drift` as a user runs it: what moved there and nothing else, how it ends, and that its commands work."""

import json
import shlex
import subprocess

import pytest

from reconciler.ledger.choose import Wish, choose
from reconciler.ledger.lock import lock_of

HEAD = "apiVersion: everruns.reconciler/v1\n"
TRIAGE = """\
# The desk.
apiVersion: everruns.reconciler/v1
kind: Agent
metadata: {name: triage}   # never rename

spec:
  system_prompt: "Help."
  # who it helps
  description: 'Sorts mail'   # short, please
  max_iterations: 0x3
  tags: [ "a" , b ]  # flow
"""
BOT = f"""{HEAD}kind: App
metadata: {{name: bot}}
spec:
  harness: generic
  agent: triage
  channels: [{{name: in, type: webhook, config: {{token: {{env: T}}, message: Go.}}}}]
"""
DOCS = f"{HEAD}kind: Memory\nmetadata: {{name: docs}}\nspec: {{source: {{type: github, repository: acme/docs}}}}\n"
SYNCED = {"sync_status": "succeeded", "last_synced_at": "2026-11-01T00:00:00Z"}


@pytest.fixture
def desk(site):
    """Give a site where an agent, an app with a channel and a synced memory were applied, each from its own file."""
    site.env["T"] = "sesame"
    site.write("manifests/triage.yaml", TRIAGE)
    site.write("manifests/bot.yaml", BOT)
    site.write("manifests/docs.yaml", DOCS)
    site.converge()
    behind(site, "docs", **SYNCED)
    return site


def behind(site, name, **members):
    """Change stored members of a memory behind the server's back, as time and the worker would."""
    store = site.world.emulator.store
    with store.transaction():
        record = store.find(site.world.one("memories", name)["id"])
        store.save(record.with_body({**record.body(), **members}))


def patch(site, name="triage", **body):
    """Change an agent by hand."""
    answer = site.world.api.patch(f"/v1/agents/{site.world.one('agents', name)['id']}", json=body)
    assert answer.status_code == 200, answer.text


def archive(site, plural, name):
    """Archive something by hand."""
    assert site.world.api.delete(f"/v1/{plural}/{site.world.one(plural, name)['id']}").is_success


def offered(ran, what):
    """Give the commands that a drift offers, as `revert` or `capture`."""
    lines = [line.strip() for line in ran.out.splitlines()]
    return [line.partition(":")[2].strip() for line in lines if line.startswith(f"{what}:")]


def obey(site, command, *more):
    """Run a command as it was printed."""
    program, *arguments = shlex.split(command)
    assert program == "reconciler"
    return site.run(*arguments, *more)


def test_nothing_moved(desk):
    """Without drift it says so, ends with 0, and has read only."""
    ran = desk.run("drift")
    assert (ran.code, ran.out, ran.err) == (0, "No drift. 4 resources as last written.\n", "")
    assert desk.lines == []


def test_pending_is_no_drift(desk):
    """What git changed, added or dropped and nobody applied yet is not told: that is what plan is for."""
    desk.write("manifests/triage.yaml", TRIAGE.replace("Sorts mail", "Sorts post"))
    desk.agents("new")
    (desk.folder / "manifests/bot.yaml").unlink()
    ran = desk.run("drift")
    assert (ran.code, ran.out) == (0, "No drift. 2 resources as last written.\n")


def test_what_was_never_applied_is_counted(desk):
    """What is declared and live and not ours is no drift, but it is said that nothing can be told of it."""
    desk.world.post("/v1/agents", name="other", system_prompt="Mine.")
    desk.agents("other")
    ran = desk.run("drift")
    assert ran.code == 0
    assert "! 1 declared resource is not ours yet: drift is only told after an apply\n" in ran.out


def test_a_changed_field(desk):
    """A field that moved is shown with both values, ends with 3, and pending changes beside it are left out."""
    patch(desk, description="Moved.")
    desk.write("manifests/triage.yaml", TRIAGE.replace("0x3", "4"))
    desk.world.forget()
    ran = desk.run("drift")
    assert ran.code == 3
    assert "  ~ Agent/triage  changed on the platform since " in ran.out
    assert 'description: "Sorts mail" -> "Moved."' in ran.out
    assert "max_iterations" not in ran.out
    assert ran.out.endswith("\nDrift: 1 changed; 4 watched.\n")
    (told,) = (ran := desk.run("drift", "--json")).of("drifted")
    assert (ran.code, told["what"], told["address"]) == (3, "changed", "default/Agent/triage")
    assert [(one["path"], one["old"], one["side"]) for one in told["fields"]] == [
        (["description"], "Moved.", "drifted")
    ]
    assert told["revert"] == "reconciler apply --target default/Agent/triage"
    assert told["capture"] == "reconciler drift --capture --target default/Agent/triage"
    assert desk.lines == []


def test_the_command_that_reverts(desk):
    """The printed command brings back what git says, of that resource alone."""
    patch(desk, description="Moved.")
    desk.world.post("/v1/agents", name="other", system_prompt="Mine.")
    (command,) = offered(desk.run("drift"), "revert")
    ran = obey(desk, command, "--auto-approve")
    assert ran.code == 0, ran.text
    assert desk.lines == ["PATCH /v1/agents/agent_"]
    assert desk.world.one("agents", "triage")["description"] == "Sorts mail"
    assert desk.run("drift").code == 0


def test_the_command_that_captures(desk):
    """The printed command writes the live values in place: comments, order and quotes stay, and the plan is empty."""
    patch(desk, description="Sorts post", max_iterations=5, tags=["a", "b", "c"])
    desk.world.forget()
    (command,) = offered(desk.run("drift"), "capture")
    ran = obey(desk, command)
    assert ran.code == 0, ran.text
    assert "Changed manifests/triage.yaml\n" in ran.out
    assert (desk.folder / "manifests/triage.yaml").read_text() == (
        TRIAGE.replace("'Sorts mail'", "'Sorts post'").replace("0x3", "5").replace('"a" , b ]', '"a" , b, "c" ]')
    )
    assert desk.lines == []
    for verb in (["plan", "--detailed-exitcode"], ["drift"]):
        assert desk.run(*verb).code == 0


def test_what_was_captured_is_what_was_last_written(desk):
    """After a capture the ledger has the live values: what moves next is drift again, against them."""
    patch(desk, description="Sorts post")
    desk.run("drift", "--capture")
    patch(desk, description="Sorts all")
    ran = desk.run("drift")
    assert ran.code == 3
    assert 'description: "Sorts post" -> "Sorts all"' in ran.out


def test_capture_as_events(desk):
    """Programs are told the files, what was taken in, and what was left with its reason; what is left is drift."""
    patch(desk, description="Sorts post")
    archive(desk, "apps", "bot")
    ran = desk.run("drift", "--capture", "--json")
    assert ran.code == 3
    (told,) = ran.of("captured")
    assert told["files"] == ["manifests/triage.yaml"]
    assert told["addresses"] == ["default/Agent/triage"]
    assert {one["address"]: one["message"] for one in told["left"]} == {
        "default/App/bot": "its document has to be removed by hand",
        "default/App/bot/Channel/in": "its document has to be removed by hand",
    }


def test_archived_on_the_platform(desk):
    """What was archived there is told as that; its document stands alone in its file, and both commands lead out."""
    archive(desk, "apps", "bot")
    ran = desk.run("drift")
    assert ran.code == 3
    assert "  - App/bot  it was archived on the platform since " in ran.out
    assert "capture: git rm manifests/bot.yaml\n" in ran.out
    (command, *_) = offered(ran, "revert")
    assert obey(desk, command, "--auto-approve").code == 0
    assert sorted(one["status"] for one in desk.world.live("apps")) == ["archived", "draft"]


def test_a_removal_captured_in_git(desk):
    """The printed git command takes the document away, and the next plan only forgets what is gone."""
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    archive(desk, "apps", "bot")
    (command,) = [one for one in offered(desk.run("drift"), "capture") if one.startswith("git rm")]
    for arguments in (["init", "-q"], ["add", "manifests"], ["commit", "-qm", "All"], shlex.split(command)[1:]):
        subprocess.run([*git, *arguments], cwd=desk.folder, check=True, capture_output=True)
    assert not (desk.folder / "manifests/bot.yaml").exists()
    (plan,) = desk.run("plan", "--ledger", "file", "--json").of("plan")
    assert plan["counts"] == {"forget": 2}


def test_a_file_of_several_documents_is_not_offered_for_removal(site):
    """Where other documents stand in the file, no command takes it away: they would be archived with it."""
    site.agents("one", "two")
    site.converge()
    archive(site, "agents", "one")
    ran = site.run("drift", "--target", "Agent/one")
    assert ran.code == 3
    assert "git rm" not in ran.out
    assert "remove it from git, at manifests/agents.yaml:1\n" in ran.out
    assert site.run("drift", "--json").of("drifted")[0]["capture"] is None


def test_vanished(desk):
    """What is gone altogether is told as that, and the printed command makes it anew."""
    ident = desk.world.one("agents", "triage")["id"]
    store = desk.world.emulator.store
    with store.transaction():
        record = store.find(ident)
        store.save(record.with_body({**record.body(), "status": "deleted", "name": "x"}))
    ran = desk.run("drift", "--target", "Agent/*")
    assert ran.code == 3
    assert "  - Agent/triage  it is gone from the platform since " in ran.out
    (command,) = offered(ran, "revert")
    assert obey(desk, command, "--auto-approve").code == 0
    assert desk.world.one("agents", "triage")["id"] != ident


def test_another_one_of_its_name(desk):
    """When ours is gone and another has its name, that is told with the id of the other."""
    archive(desk, "apps", "bot")
    other = desk.world.post("/v1/apps", name="bot", harness_id=desk.world.harness)["id"]
    ran = desk.run("drift")
    assert ran.code == 3
    assert f"another one of its name is there ({other})" in ran.out
    assert desk.world.lines == []


def test_several_organizations(open_site):
    """What moved is told below its organization, and those where nothing did are not."""
    with open_site(default_org=False) as site:
        for org in ("east", "west", "north"):
            site.write(f"manifests/{org}/org.yaml", f"{HEAD}kind: Organization\nmetadata: {{name: {org}}}\n")
            site.agents("triage", "calm", file=f"manifests/{org}/agents.yaml")
        site.converge()
        ids = {one["name"]: one["id"] for one in site.world.api.get("/v1/orgs").json()["data"]}
        for org, send in (("west", "DELETE"), ("north", "PATCH")):
            headers = {"X-Org-Id": ids[org]}
            (agent,) = [
                one
                for one in site.world.api.get("/v1/agents", headers=headers).json()["data"]
                if one["name"] == "triage"
            ]
            body = {"system_prompt": "Moved."} if send == "PATCH" else None
            sent = site.world.api.request(send, f"/v1/agents/{agent['id']}", headers=headers, json=body)
            assert sent.is_success
        ran = site.run("drift")
        assert ran.code == 3
        heads = [line.split()[0] for line in ran.out.splitlines() if line and line[0] not in " D"]
        assert heads == ["north", "west"]
        assert "Drift: 1 changed, 1 archived; 9 watched." in ran.out
        for command in offered(ran, "revert"):
            assert obey(site, command, "--auto-approve").code == 0
        told = site.run("drift", "--json", "--org", "west")
        assert (told.code, told.of("drift")[0]["watched"]) == (0, 3)


SYNCS = [
    ({"sync_status": "failed", "last_sync_error": "no such branch"}, "its last sync failed: no such branch"),
    ({"sync_status": "failed", "last_sync_error": None}, "its last sync failed"),
    ({"sync_status": "pending", "last_synced_at": None, "updated_at": "2026-01-01T00:00:00Z"}, "it was never synced"),
    ({"last_synced_at": "2026-01-01T00:00:00Z"}, "days ago, more than max_sync_age allows"),
]


def test_memories_that_lost_their_sync(site):
    """A sync that failed, never was, or is too old is drift that no apply can mend, and that is said."""
    site.write("manifests/reconciler.yaml", "max_sync_age: 14d\n")
    for number in range(len(SYNCS)):
        name = f"docs-{number}"
        site.write(f"manifests/{name}.yaml", DOCS.replace("name: docs", f"name: {name}"))
    site.converge()
    for number, (members, _) in enumerate(SYNCS):
        behind(site, f"docs-{number}", **SYNCED | {"last_synced_at": "2999-01-01T00:00:00Z"} | members)
    ran = site.run("drift", "--json")
    assert ran.code == 3
    for told, (_, words) in zip(ran.of("drifted"), SYNCS, strict=True):
        assert told["what"] == "unsynced"
        assert words in told["message"]
        assert (told["revert"], told["capture"]) == (None, None)


def test_a_memory_that_lost_its_sync_in_words(desk):
    """It is said where to look, as no command of ours can help, and no plan has anything to do about it."""
    behind(desk, "docs", sync_status="failed", last_sync_error="no such branch")
    ran = desk.run("drift")
    assert "  ! Memory/docs  its last sync failed: no such branch\n      see to its source" in ran.out
    assert offered(ran, "revert") == offered(ran, "capture") == []
    assert desk.run("plan", "--detailed-exitcode").code == 0


def test_syncs_that_are_well(desk):
    """An old sync is fine where no age is set, and one that was just asked for has its time."""
    behind(desk, "docs", last_synced_at="2020-01-01T00:00:00Z")
    assert desk.run("drift").code == 0
    behind(desk, "docs", sync_status="pending", last_synced_at=None, updated_at="2999-01-01T00:00:00Z")
    assert desk.run("drift").code == 0


def test_unmanaged(desk):
    """With the flag what nobody declares is told with the command that imports it; after that it is ours."""
    desk.world.post("/v1/agents", name="wild", system_prompt="Mine.")
    assert desk.run("drift").code == 0
    ran = desk.run("drift", "--unmanaged")
    assert ran.code == 3
    assert "  ? Agent/wild  nobody declares it\n" in ran.out
    assert "Drift: 1 unmanaged; 4 watched." in ran.out
    assert offered(ran, "revert") == []
    (command,) = offered(ran, "capture")
    imported = obey(desk, command)
    assert imported.code == 0, imported.text
    assert desk.lines == []
    assert desk.run("drift", "--unmanaged").code == 0


def test_commands_lead_to_the_same_manifests_and_platform(site):
    """The commands of a run over another folder, and a platform given by flag, name both, whatever is in the names."""
    folder = "our fleet"
    site.agents("triage", file=f"{folder}/agents.yaml")
    site.converge("-f", folder)
    site.env["EVERRUNS_API_URL"] = "http://127.0.0.1:1"
    patch(site, system_prompt="Moved.")
    site.world.post("/v1/agents", name="wild", system_prompt="Mine.")
    ran = site.run("drift", "-f", folder, "--api-url", site.url, "--unmanaged")
    (revert,) = offered(ran, "revert")
    captures = offered(ran, "capture")
    assert obey(site, revert, "--auto-approve").code == 0
    for command in captures:
        assert obey(site, command).code == 0, command
    assert site.run("drift", "-f", folder, "--api-url", site.url, "--unmanaged").code == 0


def test_no_lock_is_needed(desk, monkeypatch):
    """It tells what moved while another run holds the ledger, and leaves the lock with that."""
    patch(desk, description="Moved.")
    monkeypatch.chdir(desk.folder)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(desk.folder.parent))
    backend = choose(["manifests"], api_url=desk.url, wish=Wish())
    assert backend.read().entries
    with backend.lock(lock_of({"GITHUB_ACTOR": "alice"})):
        assert desk.run("drift").code == 3
        assert desk.run("apply", "--auto-approve").code == 1
        assert backend.holder().who == "alice"


def test_a_key_that_may_only_read(open_site):
    """It asks for nothing but GET, so that the key of a member is enough."""
    tokens = {"evr_pat_owner": "owner", "evr_pat_reader": "member"}
    with open_site(tokens=tokens | {"evr_pat_local": "owner"}) as site:
        site.env["EVERRUNS_API_KEY"] = "evr_pat_owner"
        site.agents("triage")
        site.converge()
        patch(site, description="Moved.")
        site.world.forget()
        ran = site.run("drift", "--unmanaged", "--json", EVERRUNS_API_KEY="evr_pat_reader")
        assert ran.code in (0, 3), ran.text
        assert {one.method for one in site.world.sent} == {"GET"}


def test_targets(desk):
    """Only what was chosen is told, and that it is a part is said."""
    patch(desk, description="Moved.")
    archive(desk, "apps", "bot")
    told = desk.run("drift", "--json", "--target", "Agent/*").of("drifted")
    assert [one["address"] for one in told] == ["default/Agent/triage"]
    ran = desk.run("drift", "--exclude", "Agent/*", "--exclude", "App/*")
    assert ran.code == 0
    assert "Partial" in ran.out


def test_a_damaged_answer_is_an_error(desk):
    """What cannot be read is an error, never drift and never none."""
    desk.world.meddler.instead("GET", "/v1/agents", (500, {"title": "No"}), times=None)
    ran = desk.run("drift", "--json")
    assert ran.code == 1
    assert ran.of("drift") == []
    assert json.dumps(ran.of("error"))


@pytest.mark.parametrize("flags", [(), ("--capture",), ("--unmanaged",)])
def test_without_a_ledger_there_is_no_telling(site, flags):
    """Where nothing that is live is ours, no drift is no answer: it is an error that says why."""
    site.world.post("/v1/agents", name="triage", system_prompt="Theirs.")
    site.agents("triage", "new")
    ran = site.run("drift", *flags)
    assert (ran.code, ran.out) == (1, "")
    assert "drift cannot be told: none of the 1 resources that are declared and live is ours" in ran.err
    (error,) = site.run("drift", *flags, "--json").of("error")
    assert (error["error"], error["exit_code"]) == ("LedgerError", 1)


def test_what_changed_on_both_sides_is_not_captured(desk):
    """A field that git changed as well is told as that, and its manifest stays as somebody meant it."""
    patch(desk, description="Moved.")
    mine = TRIAGE.replace("Sorts mail", "Sorts post")
    desk.write("manifests/triage.yaml", mine)
    ran = desk.run("drift", "--capture")
    assert ran.code == 3
    assert "changed in git as well, and not applied yet: description" in ran.out
    assert "Not captured: default/Agent/triage: description was changed in git as well" in ran.out
    assert (desk.folder / "manifests/triage.yaml").read_text() == mine


def test_a_capture_leaves_folders_and_bytes_alone(site):
    """What came from a folder or from bytes is no text to write into; another field beside it is taken in."""
    (site.folder / "manifests" / "kit").mkdir(parents=True)
    logo = site.folder / "manifests" / "kit" / "logo.png"
    logo.write_bytes(b"\x89PNG\xff")
    files = "[{dir: kit}, {path: one.png, content: {file: kit/logo.png}}]"
    head = f"{HEAD}kind: Agent\nmetadata: {{name: triage}}\nspec:\n  system_prompt: Help.\n"
    manifest = site.write("manifests/triage.yaml", f"{head}  description: old\n  initial_files: {files}\n")
    site.converge()
    patch(site, description="new")
    assert site.run("drift", "--capture").code == 0
    assert manifest.read_text() == f"{head}  description: new\n  initial_files: {files}\n"
    patch(site, initial_files=[{"path": "/workspace/other", "content": "x"}])
    refused = site.run("drift", "--capture")
    assert refused.code == 1
    assert "initial_files comes from a folder of files" in refused.text
    assert logo.read_bytes() == b"\x89PNG\xff"
    assert files in manifest.read_text()
